"""A round: one act, killed at one point, begun again, judged. A ground holds the states that rounds begin from."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import phonenumbers

from datong.bootstrap.config import Config, load
from tests.crashes.doors import Doors, Point, places
from tests.crashes.judge import Verdict, judged
from tests.crashes.stores import StoreKind
from tests.crashes.story import Act, Datong, Scene
from tests.crashes.systems import Systems

PATIENCE = 300.0


@dataclass(frozen=True)
class Kill:
    """Where a process is killed: at a point, or `seconds` after its start."""

    point: Point | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        return str(self.point) if self.point else f"after {1000 * self.seconds:.0f} ms"


@dataclass
class Outcome:
    """What became of a round. `reached`: every process that was to be killed was."""

    act: str
    kills: tuple[Kill, ...]
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    seals: str = ""
    trouble: str = ""
    reached: bool = True

    @property
    def good(self) -> bool:
        return not (self.lost or self.twice or self.seals or self.trouble)


@dataclass
class Stage:
    """An act, the state it begins from, and what a run that nobody kills does there."""

    act: Act
    scene: Scene
    config: Config
    points: list[Point] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    seconds: float = 0.0
    open: Any = None

    def datong(self) -> Datong:
        """A new process, as it were: called in a child."""
        return Datong(self.config, self.scene.systems.clock)


class Ground:
    """One pair of systems and one store, on which rounds take place one after the other."""

    def __init__(self, systems: Systems, store: StoreKind, acts: Sequence[Act], base: Path) -> None:
        self.systems = systems
        self.store = store
        self.folder = base / "datong"
        self._kept = base / "kept"
        self._log = base / "log"
        self._imported = base / "imported"
        self.stages: dict[str, Stage] = {}
        self._tell(acts)

    def _tell(self, acts: Sequence[Act]) -> None:
        """The whole story once, with nobody killed: each act's first state is kept and its points are noted."""
        self.folder.mkdir(parents=True)
        self.systems.write_config(self.folder)
        self.store.begin(self.folder)
        scene = Scene(self.systems)
        for act in acts:
            act.configure(self.folder)
            act.people(scene)
            self.systems.keep(act.name)
            self.store.keep(act.name)
            shutil.copytree(self.folder, self._kept / act.name)
            config = load(self.folder / "datong.yaml")
            stage = self.stages[act.name] = Stage(act, scene.copied(), config)
            act.faults(self.systems)
            began = time.monotonic()
            stage.points, stage.reached = self._recorded(stage)
            stage.seconds = time.monotonic() - began
            act.meanwhile(scene)
            stage.open = self._rested(stage)
            self._must_be_right(act, scene)
            if len(self.stages) == 1:
                warm(self._imported.read_text(encoding="utf8").split())

    def _must_be_right(self, act: Act, scene: Scene) -> None:
        verdict, seals = self._judged(scene), "" if len(self.stages) > 1 else self._seals()
        if verdict.lost or verdict.twice or seals:
            told = "\n  ".join([*verdict.lost, *verdict.twice, seals])
            raise AssertionError(f"{act.name} goes wrong with nobody killed:\n  {told}")

    @property
    def points(self) -> list[tuple[str, Point]]:
        """Every point of every act."""
        return [(name, point) for name, stage in self.stages.items() for point in stage.points]

    @property
    def reached(self) -> set[str]:
        """The places in Datong's code from which the story came to a door."""
        return {place for stage in self.stages.values() for place in stage.reached}

    def play(self, name: str, kills: Sequence[Kill]) -> Outcome:
        """One round. The first kill is in the act, further ones in the processes that finish it."""
        stage = self.stages[name]
        self.systems.put_back(name)
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept / name, self.folder)
        self.store.put_back(name)
        scene = stage.scene.copied()
        stage.act.faults(self.systems)
        outcome = Outcome(name, tuple(kills))
        try:
            for number, kill in enumerate(kills):
                outcome.reached &= self._killed(stage, kill)
                if number == 0:
                    stage.act.meanwhile(scene)
            left = self._finished(stage)
            verdict = self._judged(scene)
            outcome.lost, outcome.twice, outcome.seals = verdict.lost, verdict.twice, self._seals()
            if left != stage.open:
                outcome.trouble = f"waits for people: {left}, and {stage.open} when nobody is killed"
        except ChildError as error:
            outcome.trouble = str(error)
        return outcome

    def _judged(self, scene: Scene) -> Verdict:
        return judged(scene.expected, self.systems.read())

    # processes ---------------------------------------------------------------------------------------------------

    def _recorded(self, stage: Stage) -> tuple[list[Point], set[str]]:
        """The points that the act comes to, in order, and the places in Datong's code that it comes to them from."""
        answer = self._answer()

        def record() -> None:
            points: list[Point] = []
            reached: set[str] = set()

            def visit(point: Point) -> None:
                points.append(point)
                reached.update(places())

            Doors(self.folder, visit).open()
            self._work(stage)
            told = {"points": [[p.door, p.number, p.moment] for p in points], "reached": sorted(reached)}
            answer.write_text(json.dumps(told), encoding="utf8")

        self._whole(record)
        told = json.loads(answer.read_text(encoding="utf8"))
        return list(dict.fromkeys(Point(*point) for point in told["points"])), set(told["reached"])

    def _killed(self, stage: Stage, kill: Kill) -> bool:
        """Whether the process was killed; it may be done before."""

        def die() -> None:
            if kill.point is not None:
                Doors(self.folder, _killing(kill.point)).open()
            self._work(stage)

        status = run(die, self._log, None if kill.point else kill.seconds)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return True
        self._must_be_zero(status)
        return False

    def _work(self, stage: Stage) -> None:
        datong = stage.datong()
        stage.act.work(datong, stage.scene)
        datong.close()

    def _finished(self, stage: Stage) -> Any:
        """A plain restart that does the act again; gives what is left for people."""
        return self._rested(stage, stage.act.work)

    def _rested(self, stage: Stage, work: Callable[[Datong, Scene], None] = lambda datong, scene: None) -> Any:
        answer = self._answer()

        def finish() -> None:
            datong = stage.datong()
            work(datong, stage.scene)
            datong.rest()
            answer.write_text(json.dumps(datong.open()), encoding="utf8")
            datong.close()
            if len(self.stages) == 1:
                self._imported.write_text(" ".join([*sys.modules, ""]), encoding="utf8")

        self._whole(finish)
        return json.loads(answer.read_text(encoding="utf8"))

    def _seals(self) -> str:
        """What `datong journal --verify` complains of."""

        def verify() -> None:
            from datong.cli import main

            status = main(["--config", str(self.folder / "datong.yaml"), "journal", "--verify"])
            if len(self.stages) == 1:
                with self._imported.open("a", encoding="utf8") as file:
                    file.write(" ".join(sys.modules))
            os._exit(status)

        status = run(verify, self._log)
        return "" if status == 0 else self._log.read_text(encoding="utf8", errors="replace")

    def _whole(self, act: Callable[[], None]) -> None:
        self._must_be_zero(run(act, self._log))

    def _must_be_zero(self, status: int) -> None:
        if status != 0:
            told = self._log.read_text(encoding="utf8", errors="replace")
            raise ChildError(f"a process ended with {os.waitstatus_to_exitcode(status)}:\n{told}")

    def _answer(self) -> Path:
        return self.folder.with_name("answer.json")


class ChildError(Exception):
    """A process that should have come to its end did not."""


def _killing(wanted: Point) -> Callable[[Point], None]:
    def visit(point: Point) -> None:
        if point == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return visit


def run(act: Callable[[], None], log: Path, kill_after: float | None = None) -> int:
    """Its wait status: `act` in a child of this warm process, which has imported everything and opened nothing."""
    pid = os.fork()
    if pid == 0:
        _be_child(act, log)
    handle = os.pidfd_open(pid)
    try:
        ended = select.select([handle], [], [], PATIENCE if kill_after is None else kill_after)[0]
        if not ended:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(handle)
    status = os.waitpid(pid, 0)[1]
    if not ended and kill_after is None:
        raise ChildError(f"a process hung for {PATIENCE:.0f} s:\n{log.read_text(encoding='utf8', errors='replace')}")
    return status


def _be_child(act: Callable[[], None], log: Path) -> None:
    status = 70
    try:
        with log.open("w", encoding="utf8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        gc.disable()
        act()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def warm(names: Sequence[str]) -> None:
    """Import here what a child had to import, so that the next need not. What cannot be imported alone stays out."""
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
    phonenumbers.parse("0571-8800 0001", "CN")  # compiles what every number is tried against
    gc.collect()
    gc.freeze()  # a fork then copies less


def schedule(ground: Ground, seed: int) -> list[tuple[str, tuple[Kill, ...]]]:
    """Every point of every act once, in an order that comes from the seed: first one of each kind, then the rest."""
    every = [(name, (Kill(point),)) for name, point in ground.points]
    Random(seed).shuffle(every)
    seen: set[tuple[str, str]] = set()
    first, rest = [], []
    for one in every:
        point = one[1][0].point
        assert point is not None
        kind = (point.door, point.moment)
        (rest if kind in seen else first).append(one)
        seen.add(kind)
    return first + rest


def drawn(ground: Ground, random: Random) -> tuple[str, tuple[Kill, ...]]:
    """One to three kills at random: at points, or after some milliseconds."""
    stage = random.choice(list(ground.stages.values()))
    kills = [
        Kill(seconds=random.uniform(0, stage.seconds)) if random.random() < 0.5 else Kill(random.choice(stage.points))
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    return stage.act.name, tuple(kills)
