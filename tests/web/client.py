"""A browser's view of the service: its web side in this process, without the worker that would act by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.testclient import TestClient

from datong.bootstrap.build import App
from datong.engine.worker import Halt, Worker
from datong.operations.access import Access
from datong.web.app import Parts, create
from datong.web.desk import Desk
from datong.web.hooks import Letterbox
from datong.web.metrics import Metrics


@contextmanager
def browser(app: App) -> Iterator[TestClient]:
    letterbox = Letterbox(app.store, app.landscape)
    letterbox.start()
    halt = Halt()
    worker = Worker(app.engine(checkpoint=halt), halt=halt)
    metrics, access = Metrics(app.store, app.landscape), Access(app.store, {"test": ("admin",)})
    parts = Parts(app, worker, letterbox, metrics, Desk(app, worker, halt), access, 30.0, "Asia/Shanghai")
    try:
        yield TestClient(create(parts), base_url="https://service.datong.example")
    finally:
        letterbox.stop()


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(f'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1]
