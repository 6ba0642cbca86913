"""The service's one worker: cycles one at a time, driven by schedule, hints, retries and probes.

It never dies of an error: what nobody foresaw is logged, journalled and left alone for a while; other flows go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from random import Random
from typing import Any, Literal, TypeVar

import sqlalchemy as sa

from datong.base import log
from datong.base.errors import StoreError
from datong.engine.backoff import delay
from datong.engine.cycle import Engine, Result
from datong.engine.landscape import Running
from datong.engine.owed import Books
from datong.engine.schedule import Timing, away, due, next_after
from datong.kit import Connector
from datong.store import schema as tables
from datong.store.journal import Entry, append

T = TypeVar("T")
What = Literal["sync", "look", "retry"]

LONGEST = timedelta(seconds=0.3)
"""Between two looks at hints passes as much time as the last one took for each record, but no more than this: after a
look at one alone, most of which went into looking at all, more may gather; after one at many the next follows."""
_SEAL_EVERY = timedelta(seconds=5)
_RENEW_EVERY = 15.0
_STOPPED_REST = timedelta(hours=1)
_FRUITLESS_REST = timedelta(seconds=5)
_COUNTS = ("created", "updated", "deleted", "failed", "later")


class HaltedError(BaseException):
    """A cycle ended after the batch in hand, because someone asked to stop."""


class Halt:
    """Asks a cycle to end after the batch in hand. It is the `checkpoint` of the engine that is to obey."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def wait(self, seconds: float) -> bool:
        return self._asked.wait(seconds)

    def __call__(self, where: str) -> None:
        if where == "confirmed" and self.asked:
            raise HaltedError


@dataclass(frozen=True)
class Cycle:
    """What one cycle was, for whoever counts. `error` names what nobody foresaw."""

    what: What
    flows: tuple[str, ...]
    seconds: float
    result: Result | None = None
    error: str = ""


@dataclass
class Owed:
    """Flows to read because it is time, or because the hints are many; to look at where hints point; to retry."""

    sync: list[str] = field(default_factory=list)
    backlog: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)
    retry: list[str] = field(default_factory=list)
    waiting: bool = False
    """There are hints, but more may come just now."""


@dataclass
class _Rest:
    """A flow is left alone until then, after so many failures, or until that plan is settled."""

    until: datetime
    failures: int = 0
    plan: str = ""


class Worker:
    """Keeps `engine` at work until stopped. `step` does one turn, so that a simulation can do without the thread.

    `halt` is the checkpoint that `engine` was made with. Times of `cron` are in `zone`. `tick` is how often, in
    seconds, the store is asked what is owed. `observe` is told of every cycle.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        halt: Halt | None = None,
        zone: str = "UTC",
        tick: float = 0.5,
        random: Random | None = None,
        observe: Callable[[Cycle], None] | None = None,
    ) -> None:
        self.engine = engine
        engine.seals_each_cycle = False
        self.problem = "it has not begun yet"
        self.turned_at: datetime | None = None
        self._store = engine.store
        self._clock = engine.store.clock
        self._flows = engine.landscape.flows
        self._halt = halt or Halt()
        self._zone = zone
        self._tick = tick
        self._random = random or Random()
        self._observe = observe or (lambda cycle: None)
        self._log = log.get("worker")
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[Engine], Any]]] = SimpleQueue()
        self._heard: dict[str, datetime] = {}
        self._last: dict[str, datetime] = {}
        self._rests: dict[str, _Rest] = {}
        self._trouble, self._troubles = "", 0
        self._fruitless = 0
        self._next_look = engine.store.clock.now()
        self._look_again_at: datetime | None = None
        self._sealed_at: datetime | None = None
        self._waiting = False
        self._told = ""

    # from outside ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="datong-worker", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 60.0) -> bool:
        """Finish the batch in hand and end. False when that takes longer; to be killed then loses nothing."""
        self._halt.ask()
        self._woken.set()
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """Something came in: look at once."""
        self._woken.set()

    def heard(self, connection: str, at: datetime) -> None:
        """A valid webhook of `connection` came in."""
        self._heard[connection] = at

    def submit(self, task: Callable[[Engine], T]) -> Future[T]:
        """Have `task` done between two cycles: the way to the store while a service holds it."""
        future: Future[T] = Future()
        self._tasks.put((future, task))
        self._woken.set()
        return future

    # the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until stopped. The writer lease is held all the while."""
        keeper = threading.Thread(target=self._keep, name="datong-lease", daemon=True)
        keeper.start()
        try:
            while not self._halt.asked:
                with self._unshaken(), self._store.writer():
                    self._attend()
        finally:
            self.problem = "it was stopped"
            self._ended.set()
            keeper.join(_RENEW_EVERY)
            self._leave()

    def _attend(self) -> None:
        self.begin()
        self.problem = ""
        while not self._halt.asked:
            self.step()
            self._trouble, self._troubles = "", 0
            if self._waiting:
                self._halt.wait(max(0.001, (self._next_look - self._clock.now()).total_seconds()))
            else:
                self._woken.wait(self._tick)

    @contextmanager
    def _unshaken(self) -> Iterator[None]:
        """What goes wrong outside a cycle: the store is held by another process, or what nobody foresaw."""
        try:
            yield
            return
        except HaltedError:
            return
        except StoreError as error:
            if str(error) != self._trouble:
                self._log.warning("the store cannot be used", cause=str(error), remedy=error.remedy)
            self.problem = self._trouble = str(error)
        except Exception as error:
            self._log.exception("the worker failed and begins again")
            self.problem = f"{type(error).__name__}: {error}"
            if self.problem != self._trouble:
                self._journal_failure(error, None)
            self._trouble = self.problem
        self._troubles += 1
        self._halt.wait(min(10.0, 0.1 * 2.0 ** min(self._troubles, 10)))

    def begin(self) -> None:
        """Know what was done before. On SQLite we are alone now: what a dead process had claimed is free."""
        with self._store.write() as tx:
            rows = tx.execute(sa.select(tables.schedule).where(tables.schedule.c.last_at.is_not(None))).mappings()
            self._last.update({row["flow"]: row["last_at"] for row in rows})
            if self._store.is_sqlite:
                tx.execute(tables.due.update().where(tables.due.c.owner.is_not(None)).values(owner=None, until=None))
        if self.turned_at is None:
            self.turned_at = max(self._last.values(), default=None)

    def step(self) -> bool:
        """One turn: what was handed to us, what is owed, a seal. True when something was done."""
        self._woken.clear()
        self._notice_absence()
        did = self._do_tasks()
        owed = self.owed()
        for what, flows, sweep in (
            ("sync", owed.sync, None),
            ("sync", owed.backlog, True),
            ("look", owed.look, None),
            ("retry", owed.retry, None),
        ):
            if flows:
                self._cycle(what, flows, sweep=sweep)  # type: ignore[arg-type]
                did = True
        self._seal()
        self._waiting = owed.waiting
        self.turned_at = self._clock.now()
        return did

    def _do_tasks(self) -> bool:
        did = False
        while True:
            try:
                future, task = self._tasks.get_nowait()
            except Empty:
                return did
            did = True
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(task(self.engine))
                except HaltedError:
                    future.set_exception(StoreError("the service was stopped", remedy="start it and try again"))
                    raise
                except Exception as error:
                    future.set_exception(error)

    def _leave(self) -> None:
        """Give back what is claimed, and seal."""
        with self._unshaken():
            mine = tables.due.c.owner == self._store.owner
            with self._store.write() as tx:
                tx.execute(tables.due.update().where(mine).values(owner=None, until=None))
            self.engine.sealer.seal()
        while not self._tasks.empty():
            self._tasks.get()[0].cancel()

    def _keep(self) -> None:
        """Renew the lease, for cycles may be long. That another has taken it over is told by the next cycle."""
        while not self._ended.wait(_RENEW_EVERY):
            if not self.problem:
                try:
                    self._store.renew_writer()
                except StoreError as error:
                    self._log.warning("the writer lease was not renewed", cause=str(error))

    def _notice_absence(self) -> None:
        """After sleep, webhooks were missed: every flow is looked at as if there were none."""
        timings = [self._plain_timing(running) for running in self._flows.values()]
        gone = away(self.turned_at, self._clock.now(), timings)
        if gone is None:
            return
        self._heard.clear()
        self._log.warning("back after being away", seconds=int(gone.total_seconds()), since=str(self.turned_at))
        with self._store.write() as tx:
            append(tx, self._clock, self.engine.actor, [Entry("back", why=f"nobody looked for {_spoken(gone)}")])

    # what is owed ------------------------------------------------------------------------------------------------

    def owed(self) -> Owed:
        """What there is to do now. No flow stands in it twice: a read follows the hints too, and delivers."""
        now = self._clock.now()
        with self._store.read() as tx:
            books = Books(tx, self.engine.landscape, self._store, now)
            ready = [name for name in self._flows if not self._resting(books, name, now)]
            hinted, probe, retries = books.hinted(), books.probe(), books.retries()
        owed = Owed(due({name: self.timing(self._flows[name]) for name in ready}, self._last, now))
        left = [name for name in ready if name not in owed.sync]
        if not hinted.flows and not retries:
            self._fruitless, self._look_again_at = 0, None
        if self._look_again_at is not None and now < self._look_again_at:
            return owed
        pressing = now >= self._next_look
        owed.waiting = bool(hinted.flows) and not pressing
        owed.backlog = [name for name in left if pressing and name in hinted.backlog]
        left = [name for name in left if name not in owed.backlog]
        owed.look = [name for name in left if probe or (pressing and name in hinted.flows)]
        owed.retry = [name for name in left if name in retries and name not in owed.look]
        return owed

    def timing(self, running: Running) -> Timing:
        """When the flow is looked at by itself: less often while webhooks arrive from every side."""
        timing = self._plain_timing(running)
        return timing.relaxed() if running.webhook and self._all_heard(running) else timing

    def _plain_timing(self, running: Running) -> Timing:
        return Timing(running.every, running.cron, running.sweep, self._zone)

    def _all_heard(self, running: Running) -> bool:
        since = self._clock.now() - running.sweep
        known = self.engine.landscape.connections.values()
        sides = [conn for conn in known if conn.specs.keys() & set(running.flow.kinds)]
        return all(gives_hints(c.connector) and (at := self._heard.get(c.name)) and at > since for c in sides)

    def _resting(self, books: Books, name: str, now: datetime) -> bool:
        rest = self._rests.get(name)
        return rest is not None and now < rest.until and not (rest.plan and books.settled(rest.plan))

    # a cycle -----------------------------------------------------------------------------------------------------

    def _cycle(self, what: What, flows: Sequence[str], *, sweep: bool | None = None) -> None:
        """One cycle for these flows. When it fails each is tried alone, so that one stops no other."""
        began, moment = self._clock.monotonic(), self._clock.now()
        try:
            result = self._run(what, flows, sweep)
        except Exception as error:
            spent = self._clock.monotonic() - began
            self._observe(Cycle(what, tuple(flows), spent, error=type(error).__name__))
            if isinstance(error, StoreError):
                raise
            self._log.exception("a cycle failed", what=what, flows=flows)
            self._one_by_one(what, flows, sweep, error)
            return
        spent = self._clock.monotonic() - began
        self._observe(Cycle(what, tuple(flows), spent, result))
        self._done(what, flows, moment, spent, result)

    def _run(self, what: What, flows: Sequence[str], sweep: bool | None) -> Result:
        if what == "retry":
            return self.engine.deliver_due(flows)
        return self.engine.sync(flows, hints_only=what == "look", sweep=sweep)

    def _one_by_one(self, what: What, flows: Sequence[str], sweep: bool | None, error: Exception) -> None:
        """The one that fails alone rests, longer each time."""
        if len(flows) > 1:
            for name in flows:
                self._cycle(what, [name], sweep=sweep)
            return
        name = flows[0]
        failures = self._rests[name].failures if name in self._rests else 0
        self._rests[name] = _Rest(self._clock.now() + delay(failures, self._random), failures + 1)
        self._journal_failure(error, name)

    def _done(self, what: What, flows: Sequence[str], began: datetime, seconds: float, result: Result) -> None:
        now = self._clock.now()
        for name in flows:
            self._rests.pop(name, None)
        if what == "sync":
            self._looked(flows, began)
        if what != "retry":
            self._next_look = now + min(LONGEST, timedelta(seconds=seconds / max(1, result.read)))
        if result.stopped:
            self._rests.update({name: _Rest(now + _STOPPED_REST, plan=result.plan) for name in flows})
            self._log.warning("stopped before the first write", why=result.stopped, plan=result.plan, flows=flows)
        if what != "sync":
            self._space_out(now, result)
        self._tell(what, flows, result)

    def _looked(self, flows: Sequence[str], began: datetime) -> None:
        with self._store.write() as tx:
            for name in flows:
                self._last[name] = began
                planned = next_after(self.timing(self._flows[name]), began)
                tx.execute(tables.schedule.delete().where(tables.schedule.c.flow == name))
                tx.execute(tables.schedule.insert().values(flow=name, last_at=began, next_at=planned))

    def _space_out(self, now: datetime, result: Result) -> None:
        """What a cycle without effect leaves owed is not cured by repeating it at once."""
        if result.changed or any(getattr(result, name) for name in _COUNTS):
            self._fruitless, self._look_again_at = 0, None
            return
        self._fruitless += 1
        self._look_again_at = now + min(_FRUITLESS_REST, timedelta(seconds=0.01 * 2.0 ** min(self._fruitless, 10)))

    def _journal_failure(self, error: Exception, flow: str | None) -> None:
        told = f"{type(error).__name__}: {error}"[:1000]
        try:
            with self._store.write() as tx:
                append(tx, self._clock, self.engine.actor, [Entry("worker failed", flow=flow, why=told)])
        except StoreError as trouble:
            self._log.warning("a failure could not be journalled", cause=str(trouble))

    def _seal(self) -> None:
        now = self._clock.now()
        if self._sealed_at is None or not now - _SEAL_EVERY < self._sealed_at <= now:
            self._sealed_at = now
            self.engine.sealer.seal()

    def _tell(self, what: What, flows: Sequence[str], result: Result) -> None:
        """A cycle that did something, or met another trouble than the one before."""
        counts = {name: getattr(result, name) for name in _COUNTS}
        told = "; ".join(result.problems)
        if any(counts.values()) or told != self._told:
            self._log.info(what, flows=flows, problems=result.problems, seconds=result.seconds, **counts)
        self._told = told


def gives_hints(connector: Connector[Any]) -> bool:
    """Whether the connector knows webhooks."""
    return type(connector).hints is not Connector.hints


def _spoken(gone: timedelta) -> str:
    minutes, seconds = divmod(int(gone.total_seconds()), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {seconds} s"
