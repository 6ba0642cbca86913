"""SimCRM, the sandbox's CRM: customers, contacts, products and reference data both ways, order to cash.

Set-up, rights, guarantees and known gaps: README.md in this folder.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field as Setting
from pydantic import SecretStr

from datong.base import json
from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, BadAnswer, RemoteError, RequestRefused
from datong.connectors.sandbox_crm.kinds import declared
from datong.connectors.sandbox_crm.maps import maps
from datong.connectors.sandbox_crm.words import OWN_KEY
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Hint,
    Http,
    Incoming,
    ItemWrite,
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
from datong.mapping import ABSENT, put, take

SCOPES = ("read", "write")
VALUES_A_SEARCH = 20
REPLAY_WINDOW = timedelta(minutes=5)


class CrmSettings(ConnectorSettings):
    url: str = Setting(description="address of SimCRM, without /api")
    token: SecretStr = Setting(description="API token with the scopes read and write")
    webhook_secret: SecretStr | None = Setting(None, description="secret given when the webhook was made")
    page_size: int = Setting(500, ge=1, le=500, description="rows per page")


class SandboxCrm(Connector[CrmSettings]):
    name: ClassVar[str] = "sandbox_crm"
    title: ClassVar[str] = "SimCRM (sandbox)"
    settings_class: ClassVar[type[ConnectorSettings]] = CrmSettings

    def __init__(self, settings: CrmSettings, context: Context) -> None:
        super().__init__(settings, context)
        bearer = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._http = Http(settings.url, context.budget, headers=bearer)
        self._kinds = {one.kind: declared(one) for one in maps(context.companies)}

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    @understood("SimCRM")
    def check(self) -> Checked:
        me = self._http.get("/api/whoami")
        return Checked(
            identity=me["organisation_id"],
            user=me["user"]["name"],
            server_time=from_text(me["server_time"]),
            missing_scopes=tuple(one for one in SCOPES if one not in me["scopes"]),
            excess_scopes=tuple(one for one in me["scopes"] if one not in SCOPES),
            detail=me["organisation"],
        )

    @understood("SimCRM")
    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """Our cursor is the last change time, inclusive: it outlives the vendor's own, and never goes back."""
        query: dict[str, Any] = {"limit": self.settings.page_size, "include_inactive": "true"}
        if since is not None:
            query["updated_since"] = to_text(from_text(since) - spec.overlap)
        reached = since or ""
        been: set[str] = set()
        while True:
            body = self._http.get(_path(spec), query)
            records = [self._record(row) for row in body["items"]]
            reached = max([reached, *(to_text(one.changed_at) for one in records if one.changed_at)])
            yield Page(records, reached or None, last=body["next"] is None)
            if body["next"] is None:
                return
            _go_on(query, body["next"], been)

    @understood("SimCRM")
    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for id in dict.fromkeys(ids):
            yield self._one(spec, id)

    @understood("SimCRM")
    def ids(self, spec: KindSpec) -> Iterator[str]:
        query: dict[str, Any] = {"limit": 5000}
        been: set[str] = set()
        while True:
            body = self._http.get(f"{_path(spec)}/ids", query)
            yield from body["ids"]
            if body["next"] is None:
                return
            _go_on(query, body["next"], been)

    @understood("SimCRM")
    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        """The search overlooks case and outer space; our own key does not."""
        found: set[str] = set()
        asked = list(dict.fromkeys(values))
        for start in range(0, len(asked), VALUES_A_SEARCH):
            some = asked[start : start + VALUES_A_SEARCH]
            place, wanted = (OWN_KEY, some) if by == "own_key" else _wire(spec, by, some)
            query = {"field": place, "value": wanted, "limit": 500}
            for row in self._http.get(f"{_path(spec)}/search", query)["items"]:
                exact = by != "own_key" or row.get(OWN_KEY) in some
                if exact and row["id"] not in found:
                    found.add(row["id"])
                    yield self._record(row)

    @understood("SimCRM", writes=True)
    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        """Creates and changes in one call that guards each item by its version; deletes one by one."""
        saves = [one for one in batch if one.action != "delete"]
        if saves:
            self._hand_over_files(saves)
            body = {"items": [self._item(one) for one in saves], "all_or_nothing": False}
            told = self._http.call("POST", f"{_path(spec)}/batch", body=body)
            results = {result["index"]: result for result in told["results"]}
            for index, one in enumerate(saves):
                yield self._answer(spec, one, results.get(index))
        for one in batch:
            if one.action == "delete":
                yield self._delete(spec, one)

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        self._verify(incoming)
        try:
            event = json.loads(incoming.body)
            spec = next((one for one in self._kinds.values() if one.map.native == event["object"]), None)
            record = self._record(event["data"]) if event.get("complete") else None
            return [Hint(spec.kind, str(event["object_id"]), record)] if spec else []
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BadAnswer(f"a webhook of {self.context.connection} without sense: {error}") from error

    @understood("SimCRM")
    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        objects = self._http.get("/api/schema")["objects"]
        return list(_fields(objects[spec.map.native]["fields"])) if spec.map.native in objects else []

    def close(self) -> None:
        self._http.close()

    def _one(self, spec: KindSpec, id: str) -> WireRecord | Missing:
        status, body = self._http.call("GET", f"{_path(spec)}/{quote(id, safe='')}", allow=(404, 410))
        if status == 410:
            return Missing(id, "merged", into=body["merged_into"])
        if status == 404:
            if body.get("error") != "not_found":
                raise RequestRefused(f"{spec.map.native}/{id}: {body.get('error')}", code="404")
            return Missing(id)
        return self._record(body)

    def _record(self, row: Mapping[str, Any]) -> WireRecord:
        changed = row.get("updated_at")
        return WireRecord(
            id=_text(row["id"]),
            data=self._with_foreign_limits(row),
            version=str(row["version"]) if "version" in row else None,
            changed_at=from_text(changed) if changed else None,
            active=row.get("active") is not False,
        )

    def _with_foreign_limits(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A credit limit in another currency than the company's carries it, so that the map refuses to read it."""
        foreign = {
            code: {**part, "credit_limit": f"{part['credit_limit']} {part['currency']}"}
            for code, part in (row.get("erp") or {}).items()
            if part.get("credit_limit") and part.get("currency") not in (None, self._currency(code))
        }
        return {**row, "erp": {**row["erp"], **foreign}} if foreign else row

    def _currency(self, code: str) -> Any:
        return self.context.companies.get(code, {}).get("currency")

    def _item(self, write: Write) -> dict[str, Any]:
        data = dict(write.values)
        if "erp" in data:
            data["erp"] = {code: self._with_currency(code, part) for code, part in data["erp"].items()}
        if write.action == "create":
            new = {path: [item.values for item in items] for path, items in write.items.items()}
            return {"op": "create", "data": {**data, **new, OWN_KEY: write.key}}
        changes = {f"{path}_changes": _item_changes(items) for path, items in write.items.items()}
        guard = {} if write.version is None else {"version": int(write.version)}
        return {"op": "update", "id": write.id, **guard, "data": {**data, **changes}}

    def _hand_over_files(self, writes: Sequence[Write]) -> None:
        """Contents first, by their digest: the same once more changes nothing. What was not kept is only named."""
        new = {
            str(item.values["digest"])
            for write in writes
            for item in write.items.get("files", ())
            if item.action == "create" and item.values.get("digest")
        }
        for name in sorted(new):
            content = self.context.files.get(name) if self.context.files is not None else None
            if content is not None:
                self._http.put(f"/api/files/{quote(name, safe=':')}", content)

    def _with_currency(self, code: str, part: Mapping[str, Any]) -> Mapping[str, Any]:
        money = {"credit_limit", "credit_raise", "figures"} & part.keys()
        return {**part, "currency": self._currency(code)} if money else part

    def _answer(self, spec: KindSpec, write: Write, result: Mapping[str, Any] | None) -> Answer:
        if result is None:
            return Lost(write.ref, "the answer of the batch does not speak of it")
        status, error = result["status"], str(result.get("error", ""))
        if status < 300:
            return Saved(write.ref, _text(result["id"]), self._record(_without_ignored(result)))
        if status in (404, 410, 412):
            return Moved(write.ref)
        if status == 409:
            return self._double(spec, write, error.removeprefix("duplicate "), result["id"])
        if wrong := result.get("fields"):
            reason = "; ".join(f"{at}: {why}" for at, why in wrong.items())
            return Refused(write.ref, reason, re.sub(r"\[\d+\]", "", next(iter(wrong))), error)
        return Refused(write.ref, str(result.get("message", error)), code=error)

    def _double(self, spec: KindSpec, write: Write, field: str, id: str) -> Answer:
        """Of several doubled fields SimCRM names the first: its holder may be what we created before, by our key."""
        found = self._existing(spec, write, id) if write.action == "create" and write.key else None
        if found is not None and (field == OWN_KEY or not isinstance(found, Saved) or _key(found) == write.key):
            return found
        return Refused(write.ref, f"duplicate {field}: held by {id}", field, "duplicate")

    def _existing(self, spec: KindSpec, write: Write, id: str) -> Answer:
        """The record that holds our key. A failed look at it must not hide the answers of the batch that follow."""
        try:
            found = self._one(spec, id)
        except RemoteError as error:
            return Lost(write.ref, f"{id} holds our key, but cannot be read: {error}")
        if isinstance(found, Missing):
            return Lost(write.ref, f"{id} held our key and is gone")
        return Saved(write.ref, found.id, found, existed=True)

    def _delete(self, spec: KindSpec, write: Write) -> Answer:
        """SimCRM guards no delete, so the version is read right before; what is already gone is as wished."""
        id = write.id or ""
        now = self._one(spec, id) if write.version is not None else None
        if isinstance(now, WireRecord) and now.version != write.version:
            return Moved(write.ref)
        status, _ = self._http.call("DELETE", f"{_path(spec)}/{quote(id, safe='')}", allow=(404, 410))
        return Moved(write.ref) if status == 410 else Saved(write.ref, id, None)

    def _verify(self, incoming: Incoming) -> None:
        """`t=<unix>,v1=<hmac sha256 of "t." + body>`, at most five minutes old."""
        if self.settings.webhook_secret is None:
            raise self._forged("no secret to check it with", "set `webhook_secret`, or remove the webhook")
        signature = incoming.headers.get("x-simcrm-signature", "")
        parts = dict(one.partition("=")[::2] for one in signature.split(","))
        moment, given = parts.get("t", ""), parts.get("v1", "")
        secret = self.settings.webhook_secret.get_secret_value().encode()
        expected = hmac.new(secret, moment.encode() + b"." + incoming.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise self._forged("the signature is wrong", "use one secret in SimCRM and in `webhook_secret`")
        if abs(incoming.received_at.timestamp() - int(moment)) > REPLAY_WINDOW.total_seconds():
            raise self._forged("signed more than 5 minutes away", "set the clocks of both machines right")

    def _forged(self, why: str, remedy: str) -> AccessDenied:
        return AccessDenied(f"webhook of {self.context.connection}: {why}", remedy=remedy)


def _key(saved: Saved) -> Any:
    return saved.record.data.get(OWN_KEY) if saved.record else None


def _text(id: Any) -> str:
    if not isinstance(id, str) or not id:
        raise BadAnswer(f"SimCRM answered a record whose id is {id!r:.60}")
    return id


def _path(spec: KindSpec) -> str:
    return f"/api/{spec.map.native}"


def _go_on(query: dict[str, Any], cursor: str, been: set[str]) -> None:
    """To the next page; one that was there before would lead us in circles for ever."""
    if cursor in been:
        raise BadAnswer(
            f"SimCRM sends us back to the page {cursor!r:.60}", remedy="its paging is broken: tell its maker"
        )
    been.add(cursor)
    query["cursor"] = cursor


def _wire(spec: KindSpec, by: str, values: Sequence[str]) -> tuple[str, list[Any]]:
    """Where a wire record holds a canonical field, and the values there."""
    one = spec.map.named(by)
    if one is None:
        raise ValueError(f"{spec.kind} is not found by {by}")
    return one.path, [one.convert.to_wire(value) for value in values]


def _item_changes(items: Sequence[ItemWrite]) -> dict[str, list[Any]]:
    changes: dict[str, list[Any]] = {"create": [], "update": [], "delete": []}
    for item in items:
        told = {"create": item.values, "update": {**item.values, "id": item.id}, "delete": item.id}[item.action]
        changes[item.action].append(told)
    return {action: told for action, told in changes.items() if told}


def _without_ignored(result: Mapping[str, Any]) -> dict[str, Any]:
    """The row, with null for what SimCRM ignored: it holds nothing there, and that must show as not accepted."""
    row = dict(result["item"])
    for path in result.get("ignored", ()):
        if "[" not in path and take(row, path) is ABSENT:
            put(row, path, None)
    return row


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
            max_length=one["max_length"],
            options=tuple(one["options"]),
            custom=one["custom"],
            read_only=one["read_only"],
        )
