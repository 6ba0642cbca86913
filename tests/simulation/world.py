"""A world: two systems, people, and Datong's processes between them. It carries out the steps of a story."""

from __future__ import annotations

import secrets
import shutil
import socket
import sqlite3
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from multiprocessing.util import Finalize
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import to_text
from datong.base.errors import StoreBusy, UsageError
from datong.canon import Account
from datong.engine.cycle import Engine, Result
from datong.engine.flow import Master, Policies, Policy, Ruled
from datong.engine.landscape import Conn, Landscape, Running
from datong.matching import Identity, same
from datong.operations import Actor, work
from datong.sandbox.identifiers import uscc
from datong.store import Store, Transaction
from datong.store.journal import Sealer, entries
from datong.store.schema import leases, links, meta
from datong.store.schema import work as work_items
from tests.simulation import steps
from tests.simulation.connector import KIND, SETTLE, Fault, SimConnector
from tests.simulation.evidence import evidence
from tests.simulation.moment import SimClock, Time
from tests.simulation.steps import Act, During, Step
from tests.simulation.system import Ledger, Row, System, entered
from tests.simulation.traits import FIELDS, LEVEL, OUTSIDE, SIDES, Traits

WANG = Actor("wang.wei", ("admin",))
FLOW = "customer_master"
_TRIES = 20
_NO_PROCESS = 2**22 + 1
"""A pid beyond the largest."""


class KilledError(BaseException):
    """The process is no more. Nothing of Datong may catch it."""

    def __init__(self, lingers: bool = False) -> None:
        super().__init__()
        self.lingers = lingers


class SimStore(Store):
    """A store whose process can be killed, and which tells each commit. What SQLAlchemy makes of a statement is kept
    from one process to the next."""

    def __init__(self, url: str, clock: SimClock) -> None:
        super().__init__(url, clock)
        self.engine.dialect = _dialect()
        self.engine.update_execution_options(compiled_cache=_compiled())

    dead = False
    alone = True
    point: Callable[[str], None] = staticmethod(lambda where: None)

    @property
    def is_sqlite(self) -> bool:
        return self.alone

    kept: Callable[[], None] = staticmethod(lambda: None)

    @contextmanager
    def write(self, *more: Any, **how: Any) -> Iterator[Transaction]:
        with super().write(*more, **how) as tx:
            yield tx
        self.kept()
        self.point("commit")

    @contextmanager
    def _opened(self) -> Iterator[Transaction]:
        if self.dead:
            raise KilledError
        with super()._opened() as connection:
            yield connection


@cache
def _compiled() -> dict[Any, Any]:
    return {}


@cache
def _dialect() -> sa.Dialect:
    store = Store(f"sqlite:///{_blank()}", SimClock(Time()))
    store.close()
    return store.engine.dialect


@cache
def _room() -> Path:
    """Where stores lie: in memory where the machine has such a place."""
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="datong-sim-", dir=shared if shared.is_dir() else None))
    Finalize(None, shutil.rmtree, (room, True), exitpriority=0)  # at the end of a process of a pool too
    return room


@cache
def _blank() -> Path:
    """A store with its schema made, to be copied."""
    path = _room() / "blank.db"
    store = Store(f"sqlite:///{path}", SimClock(Time()))
    with store.write() as tx:
        tx.execute(meta.update().where(meta.c.name == "instance").values(value="51m00000"))
    store.close()
    return path


class Process:
    """One process of Datong: all that it holds in memory."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.store = SimStore(f"sqlite:///{world.folder / 'datong.db'}", world.clock)
        self.store.owner = f"elsewhere:{number}:sim"  # a process of another machine counts as alive
        self.store.alone = not world.traits.shared_store
        self.store.point = world.point
        self.store.kept = partial(world.kept, number)
        self.sealer = Sealer(self.store, world.folder / "keys", world.folder / "datong.seals")
        self.landscape = world.landscape(self.store.instance, number)
        self.engine = Engine(
            self.store, self.landscape, self.sealer, Random(world.seed * 1000 + number), checkpoint=world.point
        )

    def end(self) -> None:
        self.store.point = lambda where: None
        self.store.close()

    def die(self, *, lingers: bool = False) -> None:
        """`lingers`: nobody can tell that it died, so that its lease has to run out first."""
        if not lingers:
            with Store.write(self.store) as tx:
                tx.execute(leases.update().values(owner=f"{socket.gethostname()}:{_NO_PROCESS}:sim"))
        self.store.dead = True
        self.store.close()


@dataclass(frozen=True)
class Saved:
    """A copy of the store in `folder`, with what was true when it was made."""

    at: datetime
    seals: str
    removed: frozenset[tuple[str, int]]


class World:
    """`run` lives a story through."""

    def __init__(self, seed: int, traits: Traits) -> None:
        self.seed = seed
        self.traits = traits
        self.dice = Random(f"people {seed}")
        self.time = Time()
        self.clock = SimClock(self.time)
        self.ledger = Ledger(linked=self.linked, intended=self.intended)
        self.folder = Path(tempfile.mkdtemp(dir=_room()))
        shutil.copyfile(_blank(), self.folder / "datong.db")
        self._aside = sqlite3.connect(self.folder / "datong.db", isolation_level=None)
        self.systems = {side: System(side, traits.manners[side], self.time, self.ledger) for side in SIDES}
        self.systems["crm"].other, self.systems["erp"].other = self.systems["erp"], self.systems["crm"]
        self.faults: dict[str, list[Fault]] = {side: [] for side in SIDES}
        self.armed: list[list[Any]] = []
        self.remapped: set[tuple[str, str]] = set()
        """(side, field) whose map was another one at times."""
        self.wrong = self.ledger.wrong
        self.told: Callable[[str], None] = lambda line: None
        self.struck = self.ledger.struck
        self.earlier: list[Any] = []
        """What was told before an old backup was put back."""
        self._saved: Saved | None = None
        self._customers = 0
        self._processes = 0
        self._nested = False
        self._hex = Random(f"hex {seed}")
        self.process: Process | None = None

    # building ----------------------------------------------------------------------------------------------------

    def landscape(self, instance: str, process: int) -> Landscape:
        connections = {}
        for side, system in self.systems.items():
            connector = SimConnector(system, self.clock, self.point, self.faults[side], process)
            connections[side] = Conn(side, side, connector, dict(connector.kinds))
        policies = Policies(*(Ruled(policy, (name,)) for name, policy in self.traits.policies.items()))
        policies.by_name.update(Policies(Ruled(Policy("shared"), ("tax_id", "email"))).by_name)
        flow = Master(
            name=FLOW,
            record=Account,
            identity=Identity(link=(same("tax_id"),), review=(same("email"),)),
            fields=policies,
            first_load=self.traits.first_load,
        )
        running = Running(
            flow,
            policies=policies,
            first_load=self.traits.first_load,
            deletes=self.traits.deletes,
            scope=_in_scope if self.traits.scope else None,
            sweep=timedelta(hours=6),
        )
        return Landscape(connections, {FLOW: running}, instance)

    @property
    def _running(self) -> Process:
        assert self.process is not None
        return self.process

    def start(self) -> Process:
        self._processes += 1
        return Process(self, self._processes)

    # running -----------------------------------------------------------------------------------------------------

    @contextmanager
    def lived(self) -> Iterator[None]:
        """Within it even what is drawn by lot outside the engine's own dice is the seed's."""
        drawn, blake = secrets.token_hex, self._hex
        secrets.token_hex = lambda nbytes=None: blake.randbytes(nbytes or 32).hex()
        try:
            self.process = self.start()
            yield
        finally:
            secrets.token_hex = drawn
            if self.process is not None:
                self.process.end()
            self._aside.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self) -> None:
        """The customers there are when Datong is first started, some of them on both sides."""
        for number in range(self.traits.people):
            self._act(steps.Make(SIDES[number % 2], number))
            if number % 3 == 0:
                self._act(steps.MakeTwin(SIDES[(number + 1) % 2], -1, number + 5))
            self.time.lapse(60)

    def take(self, step: Step) -> None:
        self.told(f"{self.time.now:%d %H:%M:%S}  {step}")
        if isinstance(step, During):
            self.armed.append([step.point, step.act])
        else:
            self._act(step)

    def point(self, where: str) -> None:
        """Datong has come to a point at which the story may go on, or end for this process."""
        if self._nested:
            return
        for one in list(self.armed):
            one[0] -= 1
            if one[0] <= 0:
                self.armed.remove(one)
                self.told(f"{self.time.now:%d %H:%M:%S}    at {where}: {one[1]}")
                self._nested = True
                try:
                    self._act(one[1])
                finally:
                    self._nested = False

    def kept(self, process: int) -> None:
        for system in self.systems.values():
            system.kept(process)

    def _act(self, act: Act) -> None:
        method = getattr(self, f"_{type(act).__name__.lower()}")
        method(act)

    # people at the systems ---------------------------------------------------------------------------------------

    def _pick(self, side: str, pick: int) -> Row | None:
        rows = list(self.systems[side].rows.values())
        return rows[pick % len(rows)] if rows else None

    def _pass(self, act: steps.Pass) -> None:
        self.time.lapse(act.seconds)

    def _make(self, act: steps.Make) -> None:
        self._customers += 1
        number = self._customers
        self._enter(act.side, number, act.shape, uscc(Random(f"{self.seed} {number}")))

    def _maketwin(self, act: steps.MakeTwin) -> None:
        here, there = self.systems[act.side], self.systems[act.side].other
        free = [r for r in there.rows.values() if not here.of(r.customer) and r.customer not in here.removed]
        if free:
            row = free[act.pick % len(free)]
            self._enter(act.side, row.customer, act.shape, str(row.values["tax_id"]))

    def _makealike(self, act: steps.MakeAlike) -> None:
        other = self._pick("erp" if act.side == "crm" else "crm", act.pick)
        if other is not None:
            self._customers += 1
            tax_id = uscc(Random(f"{self.seed} {self._customers}"))
            self._enter(act.side, self._customers, act.shape, tax_id, str(other.values["email"]))

    def _enter(self, side: str, number: int, shape: int, tax_id: str, email: str = "") -> None:
        told = {}
        for place, name in enumerate(FIELDS):
            if name == "name" or (shape + place) % 3:
                serial = self.ledger.serial()
                shape_here = shape + place if name != "name" else 0
                if (value := entered(name, serial, shape_here)) is not None:
                    told[name] = (value, serial)
        fixed = {"tax_id": tax_id, "email": email or f"c{number}@x.example"}
        self.systems[side].make(number, told, fixed)

    def _edit(self, act: steps.Edit) -> None:
        row = self._pick(act.side, act.pick)
        if row is not None:
            self._change(act.side, row, act.field, act.shape)

    def _change(self, side: str, row: Row, name: str, shape: int) -> None:
        if name == self.systems[side].manners.computes:
            return  # nobody can
        serial = self.ledger.serial()
        value = entered(name, serial, shape if name != "name" else shape % 10)
        if self.systems[side].manners.form(name).hold(value) != row.values.get(name):
            self.struck["out of scope"] += self.traits.scope and name == LEVEL and value == OUTSIDE
            self.told(f"                 {side} {row.id} {name} = {value!r}")
            self.systems[side].edit(row, name, value, serial)

    def _editboth(self, act: steps.EditBoth) -> None:
        row = self._pick(act.first, act.pick)
        other = "erp" if act.first == "crm" else "crm"
        if row is None:
            return
        self._change(act.first, row, act.field, act.shape)
        for twin in self.systems[other].of(row.customer)[:1]:
            self.time.lapse(5.0 * (1 + act.shape % 3))
            self._change(other, twin, act.field, act.shape + 1)

    def _respell(self, act: steps.Respell) -> None:
        row = self._pick(act.side, act.pick)
        if row is not None:
            system = self.systems[act.side]
            made_up = act.field == system.manners.computes
            if not made_up and system.manners.form(act.field).name in (
                "as it is",
                "upper case",
                "lower case",
                "NFC",
                "NFD",
            ):
                system.respell(row, act.field)
            else:
                system.touch(row)

    def _remove(self, act: steps.Remove) -> None:
        row = self._pick(act.side, act.pick)
        if row is not None and self.linked(act.side, row.id):
            self.told(f"                 {act.side} {row.id} deleted")
            self.struck["deleted"] += 1
            self.systems[act.side].remove(row)

    def _merge(self, act: steps.Merge) -> None:
        row, into = self._pick(act.side, act.pick), self._pick(act.side, act.into)
        if row is None or into is None or row.customer == into.customer or row.customer in self.ledger.apart:
            return
        if self.linked(act.side, row.id) and self.linked(act.side, into.id):
            self.told(f"                 {act.side} {row.id} merged into {into.id}")
            self.struck["merged"] += 1
            self.systems[act.side].merge(row, into)

    def _hide(self, act: steps.Hide) -> None:
        self.systems[act.side].hidden ^= {act.field}

    def _remap(self, act: steps.Remap) -> None:
        system = self.systems[act.side]
        form = system.manners.form(act.field)
        if form.name != "as it is" and not self._nested:
            forms = {**system.manners.forms, act.field: replace(form, declared=not form.declared)}
            system.manners = replace(system.manners, forms=forms)
            self.remapped.add((act.side, act.field))
            self.struck["new map"] += 1
            self._restart(steps.Restart())

    def linked(self, side: str, id: str) -> bool:
        """Datong knows this record, and the other one it belongs to."""
        if self.process is None:
            return False
        return (
            self.count(
                "links WHERE state = 'live' AND record_id IN "
                "(SELECT record_id FROM links WHERE connection = ? AND native_id = ?)",
                side,
                id,
            )
            > 1
        )

    def intended(self, side: str, id: str) -> bool:
        """What became of the last write to this record is not known."""
        return (
            self.count(
                "intents JOIN links ON links.record_id = intents.record_id AND links.connection = intents.connection "
                "WHERE links.connection = ? AND links.native_id = ?",
                side,
                id,
            )
            > 0
        )

    def count(self, rows: str, *values: Any) -> int:
        """How many rows of the store there are, asked past Datong."""
        return int(self._aside.execute(f"SELECT COUNT(*) FROM {rows}", values).fetchone()[0])

    def unfinished(self) -> bool:
        """Datong has something to do of itself: to write what waits for no person, to look where it was pointed at,
        or once more for what is missing."""
        return any(map(self.count, ("due WHERE at < '9000'", "inbox", "links WHERE state = 'missing'")))

    # Datong ------------------------------------------------------------------------------------------------------

    def _sync(self, act: steps.Sync) -> Result | None:
        return self._work(lambda engine: _cycle(engine, act.how))

    def _work(self, task: Callable[[Engine], Any], process: Process | None = None) -> Any:
        """Datong does something. Killed on the way it is started anew; nothing else may come out of it."""
        mine = process or self.process
        assert mine is not None
        try:
            return task(mine.engine)
        except KilledError as killed:
            self.struck["killed"] += 1
            mine.die(lingers=killed.lingers)
            for system in self.systems.values():
                system.forget(mine.number)
            if process is None:
                self.process = self.start()
        except StoreBusy as error:
            self.told(f"                 busy: {error}")
        except Exception as error:
            told = "".join(traceback.format_exception(error, limit=-6))
            self.wrong.append(f"an exception came out of the engine: {type(error).__name__}: {error}\n{told}")
        return None

    def _other(self, act: steps.Other) -> None:
        """Another process: begun now, and gone when its cycle is done."""
        process = self.start()
        self.struck["other process"] += 1
        try:
            self._work(lambda engine: engine.sync(), process)
        finally:
            process.end()

    def _trouble(self, act: steps.Trouble) -> None:
        self.faults[act.side].append(Fault(act.call, act.error, act.effect, act.times))  # type: ignore[arg-type]

    def _hints(self, act: steps.Hints) -> None:
        row = self._pick(act.side, act.pick)
        if row is not None and self.process is not None:
            self.struck["hinted"] += 1
            for _ in range(act.times):
                self._work(lambda engine: engine.note_hint(act.side, KIND, row.id))

    def _restart(self, act: steps.Restart) -> None:
        if not self._nested:
            assert self.process is not None
            self.struck["restarted"] += 1
            self.process.end()
            self.process = self.start()

    def _kill(self, act: steps.Kill) -> None:
        assert self.process is not None
        if self._nested:
            raise KilledError(act.lingers)
        self.struck["killed"] += 1
        self.process.die(lingers=act.lingers)
        self.process = self.start()

    def _setclock(self, act: steps.SetClock) -> None:
        ahead = timedelta(seconds=act.seconds) - self.clock.off
        self.clock.off = timedelta(seconds=act.seconds)
        self.struck["our clock"] += bool(ahead)
        for system in self.systems.values():
            system.unsettled = self.time.now + SETTLE if ahead > timedelta(minutes=1) else system.unsettled

    def _settheirs(self, act: steps.SetTheirs) -> None:
        system = self.systems[act.side]
        ahead = timedelta(seconds=system.manners.skew + act.seconds)
        self.struck["their clock"] += ahead != system.ahead
        system.ahead = ahead

    def _backup(self, act: steps.Backup) -> None:
        if self._nested or self.process is None:
            return
        seals = self.folder / "datong.seals"
        told = seals.read_text() if seals.exists() else ""
        with sqlite3.connect(self.folder / "backup.db") as copy:
            self._aside.backup(copy)
        copy.close()
        self._saved = Saved(self.time.now, told, self._removed())

    def _removed(self) -> frozenset[tuple[str, int]]:
        return frozenset((s.side, customer) for s in self.systems.values() for customer in s.removed)

    def _restore(self, act: steps.Restore) -> None:
        """As docs/operate.md says: the seals of the backup with its store, then a full plan, which a person reads."""
        if self._nested or self._saved is None:
            return
        self.struck["restored"] += 1
        self.earlier.append(evidence(self))
        self.ledger.forgotten.append((self._saved.at, self.time.now))
        self.ledger.apart.update(customer for _, customer in self._removed() - self._saved.removed)
        self._running.end()
        self._aside.close()
        for kept in self.folder.glob("datong.db*"):
            kept.unlink()
        shutil.copyfile(self.folder / "backup.db", self.folder / "datong.db")
        (self.folder / "datong.seals").write_text(self._saved.seals)
        self._aside = sqlite3.connect(self.folder / "datong.db", isolation_level=None)
        self.process = self.start()
        for _ in range(_TRIES):
            plan = self._work(lambda engine: engine.plan(full=True))
            if plan is not None and not plan["problems"]:
                break
            self.time.lapse(600)
        if plan is not None:
            self._person(lambda engine: engine.apply(plan["id"], accept_mass=True))

    # people at Datong --------------------------------------------------------------------------------------------

    def _people(self, act: steps.People) -> None:
        items = self.items()
        if items and not self._nested:
            self.settle(items[act.pick % len(items)], act.pick)

    def items(self, *, settled: bool = False) -> list[dict[str, Any]]:
        """What waits for people; with `settled` also what did."""
        assert self.process is not None
        query = sa.select(work_items).order_by(work_items.c.id)
        with Store.read(self.process.store) as tx:
            return [
                dict(r) for r in tx.execute(query if settled else query.where(work_items.c.state == "open")).mappings()
            ]

    def settle(self, item: dict[str, Any], pick: int) -> None:
        """A person settles one item."""
        self.told(f"                 {item['type']} {item['id']}: {item['reason']}")
        if item["type"] == "conflict":
            holders = sorted(item["detail"]["values"])
            self.struck["resolved"] += 1
            self._person(lambda engine: work.resolve(engine, WANG, item["id"], take=holders[pick % len(holders)]))
        elif item["type"] == "review":
            one, other = (self._stands_for(item[n]) for n in ("record_id", "other_id"))
            same = bool(one & other) or (item["cause"] == "merge" and pick % 2 == 0)
            settled = work.link if same else work.separate
            self.struck["joined" if same else "separated"] += 1
            self._person(lambda engine: settled(engine, WANG, item["id"]))
        elif item["cause"] == "mass change":
            self._person(lambda engine: engine.apply(item["detail"]["plan"], accept_mass=True))
        elif item["cause"] == "map changed":
            self._person(lambda engine: engine.apply(engine.plan()["id"], accept_mass=True))
        elif (item["cause"] == "outcome unknown" and self._is_there(item)) or (
            item["cause"] == "not accepted" and pick % 2
        ):
            self.struck["dismissed"] += 1
            self._person(lambda engine: work.dismiss(engine, WANG, item["id"]))
        else:
            self.struck["retried"] += 1
            self._person(lambda engine: work.retry(engine, WANG, item["id"]))

    def _is_there(self, item: dict[str, Any]) -> bool:
        """A person looks whether the customer was created after all."""
        customers = self._stands_for(item["record_id"])
        return any(self.systems[item["connection"]].of(customer) for customer in customers)

    def _stands_for(self, record_id: int) -> set[int]:
        """The customers that a record of Datong's is about."""
        with Store.read(self._running.store) as tx:
            query = sa.select(links.c.connection, links.c.native_id).where(links.c.record_id == record_id)
            known = list(tx.execute(query))
        return {r.customer for k in known for r in self.systems[k.connection].rows.values() if r.id == k.native_id}

    def _unlink(self, act: steps.Unlink) -> None:
        row = self._pick(act.side, act.pick)
        if row is not None and self.linked(act.side, row.id) and not self._nested:
            self.told(f"                 {act.side} {row.id} is another one, somebody says")
            self.struck["unlinked"] += 1
            self.ledger.apart[row.customer] += 1
            self._person(lambda engine: work.unlink(engine, WANG, act.side, row.id, KIND))

    def _person(self, task: Callable[[Engine], Any]) -> None:
        def tried(engine: Engine) -> None:
            try:
                task(engine)
            except UsageError as error:
                self.told(f"                 refused: {error}")

        self._work(tried)

    # what is left behind -----------------------------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        assert self.process is not None
        with self.process.store.read() as tx:
            return entries(tx, limit=10**6)

    def fingerprint(self) -> str:
        """Over the journal and both systems: what two runs of one seed have in common."""
        told = [
            [
                to_text(r["at"]),
                *(r[n] for n in ("actor", "event", "record_id", "connection", "native_id", "why", "body")),
            ]
            for r in self.journal()
        ]
        held = [[s.side, [[r.id, r.values, r.version] for r in s.rows.values()]] for s in self.systems.values()]
        return sha256(json.canonical([told, held])).hexdigest()


def _in_scope(fields: Mapping[str, Any]) -> bool:
    return fields.get(LEVEL) != OUTSIDE


def _cycle(engine: Engine, how: str) -> Result:
    if how == "retry":
        return engine.deliver_due()
    return engine.sync(full=how == "full", hints_only=how == "hints", sweep=True if how == "sweep" else None)
