"""The two systems on ports of their own, in threads: for tests in-process, and for people on the command line."""

import asyncio
import socket
import threading
import time
from datetime import datetime
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from datong.sandbox.clock import Clock
from datong.sandbox.crm import Crm
from datong.sandbox.crm_api import crm_app
from datong.sandbox.erp import Erp
from datong.sandbox.erp_api import erp_app
from datong.sandbox.gate import Gate
from datong.sandbox.seed import Expected, Seed
from datong.sandbox.seed_orders import fill_orders
from datong.sandbox.system import System

_HOST = "127.0.0.1"
_PATIENCE = 10.0


class _Protocol(H11Protocol):
    """Hands its connection to the application, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Port:
    """A port that stays ours whether somebody listens there or not."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._socket = _bind(port)
        self.number: int = self._socket.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self._server is not None:
            return
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=30,
        )
        self._server = uvicorn.Server(config)
        arguments = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=arguments, name="sandbox-http", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError(f"the sandbox could not listen on port {self.number}")
            time.sleep(0.001)

    def ask_to_close(self) -> None:
        if self._server is not None:
            self._server.should_exit = True

    def close(self, keep: bool) -> None:
        """Stops listening; with `keep` the port stays bound, and refuses connections."""
        self.ask_to_close()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._server = self._thread = None
        self._socket.close()
        if keep:
            self._socket = _bind(self.number)


class Sandbox:
    """Both systems, seeded and listening on loopback while the `with` block lasts. Port 0 takes a free one.

    `start` freezes the clock there; it then moves by `clock.advance` only. `orders` is how many sales orders SimERP
    begins with, in every state.
    """

    def __init__(
        self,
        seed: int = 1,
        size: int = 60,
        *,
        crm_port: int = 0,
        erp_port: int = 0,
        start: datetime | None = None,
        orders: int = 0,
    ) -> None:
        self.clock = Clock(start)
        self.crm = Crm(self.clock, seed)
        self.erp = Erp(self.clock, seed)
        self._seed = Seed(seed, size)
        self.crm.on_reset = lambda: self._seed.fill_crm(self.crm)
        self.erp.on_reset = self._fill_erp
        self._orders = orders
        self.crm.reset()
        self.erp.reset()
        self._ports = (crm_port, erp_port)
        self._open: list[_Port] = []

    @property
    def expected(self) -> Expected:
        """The answer key: which seeded records belong together."""
        return self._seed.expected

    def start(self) -> None:
        self._listen(self.crm, crm_app(self.crm), self._ports[0])
        self._listen(self.erp, erp_app(self.erp), self._ports[1])

    def stop(self) -> None:
        for port in self._open:
            port.ask_to_close()
        for port in self._open:
            port.close(keep=False)
        self._open.clear()
        for system in (self.crm, self.erp):
            system.webhooks.stop()

    def reset(self) -> None:
        """Everything as it was at the start, the clock too."""
        self.clock.reset()
        for system in (self.crm, self.erp):
            system.up()
            system.reset()

    def _fill_erp(self) -> None:
        self._seed.fill_erp(self.erp)
        fill_orders(self.erp, self._seed.number, self._orders)

    def _listen(self, system: System, app: ASGIApp, number: int) -> None:
        port = _Port(Gate(app, system), number)
        self._open.append(port)
        system.url = f"http://{_HOST}:{port.number}"
        system.listener = port
        port.open()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _bind(port: int) -> socket.socket:
    """The protocol is named because asyncio sets TCP_NODELAY only then; without it each call waits 40 ms."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, port))
    return bound
