"""The service behind `datong run`: the worker in its thread, webhooks and probes over HTTP beside it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import uvicorn

from datong.base import log
from datong.base.errors import DatongError, UsageError
from datong.bootstrap.build import App
from datong.engine.worker import Halt, Worker
from datong.operations.access import Access
from datong.operations.actor import Actor, require
from datong.web.app import Parts, create
from datong.web.desk import Desk
from datong.web.hooks import Letterbox
from datong.web.metrics import Metrics
from datong.web.standing import Standing

_PATIENCE = 10.0
_GRACE = 5


class Service:
    """Worker and HTTP server, while the `with` block lasts. Port 0 takes a free one; `url` says where it is.

    Times of `cron` are in `zone`; without one in that of the first company that has one, else UTC. It registers no
    webhook anywhere. `app` stays open.
    """

    def __init__(
        self,
        app: App,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        actor: str = "datong",
        zone: str | None = None,
        tick: float = 0.5,
        patience: float = 4.0,
        console: bool = False,
        **engine: Any,
    ) -> None:
        halt = Halt()
        self.metrics = Metrics(app.store, app.landscape)
        made = app.engine(actor, checkpoint=halt, **engine)
        self.worker = Worker(made, halt=halt, zone=zone or zone_of(app), tick=tick, observe=self.metrics.observe)
        self._standing = Standing(app, self.worker, actor)
        self._letterbox = Letterbox(app.store, app.landscape)
        people = {name: one.roles for name, one in app.config.people.items()}
        self.access = Access(app.store, people or {actor: ("admin",)})
        desk = Desk(app, self.worker, halt)
        self._parts = Parts(
            app, self.worker, self._letterbox, self.metrics, desk, self.access, patience, zone or zone_of(app)
        )
        self._socket = _bound(host, port)
        self.url = _url(host, self._socket.getsockname()[1])
        self._server = uvicorn.Server(_config(self._parts, zone_of(app) if console else None))
        self._web = threading.Thread(target=self._serve, name="datong-http", daemon=True)

    def start(self) -> None:
        """Returns when requests are answered."""
        self._letterbox.start()
        self.worker.start()
        self._standing.start()
        self._web.start()
        clock = self._parts.app.clock
        deadline = clock.monotonic() + _PATIENCE
        while not self._server.started:
            if not self._web.is_alive() or clock.monotonic() > deadline:
                self.stop()
                raise DatongError("the web server did not start", remedy="see the log")
            self._web.join(0.005)

    def stop(self) -> None:
        """First no more webhooks, then the worker after the batch in hand. What is left over keeps."""
        self._server.should_exit = True
        if self._web.is_alive():
            self._web.join(_GRACE + 5)
        self._letterbox.stop()
        self._standing.stop()
        if not self.worker.stop():
            log.get("web").warning("the worker is still in a call; nothing is lost when it is ended now")
        self._socket.close()

    @property
    def alive(self) -> bool:
        """Requests are answered."""
        return self._web.is_alive()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(app: App, host: str, port: int, actor: Actor | str, *, ready: Callable[[str], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT; `ready` is told the address. A second signal ends at once."""
    if isinstance(actor, Actor):
        require(actor, "operator", "run the service")
        actor = actor.name
    asked = threading.Event()
    with Service(app, host, port, actor=actor, console=app.config.service.console) as service, _signals(asked):
        if ready is not None:
            ready(service.url)
        while not asked.wait(1.0):
            if not service.alive:
                raise DatongError("the web server ended by itself", remedy="see the log, and start it again")


def zone_of(app: App) -> str:
    """The time zone of the first company that has one."""
    for connection in app.config.connections.values():
        for company in connection.companies.values():
            if company.time_zone:
                return company.time_zone
    return "UTC"


@contextmanager
def _signals(asked: threading.Event) -> Iterator[None]:
    """Both signals ask once; the handlers of before are back for the second. In a thread there are no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for one, handler in before.items():
            signal.signal(one, handler)

    def ask(number: int, frame: Any) -> None:
        asked.set()
        restore()

    for one in before:
        signal.signal(one, ask)
    try:
        yield
    finally:
        restore()


def _config(parts: Parts, zone: str | None) -> uvicorn.Config:
    """With the console, whose times are in `zone`; or without it."""
    served = create(parts)
    if zone is not None:
        from datong.web.console.pages import mount

        mount(served, parts.desk, parts.access, zone)
    return uvicorn.Config(
        served,
        ws="none" if zone is None else "auto",
        lifespan="off" if zone is None else "on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


def _bound(host: str, port: int) -> socket.socket:
    """The protocol is named because asyncio sets TCP_NODELAY only then."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        told = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"cannot listen on {host}:{port}: {told}", remedy="change service.host or service.port"
        ) from error
    return bound


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
