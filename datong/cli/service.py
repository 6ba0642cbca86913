"""`run` and `sandbox`: what stays up until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from datong.base.errors import UsageError
from datong.cli.context import Session
from datong.cli.parts import command

Host = Annotated[
    str | None, typer.Option("--host", metavar="ADDRESS", help="address to listen on; service.host by default")
]
Port = Annotated[int | None, typer.Option("--port", metavar="N", help="port to listen on; service.port by default")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="the same seed gives the same data and tokens")]
Size = Annotated[int, typer.Option("--size", metavar="N", min=1, help="how many customers, both sides together")]
CrmPort = Annotated[
    int, typer.Option("--crm-port", metavar="N", min=0, max=65535, help="port of the CRM; 0 takes a free one")
]
ErpPort = Annotated[
    int, typer.Option("--erp-port", metavar="N", min=0, max=65535, help="port of the ERP; 0 takes a free one")
]


def add_to(app: typer.Typer) -> None:
    command(app)(run)
    command(app)(sandbox)


def run(session: Session, host: Host = None, port: Port = None) -> None:
    """The service: schedules, webhooks at /hooks/CONNECTION, workers, /healthz, /readyz, /metrics."""
    try:
        from datong.web.service import serve
    except ImportError as error:
        raise UsageError(f"the service needs {error.name}", remedy="install datong[web]") from error
    from datong.base import log

    told = session.config.service
    app = session.app
    log.configure(level="DEBUG" if session.debug else "INFO")
    serve(app, host or told.host, port if port is not None else told.port, session.actor)


def sandbox(session: Session, seed: Seed = 1, size: Size = 60, crm_port: CrmPort = 0, erp_port: ErpPort = 0) -> None:
    """A simulated CRM and ERP until Ctrl-C; prints their addresses and tokens as one line of JSON when ready."""
    import signal
    import threading

    from datong.base import json

    try:
        from datong.sandbox import Sandbox
    except ImportError as error:
        raise UsageError(f"the sandbox needs {error.name}", remedy="install datong[web]") from error
    stop = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    try:
        both = Sandbox(seed, size, crm_port=crm_port, erp_port=erp_port)
        both.start()
    except OSError as error:
        raise UsageError(f"cannot listen: {error.strerror}", remedy="choose other ports, or 0 for free ones") from error
    try:
        systems = {"crm": both.crm, "erp": both.erp}
        print(json.dumps({n: {"url": s.url, "token": s.token} for n, s in systems.items()}), flush=True)
        stop.wait()
    finally:
        both.stop()
