"""SimERP, the sandbox's ERP: customers, contacts, items and reference data, both directions; documents.

Set-up, rights, guarantees and known gaps: README.md in this folder.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field as Setting
from pydantic import SecretStr

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, BadAnswer, RemoteError, RequestRefused
from datong.connectors.sandbox_erp.ageing import AGED_BALANCE, aged_balance, aged_balances
from datong.connectors.sandbox_erp.api import Api, refusal
from datong.connectors.sandbox_erp.customers import Step, all_parts, changes_row, saved_row, steps
from datong.connectors.sandbox_erp.documents import TOLD, WISH
from datong.connectors.sandbox_erp.goods import GOODS
from datong.connectors.sandbox_erp.maps import maps
from datong.connectors.sandbox_erp.orders import Orders, new_row
from datong.connectors.sandbox_erp.receipts import write_receipts
from datong.connectors.sandbox_erp.service import ASSET, CREDIT_ASKED
from datong.connectors.sandbox_erp.values import OWN_KEY, without_index
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Hint,
    Http,
    Incoming,
    KindSpec,
    Lost,
    Missing,
    Moved,
    Page,
    Refused,
    Saved,
    WireField,
    WireRecord,
    Write,
    understood,
)
from datong.mapping import FieldMap

RIGHTS = ("read", "write")
SECOND = timedelta(seconds=1)
FOUND_BY = ("tax_id", "email", "sku", "code", "name", "number", "erp_number", "serial")
NOT_FOUND_BY = frozenset({("tax_id", "invoice_request"), ("name", "accounting_period")})
REQUIRED = {
    "account": ("name",),
    "contact": ("name",),
    "product": ("sku", "name"),
    "order": ("company", "account"),
    "invoice_request": ("company", "account"),
    "return": ("company", "account", "order"),
    "price_list": ("company", "code", "name"),
    "forecast": ("company", "start", "end"),
}
READ_ONLY = frozenset(one.kind for one in (*TOLD, *GOODS, ASSET)) - {"price_list"}
KEPT = frozenset({"order", "payment", "return", "forecast", "price_list"})
"""What is never taken away, but cancelled or switched off."""
OF_EVERY_ROW = ("rowVersion", "createdAt", "modifiedAt")
FOUND_AT_ONCE = 500

_Stamp = tuple[str, str | None]


class ErpSettings(ConnectorSettings):
    url: str = Setting(description="address of SimERP, without /v1")
    key: SecretStr = Setting(description="API key with the rights read and write")
    token: SecretStr | None = Setting(None, description="token given when the subscription was made")
    page_size: int = Setting(500, ge=1, le=500, description="rows per page")
    accept_warnings: tuple[str, ...] = Setting((), description="codes of warnings gone past at approval: CREDIT_LIMIT")


class SandboxErp(Connector[ErpSettings]):
    name: ClassVar[str] = "sandbox_erp"
    title: ClassVar[str] = "SimERP (sandbox)"
    settings_class: ClassVar[type[ConnectorSettings]] = ErpSettings

    def __init__(self, settings: ErpSettings, context: Context) -> None:
        super().__init__(settings, context)
        key = {"X-Api-Key": settings.key.get_secret_value()}
        self._api = Api(Http(settings.url, context.budget, headers=key))
        self._kinds = {one.kind: _spec(one) for one in maps(context.companies)}
        self._kinds[AGED_BALANCE.kind] = aged_balance()

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    @understood("SimERP")
    def check(self) -> Checked:
        info = self._api.call("GET", "/v1/info")
        return Checked(
            identity=info["databaseId"],
            user=info["user"],
            server_time=from_text(info["serverTime"]),
            missing_scopes=tuple(one for one in RIGHTS if one not in info["rights"]),
            excess_scopes=tuple(one for one in info["rights"] if one not in RIGHTS),
            detail=f"{info['product']} {info['version']}",
        )

    @understood("SimERP")
    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """Rows that change while we page slip to the end and pull the others forward, so page numbers miss rows.

        Each call therefore asks for page 1 from the last second seen; only a second with more rows than a page holds
        is read by number (`_second`). The cursor is the change time of the last row, inclusive, and never goes back.
        """
        if spec.kind == AGED_BALANCE.kind:
            yield Page(list(aged_balances(self._api, self.context.companies)), last=True)
            return
        start = None if since is None else from_text(since) - spec.overlap
        reached, before = since or "", frozenset[_Stamp]()
        while True:
            rows, total = self._list(spec, start, 1)
            last = len(rows) >= total
            reached = max([reached, *(one.data["modifiedAt"] for one in rows)])
            if last or _moment(rows[0]) < _moment(rows[-1]):
                yield Page([one for one in rows if _stamp(one) not in before], reached or None, last=last)
                if last:
                    return
                start, before = _moment(rows[-1]), frozenset(map(_stamp, rows))
            else:
                for some in self._second(spec, _moment(rows[0]), before):
                    yield Page(some, reached)
                start, before = _moment(rows[0]) + SECOND, frozenset()

    def _second(self, spec: KindSpec, moment: datetime, before: frozenset[_Stamp]) -> Iterator[list[WireRecord]]:
        """The rows of one second, up by page number and down again.

        Rows only leave a second that is over, and that pulls the others towards page 1: going down, none slips by.
        """
        seen = set(before)
        page, step = 1, 1
        while page > 0:
            rows, _ = self._list(spec, moment, page)
            here = [one for one in rows if one.changed_at == moment]
            fresh = [one for one in here if _stamp(one) not in seen]
            seen.update(map(_stamp, fresh))
            if fresh:
                yield fresh
            if not rows or len(here) < len(rows):
                step = -1
            page += step

    @understood("SimERP")
    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        if spec.kind == AGED_BALANCE.kind:
            held = {one.id: one for one in aged_balances(self._api, self.context.companies)}
            yield from (held.get(id) or Missing(id) for id in dict.fromkeys(ids))
            return
        for id in dict.fromkeys(ids):
            yield self._one(spec, id)

    @understood("SimERP")
    def ids(self, spec: KindSpec) -> Iterator[str]:
        if spec.kind == AGED_BALANCE.kind:
            yield from (one.id for one in aged_balances(self._api, self.context.companies))
            return
        yield from map(str, self._api.call("GET", f"{_path(spec)}/ids", params=self._scope(spec))["ids"])

    @understood("SimERP")
    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        place, wanted = (OWN_KEY, list(values)) if by == "own_key" else _wire(spec, by, values)
        page, total, found = 1, 1, set[str]()
        while (page - 1) * FOUND_AT_ONCE < total:
            body = {"field": place, "values": wanted, "page": page, "pageSize": FOUND_AT_ONCE}
            told = self._api.call("POST", f"{_path(spec)}/query", body, params=_variant(spec), changes=False)
            for record in (self._record(spec, row) for row in told["rows"]):
                if record.id not in found and self._is_ours(spec, record):
                    found.add(record.id)
                    yield record
            page, total = page + 1, told["total"]

    @understood("SimERP", writes=True)
    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        """The rows in one guarded call, then the calls that the parts of a customer take; deletes last.

        Once a row is saved nothing is raised: a create that is done must be known of. After a broken call the parts
        of the rest are left alone: what they hold is read back, or looked at again, and is still due.
        """
        if spec.kind == "order":
            yield from self._write_orders(spec, batch)
            return
        if spec.kind == "payment":
            yield from write_receipts(
                self._api, lambda id: self._one(spec, id), lambda row: self._record(spec, row), batch
            )
            return
        saves = [one for one in batch if changes_row(one)]
        results = self._save(spec, saves) if saves else {}
        broken: RemoteError | None = None
        for one in batch:
            if one.action == "delete":
                continue
            result = results.get(one.ref)
            if result is not None and not result["ok"]:
                yield self._not_saved(spec, one, result)
                continue
            id, held = (_whole(result["id"]), result["row"]) if result else (one.id or "", None)
            rest = steps(one, id, self.context.companies)
            if held is not None and not rest:
                yield Saved(one.ref, id, self._record(spec, held))
                continue
            answer: Answer | None = None
            if broken is None:
                try:
                    answer = self._finish(spec, one, id, held, rest)
                except RemoteError as error:
                    broken = error
            yield answer or self._half_done(spec, one, id, held, broken)
        yield from self._delete(spec, [one for one in batch if one.action == "delete"])

    def _write_orders(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        creates = [one for one in batch if one.action == "create"]
        rows = [new_row(one, OWN_KEY) for one in creates]
        desk = Orders(
            self._api,
            look=lambda id: self._one(spec, id),
            record=lambda row: self._record(spec, row),
            unsaved=lambda write, result: self._not_saved(spec, write, result),
            accept=self.settings.accept_warnings,
        )
        saved = self._save_rows(spec, creates, rows) if creates else {}
        yield from desk.write([one for one in batch if one.action != "delete"], saved)
        yield from self._delete(spec, [one for one in batch if one.action == "delete"])

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        """A note names a record and no more, so without a `token` in the settings any note is believed."""
        token = self.settings.token.get_secret_value() if self.settings.token else ""
        given = incoming.headers.get("x-simerp-token", "")
        if token and not hmac.compare_digest(token.encode(), given.encode()):
            told = f"notice to {self.context.connection}: the token is wrong"
            raise AccessDenied(told, remedy="use the same token in the subscription and in `token`")
        try:
            note = json.loads(incoming.body)
            spec = next((one for one in self._kinds.values() if one.map.native == note["object"]), None)
            return [Hint(spec.kind, str(note["id"]))] if spec else []
        except (ValueError, LookupError, TypeError) as error:
            raise BadAnswer(f"a notice to {self.context.connection} without sense: {error}") from error

    @understood("SimERP")
    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        objects = self._api.call("GET", "/v1/metadata")["objects"]
        told = list(_fields(objects[spec.map.native]["fields"])) if spec.map.native in objects else []
        opened = [f.path for f in spec.map.fields if f.name.startswith("company.") and f.name.endswith(".open")]
        told += [WireField(path, "boolean", "Account kept") for path in opened]
        told += [WireField(path, "moment", read_only=True) for path in OF_EVERY_ROW]
        wishes = [f for f in spec.map.fields if f.path == WISH]
        told += [WireField(WISH, "option", "Wish", options=tuple(map(str, f.convert.examples))) for f in wishes]
        asked = [f for f in spec.map.fields if f.path == CREDIT_ASKED]
        return told + [WireField(CREDIT_ASKED, "boolean", "Credit note asked for") for _ in asked]

    def close(self) -> None:
        self._api.close()

    def _list(self, spec: KindSpec, start: datetime | None, page: int) -> tuple[list[WireRecord], int]:
        query: dict[str, Any] = {
            "page": page,
            "pageSize": self.settings.page_size,
            **_variant(spec),
            **self._scope(spec),
        }
        if start is not None:
            query["modifiedFrom"] = to_text(start)
        told = self._api.call("GET", _path(spec), params=query)
        rows = [self._record(spec, row) for row in told["rows"]]
        if any(one.changed_at is None for one in rows) or (page == 1 and told["total"] and not rows):
            raise BadAnswer(f"{_path(spec)}: rows or their modifiedAt are missing: no order to read in")
        return rows, told["total"]

    def _scope(self, spec: KindSpec) -> dict[str, str]:
        """Documents belong to a company; those of others than the connection's are not ours to see."""
        return {"company": ",".join(self.context.companies)} if self._by_company(spec) else {}

    def _is_ours(self, spec: KindSpec, record: WireRecord) -> bool:
        return not self._by_company(spec) or record.data.get("companyCode") in (*self.context.companies, None)

    def _by_company(self, spec: KindSpec) -> bool:
        return bool(self.context.companies) and spec.map.named("company") is not None

    def _one(self, spec: KindSpec, id: str) -> WireRecord | Missing:
        path = f"{_path(spec)}/{quote(id, safe='')}"
        told = self._api.ask("GET", path, params=_variant(spec))
        if told["ok"]:
            record = self._record(spec, told["row"])
            return record if self._is_ours(spec, record) else Missing(id, "out_of_scope")
        error = told["error"]
        if error["code"] == "NOT_FOUND":
            return Missing(id)
        if error["code"] == "MERGED":
            return Missing(id, "merged", into=str(error["mergedInto"]))
        raise refusal(f"GET {path}", error)

    def _record(self, spec: KindSpec, row: Mapping[str, Any]) -> WireRecord:
        changed = row.get("modifiedAt")
        parts = all_parts(row["companies"], self.context.companies) if "companies" in row else None
        off = row.get("status") == "inactive" or row.get("disabled") or row.get("discontinued")
        return WireRecord(
            id=_whole(row[_id_field(spec)]),
            data={**row, "companies": parts} if parts is not None else row,
            version=str(row["rowVersion"]) if "rowVersion" in row else None,
            changed_at=from_text(changed) if changed else None,
            active=not off,
        )

    def _save(self, spec: KindSpec, saves: Sequence[Write]) -> dict[int, Mapping[str, Any]]:
        """What became of each row, by the `ref` of its write."""
        return self._save_rows(spec, saves, [saved_row(one, _id_field(spec), OWN_KEY) for one in saves])

    def _save_rows(
        self, spec: KindSpec, saves: Sequence[Write], rows: Sequence[Mapping[str, Any]]
    ) -> dict[int, Mapping[str, Any]]:
        body = {"rows": rows, "mode": "each"}
        told = self._api.call("POST", f"{_path(spec)}/save", body, params=_variant(spec))
        results = {result["index"]: result for result in told["results"]}
        silence = {"ok": False, "error": {"code": ""}}
        return {one.ref: results.get(index, silence) for index, one in enumerate(saves)}

    def _not_saved(self, spec: KindSpec, write: Write, result: Mapping[str, Any]) -> Answer:
        error = result["error"]
        code, field = error["code"], error.get("field")
        if not code:
            return Lost(write.ref, "the answer of the batch does not speak of it")
        if code in ("STALE", "NOT_FOUND", "MERGED"):
            return Moved(write.ref)
        if code == "DUPLICATE":
            return self._double(spec, write, error)
        return Refused(write.ref, error["message"], without_index(field), code)

    def _double(self, spec: KindSpec, write: Write, error: Mapping[str, Any]) -> Answer:
        """Of several doubled fields SimERP names the first: its holder may be what we created before, by our key."""
        field, id = error["field"], str(error["id"])
        found = self._existing(spec, write, id) if write.action == "create" and write.key else None
        if found is not None and (field == OWN_KEY or not isinstance(found, Saved) or _key(found) == write.key):
            return found
        return Refused(write.ref, f"{error['message']} ({id})", field, "DUPLICATE")

    def _existing(self, spec: KindSpec, write: Write, id: str) -> Answer:
        """The record that holds our key. A failed look at it must not hide the answers of the batch that follow."""
        try:
            found = self._one(spec, id)
        except RemoteError as error:
            return Lost(write.ref, f"{id} holds our key, but cannot be read: {error}")
        if isinstance(found, Missing):
            return Lost(write.ref, f"{id} held our key and is gone")
        return Saved(write.ref, found.id, found, existed=True)

    def _finish(
        self, spec: KindSpec, write: Write, id: str, held: Mapping[str, Any] | None, rest: Sequence[Step]
    ) -> Answer:
        """Take the steps, those after a refused one too, and read back what it came to."""
        refused: RequestRefused | None = None
        for path, body in rest:
            try:
                self._api.call("POST", path, body, patience=3)
            except RequestRefused as error:
                refused = refused or error
        now = self._one(spec, id)
        if write.action == "create":
            return Saved(write.ref, id, now if isinstance(now, WireRecord) else self._record(spec, held or {}))
        if isinstance(now, Missing):
            return Moved(write.ref)
        if refused is not None:
            return Refused(write.ref, refused.message, without_index(refused.field), refused.code)
        return Saved(write.ref, id, now)

    def _half_done(
        self, spec: KindSpec, write: Write, id: str, held: Mapping[str, Any] | None, broken: RemoteError | None
    ) -> Answer:
        if write.action == "create" and held is not None:
            return Saved(write.ref, id, self._record(spec, held))
        return Lost(write.ref, f"not every part of {spec.map.native}/{id} is known to be written: {broken}")

    def _delete(self, spec: KindSpec, deletes: Sequence[Write]) -> Iterator[Answer]:
        """SimERP guards no delete, so versions are read right before; what is already gone is as wished."""
        due: list[Write] = []
        for one in deletes:
            now = self._one(spec, one.id or "") if one.version is not None else None
            if isinstance(now, WireRecord) and now.version != one.version:
                yield Moved(one.ref)
            else:
                due.append(one)
        if not due:
            return
        told = self._api.call("POST", f"{_path(spec)}/delete", {"ids": [int(one.id or 0) for one in due]})
        results = {result["index"]: result for result in told["results"]}
        for index, one in enumerate(due):
            result = results.get(index, {"ok": False, "error": {"code": ""}})
            if result["ok"] or result["error"]["code"] == "NOT_FOUND":
                yield Saved(one.ref, one.id or "", None)
            else:
                yield self._not_saved(spec, one, result)


def _stamp(record: WireRecord) -> _Stamp:
    return record.id, record.version


def _moment(record: WireRecord) -> datetime:
    assert record.changed_at is not None  # _list saw to it
    return record.changed_at


def _spec(map: FieldMap) -> KindSpec:
    numbers = tuple(one.name for one in map.fields if re.fullmatch(r"company\.[^.]+\.number", one.name))
    told = map.kind in READ_ONLY
    return KindSpec(
        map,
        reads="changes",
        overlap=timedelta(seconds=5),
        create="never" if told or map.kind == "payment" else "by_key",
        update=not told,
        delete=not told and map.kind not in KEPT,
        settle=timedelta(seconds=60),
        guard=True,
        change_time=True,
        find_by=(*(one for one in FOUND_BY if map.named(one) and (one, map.kind) not in NOT_FOUND_BY), *numbers),
        batch=50 if map.kind == "order" else 200,
        required=() if told or map.kind == "payment" else REQUIRED.get(map.kind, ("code", "name")),
    )


def _key(saved: Saved) -> Any:
    return saved.record.data.get(OWN_KEY) if saved.record else None


def _whole(id: Any) -> str:
    if id.__class__ is not int:
        raise BadAnswer(f"SimERP answered a record whose id is {id!r:.60}")
    return str(id)


def _path(spec: KindSpec) -> str:
    return f"/v1/{spec.map.native}"


def _variant(spec: KindSpec) -> dict[str, str]:
    return {"with": "companies"} if spec.map.native == "customers" else {}


def _id_field(spec: KindSpec) -> str:
    return "contactId" if spec.map.native == "contacts" else "id"


def _wire(spec: KindSpec, by: str, values: Sequence[str]) -> tuple[str, list[Any]]:
    """Where a wire record holds a canonical field, and the values there."""
    one = spec.map.named(by)
    if one is None:
        raise ValueError(f"{spec.kind} is not found by {by}")
    return one.path, [one.convert.to_wire(value) for value in values]


def _fields(told: Sequence[Mapping[str, Any]], at: str = "") -> Iterator[WireField]:
    for one in told:
        path = f"{at}{one['name']}"
        if one["fields"]:
            yield from _fields(one["fields"], f"{path}.")
            continue
        yield WireField(
            path,
            one["type"],
            label=one["label"],
            required=one["required"],
            max_length=one["maxLength"],
            options=tuple(one["options"]),
            custom=one["custom"],
            read_only=one["readOnly"],
        )
