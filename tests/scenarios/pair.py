"""A CRM and an ERP as scenarios see them: customers in plain words, behind Datong's back."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from datong.base.clock import SystemClock
from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.engine.cycle import Engine, Result
from datong.operations import Actor

WANG = Actor("wang.wei", ("admin",))


class Side(ABC):
    """One system, through its own means. Customers are dicts with name, phone, email, tax_id, active, region_code,
    and per company terms and credit_limit (plain numbers as text)."""

    account_limit = 120

    @abstractmethod
    def make(self, **customer: Any) -> str: ...

    @abstractmethod
    def change(self, native_id: str, **customer: Any) -> None: ...

    @abstractmethod
    def remove(self, native_id: str) -> None: ...

    @abstractmethod
    def customer(self, native_id: str) -> dict[str, Any] | None: ...

    @abstractmethod
    def customers(self) -> dict[str, dict[str, Any]]: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def start(self) -> None: ...

    def writes(self) -> int:
        """Writes that came by the API, where the system counts them."""
        raise NotImplementedError

    def named(self, name: str) -> list[str]:
        return [i for i, c in self.customers().items() if c["name"] == name]


class OffsetClock(SystemClock):
    """Real time, moved on by the scenario; nobody really sleeps."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        return super().monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        if seconds > 0.3:
            self.offset += seconds
        else:
            time.sleep(seconds)


@dataclass
class Pair:
    """Both sides, and Datong between them."""

    crm: Side
    erp: Side
    folder: Path
    clock: Any
    write_config: Callable[[Path], Path]
    app: App | None = None
    engine: Engine = field(init=False)

    def configure(self, **sections: Any) -> None:
        """Write the configuration anew with these sections merged in, and build Datong from it."""
        path = self.folder / "datong.yaml"
        if not path.exists():
            self.write_config(self.folder)
        yaml = YAML()
        told = yaml.load(path.read_text(encoding="utf8"))
        _merge(told, sections)
        with path.open("w", encoding="utf8") as file:
            yaml.dump(told, file)
        self.restart()

    def restart(self, **more: Any) -> Engine:
        """A new process, as it were."""
        if self.app is not None:
            self.app.close()
        self.app = build(load(self.folder / "datong.yaml"), self.clock)
        self.engine = self.app.engine("datong", **more)
        return self.engine

    def sync(self, **how: Any) -> Result:
        """One cycle, some time after whatever happened before."""
        self.advance(20)
        return self.engine.sync(**how)

    def settle(self, most: int = 6, **how: Any) -> list[Result]:
        """Cycles until one writes nothing; `how` as for `sync`."""
        done = []
        for _ in range(most):
            done.append(self.sync(**how))
            last = done[-1]
            if not (last.created or last.updated or last.deleted or last.changed):
                return done
        raise AssertionError(f"never quiet: {done}")

    def advance(self, seconds: float) -> None:
        raise NotImplementedError

    def items(self, *types: str) -> list[dict[str, Any]]:
        from datong.operations.work import listed

        return listed(self.engine, WANG, types or ("parked", "review", "conflict"), limit=None)

    def close(self) -> None:
        if self.app is not None:
            self.app.close()


def _merge(into: Any, told: Any) -> None:
    for name, value in told.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
