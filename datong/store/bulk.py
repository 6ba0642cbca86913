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
Names = tuple[str, ...]
Nulls = tuple[bool, ...]
"""Which columns are null in every row."""
Spelled = Callable[[str, Names, Nulls, str], str]
"""(table, names, nulls, dialect) -> a statement"""

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
        self._truths = {names[n] for n, type_ in told if isinstance(type_, sa.Boolean)}
        self._readers = [(n, f) for n, type_ in told if (f := _reader(type_)) is not None]

    def insert(self, tx: Transaction, rows: Iterable[Sequence[Any]]) -> None:
        columns = _columns(rows, self._binders)
        if not columns:
            return
        if tx.dialect.name == "postgresql" and len(columns[0]) >= _COPY_FROM:
            self._copy(tx, zip(*columns, strict=True))
        else:
            self._execute(tx, _insert, self.names, columns)

    def update(self, tx: Transaction, rows: Iterable[Sequence[Any]]) -> None:
        """Set all columns but `id`, which stands first, where `id` is that."""
        columns = _columns(rows, self._binders)
        if columns:
            self._execute(tx, _update, (*self.names[1:], "id"), [*columns[1:], columns[0]])

    def _execute(self, tx: Transaction, spelled: Spelled, names: Names, columns: list[Sequence[Any]]) -> None:
        """The statement for every row. For each null and each truth SQLite's driver looks for somebody who adapts it,
        which takes longer than to write it: so what is null in every row stands in the statement, and truths go as
        numbers."""
        dialect = tx.dialect.name
        nulls = tuple(column[0] is None and column.count(None) == len(column) for column in columns)
        for place, name in enumerate(names):
            if dialect == "sqlite" and name in self._truths:
                columns[place] = [None if value is None else int(value) for value in columns[place]]
        rows = zip(*(column for column, null in zip(columns, nulls, strict=True) if not null), strict=True)
        _execute_many(tx, spelled(self.table.name, names, nulls, dialect), list(rows))

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

    def _copy(self, tx: Transaction, rows: Iterable[Row]) -> None:
        statement = f"COPY {self.table.name} ({', '.join(map(_quoted, self.names))}) FROM STDIN"
        with raised_as_ours(tx, statement), driver(tx).cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)


def _converted(rows: Sequence[Row], converts: Sequence[tuple[int, Convert]]) -> list[Row]:
    return list(zip(*_columns(rows, converts), strict=True)) if rows and converts else list(rows)


def _columns(rows: Iterable[Sequence[Any]], converts: Sequence[tuple[int, Convert]]) -> list[Sequence[Any]]:
    """Column by column: what is done for every value is done in few steps."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, convert in converts if columns else ():
        columns[place] = [None if value is None else convert(value) for value in columns[place]]
    return columns


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
def _insert(table: str, names: Names, nulls: Nulls, dialect: str) -> str:
    marks = ", ".join("NULL" if null else _mark(dialect) for null in nulls)
    return f"INSERT INTO {table} ({', '.join(map(_quoted, names))}) VALUES ({marks})"


@cache
def _update(table: str, names: Names, nulls: Nulls, dialect: str) -> str:
    """`id`, by which a row is found, stands last."""
    told = zip(names[:-1], nulls, strict=False)
    sets = ", ".join(f"{_quoted(name)} = {'NULL' if null else _mark(dialect)}" for name, null in told)
    return f"UPDATE {table} SET {sets} WHERE id = {_mark(dialect)}"
