"""The service's one worker: cycles one at a time, driven by schedule, hints, retries and probes. It never dies of an
error: what nobody foresaw is logged, journalled and left alone for a while, and the other flows go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from datong.engine import health
from datong.engine.backoff import delay
from datong.engine.cycle import Engine, Result
from datong.engine.intake import changed_maps
from datong.engine.landscape import Running
from datong.engine.schedule import Timing, away, due, next_after
from datong.kit import Connector
from datong.store import Transaction
from datong.store import schema as tables
from datong.store.journal import Entry, append

T = TypeVar("T")
What = Literal["sync", "look", "retry"]

BACKLOG = 500
"""With more hints than this for one kind of a connection, one read of the list answers them all."""
QUIET = timedelta(seconds=0.3)
"""Hints that come in quick succession are waited for, so that quick edits become one write."""
LONGEST = timedelta(seconds=3)
"""But a look is never put off for longer than this."""
_SEAL_EVERY = timedelta(seconds=5)
_RENEW_EVERY = 15.0
_STOPPED_REST = timedelta(hours=1)
_FRUITLESS_REST = timedelta(seconds=30)


class HaltedError(BaseException):
    """A cycle left after the batch in hand, because someone asked to stop."""


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
    """What there is to do now, by flow."""

    sync: list[str] = field(default_factory=list)
    backlog: list[str] = field(default_factory=list)
    look: list[str] = field(default_factory=list)
    retry: list[str] = field(default_factory=list)


@dataclass
class _Rest:
    """A flow is left alone until then, after so many failures, or until that plan is settled."""

    until: datetime
    failures: int = 0
    plan: str = ""


class Worker:
    """Runs `engine` until stopped. `step` does one turn, so that a simulation can drive it without a thread."""

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
        self.problem = "it has not begun yet"
        self.turned_at: datetime | None = None
        self._store = engine.store
        self._clock = engine.store.clock
        self._landscape = engine.landscape
        self._halt = halt or Halt()
        self._zone = zone
        self._tick = tick
        self._random = random or Random()
        self._observe = observe or (lambda cycle: None)
        self._log = log.get("worker")
        self._woken = threading.Event()
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._heard: dict[str, datetime] = {}
        self._rests: dict[str, _Rest] = {}
        self._last: dict[str, datetime] = {}
        self._fruitless = 0
        self._look_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._sealed_at: datetime | None = None
        self._told = ""
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    # from outside ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="datong-worker", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 60.0) -> bool:
        """Finish the batch in hand and end. False when that took longer; being killed then loses nothing."""
        self._halt.ask()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

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
        """Have `task` done by the worker between two cycles: the way to the store while a service holds it."""
        future: Future[T] = Future()

        def act() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(task(self.engine))
            except HaltedError as error:
                future.set_exception(RuntimeError("the service was stopped"))
                raise error
            except Exception as error:
                future.set_exception(error)

        self._tasks.put(act)
        self._woken.set()
        return future

    # the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until stopped. The writer lease is held all the while."""
        keeper = threading.Thread(target=self._keep, name="datong-lease", daemon=True)
        keeper.start()
        failures = 0
        try:
            while not self._halt.asked:
                with self._unshaken():
                    failures = self._attend(failures)
                if not self._halt.asked:
                    failures += 1
                    self._halt.wait(min(5.0, 0.2 * 2**failures))
        finally:
            self.problem = "it was stopped"
            self._ended.set()
            keeper.join(2 * _RENEW_EVERY)

    def _attend(self, failures: int) -> int:
        with self._store.writer():
            self.begin()
            self.problem = ""
            while not self._halt.asked:
                self.step()
                failures = 0
                self._pause()
            self._seal(always=True)
        return failures

    @contextmanager
    def _unshaken(self) -> Iterator[None]:
        """What goes wrong outside a cycle: the store is held by another, or something nobody foresaw."""
        try:
            yield
        except HaltedError:
            self._halt.ask()
        except StoreError as error:
            self._say("the store cannot be used", str(error), remedy=error.remedy)
        except Exception as error:
            self._unforeseen(error, ())

    def begin(self) -> None:
        """Know what was done before; on SQLite, where we are alone now, take over what a dead process had claimed."""
        with self._store.write() as tx:
            for row in tx.execute(sa.select(tables.schedule)).mappings():
                if row["last_at"] is not None:
                    self._last[row["flow"]] = row["last_at"]
            if self._store.is_sqlite:
                claimed = tables.due.update().where(tables.due.c.owner.is_not(None))
                tx.execute(claimed.values(owner=None, until=None))
        if self.turned_at is None:
            self.turned_at = max(self._last.values(), default=None)

    def step(self) -> bool:
        """One turn: what was handed to us, what is owed, a seal. True when something was done."""
        self._woken.clear()
        self._notice_absence()
        did = self._do_tasks()
        owed = self.owed()
        if owed.sync:
            self._cycle("sync", owed.sync)
        for name in owed.backlog:
            self._cycle("sync", [name], sweep=True)
        if owed.look:
            self._cycle("look", owed.look)
        elif owed.retry:
            self._cycle("retry", owed.retry)
        self._spare(owed)
        self._seal()
        self.turned_at = self._clock.now()
        return did or any((owed.sync, owed.backlog, owed.look, owed.retry))

    def _pause(self) -> None:
        """Until the next turn; shorter while hints are waited for."""
        self._woken.wait(self._tick)

    def _do_tasks(self) -> bool:
        did = False
        while True:
            try:
                self._tasks.get_nowait()()
            except Empty:
                return did
            did = True

    def _keep(self) -> None:
        """Renew the lease while cycles may be long. Who took it over is told by the next cycle."""
        while not self._ended.wait(_RENEW_EVERY):
            if self.problem:
                continue
            try:
                self._store.renew_writer()
            except Exception as error:
                self._log.warning("the writer lease was not renewed", error=str(error))

    def _notice_absence(self) -> None:
        now = self._clock.now()
        gone = away(self.turned_at, now, [self.timing(one) for one in self._landscape.flows.values()])
        if gone is not None:
            self._log.warning("back after being away", seconds=int(gone.total_seconds()), since=self.turned_at)
            with self._store.write() as tx:
                why = f"nobody looked for {_spoken(gone)}; one look at each flow catches up"
                append(tx, self._clock, self.engine.actor, [Entry("back", why=why)])

    # what is owed ------------------------------------------------------------------------------------------------

    def owed(self) -> Owed:
        """What there is to do now; a flow that rests after a failure owes nothing."""
        now = self._clock.now()
        with self._store.read() as tx:
            ready = self._ready(tx, now)
            timings = {name: self.timing(self._landscape.flows[name]) for name in ready}
            owed = Owed(sync=due(timings, self._last, now))
            steady = {kind for _, kind in changed_maps(tx, self._landscape)}
            hinted, backlog, pressing = self._hinted(tx, now, ready, steady)
            owed.backlog = [name for name in backlog if name not in owed.sync]
            look = hinted if pressing else set()
            if self._probes(tx, now):
                look |= set(ready)
            retry = self._retries(tx, now, ready, steady)
        if self._look_at is None or now >= self._look_at:
            owed.look = [name for name in ready if name in look and name not in owed.backlog]
            owed.retry = [name for name in ready if name in retry]
        return owed

    def timing(self, running: Running) -> Timing:
        """When the flow is looked at by itself: less often where webhooks are known to arrive from every side."""
        timing = Timing(running.every, running.cron, running.sweep, self._zone)
        return timing.relaxed() if running.webhook and self._all_heard(running) else timing

    def _all_heard(self, running: Running) -> bool:
        since = self._clock.now() - running.sweep
        sides = [c for c in self._landscape.connections.values() if set(running.flow.kinds) & c.specs.keys()]
        return all(gives_hints(c.connector) and (at := self._heard.get(c.name)) and at > since for c in sides)

    def _ready(self, tx: Transaction, now: datetime) -> list[str]:
        for name, rest in list(self._rests.items()):
            if now >= rest.until and not rest.plan:
                continue
            if rest.plan and (now >= rest.until or not _open(tx, rest.plan)):
                del self._rests[name]
        return [name for name in self._landscape.flows if not self._resting(name, now)]

    def _resting(self, name: str, now: datetime) -> bool:
        rest = self._rests.get(name)
        return rest is not None and now < rest.until

    def _hinted(
        self, tx: Transaction, now: datetime, ready: Sequence[str], held: Iterable[str]
    ) -> tuple[set[str], list[str], bool]:
        """Flows with hints, those with a backlog of them, and whether the hints have waited long enough."""
        box = tables.inbox
        latest = sa.func.max(box.c.received_at, type_=box.c.received_at.type)
        query = sa.select(box.c.connection, box.c.kind, sa.func.count().label("many"), latest.label("latest"))
        hinted: set[str] = set()
        backlog: list[str] = []
        newest: list[datetime] = []
        for row in tx.execute(query.group_by(box.c.connection, box.c.kind)):
            name = self._flow(row.connection, row.kind)
            if name not in ready or row.kind in held or health.resting(tx, row.connection, "", now):
                continue
            hinted.add(name)
            newest.append(row.latest)
            if row.many > BACKLOG and name not in backlog:
                backlog.append(name)
        return hinted, backlog, bool(newest) and self._pressing(now, max(newest))

    def _pressing(self, now: datetime, latest: datetime) -> bool:
        """The first hint after a while is looked at without waiting."""
        return now >= latest + QUIET or self._looked_at is None or now >= self._looked_at + LONGEST

    def _probes(self, tx: Transaction, now: datetime) -> bool:
        """A connection that did not answer is to be tried again."""
        table = tables.health
        query = sa.select(table.c.connection).where(
            table.c.flow == "", table.c.probes > 0, table.c.probe_at.is_not(None), table.c.probe_at <= now
        )
        return any(name in self._landscape.connections for name in tx.execute(query).scalars())

    def _retries(self, tx: Transaction, now: datetime, ready: Sequence[str], held: Iterable[str]) -> set[str]:
        table = tables.due
        free = sa.or_(table.c.until.is_(None), table.c.until <= now, table.c.owner == self._store.owner)
        query = sa.select(table.c.connection, table.c.kind).where(table.c.at <= now, free).distinct()
        found: set[str] = set()
        for row in tx.execute(query):
            name = self._flow(row.connection, row.kind)
            if name is None or name not in ready or row.kind in held or not self._target(row.connection, row.kind):
                continue
            if self._well(tx, row.connection) and not health.resting(tx, row.connection, name, now):
                found.add(name)
        return found

    def _well(self, tx: Transaction, connection: str) -> bool:
        """One that did not answer is probed first; a retry does not do that."""
        state = health.state_of(tx, connection)
        return state is None or not state["probes"]

    def _target(self, connection: str, kind: str) -> bool:
        return any(conn.name == connection for conn in self._landscape.targets(kind))

    def _flow(self, connection: str, kind: str) -> str | None:
        conn, running = self._landscape.connections.get(connection), self._landscape.flow_of(kind)
        return running.name if running is not None and conn is not None and kind in conn.specs else None

    # a cycle -----------------------------------------------------------------------------------------------------

    def _cycle(self, what: What, flows: list[str], *, sweep: bool | None = None) -> None:
        """One cycle for these flows. When it fails each is tried alone, so that one stops no other."""
        began, moment = self._clock.monotonic(), self._clock.now()
        try:
            result = self._run(what, flows, sweep)
        except StoreError as error:
            self._observe(Cycle(what, tuple(flows), self._clock.monotonic() - began, error=type(error).__name__))
            raise
        except Exception as error:
            self._observe(Cycle(what, tuple(flows), self._clock.monotonic() - began, error=type(error).__name__))
            self._log.exception("a cycle failed", what=what, flows=flows)
            if len(flows) > 1:
                for name in flows:
                    self._cycle(what, [name], sweep=sweep)
            else:
                self._failed(flows[0], error)
            return
        self._done(what, flows, moment, result)
        self._observe(Cycle(what, tuple(flows), result.seconds, result))

    def _run(self, what: What, flows: list[str], sweep: bool | None) -> Result:
        if what == "retry":
            return self.engine.deliver_due(flows)
        return self.engine.sync(flows, hints_only=what == "look", sweep=sweep)

    def _done(self, what: What, flows: list[str], began: datetime, result: Result) -> None:
        for name in flows:
            self._rests.pop(name, None)
        if what == "sync":
            self._looked(flows, began)
        if what != "retry":
            self._looked_at = self._clock.now()
        if result.stopped:
            until = self._clock.now() + _STOPPED_REST
            self._rests.update({name: _Rest(until, plan=result.plan) for name in flows})
            self._log.warning("stopped before the first write", why=result.stopped, plan=result.plan, flows=flows)
        self._tell(what, flows, result)

    def _looked(self, flows: list[str], began: datetime) -> None:
        with self._store.write() as tx:
            for name in flows:
                self._last[name] = began
                planned = next_after(self.timing(self._landscape.flows[name]), began)
                tx.execute(tables.schedule.delete().where(tables.schedule.c.flow == name))
                tx.execute(tables.schedule.insert().values(flow=name, last_at=began, next_at=planned))

    def _failed(self, name: str, error: Exception) -> None:
        """The flow rests, longer each time."""
        failures = self._rests[name].failures if name in self._rests else 0
        self._rests[name] = _Rest(self._clock.now() + delay(failures, self._random), failures + 1)
        self._unforeseen(error, (name,))

    def _unforeseen(self, error: Exception, flows: tuple[str, ...]) -> None:
        told = f"{type(error).__name__}: {error}"
        if not flows:
            self.problem = told
            self._log.exception("the worker failed and begins again")
        entry = Entry("worker failed", flow=flows[0] if flows else None, why=told[:1000])
        try:
            with self._store.write() as tx:
                append(tx, self._clock, self.engine.actor, [entry])
        except StoreError as trouble:
            self._log.warning("a failure could not be journalled", error=str(trouble))

    def _spare(self, done: Owed) -> None:
        """What is still owed right after a cycle will not be cured by repeating it at once."""
        if not done.look and not done.retry:
            return
        self._look_at = None
        left = self.owed()
        if not left.look and not left.retry:
            self._fruitless = 0
            return
        self._fruitless += 1
        rest = min(_FRUITLESS_REST, timedelta(seconds=0.25 * 2 ** min(self._fruitless, 10)))
        self._look_at = self._clock.now() + rest

    def _seal(self, *, always: bool = False) -> None:
        now = self._clock.now()
        if always or self._sealed_at is None or not now - _SEAL_EVERY < self._sealed_at <= now:
            self._sealed_at = now
            self.engine.sealer.seal()

    # telling -----------------------------------------------------------------------------------------------------

    def _tell(self, what: What, flows: list[str], result: Result) -> None:
        """A cycle that did something, or that found another trouble than the last one."""
        counts: dict[str, Any] = {n: getattr(result, n) for n in ("created", "updated", "deleted", "failed", "later")}
        told = "; ".join(result.problems)
        if any(counts.values()) or told != self._told:
            self._log.info(what, flows=flows, problems=result.problems, seconds=result.seconds, **counts)
        self._told = told

    def _say(self, event: str, cause: str, **more: Any) -> None:
        if cause != self.problem:
            self._log.warning(event, cause=cause, **more)
        self.problem = cause


def gives_hints(connector: Connector[Any]) -> bool:
    """The connector knows webhooks."""
    return type(connector).hints is not Connector.hints


def _open(tx: Transaction, plan: str) -> bool:
    state = tx.execute(sa.select(tables.plans.c.state).where(tables.plans.c.id == plan)).scalar()
    return state == "open"


def _spoken(gone: timedelta) -> str:
    seconds = int(gone.total_seconds())
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds >= 3600 else f"{seconds // 60} min {seconds % 60} s"
