"""Reconciliation by schedule, beside the worker: `reconcile: {every: 24h}` of the configuration.

It compares with connectors of its own, so that live traffic goes on. What it may put right by itself it hands to the
worker; the rest it puts before people.
"""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from datetime import datetime

from datong.base import log
from datong.base.errors import DatongError
from datong.bootstrap.build import App
from datong.engine.worker import Worker
from datong.operations import reconcile as operations
from datong.operations.actor import Actor
from datong.store.reports import last_at

_TICK = 5.0
_PATIENCE = 10.0


class Standing:
    """A thread that reconciles when it is time, while there is a schedule. `step` does one turn."""

    def __init__(self, app: App, worker: Worker, actor: str, tick: float = _TICK) -> None:
        self._app = app
        self._worker = worker
        self._actor = Actor(actor, ("operator",))
        self._tick = tick
        self._told = app.config.reconcile
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed_at: datetime | None = None

    def start(self) -> None:
        if self._told.every is not None:
            self._thread = threading.Thread(target=self._run, name="datong-reconcile", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """A look that is under way is left: it has written nothing."""
        self._asked.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._asked.wait(self._tick):
            try:
                self.step()
            except CancelledError:
                return  # the service ends
            except DatongError as error:
                self._failed("the systems could not be reconciled", str(error))
            except Exception as error:
                self._failed("a reconciliation failed", f"{type(error).__name__}: {error}")

    def _failed(self, what: str, why: str) -> None:
        self._failed_at = self._app.clock.now()
        log.get("reconcile").exception(what, cause=why)

    def due(self) -> bool:
        """Has the time come? After a failure as well only when the interval has passed again."""
        if self._told.every is None:
            return False
        with self._app.store.read() as tx:
            last = last_at(tx, self._actor.name)
        times = [t for t in (last, self._failed_at) if t is not None]
        return not times or self._app.clock.now() >= max(times) + self._told.every

    def step(self) -> str:
        """Reconcile when it is due; gives the report's id, or nothing."""
        if not self.due():
            return ""
        twin = self._app.twin()
        try:
            engine = twin.engine(self._actor.name)
            signed = operations.reconcile(engine, self._actor, keeping=self._told.keeping())
        finally:
            twin.close()
        if operations.may_repair(signed, self._told.repair.up_to):
            plan = signed["plan"]["id"]
            done = self._worker.submit(lambda engine: engine.apply(plan)).result()
            log.get("reconcile").info("repaired", plan=plan, created=done.created, updated=done.updated)
        if operations.left_for_people(signed, self._told.repair.up_to):
            operations.ask_about(self._app.engine(self._actor.name), signed)
        return str(signed["id"])
