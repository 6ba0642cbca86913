"""A company that keeps its customers in lists, and benches that act on them as a person or an old system would."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import python_calamine
import xlsxwriter

from datong.base.clock import ManualClock
from datong.canon.fields import Value
from datong.connectors.files import Files
from datong.connectors.files.settings import FilesSettings
from datong.kit import Context
from datong.kit.budget import Budget
from datong.mapping import ABSENT, put, take
from datong.testing import Bench, Fault
from datong.testing.bench import Side

OURS, TIME = "Datong", "Datong time"
ID = "company.asia.number"
FIELDS: dict[str, dict[str, Any]] = {
    ID: {"column": ["客户编号", "Customer no", "Kundennr."], "convert": "trimmed"},
    "name": {"column": ["客户名称", "Customer name"]},
    "tax_id": {"column": ["统一社会信用代码"], "convert": "trimmed"},
    "phone": {"column": ["电话"], "convert": {"phone": "CN"}},
    "email": {"column": ["邮箱"], "convert": "email"},
    "stage": {"column": ["阶段"], "convert": {"choice": {"customer": "客户", "prospect": "潜在客户"}}},
    "active": {"column": ["启用"], "convert": {"boolean": {"yes": "是", "no": "否"}}},
    "notes": {"column": ["备注"]},
    "company.asia.credit_limit": {
        "column": ["信用额度"],
        "convert": {"local_amount": {"currency": "CNY", "decimal": ",", "group": "."}},
    },
}
PLACES = {"billing": "开票", "shipping": "收货", "office": "办公", "factory": "工厂"}
ADDRESSES = {
    use: {"city": {"column": [f"{zh}城市"]}, "street": {"column": [f"{zh}街道"]}} for use, zh in PLACES.items()
}
HEADERS = {name: told["column"][0] for name, told in FIELDS.items()} | {
    f"addresses.{use}.{leaf}": told["column"][0] for use, group in ADDRESSES.items() for leaf, told in group.items()
}
ALL = [*HEADERS.values(), OURS]


def connected(folder: Path, clock: ManualClock, kind: Mapping[str, Any], **settings: Any) -> Files:
    """A connector on a folder, as the configuration would make it."""
    told = {"settled": 0, "zone": "Asia/Shanghai", **settings, "folder": folder}
    made = FilesSettings.model_validate({**told, "kinds": {"account": {"id": ID, "fields": FIELDS, **kind}}})
    return Files(made, Context("lists", clock, Budget(clock), {"asia": {"currency": "CNY"}}))


def read_list(path: Path) -> list[dict[str, str]]:
    """Every row by header, as somebody else's program reads it."""
    if path.suffix == ".xlsx":
        with python_calamine.load_workbook(path) as book:
            header, *rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    else:
        header, *rows = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    return [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]


def write_list(path: Path, rows: Sequence[Mapping[str, str]], headers: Sequence[str]) -> None:
    """The list as that program writes it."""
    table = [list(headers), *([row.get(header, "") for header in headers] for row in rows)]
    if path.suffix == ".xlsx":
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            sheet = book.add_worksheet()
            for number, cells in enumerate(table):
                for column, cell in enumerate(cells):
                    if cell:
                        sheet.write_string(number, column, cell)
    else:
        target = io.StringIO(newline="")
        csv.writer(target).writerows(table)
        path.write_bytes(target.getvalue().encode("utf-8-sig"))


def nested(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as the wire record it stands for."""
    data: dict[str, Any] = {}
    for place, header in HEADERS.items():
        if header in row and not place.startswith("addresses."):
            put(data, place, row[header] or None)
    items = []
    for use, leaves in ADDRESSES.items():
        parts = {leaf: row.get(told["column"][0]) or None for leaf, told in leaves.items()}
        if any(parts.values()):
            items.append({"id": use, "use": None if use == "factory" else use, **parts})
    return {**data, "addresses": items, "datong_key": row.get(OURS) or None}


class ListBench(Bench):
    """One list that people keep and Datong writes too."""

    page_size = 2

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.clock = folder, name, ManualClock()
        self._whole: bytes | None = None
        self._headers = list(ALL)
        write_list(self.file, [{"客户编号": "C00001", "客户名称": "深圳市大同科技有限公司"}], ALL)
        super().__init__(self.connected(), "account")

    @property
    def file(self) -> Path:
        return (self.folder if self.folder.exists() else self.folder.with_name("unmounted")) / self.name

    def connected(self) -> Files:
        kind = {"files": self.file.name, "out": self.file.name, "addresses": ADDRESSES}
        return self._paged(connected(self.folder, self.clock, kind))

    def _paged(self, connector: Files) -> Files:
        connector.page_size = self.page_size
        return connector

    def value(self, name: str) -> Value:
        return self.unique() if name == ID else super().value(name)

    def make(self, values: Mapping[str, Value]) -> str:
        row = self.row(values)
        self.save([*self.state(), row])
        return row["客户编号"]

    def row(self, values: Mapping[str, Value]) -> dict[str, str]:
        wire = self.wire(values)
        found = {header: take(wire, place) for place, header in HEADERS.items()}
        return {header: "" if value is None else str(value) for header, value in found.items() if value is not ABSENT}

    def edit(self, id: str, values: Mapping[str, Value]) -> None:
        self.save([{**row, **self.row(values)} if row["客户编号"] == id else row for row in self.state()])

    def delete(self, id: str) -> None:
        self.save([row for row in self.state() if row["客户编号"] != id])

    def deactivate(self, id: str) -> None:
        self.edit(id, {"active": False})

    def rows(self) -> Mapping[str, Mapping[str, Any]]:
        return {row["客户编号"]: nested(row) for row in self.state()}

    def state(self) -> list[dict[str, str]]:
        """What stands in the list."""
        return [_without_guard(row) for row in read_list(self.file)]

    def save(self, rows: Sequence[Mapping[str, str]]) -> None:
        write_list(self.file, rows, self._headers)

    def play(self, fault: Fault, *, on: Side = "read", **params: Any) -> None:
        if fault is Fault.UNAVAILABLE:
            self.folder.rename(self.folder.with_name("unmounted"))
        elif fault is Fault.HIDDEN_FIELD:
            hidden = HEADERS[params["field"]]
            rows = [{k: v for k, v in row.items() if k != hidden} for row in self.state()]
            self._headers.remove(hidden)
            self.save(rows)
        elif on == "read" and fault in (Fault.HTML, Fault.TRUNCATED, Fault.DROPPED):
            self._whole = self.file.read_bytes()
            cut = self._whole[: -len(self._whole) // 4]
            self.file.write_bytes(b"<html><body>sign in</body></html>" if fault is Fault.HTML else cut)
            age = timedelta(hours=1) if fault is Fault.TRUNCATED else timedelta(seconds=1)
            stamp(self.file, self.clock.now() - age)
        else:
            super().play(fault, on=on, **params)

    def calm(self) -> None:
        if not self.folder.exists():
            self.folder.with_name("unmounted").rename(self.folder)
        if self._whole is not None:
            self.file.write_bytes(self._whole)
            self._whole = None
        if self._headers != ALL:
            self._headers = list(ALL)
            self.save(self.state())

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def second_account(self) -> Files:
        other = self.folder.with_name("another")
        other.mkdir(exist_ok=True)
        write_list(other / self.file.name, [{"客户编号": "C00001", "客户名称": "另一家公司"}], ALL)
        kind = {"files": self.file.name, "out": self.file.name, "addresses": ADDRESSES}
        return connected(other, self.clock, kind)


class ExchangeBench(ListBench):
    """An old system that writes a whole list every time something changes, and reads ours when it comes by."""

    def __init__(self, folder: Path, name: str) -> None:
        (folder.parent / "to-erp").mkdir()
        self.out = folder.parent / "to-erp" / name
        self._imported: dict[str, dict[str, str]] = {}
        self._there: list[dict[str, str]] = []
        super().__init__(folder, name)
        self._there = read_list(self.file)
        self.save(self._there)

    def connected(self) -> Files:
        kind = {"files": "*" + self.file.suffix, "out": self.out.name, "addresses": ADDRESSES, "changed": "file"}
        return self._paged(connected(self.folder, self.clock, kind, out=self.out.parent))

    def state(self) -> list[dict[str, str]]:
        """The old system has taken in our file by now; each row once."""
        for row in read_list(self.out) if self.out.exists() else []:
            row = _without_guard(row)
            id = row["客户编号"]
            if self._imported.get(id) != row:
                self._imported[id] = row
                others = [one for one in self._there if one["客户编号"] != id]
                self._there = [*others, {h: cell for h, cell in row.items() if h != TIME}]
        return [dict(row) for row in self._there]

    def save(self, rows: Sequence[Mapping[str, str]]) -> None:
        self._there = [dict(row) for row in rows]
        self.clock.advance(1)
        super().save(rows)
        stamp(self.file, self.clock.now())
        self.clock.advance(1)


def stamp(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


def _without_guard(row: Mapping[str, str]) -> dict[str, str]:
    """Those who read our files are told to drop an apostrophe before = + - @."""
    return {h: cell[1:] if cell[:1] == "'" and cell[1:2] in "=+-@" else cell for h, cell in row.items()}
