"""Where what people ask for over the network is done: reading and short acts right here, long work by the worker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as TookLong
from typing import TypeVar

from datong.base.errors import StoreBusy
from datong.bootstrap.build import App
from datong.engine.cycle import Engine
from datong.engine.worker import Halt, Worker
from datong.operations.actor import Actor

T = TypeVar("T")
_PATIENCE = 600.0


class Desk:
    """One service's. Each task is given an engine that acts in the person's name."""

    def __init__(self, app: App, worker: Worker, halt: Halt) -> None:
        self.app = app
        self._worker = worker
        self._halt = halt

    @property
    def reading(self) -> Engine:
        return self.app.engine()

    def act(self, actor: Actor, task: Callable[[Engine], T]) -> T:
        """A short act on the store; what it makes due is looked at as soon as it is done."""
        done = task(self.app.engine(actor.name))
        self._worker.wake()
        return done

    def long(self, actor: Actor, task: Callable[[Engine], T]) -> T:
        """What reads or writes other systems: between two cycles of the worker. Raises StoreBusy after ten minutes;
        the work goes on."""
        future = self._worker.submit(lambda _: task(self.app.engine(actor.name, checkpoint=self._halt)))
        try:
            return future.result(_PATIENCE)
        except TookLong:
            raise StoreBusy("this is still being done", remedy="look at the journal for its end") from None
