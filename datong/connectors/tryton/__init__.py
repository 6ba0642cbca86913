"""Tryton 8.2 by JSON-RPC: customers, contacts and sales in both directions; products, code lists, shipments, invoices
and receipts out of it.

Set-up, rights, guarantees and known gaps: README.md in this folder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field as Setting

from datong.base.clock import from_text, to_text
from datong.base.errors import RemoteError, RequestRefused
from datong.connectors.tryton import documents, goods, maps, party, returns
from datong.connectors.tryton.ageing import Ageing, aged_balance
from datong.connectors.tryton.campaign_prices import CampaignLists, campaign_list_map
from datong.connectors.tryton.changes import followed
from datong.connectors.tryton.database import Database, dotted
from datong.connectors.tryton.goods import Goods, Pair
from datong.connectors.tryton.maps import SHAPES, Shape
from datong.connectors.tryton.orders import Orders
from datong.connectors.tryton.party import Company
from datong.connectors.tryton.planning import Forecasts, forecast_map
from datong.connectors.tryton.reading import Documents
from datong.connectors.tryton.returns import Returns, return_map
from datong.connectors.tryton.rpc import Session, busy
from datong.connectors.tryton.writer import Writer
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Http,
    KindSpec,
    Missing,
    Page,
    WireField,
    WireRecord,
    Write,
    understood,
)
from datong.mapping import FieldMap, put

_FIGURE_REQUESTS = {
    "supply_order": 4,
    "exchange_rate": 1,
    "accounting_period": 1,
    "price_list": 2,
    "price": 6,
    "aged_balance": 5,
    "forecast": 1,
}
_NOTE_REQUESTS = 1
"""More than that only where there is something of ours."""
STAFF_SECONDS = 60.0
"""How long the list of our own companies' and employees' parties is taken for granted."""


class TrytonSettings(ConnectorSettings):
    url: str = Setting(description="where trytond answers, such as https://erp.example.com")
    database: str
    login: str
    password: str = Setting(repr=False)
    page_size: int = Setting(500, ge=1, le=1000)
    language: str = Setting("en", description="in which names of provinces, units and products are read and written")
    timeout_seconds: float = Setting(60.0, gt=0, description="the longest that one request may take")
    overlap_seconds: float = Setting(60.0, ge=0, description="longer than any transaction in Tryton takes")
    phone_region: str | None = Setting(None, description="country of phone numbers without a country code: CN")
    customers_domain: list[Any] = Setting([], description="a Tryton domain that every customer meets")
    warehouses: dict[str, str] = Setting(
        {}, description="company -> code of the warehouse that its sales leave from when their lines name none"
    )
    returns: bool = Setting(False, description="also sale complaints, as returns; needs the module sale_complaint")
    forecasts: bool = Setting(False, description="also forecasts; needs the module stock_forecast")
    campaign_prices: bool = Setting(
        False, description="also price lists of campaigns, made here; needs the module product_price_list_dates"
    )
    staff_are_customers: bool = Setting(False, description="also take our own companies' and employees' parties")


class Tryton(Connector[TrytonSettings]):
    """One database of one Tryton server. Writes go one at a time: SQLite refuses concurrent creates wrongly."""

    name = "tryton"
    title = "Tryton"
    settings_class: ClassVar[type[ConnectorSettings]] = TrytonSettings

    def __init__(self, settings: TrytonSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._http = Http(settings.url, context.budget, timeout=settings.timeout_seconds, rules=(busy,))
        self._session = Session(self._http, settings.database, settings.login, settings.password, settings.language)
        self._companies = [
            Company(code, int(told["id"]), str(told["currency"])) for code, told in context.companies.items()
        ]
        self._one_writer = threading.Lock()
        self._db = Database(self._session, settings.language, self._companies)
        self._writer = Writer(self._db, self._companies, self._parties, self._records, self.find)
        self._staff_seen: tuple[float, frozenset[int]] | None = None
        told = Documents(self._db)
        self._orders = Orders(self._db, told, self._companies, settings.warehouses)
        self._documents: Mapping[str, Callable[[list[Any], Sequence[int]], list[WireRecord]]] = {
            "order": told.order,
            "shipment": told.shipment,
            "invoice": told.invoice,
            "payment": told.payment,
        }
        self._returns = Returns(self._db)
        if settings.returns:
            self._documents = {**self._documents, "return": self._returns.read}
        self._campaigns = CampaignLists(self._db, self._companies)
        self._goods = Goods(self._db, self._companies, self._campaigns if settings.campaign_prices else None)
        self._ageing = Ageing(self._db, self._companies)
        self._figures: Mapping[str, Callable[[], list[WireRecord]]] = {
            "exchange_rate": self._goods.exchange_rates,
            "accounting_period": self._goods.accounting_periods,
            "price_list": self._goods.price_lists,
            "price": self._goods.prices,
            "supply_order": self._goods.supply_orders,
            "aged_balance": self._ageing.all,
        }
        self._forecasts = Forecasts(self._db, self._companies, settings.warehouses)
        if settings.forecasts:
            self._figures = {**self._figures, "forecast": self._forecasts.all}

    @cached_property
    def kinds(self) -> Mapping[str, KindSpec]:
        overlap = timedelta(seconds=self.settings.overlap_seconds)
        both_ways: dict[str, Any] = {
            "create": "by_search",
            "settle": timedelta(seconds=self.settings.timeout_seconds) + timedelta(minutes=1),
            "guard": True,
            "batch": 100,
            "one_fails_all": True,
        }
        out_only: dict[str, Any] = {"create": "never", "update": False, "delete": False}
        account = maps.account(self.context.companies, self.settings.phone_region)
        numbers = tuple(f"company.{one.code}.number" for one in self._companies)
        changing: dict[str, Any] = {"overlap": overlap, "change_time": True}
        polls = {kind: len(shape.sources) for kind, shape in SHAPES.items()}
        specs = [
            KindSpec(
                account,
                find_by=("tax_id", *numbers, "email", "name"),
                required=("name",),
                idle_requests=polls["account"],
                **changing,
                **both_ways,
            ),
            KindSpec(
                maps.CONTACT,
                find_by=("email", "name"),
                required=("account", "name", "email"),
                **changing,
                **both_ways,
            ),
            KindSpec(maps.PRODUCT, find_by=("sku", "name"), idle_requests=polls["product"], **changing, **out_only),
            *(KindSpec(one, reads="snapshot", find_by=_codes(one), **out_only) for one in maps.CODE_LISTS),
            KindSpec(
                documents.order(self.context.companies),
                find_by=("erp_number",),
                required=("account",),
                idle_requests=polls["order"],
                **changing,
                **{**both_ways, "batch": 1, "one_fails_all": False},
            ),
            *(
                KindSpec(one, find_by=("erp_number",), idle_requests=polls[one.kind], **changing, **out_only)
                for one in (
                    documents.shipment(self.context.companies),
                    documents.invoice(self.context.companies),
                    documents.payment(self.context.companies),
                )
            ),
            *(
                KindSpec(
                    one,
                    find_by=("erp_number",),
                    required=("company", "account", "order"),
                    idle_requests=polls["return"],
                    **changing,
                    **{**both_ways, "batch": 1, "one_fails_all": False, "delete": False},
                )
                for one in (return_map(self.context.companies),)
                if self.settings.returns
            ),
            *(
                KindSpec(
                    one,
                    reads="snapshot",
                    find_by=(number,),
                    required=required,
                    idle_requests=_FIGURE_REQUESTS[one.kind] + _NOTE_REQUESTS,
                    **{**both_ways, "guard": False, "batch": 1, "one_fails_all": False, "delete": False},
                )
                for on, one, number, required in (
                    (
                        self.settings.forecasts,
                        forecast_map(self.context.companies),
                        "number",
                        ("company", "start", "end"),
                    ),
                    (
                        self.settings.campaign_prices,
                        campaign_list_map(self.context.companies),
                        "code",
                        ("company", "name", "valid_from", "valid_to"),
                    ),
                )
                if on
            ),
            KindSpec(goods.STOCK_LEVEL, **changing, **out_only),
            *(
                KindSpec(one, reads="snapshot", idle_requests=_FIGURE_REQUESTS[one.kind], **out_only)
                for one in (
                    goods.SUPPLY_ORDER,
                    goods.EXCHANGE_RATE,
                    goods.accounting_period(self.context.companies),
                    *(() if self.settings.campaign_prices else (goods.price_list(self.context.companies),)),
                    goods.PRICE,
                    aged_balance(self.context.companies),
                )
            ),
        ]
        return {spec.kind: spec for spec in specs}

    @understood("Tryton")
    def check(self) -> Checked:
        languages = self._db.call("model.ir.lang.search_read", [["code", "=", "en"]], 0, 1, None, ["create_date"])
        self._check_companies()
        detail = f"Tryton {self._session.server_version()}, database {self.settings.database}"
        born = to_text(languages[0]["create_date"]) if languages else "unknown"
        return Checked(
            identity=f"tryton {self.settings.database} {born}",
            user=self.settings.login,
            server_time=self._http.server_time,
            missing_scopes=tuple(self._missing_rights()),
            detail=detail,
        )

    @understood("Tryton")
    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        """Oldest change first. A record's change time is the latest of its own and its parts'."""
        if spec.kind in self._figures:
            yield Page(self._figures[spec.kind](), last=True)
            return
        if spec.kind == "stock_level":
            yield from self._read_stock(since)
            return
        shape = SHAPES[spec.kind]
        if spec.reads == "snapshot":
            yield Page(self._records(spec, None), last=True)
            return
        start = None if since is None else from_text(since) - timedelta(seconds=self.settings.overlap_seconds)
        changed, asked_at = self._changes(shape, start)
        reached = since
        for first in range(0, len(changed), self.settings.page_size):
            part = changed[first : first + self.settings.page_size]
            reached = _latest(reached, to_text(part[-1][0]))
            yield Page(self._in_order(spec, [one for _, one in part]), reached)
        yield Page((), _latest(reached, None if asked_at is None else to_text(asked_at)), last=True)

    @understood("Tryton")
    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        if spec.kind == "aged_balance":
            owing = self._ageing.some(ids)
            yield from (owing.get(one) or Missing(one) for one in ids)
            return
        if spec.kind in self._figures or spec.kind == "stock_level":
            told = self._figures[spec.kind]() if spec.kind in self._figures else self._stock_of(ids)
            held = {one.id: one for one in told}
            yield from (held.get(one) or Missing(one) for one in ids)
            return
        shape = SHAPES[spec.kind]
        wanted = {int(head) for one in ids if (head := _root(one)).isdecimal()}
        found = {one.id: one for one in self._records(spec, sorted(wanted))}
        absent = [int(head) for one in ids if one not in found and (head := _root(one)).isdecimal()]
        merged: dict[str, str] = {}
        exist: set[str] = set()
        if absent:
            asked = ["replaced_by"] if spec.kind == "account" else ["id"]
            for row in self._db.all(shape.model, [["id", "in", absent]], asked):
                exist.add(str(row["id"]))
                if row.get("replaced_by"):
                    merged[str(row["id"])] = str(row["replaced_by"])
        for one in ids:
            if one in found:
                yield found[one]
            elif one in merged:
                yield Missing(one, "merged", merged[one])
            else:
                yield Missing(one, "out_of_scope" if one == _root(one) and one in exist else "gone")

    @understood("Tryton")
    def ids(self, spec: KindSpec) -> Iterator[str]:
        if spec.kind in self._figures:
            yield from (one.id for one in self._figures[spec.kind]())
            return
        if spec.kind == "stock_level":
            yield from (f"{product}-{house}" for product, house in self._goods.pairs())
            return
        shape = SHAPES[spec.kind]
        if spec.kind == "payment":
            yield from self._receipts(shape)
            return
        staff = self._staff() if shape.party else frozenset()
        for row in self._db.all(shape.model, self._scope(shape), [shape.party or "id"]):
            if not shape.party or row[shape.party] not in staff:
                yield str(row["id"])

    def _read_stock(self, since: str | None) -> Iterator[Page]:
        if since is None:
            pairs = self._goods.pairs()
            began = self._http.server_time
            for first in range(0, len(pairs), self.settings.page_size):
                yield Page(self._goods.stock(pairs[first : first + self.settings.page_size], began))
            yield Page((), None if began is None else to_text(began), last=True)
            return
        moved = self._goods.moved(from_text(since) - timedelta(seconds=self.settings.overlap_seconds))
        began, reached = self._http.server_time, since
        for first in range(0, len(moved), self.settings.page_size):
            part = moved[first : first + self.settings.page_size]
            reached = _latest(reached, to_text(part[-1][0])) or since
            yield Page(self._goods.stock([pair for _, pair in part], began), reached)
        yield Page((), _latest(reached, None if began is None else to_text(began)), last=True)

    def _stock_of(self, ids: Sequence[str]) -> list[WireRecord]:
        pairs: list[Pair] = []
        for one in ids:
            product, _, house = one.partition("-")
            if product.isdecimal() and house.isdecimal():
                pairs.append((int(product), int(house)))
        self._db.call("model.ir.date.today")
        return self._goods.stock(pairs, self._http.server_time)

    @understood("Tryton")
    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        if spec.kind in ("forecast", "price_list"):
            yield from (self._forecasts if spec.kind == "forecast" else self._campaigns).having(by, values)
            return
        model, owner, clauses = self._where(spec, by, list(values))
        rows = self._db.all(model, clauses, [owner])
        yield from self._records(spec, sorted({row[owner] for row in rows}))

    @understood("Tryton")
    def describe(self, spec: KindSpec) -> Sequence[WireField]:
        return [
            WireField(
                path=name,
                type=str(told["type"]),
                label=str(told.get("string", "")),
                required=bool(told.get("required")),
                max_length=told.get("size") if isinstance(told.get("size"), int) else None,
                options=tuple(str(o[0]) for o in told["selection"]) if isinstance(told.get("selection"), list) else (),
                read_only=bool(told.get("readonly")),
            )
            for name, told in sorted(self._db.fields_of(spec.map.native).items())
        ]

    def close(self) -> None:
        self._http.close()

    def _where(self, spec: KindSpec, by: str, values: list[str]) -> tuple[str, str, list[Any]]:
        """Where the canonical field `by` is searched: the model, its field that names the record, the domain.

        Parts are searched themselves: through the party the same question takes Tryton a hundred times as long.
        """
        on = ["active", "=", True]
        if spec.kind == "order" and by == "own_key":
            return "sale.sale", "id", [["id", "in", self._orders.find_key(values)]]
        if spec.kind == "return" and by == "own_key":
            return returns.MODEL, "id", [["id", "in", self._returns.find_key(values)]]
        if spec.kind == "account" and by == "own_key":
            keys = [party.KEY + value for value in values]
            return "party.identifier", "party", [["type", "=", None], ["code", "in", keys], on]
        if spec.kind == "account" and by == "tax_id":
            compact = ["".join(c for c in value if c.isalnum()).upper() for value in values]
            return "party.identifier", "party", [["type", "!=", None], ["code_compact", "in", [*values, *compact]], on]
        if spec.kind == "account" and by == "email":
            own = [["type", "=", "email"], ["name", "in", [None, ""]], _in_any_case("value", values), on]
            return "party.contact_mechanism", "party", own
        field = spec.map.named(by) if by in spec.find_by else None
        if field is None:
            raise RequestRefused(f"Tryton cannot search {spec.kind} by {by}")
        exact = [field.path, "in", values]
        return SHAPES[spec.kind].model, "id", [_in_any_case(field.path, values) if by == "email" else exact]

    def _scope(self, shape: Shape) -> list[Any]:
        """What makes a row a record of its kind."""
        domain: list[Any] = [list(clause) for clause in shape.domain]
        if shape.party == "id":
            return [*domain, *self.settings.customers_domain]
        if shape.party:
            return [*domain, [shape.party, "where", self._scope(SHAPES["account"])]]
        if shape.company and self._companies:
            return [*domain, [shape.company, "in", [one.id for one in self._companies]]]
        return domain

    def _receipts(self, shape: Shape) -> Iterator[str]:
        """A move that several customers paid by is a receipt of each."""
        owed = [["party", "!=", None], ["account.type.receivable", "=", True], ["move", "where", self._scope(shape)]]
        rows = self._db.all("account.move.line", owed, ["move", "party"])
        yield from sorted({f"{row['move']}-{row['party']}" for row in rows})

    def _staff(self) -> frozenset[int]:
        """The parties of our own companies and employees."""
        if self.settings.staff_are_customers:
            return frozenset()
        now = self.context.clock.monotonic()
        if self._staff_seen is None or now - self._staff_seen[0] > STAFF_SECONDS:
            rows = [
                row for model in ("company.company", "company.employee") for row in self._db.all(model, [], ["party"])
            ]
            self._staff_seen = now, frozenset(row["party"] for row in rows)
        return self._staff_seen[1]

    def _changes(self, shape: Shape, start: datetime | None) -> tuple[list[tuple[datetime, int]], datetime | None]:
        """Who changed when, oldest first, and the server's time when this was asked."""
        if shape.company:
            return self._changed_documents(shape, start)
        newest: dict[int, datetime] = {}
        asked_at: datetime | None = None
        for source in shape.sources:
            inside = source.owner == "id"
            domain = self._scope(shape) if inside else [[source.owner, "where", self._scope(shape)]]
            since = [] if start is None else [[source.time, ">=", start]]
            whose = shape.party if inside and shape.party else source.owner
            rows = self._db.all(source.model, [*domain, *since], sorted({source.owner, source.time, whose}))
            asked_at = asked_at or self._http.server_time
            staff = self._staff() if rows and shape.party else frozenset()
            for row in rows:
                if row[whose] not in staff:
                    moment = dotted(row, source.time)
                    newest[row[source.owner]] = max(moment, newest.get(row[source.owner], moment))
        return sorted((moment, owner) for owner, moment in newest.items()), asked_at

    def _changed_documents(
        self, shape: Shape, start: datetime | None
    ) -> tuple[list[tuple[datetime, int]], datetime | None]:
        """The same for documents. What is read completely need only be asked of the documents themselves."""
        newest: dict[int, datetime] = {}
        asked_at: datetime | None = None
        for source in shape.sources:
            whole = source.model == shape.model
            if start is None and not whole:
                continue
            since = [] if start is None else [[source.time, ">=", start]]
            domain = [*(self._scope(shape) if whole else ()), *since]
            rows = self._db.all(source.model, domain, sorted({source.owner, source.time}))
            asked_at = asked_at or self._http.server_time
            for one, moment in followed(self._db, source, rows, shape.model).items():
                newest[one] = max(moment, newest.get(one, moment))
        return sorted((moment, one) for one, moment in newest.items()), asked_at

    def _in_order(self, spec: KindSpec, ids: Sequence[int]) -> list[WireRecord]:
        found: dict[str, list[WireRecord]] = {}
        for record in self._records(spec, ids):
            found.setdefault(_root(record.id), []).append(record)
        return [record for one in ids for record in found.get(str(one), ())]

    def _records(self, spec: KindSpec, ids: Sequence[int] | None) -> list[WireRecord]:
        """Those of `ids` (None: all) that exist and belong to the kind."""
        shape = SHAPES[spec.kind]
        if ids is not None and not ids:
            return []
        if ids is not None and spec.kind in self._documents:
            return self._documents[spec.kind](self._scope(shape), ids)
        domain = [*self._scope(shape), *([] if ids is None else [["id", "in", list(ids)]])]
        if spec.kind == "account":
            staff = self._staff()
            rows = [row for row in self._parties(domain, self._extra(spec)) if row["id"] not in staff]
            parts, extra = self._by_company(rows), self._extra(spec)
            return [party.compose(row, parts.get(row["id"], {}), self._companies, extra) for row in rows]
        fields = [f for f in shape.fields if f.partition(".")[0] in self._db.fields_of(shape.model)]
        rows = self._db.all(shape.model, domain, [*fields, *self._extra(spec), "last_modified_at", "_timestamp"])
        if shape.party and rows:
            staff = self._staff()
            rows = [row for row in rows if row[shape.party] not in staff]
        return [self._plain_record(spec, [*fields, *self._extra(spec)], row) for row in rows]

    def _extra(self, spec: KindSpec) -> list[str]:
        """Fields that only the configuration's map knows."""
        known = party.COMPOSED if spec.kind == "account" else {f.partition(".")[0] for f in SHAPES[spec.kind].fields}
        paths = {one.path for one in spec.map.fields} - {"currency"}
        return sorted(path for path in paths if "." not in path and path not in known)

    def _plain_record(self, spec: KindSpec, fields: Sequence[str], row: Mapping[str, Any]) -> WireRecord:
        data: dict[str, Any] = {}
        for path in fields:
            value = dotted(row, path)
            if not path.endswith(("last_modified_at", "_timestamp")):
                put(data, path, bool(value) if path == "active" else party.scalar(value))
        if spec.kind == "user":
            data["name"] = data.get("name") or data["login"]  # the administrator is born without a name
        if spec.kind == "product" and self._companies:
            data["currency"] = self._companies[0].currency
        times = [row["last_modified_at"], dotted(row, "template.last_modified_at")]
        stamps = [row["_timestamp"], dotted(row, "template._timestamp")]
        version = "/".join(str(one) for one in stamps if one is not None)
        return WireRecord(
            str(row["id"]), data, version, max(t for t in times if t is not None), bool(row.get("active", True))
        )

    def _parties(self, domain: list[Any], extra: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Parties with their parts: one read of each model, which Tryton answers twice as fast as one nested read."""
        known = self._db.fields_of("party.party")
        optional = [name for name in (*party.OPTIONAL, *extra) if name.partition(".")[0] in known]
        rows = self._db.all("party.party", domain, [*party.FIELDS, *optional], self.settings.page_size + 1)
        by_id = {row["id"]: row for row in rows}
        for children, model in party.CHILDREN.items() if rows else ():
            there = self._db.fields_of(model)
            fields = [f for f in party.CHILD_FIELDS[children] if f.partition(".")[0] in there]
            for row in rows:
                row[f"{children}."] = []
            for child in self._db.all(model, [["party", "in", list(by_id)]], [*party.EVERY_CHILD, *fields]):
                by_id[child["party"]][f"{children}."].append(child)
        return rows

    def _by_company(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Mapping[str, Any]]]:
        """What applies to each party in each company, the company's defaults included."""
        names = [name for name in party.PER_COMPANY if rows and name in rows[0]]
        if not names or not self._companies:
            return {}
        here, *others = self._companies
        found: dict[int, dict[str, Mapping[str, Any]]] = {row["id"]: {here.code: row} for row in rows}
        for company in others:
            ids, context = list(found), {"company": company.id}
            for row in self._db.call("model.party.party.read", ids, names, context=context):
                found[row["id"]][company.code] = row
        return found

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        """Creates, updates and deletes are one transaction each. What is done is answered before an error is raised."""
        if spec.create == "never":
            raise RequestRefused(f"{spec.kind} is only read from Tryton")
        answers: list[Answer] = []
        failure: RemoteError | None = None
        with self._one_writer:
            try:
                with understood("Tryton", writes=True):
                    if spec.kind == "order":
                        answers.extend(self._orders.write(one) for one in batch)
                    elif spec.kind == "return":
                        answers.extend(self._returns.write(one) for one in batch)
                    elif spec.kind == "forecast":
                        answers.extend(self._forecasts.write(one) for one in batch)
                    elif spec.kind == "price_list":
                        answers.extend(self._campaigns.write(one) for one in batch)
                    else:
                        self._writer.write(spec, batch, answers)
            except RemoteError as error:
                failure = error
        if isinstance(failure, RequestRefused):
            raise failure  # refused as a whole: nothing was done
        yield from answers
        if failure is not None:
            raise failure

    def _check_companies(self) -> None:
        rows = self._db.all("company.company", [], ["currency.code", "rec_name"])
        held = {row["id"]: row for row in rows}
        for one in self._companies:
            if one.id not in held:
                known = ", ".join(f"{row['id']} {row['rec_name']}" for row in rows)
                raise RequestRefused(
                    f"company {one.code}: Tryton has no company {one.id} for {self.settings.login}",
                    remedy=f"correct `companies`, or add the company to the user; seen: {known or 'none'}",
                )
            currency = held[one.id]["currency."]["code"]
            if currency != one.currency:
                raise RequestRefused(
                    f"company {one.code} keeps its books in {currency}, not in {one.currency}",
                    remedy="correct `companies` in the configuration",
                )

    def _missing_rights(self) -> Iterable[str]:
        preferences = self._db.call("model.res.user.get_preferences", True)
        if len(self._companies) > 1 and preferences.get("company_filter") != "all":
            yield "company filter `All` of the user (else taxes and payment methods of one company only)"
        models = ["party.party", *party.CHILDREN.values()]
        for model, rights in self._db.call("model.ir.model.access.get_access", models).items():
            for right in ("read", "write", "create", "delete"):
                if rights.get(right) in (False, 0):
                    yield f"{right} {model}"
        limit = self._db.fields_of("party.party").get("credit_limit_amount")
        if limit is not None and limit.get("readonly"):
            yield "group `Account Credit Limit` (to write credit limits)"


def _in_any_case(path: str, values: Sequence[str]) -> list[Any]:
    """Equal but for case: `ilike` with its wildcards made plain."""
    plain = [value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for value in values]
    return ["OR", *([path, "ilike", one] for one in plain)]


def _root(native: str) -> str:
    """The row that a record is read from: a receipt is named `move-party`."""
    return native.partition("-")[0]


def _codes(one: FieldMap) -> tuple[str, ...]:
    return tuple(field.name for field in one.fields if field.name in ("code", "name"))


def _latest(*moments: str | None) -> str | None:
    return max((one for one in moments if one is not None), default=None)


__all__ = ["Tryton", "TrytonSettings"]
