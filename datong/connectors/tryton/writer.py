"""Carries out a batch of writes: what goes into Tryton as one transaction, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from datong.base.errors import RemoteError, RequestRefused, TryLater
from datong.connectors.tryton import party
from datong.connectors.tryton.database import Database
from datong.connectors.tryton.maps import SHAPES
from datong.connectors.tryton.party import Company, Places
from datong.connectors.tryton.rpc import Stale
from datong.connectors.tryton.tax import identifier_type
from datong.kit import Answer, KindSpec, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import take

Todo = tuple[Write, dict[str, Any], Mapping[str, Any]]
"""A write, Tryton's values for it, and the row as it is now (empty for a create)."""


class Writer:
    """`parties` reads the rows of customers, `records` reads records back, `find` looks for our keys."""

    def __init__(
        self,
        db: Database,
        companies: Sequence[Company],
        parties: Callable[[list[Any]], list[dict[str, Any]]],
        records: Callable[[KindSpec, Sequence[int]], list[WireRecord]],
        find: Callable[[KindSpec, str, Sequence[str]], Iterator[WireRecord]],
    ) -> None:
        self._db, self._companies = db, companies
        self._parties, self._records, self._find = parties, records, find

    def write(self, spec: KindSpec, batch: Sequence[Write], answers: list[Answer]) -> None:
        model = SHAPES[spec.kind].model
        rows = self._current(spec, [int(w.id) for w in batch if w.id is not None])
        twins = self._already_there(spec, [w.key for w in batch if w.action == "create" and w.key])
        places = self._places(batch, rows)
        todo: dict[str, list[Todo]] = {"create": [], "update": [], "delete": []}
        for one in batch:
            row = rows.get(int(one.id)) if one.id is not None else None
            moved = one.action != "create" and (row is None or one.version not in (None, row["version"]))
            if one.action == "create" and one.key in twins:
                twin = twins[str(one.key)]
                answers.append(Saved(one.ref, twin.id, twin, existed=True))
            elif one.action == "delete" and row is None:
                answers.append(Saved(one.ref, str(one.id), None))
            elif moved:
                answers.append(Moved(one.ref))
            else:
                try:
                    values = {} if one.action == "delete" else self._values(spec, one, row or {}, places)
                except RequestRefused as error:
                    answers.append(_refused(one, error))
                    continue
                todo[one.action].append((one, values, row or {}))
        acts: dict[str, Callable[[list[Todo]], list[int]]] = {
            "create": lambda some: self._create(model, some),
            "update": lambda some: self._update(model, some),
            "delete": lambda some: self._delete(model, some),
        }
        for action, act in acts.items():
            untouched = not any(isinstance(a, Saved) and not a.existed for a in answers)
            for some, result in self._carry_out(todo[action], act, whole=untouched and len(batch) > 1):
                answers.extend(self._saved(spec, action, some, result) if isinstance(result, list) else [result])

    def _carry_out(
        self, some: list[Todo], act: Callable[[list[Todo]], list[int]], *, whole: bool
    ) -> Iterator[tuple[list[Todo], list[int] | Answer]]:
        """One call that Tryton does or refuses as a whole. `whole`: nothing was done yet, so a refusal may be raised;
        otherwise the guilty are looked for by halves."""
        if not some:
            return
        try:
            yield some, act(some)
            return
        except Stale:
            if len(some) == 1:
                yield some, Moved(some[0][0].ref)
                return
        except RequestRefused as error:
            if whole:
                raise
            if len(some) == 1:
                yield some, _refused(some[0][0], error)
                return
        middle = len(some) // 2
        yield from self._carry_out(some[:middle], act, whole=False)
        yield from self._carry_out(some[middle:], act, whole=False)

    def _create(self, model: str, some: list[Todo]) -> list[int]:
        """A record can only be created active: Tryton lets nobody edit an inactive one, not even at its birth."""
        try:
            rows = [{**values, "active": True} for _, values, _ in some]
            ids = self._db.change(f"model.{model}.create", rows, stamps={})
        except RequestRefused as error:
            if "code on party must be unique" in error.message:  # we never give a code: SQLite and its sequences
                raise TryLater(f"two creates met: {error.message}") from error
            raise
        return [int(one) for one in ids]

    def _update(self, model: str, some: list[Todo]) -> list[int]:
        woken = self._wake(model, some)
        pairs: list[Any] = []
        for one, values, _ in some:
            pairs += [[int(str(one.id))], values]
        stamps = {k: v for k, v in _stamps(some).items() if k not in {f"{model},{native}" for native in woken}}
        try:
            self._db.change(f"model.{model}.write", *pairs, stamps=stamps)
        except (RequestRefused, Stale):
            if woken:
                self._db.change(f"model.{model}.write", woken, {"active": False}, stamps={})
            raise
        return [int(str(one.id)) for one, _, _ in some]

    def _wake(self, model: str, some: list[Todo]) -> list[int]:
        """Tryton lets nobody edit what was inactive when the call began: it is switched on by a call of its own."""
        asleep = [todo for todo in some if todo[1].get("active") and not todo[2]["active"]]
        woken = [int(str(one.id)) for one, _, _ in asleep]
        if woken:
            self._db.change(f"model.{model}.write", woken, {"active": True}, stamps=_stamps(asleep))
        return woken

    def _delete(self, model: str, some: list[Todo]) -> list[int]:
        ids = [int(str(one.id)) for one, _, _ in some]
        self._db.change(f"model.{model}.delete", ids, stamps=_stamps(some))
        return ids

    def _saved(self, spec: KindSpec, action: str, some: list[Todo], ids: list[int]) -> Iterator[Saved]:
        """Read back. A create that is done stays done when the reading, or the second step, fails."""
        held: dict[str, WireRecord] = {}
        try:
            if action == "create":
                sleepers = [i for i, (_, values, _) in zip(ids, some, strict=True) if values.get("active") is False]
                if sleepers:
                    self._db.change(f"model.{SHAPES[spec.kind].model}.write", sleepers, {"active": False}, stamps={})
            if action != "delete":
                held = {one.id: one for one in self._records(spec, ids)}
        except RemoteError:
            held = {}
        for (one, _, _), native in zip(some, ids, strict=True):
            yield Saved(one.ref, str(native), held.get(str(native)))

    def _current(self, spec: KindSpec, ids: list[int]) -> dict[int, dict[str, Any]]:
        """The rows to be changed as they are now, with their version and what Tryton is to compare."""
        if not ids:
            return {}
        if spec.kind == "account":
            rows = self._parties([["id", "in", ids]])
            limits = self._limit_rows(ids)
            return {
                row["id"]: {
                    **row,
                    f"{party.LIMIT_ROWS}.": limits.get(row["id"], []),
                    "version": party.compose(row, {}, (), ()).version,
                    "stamps": party.stamps(row),
                }
                for row in rows
            }
        model = SHAPES[spec.kind].model
        return {
            row["id"]: {**row, "version": row["_timestamp"], "stamps": {f"{model},{row['id']}": row["_timestamp"]}}
            for row in self._db.all(model, [["id", "in", ids]], ["_timestamp", "active"])
        }

    def _limit_rows(self, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
        """Which row holds the limit of which company: a model of its own that can only be read through the party."""
        if party.LIMIT_ROWS not in self._db.fields_of("party.party"):
            return {}
        rows = self._db.all("party.party", [["id", "in", ids]], [f"{party.LIMIT_ROWS}.company"])
        return {row["id"]: row[f"{party.LIMIT_ROWS}."] for row in rows}

    def _already_there(self, spec: KindSpec, keys: list[str]) -> dict[str, WireRecord]:
        if spec.map.own_key is None or not keys:
            return {}
        found = {take(one.data, spec.map.own_key): one for one in self._find(spec, "own_key", keys)}
        return {str(key): one for key, one in found.items()}

    def _values(self, spec: KindSpec, one: Write, row: Mapping[str, Any], places: Places) -> dict[str, Any]:
        if spec.kind != "account":
            start = {"type": "email"} if one.action == "create" else {}
            if start and not one.values.get("name"):
                raise RequestRefused(
                    "a contact in Tryton is an e-mail address with a name; without one it is the customer's own",
                    field="name",
                    code="nameless",
                )
            return {**start, **one.values}
        terms_for = [c.code for c in self._companies if spec.map.named(f"company.{c.code}.terms")]
        values = party.changes(one, row, self._companies, terms_for, places, identifier_type)
        held = self._db.fields_of("party.party")
        for name in party.OPTIONAL:
            if name in values and name not in held:
                raise RequestRefused(
                    f"this Tryton keeps no {name}: the module that has it is not activated",
                    remedy="activate the module, or switch the field off in the map",
                    code="no_such_field",
                )
        return values

    def _places(self, batch: Sequence[Write], rows: Mapping[int, Mapping[str, Any]]) -> Places:
        """Ids of the countries and provinces that a batch names."""
        items = [item for one in batch for item in one.items.get("addresses", ())]
        provinces = {item.values["province"] for item in items if item.values.get("province")}
        if not any("country" in item.values for item in items) and not provinces:
            return Places({}, {})
        countries = {row["code"]: row["id"] for row in self._db.all("country.country", [], ["code"])}
        named = [["name", "in", sorted(provinces)]]
        found = self._db.all("country.subdivision", named, ["name", "country.code"]) if provinces else []
        return Places(countries, {(row["country."]["code"], row["name"]): row["id"] for row in found})


def _stamps(some: list[Todo]) -> dict[str, str]:
    """What Tryton is to compare before it writes: the rows of guarded writes as they were when we looked."""
    return {name: stamp for one, _, row in some if one.version is not None for name, stamp in row["stamps"].items()}


def _refused(one: Write, error: RequestRefused) -> Refused:
    reason = f"{error.message}; {error.remedy}" if error.remedy else error.message
    return Refused(one.ref, reason, error.field or _at_fault(one, error.message), error.code)


def _at_fault(one: Write, message: str) -> str | None:
    """Tryton names the value that it refuses, in quotes, and its own label of the field: the value tells the path."""
    told = message.replace("'", "")
    guilty = {path for path, value in _leaves(one) if isinstance(value, str) and f'"{value}"' in told}
    return guilty.pop() if len(guilty) == 1 else None


def _leaves(one: Write) -> Iterator[tuple[str, Any]]:
    def walk(at: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from walk(f"{at}.{name}" if at else str(name), inner)
        else:
            yield at, value

    yield from walk("", {k: v for k, v in one.values.items() if k != "name"})  # a name is quoted to tell the record
    for collection, items in one.items.items():
        for item in items:
            yield from ((f"{collection}.{name}", value) for name, value in item.values.items())
