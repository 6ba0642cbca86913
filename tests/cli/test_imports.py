"""A command loads what it uses: a heavy library in a light command is an accident that nobody sees."""

from __future__ import annotations

import subprocess
import sys

import pytest

from datong.base import json
from tests.cli.conftest import Place

SERVICE = ("fastapi", "starlette", "uvicorn", "multipart", "prometheus_client")
MIGRATION = ("alembic", "mako")
IDENTITY = ("phonenumbers", "stdnum", "rapidfuzz", "opencc")
PAINTING = ("rich", "pygments", "markdown_it")
WORK = (
    "sqlalchemy",
    "pydantic",
    "orjson",
    "httpx2",
    "structlog",
    "cryptography",
    "ruamel",
    "pycountry",
    "cel_expr_python",
)

NOT_FOR_HELP = (*SERVICE, *MIGRATION, *IDENTITY, *WORK, "psycopg")
"""`--help` paints with rich, and needs nothing else."""
NOT_FOR_IDLE = (*SERVICE, *MIGRATION, *IDENTITY, *PAINTING, "psycopg", "sqlalchemy.dialects.postgresql")
"""A sync on SQLite that finds nothing to do prints no table."""

SCRIPT = """
import sys
from datong.cli import main
status = main(sys.argv[1:])
modules = list(sys.modules)
from datong.base import json
print(json.dumps([status, modules]), file=sys.stderr)
"""


def loaded(*words: object) -> tuple[int, set[str]]:
    """Exit status of a command in a process of its own, and the modules that it had loaded in the end."""
    command = [sys.executable, "-c", SCRIPT, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stderr.splitlines()[-1])
    return status, set(modules)


def test_help() -> None:
    status, modules = loaded("--help")
    assert status == 0
    assert sorted(modules & set(NOT_FOR_HELP)) == []


@pytest.fixture(scope="module")
def idle(synced: Place) -> set[str]:
    """What a sync had loaded that found nothing to do."""
    synced.datong("sync")  # what came back of our own writes
    status, modules = loaded("--config", synced.config, "sync")
    assert status == 0
    return modules


@pytest.mark.parametrize("heavy", NOT_FOR_IDLE)
def test_idle_sync(idle: set[str], heavy: str) -> None:
    assert heavy not in idle
