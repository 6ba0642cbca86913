"""Many rows at once: one prepared statement over plain tuples.

For the few tables that every record passes through. What SQLAlchemy does for each value of each row costs more there
than the database does; the columns' own conversions (JSON, times, labels) are the same ones, looked up once. On
PostgreSQL new rows go in by COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, partial
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.store import schema
from datong.store.opening import Transaction, driver, raised_as_ours

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]

_COPY_FROM = 20
"""Fewer rows than this are not worth a COPY."""


class Columns:
    """Some columns of a table, in an order: rows are tuples of their Python values, those `raw` as the database has
    them."""

    def __init__(self, table: sa.Table, names: Sequence[str], raw: Collection[str] = ()) -> None:
        self.table = table
        self.names = tuple(names)
        self._listed = ", ".join(map(_quoted, names))
        told = [(n, table.c[name].type) for n, name in enumerate(names) if name not in raw]
        self._binders = [(n, f) for n, type_ in told if (f := _binder(type_)) is not None]
        self._readers = [(n, f) for n, type_ in told if (f := _reader(type_)) is not None]

    def insert(self, tx: Transaction, rows: Iterable[Sequence[Any]]) -> None:
        bound = self._bound(rows)
        if not bound:
            return
        if tx.dialect.name == "postgresql" and len(bound) >= _COPY_FROM:
            self._copy(tx, bound)
        else:
            _execute_many(tx, _insert(self.table.name, self.names, tx.dialect.name), bound)

    def update(self, tx: Transaction, rows: Iterable[Sequence[Any]]) -> None:
        """Set all columns but `id`, which stands first, where `id` is that."""
        bound = self._bound(rows)
        if bound:
            statement = _update(self.table.name, self.names, tx.dialect.name)
            _execute_many(tx, statement, [(*row[1:], row[0]) for row in bound])

    def select(
        self, tx: Transaction, within: str, values: Iterable[Any], also: str = "", *more: Any, order: str = "id"
    ) -> list[Row]:
        """Rows whose column `within` is one of `values`; `also` is a further condition in SQL with `?` for each of
        `more`."""
        condition = f"{also} AND {within} IN ?" if also else f"{within} IN ?"
        return self.where(tx, f"{condition} ORDER BY {order}", *more, list(values))

    def where(self, tx: Transaction, condition: str, *values: Any) -> list[Row]:
        """Rows for which the SQL `condition` holds, written as for `run`."""
        fetched = run(tx, f"SELECT {self._listed} FROM {self.table.name} WHERE {condition}", *values)
        return _converted(fetched, self._readers)

    def _bound(self, rows: Iterable[Sequence[Any]]) -> list[Row]:
        return _converted(rows, self._binders)

    def _copy(self, tx: Transaction, rows: Sequence[Row]) -> None:
        statement = f"COPY {self.table.name} ({', '.join(map(_quoted, self.names))}) FROM STDIN"
        with raised_as_ours(tx, statement), driver(tx).cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _converted(rows: Iterable[Sequence[Any]], converts: Sequence[tuple[int, Convert]]) -> list[Any]:
    """Column by column: what is done for every value is done in few steps."""
    told = list(rows)
    if not told or not converts:
        return told
    columns: list[Sequence[Any]] = list(zip(*told, strict=True))
    for place, convert in converts:
        columns[place] = [None if value is None else convert(value) for value in columns[place]]
    return list(zip(*columns, strict=True))


def run(tx: Transaction, statement: str, *values: Any) -> list[Row]:
    """A driver statement with `?` for each value, and `IN ?` for a list; gives its rows as the driver does."""
    dialect = tx.dialect.name
    told = _spelled(statement, dialect)
    if dialect == "sqlite":
        bound = tuple(json.dumps(v) if v.__class__ is list else v for v in values)
        with raised_as_ours(tx, told):
            rows: Any = driver(tx).execute(told, bound).fetchall()
            return list(rows)
    result = tx.exec_driver_sql(told, values)
    rows = result.cursor.fetchall() if result.cursor is not None and result.returns_rows else []
    result.close()
    return list(rows)


def _execute_many(tx: Transaction, statement: str, rows: Sequence[Row]) -> None:
    if tx.dialect.name == "sqlite":
        with raised_as_ours(tx, statement):
            driver(tx).executemany(statement, rows)
    else:
        tx.exec_driver_sql(statement, rows)


@cache
def _spelled(statement: str, dialect: str) -> str:
    if dialect == "sqlite":
        return statement.replace("IN ?", "IN (SELECT value FROM json_each(?))")
    return statement.replace("%", "%%").replace("IN ?", "= ANY(?)").replace("?", "%s")


def _binder(type_: Any) -> Convert | None:
    if isinstance(type_, schema.Label):
        return partial(schema.cut, length=type_.most)
    if isinstance(type_, schema.Words):
        return schema.clean
    found: dict[Any, Convert] = {schema.Json: json.dumps, schema.Moment: to_text}
    return found.get(type(type_))


def _reader(type_: Any) -> Convert | None:
    found: dict[Any, Convert] = {schema.Json: json.loads, schema.Moment: from_text, sa.Boolean: bool}
    return found.get(type(type_))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _mark(dialect: str) -> str:
    return "?" if dialect == "sqlite" else "%s"


@cache
def _insert(table: str, names: tuple[str, ...], dialect: str) -> str:
    marks = ", ".join([_mark(dialect)] * len(names))
    return f"INSERT INTO {table} ({', '.join(map(_quoted, names))}) VALUES ({marks})"


@cache
def _update(table: str, names: tuple[str, ...], dialect: str) -> str:
    sets = ", ".join(f"{_quoted(name)} = {_mark(dialect)}" for name in names[1:])
    return f"UPDATE {table} SET {sets} WHERE id = {_mark(dialect)}"
