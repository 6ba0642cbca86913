"""BottleCRM (django-crm 1.35), REST: accounts, contacts and products in both directions, users to refer to; deals and
estimates out of it, with what became of them in the ERP written back.

Setup steps, scopes, guarantees and known gaps for administrators: README.md in this folder.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from datong.base.errors import (
    BadAnswer,
    ConfigurationError,
    OutcomeUnknown,
    RemoteError,
    RequestRefused,
    TryLater,
)
from datong.connectors.bottlecrm import access, custom_fields, people, webhooks
from datong.connectors.bottlecrm.answers import not_its_404, refused
from datong.connectors.bottlecrm.copies import Copies
from datong.connectors.bottlecrm.custom_fields import Wanted
from datong.connectors.bottlecrm.endpoints import ENDPOINTS, SALES, SERVICE, WHOLE, Endpoint
from datong.connectors.bottlecrm.maps import (
    DEFAULT_KEYS,
    FIGURES,
    PRODUCT,
    USER,
    account_map,
    contact_map,
    invoice_map,
    opportunity_map,
    quote_map,
)
from datong.connectors.bottlecrm.tickets import case_map
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
from datong.mapping import put, take

PAGE = 500
FEW = 8
"""So many values are searched one by one; more cost less as one read of the whole list."""
CALLS = 60.0
OWN_KEY = "own_key"


class BottleCrmSettings(ConnectorSettings):
    url: str = Field(description="address of the server, such as https://crm.example.com")
    token: SecretStr = Field(min_length=1, description="personal access token (bcrm_pat_…) of an administrator")
    webhook_secret: SecretStr | None = Field(None, description="shown once when the webhook is created")
    phone_region: str | None = Field(None, description="country of numbers written without one, such as CN")
    custom_fields: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="kind -> canonical field (or own_key) -> custom field key, where it is not the usual one",
    )
    sales: bool = Field(
        False, description="also deals (opportunity) and estimates (quote); an estimate costs one request each time"
    )
    service: bool = Field(False, description="also tickets (service_case)")
    figures: bool = Field(False, description="also the financial summary on accounts, in 25 custom fields per company")
    create_custom_fields: bool = Field(False, description="let `check` create the custom fields that are missing")
    list_timeout: float = Field(600, description="seconds for a whole list; it makes about 300 records a second")


class BottleCrm(Connector[BottleCrmSettings]):
    name: ClassVar[str] = "bottlecrm"
    title: ClassVar[str] = "BottleCRM"
    settings_class: ClassVar[type[ConnectorSettings]] = BottleCrmSettings

    def __init__(self, settings: BottleCrmSettings, context: Context) -> None:
        super().__init__(settings, context)
        headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self.http, self.lists = (
            Http(settings.url, context.budget, headers=headers, timeout=seconds, rules=(not_its_404,))
            for seconds in (CALLS, settings.list_timeout)
        )
        self.keys = {**settings.custom_fields}
        for kind, usual in DEFAULT_KEYS.items():
            if (kind in SALES and not settings.sales) or (kind in SERVICE and not settings.service):
                continue
            figures = FIGURES if kind == "account" and settings.figures else {}
            self.keys[kind] = {**usual, **figures, **settings.custom_fields.get(kind, {})}
        self._defined: dict[str, frozenset[str]] = {}
        self._searches_custom_fields = True
        self._copies = Copies(self.http, self._change, self._read_back, context.clock)
        where = f"connections.{context.connection}.custom_fields"
        if problems := list(custom_fields.problems(where, self.keys, context.companies)):
            raise ConfigurationError(problems)

    @cached_property
    def kinds(self) -> Mapping[str, KindSpec]:
        region = self.settings.phone_region
        account = account_map(self.keys["account"], region)
        names = [field.name for field in account.for_companies(self.context.companies).fields]
        sales = {
            one.kind: KindSpec(one, reads="snapshot", create="never", delete=False, change_time=one.kind == "quote")
            for one in (
                opportunity_map(self.keys.get("opportunity", {})),
                quote_map(self.keys.get("quote", {})),
            )
            if self.settings.sales
        }
        if self.settings.sales:
            copied = invoice_map(self.keys["invoice"])
            required = ("account", "currency", "date", "net", "tax", "total")
            sales["invoice"] = KindSpec(
                copied,
                reads="snapshot",
                create="by_search",
                delete=False,
                change_time=True,
                required=required,
                without=(("type", "credit_note"),),
            )
        if self.settings.service:
            tickets = case_map(self.keys["service_case"])
            needed = ("subject", "state", "priority")
            sales["service_case"] = KindSpec(
                tickets, reads="snapshot", create="by_search", delete=False, required=needed
            )
        return {
            **sales,
            "account": KindSpec(
                account,
                reads="snapshot",
                create="by_search",
                find_by=tuple(n for n in names if n in ("name", "tax_id") or n.endswith(".number")),
                idle_requests=2,
                required=("name",),
            ),
            "contact": KindSpec(
                contact_map(self.keys["contact"], region),
                reads="snapshot",
                create="by_search",
                change_time=True,
                find_by=("email",),
                idle_requests=2,
                required=("name",),
            ),
            "product": KindSpec(
                PRODUCT,
                reads="snapshot",
                create="by_search",
                change_time=True,
                find_by=("sku",),
                required=("sku", "name"),
            ),
            "user": KindSpec(USER, reads="snapshot", create="never", update=False, delete=False, find_by=("email",)),
        }

    # reading

    @understood("BottleCRM")
    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """One call, one snapshot: paging there misses rows when others are deleted, and repeats them on insert."""
        records = iter(self._all(ENDPOINTS[spec.kind]))
        page = list(islice(records, PAGE))
        while True:
            following = list(islice(records, PAGE))
            yield Page(page, cursor=None, last=not following)
            if not following:
                return
            page = following

    @understood("BottleCRM")
    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        endpoint = ENDPOINTS[spec.kind]
        if spec.kind == "user":  # its detail goes by another id
            held = {record.id: record for record in self._all(endpoint)} if ids else {}
            yield from (held.get(id) or Missing(id) for id in ids)
            return
        sees_all: bool | None = None
        for id in ids:
            record = self._one(endpoint, id)
            if record is None and endpoint.target and _is_uuid(id) and sees_all is None:
                sees_all = access.sees_all(self.http)
            yield record or Missing(id, "no_access" if sees_all is False and _is_uuid(id) else "gone")

    @understood("BottleCRM")
    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from (row["id"] for row in self._rows(ENDPOINTS[spec.kind], {}))

    @understood("BottleCRM")
    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        wanted = {value for value in values if value}
        whole = spec.map.for_companies(self.context.companies)
        if by == OWN_KEY:
            path = whole.own_key
            if path and wanted:
                yield from (r for r in self._candidates(spec.kind, path, wanted) if take(r.data, path) in wanted)
            return
        field = whole.named(by)
        if field is None:
            raise RequestRefused(f"{self.title} cannot search {spec.kind} by {by}", remedy="use a field of its map")
        if wanted:
            for record in self._candidates(spec.kind, field.path, wanted):
                if whole.read(record.data).values.get(by) in wanted:
                    yield record

    def _candidates(self, kind: str, path: str, values: set[str]) -> Iterator[WireRecord]:
        """At least every record that holds one of the values: by a filter where there is a sound one, else all.

        `?cf_<key>=` compares whole texts, so it is right for our own key only, which nobody but us writes; on SQLite it
        answers 500.
        """
        endpoint = ENDPOINTS[kind]
        own = self.kinds[kind].map.own_key
        name = endpoint.filters.get(path)
        if name is None and path == own and self._searches_custom_fields:
            name = path.replace("custom_fields.", "cf_")
        if name is None or len(values) > FEW:
            yield from self._all(endpoint)
            return
        asked = values | {unicodedata.normalize("NFD", value) for value in values}
        try:
            found = {row["id"]: row for value in sorted(asked) for row in self._rows(endpoint, {name: value})}
        except TryLater:
            if not name.startswith("cf_"):
                raise
            yield from self._all(endpoint)
            self._searches_custom_fields = False
            return
        defined = self._definitions(endpoint) if found else frozenset()
        yield from (endpoint.record(row, defined) for row in found.values())

    def _all(self, endpoint: Endpoint) -> Iterator[WireRecord]:
        if endpoint.singly:
            found = (self._one(endpoint, row["id"]) for row in self._rows(endpoint, {}))
            return (record for record in found if record is not None)
        defined = self._definitions(endpoint)
        return (endpoint.record(row, defined) for row in self._rows(endpoint, {}))

    def _rows(self, endpoint: Endpoint, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        return list(endpoint.rows(self.lists.get(endpoint.path, {"limit": WHOLE, **filters})))

    def _one(self, endpoint: Endpoint, id: str) -> WireRecord | None:
        """None where it is gone. A merged record is gone too: it does not say into which."""
        if not _is_uuid(id):
            return None
        try:
            body = self.http.get(f"{endpoint.path}{id}/")
        except RequestRefused as error:
            if error.code == "404":
                return None
            raise
        row = body.get(endpoint.detail) if endpoint.detail else body
        if not isinstance(row, Mapping) or "id" not in row:
            raise BadAnswer(f"{endpoint.path}{id}/ answered no record", remedy="is this BottleCRM 1.35?")
        if endpoint.target:
            self._defined[endpoint.target] = custom_fields.active_keys(body["custom_field_definitions"])
        return endpoint.record(row, self._defined.get(endpoint.target, frozenset()))

    def _definitions(self, endpoint: Endpoint) -> frozenset[str]:
        if not endpoint.target:
            return frozenset()
        found = custom_fields.active_keys(custom_fields.definitions(self.http, endpoint.target))
        self._defined[endpoint.target] = found
        return found

    # writing

    @understood("BottleCRM", writes=True)
    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        if spec.create == "never" and any(one.action != "update" for one in batch):
            raise RequestRefused(f"{spec.kind} is neither made nor deleted in {self.title} by us")
        actions = {"create": self._create, "update": self._update, "delete": self._delete}
        for write in batch:
            yield actions[write.action](spec, write)

    def _create(self, spec: KindSpec, write: Write) -> Answer:
        endpoint = ENDPOINTS[spec.kind]
        if spec.kind == "invoice":
            return self._unfit_for_create(spec, write) or self._copies.create(
                write, take(_body(spec, write), "custom_fields")
            )
        if fault := self._unfit_for_create(spec, write) or self._sku_taken(spec, write):
            return fault
        status, answer = self._change("POST", endpoint.path, _body(spec, write))
        if status >= 400:
            fault = refused(write.ref, status, answer)
            return (self._existing(spec, write) if fault.code == "duplicate" else None) or fault
        id = answer.get("id") or take(answer, "product.id")
        if not isinstance(id, str):
            raise OutcomeUnknown(f"{endpoint.path} answered {status} to a create, without an id")
        return Saved(write.ref, id, self._read_back(endpoint, id))

    def _unfit_for_create(self, spec: KindSpec, write: Write) -> Refused | None:
        """A record that could not be known again must not be created."""
        target, own = ENDPOINTS[spec.kind].target, spec.map.own_key
        if own is None:
            told = "a product without a number (sku) could not be known again"
            return None if write.values.get("sku") else Refused(write.ref, told, field="sku", code="invalid")
        if "full_name" in write.values and not _is_named(write.values):
            told = f"a contact needs a first and a last name; {write.values['full_name']!r} is not both"
            return Refused(write.ref, told, field="full_name", code="invalid")
        key = own.removeprefix("custom_fields.")
        if key in self._defined.get(target, ()) or key in self._definitions(ENDPOINTS[spec.kind]):
            return None
        told = f"{target} has no custom field {key} to hold our key: create it (README, Set-up)"
        return Refused(write.ref, told, field=own, code="custom_field_missing")

    def _sku_taken(self, spec: KindSpec, write: Write) -> Refused | None:
        """A second product with one sku is answered by 500: look first."""
        sku = str(write.values.get("sku") or "").strip() if spec.kind == "product" else ""
        rows = self._rows(ENDPOINTS[spec.kind], {"search": sku}) if sku else []
        other = next((row["id"] for row in rows if row["sku"] == sku and row["id"] != write.id), None)
        told = f"a product with the number {sku} already exists: {other}"
        return Refused(write.ref, told, field="sku", code="duplicate") if other else None

    def _existing(self, spec: KindSpec, write: Write) -> Saved | None:
        """The record in the way of a create, if it carries our own key: then the create has happened before."""
        own = spec.map.own_key
        if own is None or write.key is None:
            return None
        for path in ENDPOINTS[spec.kind].filters:
            value = str(write.values.get(path) or "").strip()
            for record in self._candidates(spec.kind, path, {value}) if value else ():
                if take(record.data, own) == write.key:
                    return Saved(write.ref, record.id, record, existed=True)
        return None

    def _update(self, spec: KindSpec, write: Write) -> Answer:
        """PATCH keeps what is not named; a PUT of an account would clear its contacts, tags and people."""
        endpoint = ENDPOINTS[spec.kind]
        if write.id is None or not _is_uuid(write.id):
            return Moved(write.ref)
        if spec.kind == "invoice":
            return self._copies.update(write)
        if fault := self._sku_taken(spec, write):
            return fault
        status, answer = self._change(endpoint.update, f"{endpoint.path}{write.id}/", _body(spec, write))
        if status == 404:
            return Moved(write.ref)
        if status >= 400:
            return refused(write.ref, status, answer)
        return Saved(write.ref, write.id, self._read_back(endpoint, write.id))

    def _delete(self, spec: KindSpec, write: Write) -> Answer:
        endpoint = ENDPOINTS[spec.kind]
        if write.id is None or not _is_uuid(write.id):
            return Moved(write.ref)
        status, answer = self._change("DELETE", f"{endpoint.path}{write.id}/")
        if status == 404:
            return Moved(write.ref)
        return refused(write.ref, status, answer) if status >= 400 else Saved(write.ref, write.id, None)

    def _change(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer of a write, also where it is refused or the record is gone."""
        try:
            status, answer = self.http.call(method, path, body=body, allow=(400, 403, 409))
        except RequestRefused as error:
            if error.code != "404":
                raise
            return 404, None
        return status, answer

    def _read_back(self, endpoint: Endpoint, id: str) -> WireRecord:
        """What is there now, not what we sent: a value for a custom field that does not exist is dropped in silence."""
        try:
            record = self._one(endpoint, id)
        except RemoteError as error:
            raise OutcomeUnknown(f"{endpoint.path}{id}/ was written, but then: {error}") from error
        if record is None:
            raise OutcomeUnknown(f"{endpoint.path}{id}/ was written, and is gone again")
        return record

    # the connection itself

    @understood("BottleCRM")
    def check(self) -> Checked:
        """Tries to read each kind, and to change a record that cannot exist: only a missing scope can be in the way."""
        organisation, administrator = access.organisation(self.http)
        user = self.http.get("/api/profile/")["user_obj"]
        offered = [ENDPOINTS[kind] for kind in self.kinds]
        missing = [*access.missing_scopes(self.http, offered), *(() if administrator else ("role ADMIN",))]
        detail = "" if "custom-fields:read" in missing else self._mend_custom_fields()
        return Checked(
            identity=str(organisation["id"]),
            user=user["user_details"]["email"],
            missing_scopes=tuple(missing),
            detail="; ".join(filter(None, (organisation["name"], detail))),
        )

    def _mend_custom_fields(self) -> str:
        needed = list(self.wanted_custom_fields())
        if self.settings.create_custom_fields:
            self.create_custom_fields()
        found = {target: custom_fields.definitions(self.http, target) for target in {one.target for one in needed}}
        return "; ".join(custom_fields.faults(needed, found))

    def wanted_custom_fields(self) -> Iterator[Wanted]:
        return custom_fields.wanted(self.keys, self.context.companies)

    def create_custom_fields(self) -> list[Wanted]:
        """Create those that are missing, and say which. Needs an administrator's token with custom-fields:write."""
        needed = list(self.wanted_custom_fields())
        there = {
            (target, one["key"])
            for target in {one.target for one in needed}
            for one in custom_fields.definitions(self.http, target)
        }
        created = [one for one in needed if (one.target, one.key) not in there]
        for one in created:
            custom_fields.create(self.http, one)
        self._defined.clear()
        return created

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        if self.settings.webhook_secret is None:
            raise RequestRefused("no webhook_secret is configured", remedy="set webhook_secret of this connection")
        return webhooks.hints(incoming, self.settings.webhook_secret.get_secret_value())

    @understood("BottleCRM")
    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        endpoint = ENDPOINTS[spec.kind]
        fixed = list(endpoint.fields)
        if spec.kind == "account":
            industries = tuple(value for value, _ in self.http.get(endpoint.path, {"limit": 1})["industries"])
            fixed = [replace(one, options=industries) if one.path == "industry" else one for one in fixed]
        if endpoint.target:
            fixed += custom_fields.described(custom_fields.definitions(self.http, endpoint.target))
        return fixed

    def close(self) -> None:
        self.http.close()
        self.lists.close()


def _body(spec: KindSpec, write: Write) -> dict[str, Any]:
    """The values, with our own key among the custom fields; `write.values` stays as it was."""
    body = {name: dict(value) if isinstance(value, Mapping) else value for name, value in write.values.items()}
    if write.key and spec.map.own_key:
        put(body, spec.map.own_key, write.key)
    if "full_name" in body:
        name = str(body.pop("full_name") or "")
        body = {**(people.parts(name) or {}), **body}
    return body


def _is_named(values: Mapping[str, Any]) -> bool:
    told = {**(people.parts(str(values.get("full_name") or "")) or {}), **values}
    return bool(told.get("first_name") and told.get("last_name"))


def _is_uuid(id: str) -> bool:
    """An id of another shape is answered by a 404 in HTML: nothing there can have it."""
    try:
        uuid.UUID(id)
    except ValueError:
        return False
    return True
