"""The examples of docs/rest.md as they stand there, connected to a system that is described by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datong.base.clock import SystemClock
from datong.bootstrap.build import connect
from datong.bootstrap.config import load
from datong.engine.landscape import Conn

PAGE = Path(__file__).parents[3] / "docs" / "rest.md"
SECRETS = {
    "HUBSPOT_TOKEN": "pat-123",
    "HUBSPOT_SECRET": "hub-secret",
    "FRAPPE_TOKEN": "token key:secret",
    "KINGDEE_ACCOUNT": "6000000000000a",
    "KINGDEE_USER": "datong",
    "KINGDEE_PASSWORD": "secret",
}


def example(connection: str) -> str:
    """The YAML of the page that describes a connection of this name."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf8"), re.DOTALL)
    (found,) = [block for block in blocks if f"\n  {connection}:\n" in block]
    return str(found)


@contextmanager
def connected(connection: str, folder: Path, environment: pytest.MonkeyPatch, **addresses: str) -> Iterator[Conn]:
    for name, value in {**SECRETS, **addresses}.items():
        environment.setenv(name, value)
    file = folder / "datong.yaml"
    file.write_text(example(connection), encoding="utf8")
    config = load(file)
    conn = connect(config, connection, config.connections[connection], SystemClock())
    yield conn
    conn.connector.close()
