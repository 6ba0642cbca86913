"""The BottleCRM connector against a real BottleCRM: each trap of the vendor is a test."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

import lab
from datong.base.clock import SystemClock
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    ConfigurationError,
    OutcomeUnknown,
    RequestRefused,
    TryLater,
)
from datong.connectors import bottlecrm
from datong.connectors.bottlecrm import BottleCrm, BottleCrmSettings
from datong.kit import Answer, Context, Incoming, ItemWrite, Missing, Moved, Refused, Saved, WireRecord, Write
from datong.kit.budget import Budget
from datong.mapping import Foreign

pytestmark = pytest.mark.real

COMPANIES: dict[str, dict[str, Any]] = {"asia": {"currency": "CNY"}, "europe": {"currency": "EUR"}}


def connect(url: str, token: str, **settings: Any) -> BottleCrm:
    clock = SystemClock()
    return BottleCrm(
        BottleCrmSettings(url=url, token=token, **settings), Context("crm", clock, Budget(clock), companies=COMPANIES)
    )


@pytest.fixture(scope="module")
def bottle() -> Iterator[lab.BottleCrm]:
    try:
        with lab.running() as real:
            answer = real.bottlecrm.call("POST", "/api/auth/refresh-token/", {"refresh": real.bottlecrm.refresh})
            real.bottlecrm.jwt = answer["access"]
            yield real.bottlecrm
    except lab.LabUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def crm(bottle: lab.BottleCrm) -> Iterator[BottleCrm]:
    connector = connect(bottle.url, bottle.token, phone_region="CN")
    connector.create_custom_fields()
    yield connector
    connector.close()


def create(crm: BottleCrm, kind: str, values: dict[str, Any], key: str | None = None) -> Answer:
    return next(crm.write(crm.kinds[kind], [Write(1, "create", key=key or fresh("key"), values=values)]))


def update(crm: BottleCrm, kind: str, id: str, values: dict[str, Any]) -> Answer:
    return next(crm.write(crm.kinds[kind], [Write(2, "update", id=id, values=values)]))


def delete(crm: BottleCrm, kind: str, id: str) -> Answer:
    return next(crm.write(crm.kinds[kind], [Write(3, "delete", id=id)]))


def made(crm: BottleCrm, kind: str, values: dict[str, Any], key: str | None = None) -> WireRecord:
    answer = create(crm, kind, values, key)
    assert isinstance(answer, Saved), answer
    assert answer.record is not None
    return answer.record


def got(crm: BottleCrm, kind: str, id: str) -> WireRecord | Missing:
    return next(iter(crm.get(crm.kinds[kind], [id])))


def everything(crm: BottleCrm, kind: str) -> dict[str, WireRecord]:
    pages = list(crm.read(crm.kinds[kind], None))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert all(page.cursor is None for page in pages)
    records = [record for page in pages for record in page.records]
    assert len({record.id for record in records}) == len(records)
    return {record.id: record for record in records}


def canonical(crm: BottleCrm, kind: str, record: WireRecord) -> dict[str, Any]:
    reading = crm.kinds[kind].map.for_companies(COMPANIES).read(record.data)
    assert reading.bad == {}
    return reading.values


def fresh(what: str) -> str:
    return f"{what} {uuid.uuid4().hex[:10]}"


def scoped(bottle: lab.BottleCrm, *scopes: str) -> str:
    """A token that may do only this."""
    made = bottle.call("POST", "/api/profile/tokens/", {"name": fresh("t"), "scopes": list(scopes)}, jwt=True)
    token: str = made["token"]
    return token


class Listener(ThreadingHTTPServer):
    """Takes webhooks in."""

    def __init__(self) -> None:
        self.taken: list[Incoming] = []
        super().__init__(("127.0.0.1", 0), Taker)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Taker(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.taken.append(Incoming(headers, body, datetime.now(UTC)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


class Broken(ThreadingHTTPServer):
    """Passes every request on to the real server, and then answers a write as `answer` says."""

    def __init__(self, url: str, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.behind = urlsplit(url).netloc
        self.answer = answer
        super().__init__(("127.0.0.1", 0), Between)


class Between(BaseHTTPRequestHandler):
    server: Broken

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behind = http.client.HTTPConnection(self.server.behind)
        behind.request(self.command, self.path, body or None, dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        if self.command != "GET":
            self.server.answer(self)
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass

    def log_message(self, *args: Any) -> None: ...


def html_500(request: BaseHTTPRequestHandler) -> None:
    content = b"<!doctype html><h1>Server Error (500)</h1>"
    request.send_response(500)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


# the connection


def test_check_names_organisation_and_user(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    found = crm.check()
    assert (found.identity, found.user, found.missing_scopes) == (bottle.org, "admin@example.com", ())
    assert "no custom field" not in found.detail


def test_check_names_missing_custom_fields_and_may_create_them(bottle: lab.BottleCrm) -> None:
    key = f"segment_{uuid.uuid4().hex[:6]}"
    wanting = connect(bottle.url, bottle.token, custom_fields={"account": {"custom.segment": key}})
    assert f"no custom field {key}" in wanting.check().detail
    mending = connect(
        bottle.url, bottle.token, custom_fields={"account": {"custom.segment": key}}, create_custom_fields=True
    )
    assert key not in mending.check().detail
    assert key not in wanting.check().detail


def test_missing_scopes_are_named(bottle: lab.BottleCrm) -> None:
    token = scoped(bottle, "accounts:read", "contacts:read", "contacts:write", "org:read", "profile:read")
    poor = connect(bottle.url, token)
    expected = {"accounts:write", "custom-fields:read", "invoices:read", "invoices:write", "users:read"}
    assert set(poor.check().missing_scopes) == expected
    with pytest.raises(AccessDenied, match="invoices:read"):
        everything(poor, "product")
    with pytest.raises(AccessDenied, match="accounts:write"):
        update(poor, "account", str(uuid.uuid4()), {"city": "x"})


def test_wrong_token_is_access_denied_everywhere(bottle: lab.BottleCrm) -> None:
    for token in ("bcrm_pat_" + "x" * 43, "nonsense"):
        stranger = connect(bottle.url, token)
        for attempt in (stranger.check, lambda: everything(stranger, "contact")):  # noqa: B023
            with pytest.raises(AccessDenied):
                attempt()


def test_a_wrong_address_deletes_nothing(bottle: lab.BottleCrm) -> None:
    """Behind a wrong path every record would be a 404."""
    lost = connect(f"{bottle.url}/crm", bottle.token)
    with pytest.raises((BadAnswer, AccessDenied)):
        got(lost, "account", str(uuid.uuid4()))


@contextmanager
def as_plain_member(bottle: lab.BottleCrm) -> Iterator[None]:
    """The token's owner is no administrator for a while, and somebody else made the records."""
    with sqlite3.connect(bottle.server.folder / "db.sqlite3", timeout=30) as database:
        before = database.execute("select role, id from profile").fetchall()
        makers = database.execute("select created_by_id, id from accounts").fetchall()
        flags = database.execute("select is_superuser, id from users").fetchall()
        database.execute("update profile set role = 'USER'")
        database.execute("update users set is_superuser = 0")
        database.execute("update accounts set created_by_id = null")
    try:
        yield
    finally:
        with sqlite3.connect(bottle.server.folder / "db.sqlite3", timeout=30) as database:
            database.executemany("update profile set role = ? where id = ?", before)
            database.executemany("update users set is_superuser = ? where id = ?", flags)
            database.executemany("update accounts set created_by_id = ? where id = ?", makers)


def test_what_a_plain_member_cannot_see_is_not_gone(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    """It is a 404 all the same, and missing from the list: a token that loses its rights must delete nothing."""
    record = made(crm, "account", {"name": fresh("Hidden")})
    with as_plain_member(bottle):
        assert record.id not in everything(crm, "account")
        assert got(crm, "account", record.id) == Missing(record.id, "no_access")
        assert "role ADMIN" in crm.check().missing_scopes
    assert got(crm, "account", record.id) == record


def test_a_module_switched_off_hides_its_records_but_deletes_none(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    record = made(crm, "product", {"name": "Hidden", "sku": fresh("H")})
    bottle.call("PUT", "/api/org/modules/", {"off": ["invoices", "deals", "goals"], "order": []})
    try:
        for attempt in (
            lambda: got(crm, "product", record.id),
            lambda: everything(crm, "product"),
            lambda: delete(crm, "product", record.id),
            lambda: update(crm, "product", record.id, {"name": "x"}),
        ):
            with pytest.raises(AccessDenied, match="switched off"):
                attempt()
        assert any("switched off" in one for one in crm.check().missing_scopes)
    finally:
        bottle.call("PUT", "/api/org/modules/", {"off": [], "order": []})
    assert got(crm, "product", record.id) == record


def test_company_codes_must_fit_into_keys() -> None:
    clock = SystemClock()
    context = Context("crm", clock, Budget(clock), companies={"Asia-1": {}})
    with pytest.raises(ConfigurationError, match="number_Asia-1"):
        BottleCrm(BottleCrmSettings(url="http://x", token="t"), context)


def test_configured_fields_must_exist() -> None:
    with pytest.raises(ConfigurationError, match="shoe_size"):
        connect("http://x", "t", custom_fields={"account": {"shoe_size": "shoe"}})
    with pytest.raises(ConfigurationError, match="it has no custom fields"):
        connect("http://x", "t", custom_fields={"product": {"unit": "unit"}})
    with pytest.raises(ConfigurationError, match="Tax-Id"):
        connect("http://x", "t", custom_fields={"account": {"tax_id": "Tax-Id"}})


def test_check_names_custom_fields_of_a_wrong_type(bottle: lab.BottleCrm) -> None:
    """A number is a float there, and a text cannot hold a check box."""
    keys = {"tax_id": f"n{uuid.uuid4().hex[:6]}", "invoice_title": f"c{uuid.uuid4().hex[:6]}"}
    for key, kind in zip(keys.values(), ("number", "checkbox"), strict=True):
        definition = {"target_model": "Account", "key": key, "label": key, "field_type": kind}
        bottle.call("POST", "/api/custom-fields/", definition)
    detail = connect(bottle.url, bottle.token, custom_fields={"account": keys}).check().detail
    assert f"{keys['tax_id']} of Account is a number, which is a float" in detail
    assert f"{keys['invoice_title']} of Account is a checkbox, not a text" in detail


# accounts


FULL = {
    "email": "Sales@Example.COM",
    "phone": "0755-2600 0000",
    "website": "https://example.com",
    "industry": "MANUFACTURING",
    "description": "第一行\n第二行",
    "address_line": "科技园路1号",
    "city": "深圳市",
    "state": "广东省",
    "postcode": "518057",
    "country": "CN",
    "custom_fields": {
        "tax_id": "91350100M000100Y43",
        "region_code": "440300",
        "number_asia": "C00017",
        "terms_asia": "月结30天",
        "credit_limit_asia": "9007199254740993.01 CNY",
        "blocked_asia": False,
        "blocked_europe": True,
    },
}


def test_account_survives_the_way_there_and_back(crm: BottleCrm) -> None:
    name = fresh("𠮷野家 😀 大同")
    record = made(crm, "account", {"name": name, **FULL})
    assert canonical(crm, "account", record) == {
        "name": name,
        "email": "Sales@example.com",
        "phone": "+8675526000000",
        "website": "example.com",
        "industry": "MANUFACTURING",
        "notes": "第一行\n第二行",
        "active": True,
        "owner": None,
        "country": "CN",
        "addresses.main.street": "科技园路1号",
        "addresses.main.city": "深圳市",
        "addresses.main.province": "广东省",
        "addresses.main.postcode": "518057",
        "addresses.main.country": "CN",
        "tax_id": "91350100M000100Y43",
        "custom.region_code": "440300",
        "company.asia.number": "C00017",
        "company.asia.terms": Foreign("payment_term", "月结30天", "name"),
        "company.asia.credit_limit": "9007199254740993.01 CNY",
        "company.asia.blocked": False,
        "company.europe.number": None,
        "company.europe.terms": None,
        "company.europe.credit_limit": None,
        "company.europe.blocked": True,
    }


def test_list_and_detail_say_the_same(crm: BottleCrm) -> None:
    account = made(crm, "account", {"name": fresh("Same"), **FULL})
    contact = made(crm, "contact", {"first_name": "娜", "last_name": "李", "account": account.id})
    product = made(crm, "product", {"name": "Widget", "sku": fresh("W"), "price": "12.50", "currency": "CNY"})
    for kind, record in (("account", account), ("contact", contact), ("product", product)):
        assert everything(crm, kind)[record.id] == got(crm, kind, record.id) == record


def test_map_is_two_way(crm: BottleCrm) -> None:
    for kind, spec in crm.kinds.items():
        for field in spec.map.for_companies(COMPANIES).fields:
            for example in field.convert.examples if not field.convert.to else ():
                assert field.convert.from_wire(field.convert.to_wire(example)) == example, (kind, field.name)
    website = crm.kinds["account"].map.named("website")
    assert website is not None
    assert [website.convert.to_wire(v) for v in ("example.com", "http://x.cn", None)] == [
        "https://example.com", "http://x.cn", None,
    ]  # fmt: skip


def test_money_without_currency_is_held_not_guessed(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("M"), "custom_fields": {"credit_limit_asia": "50000"}})
    reading = crm.kinds["account"].map.for_companies(COMPANIES).read(record.data)
    assert set(reading.bad) == {"company.asia.credit_limit"}


def test_own_key_is_found_on_a_repeated_create(crm: BottleCrm) -> None:
    name, key = fresh("Twice"), fresh("account:7@datong")
    first = made(crm, "account", {"name": name}, key)
    again = create(crm, "account", {"name": name.upper()}, key)
    assert again == Saved(1, first.id, first, existed=True)
    assert [r.id for r in crm.find(crm.kinds["account"], "own_key", [key, "other"])] == [first.id]


def test_many_creates_at_once_make_one_account(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    """The server answers most of them with 500: unknown, and found by our key."""
    name, key = fresh("Race"), fresh("key")

    def attempt(_: int) -> Answer | Exception:
        try:
            return create(connect(bottle.url, bottle.token), "account", {"name": name}, key)
        except OutcomeUnknown as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))
    found = [record.id for record in crm.find(crm.kinds["account"], "own_key", [key])]
    assert len(found) == 1
    assert all(isinstance(a, OutcomeUnknown) or (isinstance(a, Saved) and [a.id] == found) for a in answers), answers
    assert sum(isinstance(a, Saved) and not a.existed for a in answers) == 1


def test_own_key_is_searched_by_filter_where_the_database_can(
    bottle: lab.BottleCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL `?cf_<key>=` compares whole texts; here its answer is played."""
    through, key = connect(bottle.url, bottle.token), fresh("key")
    record = made(through, "account", {"name": fresh("Filter")}, key)
    whole = through.lists.get("/api/accounts/", {"limit": 100000})
    rows = [row for row in whole["active_accounts"]["open_accounts"] if row["id"] == record.id]
    asked: list[dict[str, Any]] = []

    def answer(_: str, params: dict[str, Any]) -> dict[str, Any]:
        asked.append(params)
        return {"active_accounts": {"open_accounts": rows}, "closed_accounts": {"close_accounts": []}}

    monkeypatch.setattr(through.lists, "get", answer)
    assert list(through.find(through.kinds["account"], "own_key", [key])) == [record]
    assert list(through.find(through.kinds["account"], "own_key", ["other"])) == []
    assert [params["cf_datong_key"] for params in asked] == [key, "other"]


def test_name_is_unique_without_case(crm: BottleCrm) -> None:
    name = fresh("Unique")
    made(crm, "account", {"name": name})
    answer = create(crm, "account", {"name": name.upper()})
    assert isinstance(answer, Refused)
    assert (answer.field, answer.code) == ("name", "duplicate")


def test_invalid_values_are_refused_with_their_field(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("Valid")})
    for path, value in (
        ("website", "no url"),
        ("industry", "小部件"),
        ("country", "XX"),
        ("phone", "+86755;ext=1"),
        ("name", "x" * 256),
        ("name", "a\0b"),
        ("name", " "),
    ):
        answer = update(crm, "account", record.id, {path: value})
        assert isinstance(answer, Refused) and answer.field == path, answer
    answer = update(crm, "account", record.id, {"custom_fields": {"blocked_asia": "perhaps"}})
    assert isinstance(answer, Refused) and answer.field == "custom_fields.blocked_asia", answer
    assert got(crm, "account", record.id) == record


def test_undefined_custom_field_is_dropped_and_the_read_back_shows_it(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("Drop"), "custom_fields": {"nobody_defined": "1", "tax_id": "T"}})
    assert "nobody_defined" not in record.data["custom_fields"]
    assert record.data["custom_fields"]["tax_id"] == "T"


def test_create_is_refused_where_our_key_cannot_be_held(bottle: lab.BottleCrm) -> None:
    """A record that cannot be known again must not be created."""
    keyless = connect(bottle.url, bottle.token, custom_fields={"account": {"own_key": "not_there"}})
    name = fresh("Keyless")
    answer = create(keyless, "account", {"name": name})
    assert isinstance(answer, Refused) and answer.code == "custom_field_missing"
    assert list(keyless.find(keyless.kinds["account"], "name", [name])) == []


def test_unset_is_null_and_switched_off_is_absent(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    key = f"gone_{uuid.uuid4().hex[:6]}"
    field = bottle.call(
        "POST", "/api/custom-fields/", {"target_model": "Account", "key": key, "label": key, "field_type": "text"}
    )
    record = made(crm, "account", {"name": fresh("Off"), "custom_fields": {key: "1"}})
    other = made(crm, "account", {"name": fresh("Off")})
    assert (record.data["custom_fields"][key], other.data["custom_fields"][key]) == ("1", None)
    bottle.call("DELETE", f"/api/custom-fields/{field['id']}/")
    rows = everything(crm, "account")
    assert all(key not in rows[r.id].data["custom_fields"] for r in (record, other))


def test_patch_merges_custom_fields_and_null_clears(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("Merge"), **FULL})
    answer = update(
        crm, "account", record.id, {"custom_fields": {"tax_id": None, "region_code": "310000"}, "city": None}
    )
    assert isinstance(answer, Saved) and answer.record is not None
    held = answer.record.data["custom_fields"]
    assert (held["tax_id"], held["region_code"], held["number_asia"]) == (None, "310000", "C00017")
    assert (answer.record.data["city"], answer.record.data["address_line"]) == (None, "科技园路1号")
    assert answer.record.version != record.version


def test_patch_keeps_linked_contacts_and_people(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    account = made(crm, "account", {"name": fresh("Linked")})
    contact = made(crm, "contact", {"first_name": "娜", "last_name": "李", "account": account.id})
    me = bottle.call("GET", "/api/profile/")["user_obj"]["id"]
    bottle.call("PATCH", f"/api/accounts/{account.id}/", {"assigned_to": [me]})
    answer = update(crm, "account", account.id, {"name": fresh("Renamed")})
    assert isinstance(answer, Saved) and answer.record is not None
    shown = bottle.call("GET", f"/api/accounts/{account.id}/")["account_obj"]
    assert [c["id"] for c in shown["contacts"]] == [contact.id]
    assert canonical(crm, "account", answer.record)["owner"] == Foreign("user", me)
    assert me in everything(crm, "user")


def test_switched_off_accounts_are_read_too(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("Closed")})
    answer = update(crm, "account", record.id, {"is_active": False})
    assert isinstance(answer, Saved) and answer.record is not None and not answer.record.active
    assert everything(crm, "account")[record.id].active is False
    assert canonical(crm, "account", answer.record)["active"] is False


def test_delete_and_404_forms(crm: BottleCrm) -> None:
    record = made(crm, "account", {"name": fresh("Gone")})
    assert delete(crm, "account", record.id) == Saved(3, record.id, None)
    assert delete(crm, "account", record.id) == Moved(3)
    assert update(crm, "account", record.id, {"city": "x"}) == Moved(2)
    asked = [record.id, str(uuid.uuid4()), "not-an-id", "../contacts"]
    for kind in ("account", "contact", "product"):
        assert list(crm.get(crm.kinds[kind], asked)) == [Missing(id) for id in asked]
    assert delete(crm, "account", "not-an-id") == Moved(3)


def test_delete_is_refused_while_documents_hang_on_it(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    account = made(crm, "account", {"name": fresh("Invoiced")})
    contact = made(crm, "contact", {"first_name": "娜", "last_name": "李", "account": account.id})
    bottle.call(
        "POST", "/api/invoices/", {"invoice_title": "I", "account_id": account.id, "contact_id": contact.id}
    )  # fmt: skip
    answer = delete(crm, "account", account.id)
    assert isinstance(answer, Refused) and answer.code == "in_use" and "invoice" in answer.reason.lower()


def test_the_loser_of_a_merge_is_gone(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    kept, lost = (made(crm, "account", {"name": fresh("Merge")}) for _ in range(2))
    bottle.call("POST", f"/api/accounts/{kept.id}/merge/", {"merge_id": lost.id})
    assert got(crm, "account", lost.id) == Missing(lost.id)
    assert isinstance(got(crm, "account", kept.id), WireRecord)


def test_find_is_exact(crm: BottleCrm) -> None:
    name, tax = fresh("Exact 100% 公司"), fresh("91")
    first = made(crm, "account", {"name": name, "custom_fields": {"tax_id": f" {tax} ", "number_asia": tax}})
    made(crm, "account", {"name": f"{name} branch", "custom_fields": {"tax_id": f"{tax}0"}})
    assert first.data["custom_fields"]["tax_id"] == f" {tax} "
    account = crm.kinds["account"]
    assert account.find_by == ("name", "tax_id", "company.asia.number", "company.europe.number")
    for by, value in (("name", name), ("tax_id", tax), ("company.asia.number", tax)):
        assert [r.id for r in crm.find(account, by, [value])] == [first.id]
    many = [name, *(f"no such {n}" for n in range(20)), ""]
    assert [r.id for r in crm.find(account, "name", many)] == [first.id]
    assert list(crm.find(account, "company.europe.number", [tax])) == []
    assert list(crm.find(account, "name", [])) == []
    with pytest.raises(RequestRefused):
        list(crm.find(account, "shoe_size", ["1"]))


def test_snapshot_of_hundreds_while_others_delete(
    bottle: lab.BottleCrm, crm: BottleCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = fresh("Many")
    ids = [bottle.call("POST", "/api/accounts/", {"name": f"{tag} {n}"})["id"] for n in range(240)]
    monkeypatch.setattr(bottlecrm, "PAGE", 50)
    pages = crm.read(crm.kinds["account"], "ignored")
    seen = [record.id for record in next(pages).records]
    deleted = ids[::10]
    for id in deleted:
        bottle.call("DELETE", f"/api/accounts/{id}/")
    for page in pages:
        seen += [record.id for record in page.records]
    assert page.last and len(seen) == len(set(seen)) and set(ids) <= set(seen)
    left = set(ids) - set(deleted)
    assert set(everything(crm, "account")) & set(ids) == left
    assert set(crm.ids(crm.kinds["account"])) & set(ids) == left
    assert list(crm.get(crm.kinds["account"], deleted[:3])) == [Missing(id) for id in deleted[:3]]


def test_an_empty_list_is_one_last_page(crm: BottleCrm) -> None:
    for id in list(crm.ids(crm.kinds["product"])):
        delete(crm, "product", id)
    assert [(list(page.records), page.last) for page in crm.read(crm.kinds["product"], None)] == [([], True)]


# contacts


def test_contact_there_and_back(crm: BottleCrm) -> None:
    account = made(crm, "account", {"name": fresh("Employer")})
    email = f"li.na.{uuid.uuid4().hex[:6]}@Example.COM"
    values = {"first_name": "娜", "last_name": "李", "title": "采购经理", "email": email, "account": account.id}
    record = made(crm, "contact", {**values, "phone": "13800138000"})
    assert canonical(crm, "contact", record) == {
        "account": Foreign("account", account.id),
        "name": "李娜",
        "family_name": "李",
        "given_name": "娜",
        "title": "采购经理",
        "email": email.replace("Example.COM", "example.com"),
        "phone": "+8613800138000",
        "active": True,
    }
    assert record.changed_at is not None and abs(record.changed_at - datetime.now(UTC)) < timedelta(minutes=2)
    lower = email.replace("Example.COM", "example.com")
    assert [r.id for r in crm.find(crm.kinds["contact"], "email", [lower])] == [record.id]


def test_contact_email_is_unique_and_own_key_tells_a_repeat(crm: BottleCrm) -> None:
    email, key = f"{uuid.uuid4().hex[:8]}@example.com", fresh("contact:1")
    values = {"first_name": "娜", "last_name": "李", "email": email}
    first = made(crm, "contact", values, key)
    assert create(crm, "contact", {**values, "email": email.upper()}, key) == Saved(1, first.id, first, existed=True)
    answer = create(crm, "contact", values)
    assert isinstance(answer, Refused) and (answer.field, answer.code) == ("email", "duplicate")
    answer = create(crm, "contact", {"last_name": "李", "first_name": None})
    assert isinstance(answer, Refused) and answer.field == "first_name"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("李娜", "娜", "李"), ("欧阳志强", "志强", "欧阳"), ("Anna de Vries", "Anna", "de Vries")],
)
def test_full_name_is_taken_apart_at_create(crm: BottleCrm, name: str, first: str, last: str) -> None:
    record = made(crm, "contact", {"full_name": name})
    assert (record.data["first_name"], record.data["last_name"], record.data["full_name"]) == (first, last, name)


def test_contact_whose_name_has_one_part_only_is_refused(crm: BottleCrm) -> None:
    answer = create(crm, "contact", {"full_name": "Madonna"})
    assert isinstance(answer, Refused) and answer.field == "full_name" and "Madonna" in answer.reason


def test_contact_of_an_unknown_account_is_refused(crm: BottleCrm) -> None:
    answer = create(crm, "contact", {"first_name": "娜", "last_name": "李", "account": str(uuid.uuid4())})
    assert isinstance(answer, Refused) and answer.field == "account"


# products


def test_product_there_and_back_by_partial_put(crm: BottleCrm) -> None:
    sku = fresh("W-100")
    values = {"name": "小部件", "sku": sku, "price": "9999999999.99", "currency": "CNY", "description": "𠮷"}
    record = made(crm, "product", {**values, "category": "Goods"})
    answer = update(crm, "product", record.id, {"price": "12.5"})
    assert isinstance(answer, Saved) and answer.record is not None
    assert canonical(crm, "product", answer.record) == {
        "sku": sku,
        "name": "小部件",
        "description": "𠮷",
        "list_price": "12.5",
        "currency": Foreign("currency", "CNY", "code"),
        "category": "Goods",
        "active": True,
    }
    assert [r.id for r in crm.find(crm.kinds["product"], "sku", [sku])] == [record.id]
    assert delete(crm, "product", record.id) == Saved(3, record.id, None)


def test_duplicate_sku_is_refused_before_the_server_fails(crm: BottleCrm) -> None:
    sku = fresh("D")
    made(crm, "product", {"name": "One", "sku": sku})
    other = made(crm, "product", {"name": "Two", "sku": f"{sku}-2"})
    for answer in (
        create(crm, "product", {"name": "Three", "sku": sku}),
        update(crm, "product", other.id, {"sku": f" {sku} "}),
        create(crm, "product", {"name": "No number"}),
    ):
        assert isinstance(answer, Refused) and answer.field == "sku", answer
    assert isinstance(update(crm, "product", other.id, {"sku": f"{sku}-2", "name": "2"}), Saved)


def test_a_price_finer_than_a_cent_is_refused_not_rounded(crm: BottleCrm) -> None:
    answer = create(crm, "product", {"name": "Fine", "sku": fresh("F"), "price": "0.0125"})
    assert isinstance(answer, Refused) and answer.field == "price"


# faults


def test_500_after_the_row_is_committed_is_an_unknown_outcome(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    """So answers a server whose broker is dead."""
    broken = Broken(bottle.url, html_500)
    name, key = fresh("Committed"), fresh("key")
    with serving(broken):
        through = connect(f"http://127.0.0.1:{broken.server_port}", bottle.token)
        with pytest.raises(OutcomeUnknown):
            create(through, "account", {"name": name}, key)
        with pytest.raises(OutcomeUnknown):
            create(through, "product", {"name": name, "sku": name}, key)
    assert [canonical(crm, "account", r)["name"] for r in crm.find(crm.kinds["account"], "own_key", [key])] == [name]
    assert len(list(crm.find(crm.kinds["product"], "sku", [name]))) == 1


def test_cut_after_sending_is_an_unknown_outcome(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    broken = Broken(bottle.url, lambda request: request.connection.close())
    key = fresh("key")
    with serving(broken):
        through = connect(f"http://127.0.0.1:{broken.server_port}", bottle.token)
        with pytest.raises(OutcomeUnknown):
            create(through, "contact", {"first_name": "娜", "last_name": "李"}, key)
    assert len(list(crm.find(crm.kinds["contact"], "own_key", [key]))) == 1


def test_half_an_envelope_is_no_empty_list(bottle: lab.BottleCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer without its rows must not look like a company without customers."""
    through = connect(bottle.url, bottle.token)
    monkeypatch.setattr(through.lists, "get", lambda *_: {"active_accounts": {"open_accounts": []}})
    with pytest.raises(BadAnswer):
        everything(through, "account")


# webhooks


def test_real_webhooks_are_hints_and_forged_ones_are_refused(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    listener = Listener()
    events = [f"{kind}.{what}" for kind in ("account", "contact") for what in ("created", "updated", "deleted")]
    with serving(listener):
        hook = bottle.create_webhook(listener.url, [*events, "task.created"])
        account = made(crm, "account", {"name": fresh("Hook")})
        contact = made(crm, "contact", {"first_name": "娜", "last_name": "李", "account": account.id})
        update(crm, "account", account.id, {"city": "深圳市"})
        delete(crm, "contact", contact.id)
        bottle.call("POST", "/api/tasks/", {"title": fresh("T"), "status": "New", "priority": "Low"})
        deadline = time.monotonic() + 10
        while len(listener.taken) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        bottle.call("DELETE", f"/api/webhooks/{hook.id}/", jwt=True)
    hooked = connect(bottle.url, bottle.token, webhook_secret=hook.secret)
    hints = [(h.kind, h.id, h.record) for incoming in listener.taken for h in hooked.hints(incoming)]
    assert hints == [
        ("account", account.id, None),
        ("contact", contact.id, None),
        ("account", account.id, None),
        ("contact", contact.id, None),
    ]
    real = listener.taken[0]
    stamp = real.headers["x-bottlecrm-signature"].partition(",")[0]
    forged = [
        replace(real, body=real.body.replace(account.id.encode(), str(uuid.uuid4()).encode())),
        replace(real, received_at=real.received_at + timedelta(minutes=6)),
        replace(real, received_at=real.received_at - timedelta(minutes=6)),
        *(
            replace(real, headers={"x-bottlecrm-signature": header})
            for header in ("", stamp, f"{stamp},v1=", f"{stamp},v1={'0' * 64}", f"t=x,v1={'é' * 64}", ",,=")
        ),
        replace(real, headers={}),
    ]
    for incoming in forged:
        with pytest.raises(AccessDenied):
            hooked.hints(incoming)
    with pytest.raises(AccessDenied):
        connect(bottle.url, bottle.token, webhook_secret="another").hints(real)
    with pytest.raises(RequestRefused):
        crm.hints(real)


def test_signed_nonsense_is_a_bad_answer(bottle: lab.BottleCrm) -> None:
    hooked = connect(bottle.url, bottle.token, webhook_secret="s")
    now = datetime.now(UTC)
    for body in (b"", b"[]", b"{}", b'{"event":"account.created"}', b'{"event":"account.created","data":[]}'):
        stamp = str(int(now.timestamp()))
        mark = hmac.new(b"s", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        with pytest.raises(BadAnswer):
            hooked.hints(Incoming({"x-bottlecrm-signature": f"t={stamp},v1={mark}"}, body, now))


# description


def test_describe_names_fixed_and_custom_fields(crm: BottleCrm) -> None:
    told = {field.path: field for field in crm.describe(crm.kinds["account"])}
    assert told["name"].required and told["name"].max_length == 255
    assert "MANUFACTURING" in told["industry"].options
    assert (told["custom_fields.blocked_asia"].type, told["custom_fields.tax_id"].custom) == ("checkbox", True)
    record = made(crm, "account", {"name": fresh("Described")})
    assert {path for path in told if "." not in path} == set(record.data) - {"custom_fields"}
    for kind in ("contact", "product", "user"):
        assert {f.path for f in crm.kinds[kind].map.fields} <= {f.path for f in crm.describe(crm.kinds[kind])}


# last: it takes the server down


def test_server_down_is_try_later_for_reads_and_writes(bottle: lab.BottleCrm, crm: BottleCrm) -> None:
    bottle.stop()
    try:
        for attempt in (
            crm.check,
            lambda: everything(crm, "account"),
            lambda: got(crm, "account", str(uuid.uuid4())),
            lambda: create(crm, "account", {"name": fresh("Down")}),
            lambda: list(crm.find(crm.kinds["account"], "own_key", ["k"])),
        ):
            with pytest.raises(TryLater):
                attempt()
    finally:
        bottle.start()
    assert isinstance(create(crm, "account", {"name": fresh("Up again")}), Saved)


@pytest.fixture(scope="module")
def selling(bottle: lab.BottleCrm) -> Iterator[BottleCrm]:
    connector = connect(bottle.url, bottle.token, sales=True, create_custom_fields=True)
    assert connector.check().missing_scopes == ()
    yield connector
    connector.close()


@pytest.fixture(scope="module")
def buyer(bottle: lab.BottleCrm) -> dict[str, str]:
    """An account with its contact, and a product."""
    account = bottle.call("POST", "/api/accounts/", {"name": fresh("上海买家")})["id"]
    person = {"first_name": "娜", "last_name": "李", "email": f"{uuid.uuid4().hex}@example.com", "account": account}
    contact = bottle.call("POST", "/api/contacts/", person)["id"]
    told = {"name": "轴承", "sku": fresh("W"), "price": "12.50", "currency": "CNY"}
    product = bottle.call("POST", "/api/invoices/products/", told)["product"]["id"]
    return {"account": account, "contact": contact, "product": product}


def estimate(bottle: lab.BottleCrm, buyer: dict[str, str], **more: Any) -> dict[str, Any]:
    line = {"product": buyer["product"], "name": "轴承", "quantity": "2", "unit_price": "12.5", "tax_rate": "13"}
    told = {
        "title": fresh("报价"),
        "account_id": buyer["account"],
        "contact_id": buyer["contact"],
        "currency": "CNY",
        "issue_date": "2026-11-22",
        "expiry_date": "2099-12-22",
        "line_items": [{**line, "discount_type": "PERCENTAGE", "discount_value": "5"}],
        **more,
    }
    made = bottle.call("POST", "/api/invoices/estimates/", told)["estimate"]
    return dict(made)


def test_kinds_of_selling_are_there_on_request_only(crm: BottleCrm, selling: BottleCrm) -> None:
    assert set(selling.kinds) - set(crm.kinds) == {"opportunity", "quote", "invoice"}


def test_an_estimate_is_a_quote_and_is_told_what_became_of_it(
    bottle: lab.BottleCrm, selling: BottleCrm, buyer: dict[str, str]
) -> None:
    deal = {"name": fresh("商机"), "account": buyer["account"], "stage": "PROPOSAL", "currency": "CNY"}
    opportunity = bottle.call("POST", "/api/opportunities/", deal)["id"]
    made = estimate(bottle, buyer, opportunity_id=opportunity, notes="加急")
    bottle.call("POST", f"/api/invoices/estimates/{made['id']}/send/")
    token, name = made["public_token"], {"name": "李娜", "email": "li.na@example.com"}
    bottle.call("POST", f"/api/public/estimate/{token}/accept/", name)
    spec = selling.kinds["quote"]
    (record,) = [r for page in selling.read(spec, None) for r in page.records if r.id == made["id"]]
    reading = spec.map.read(record.data)
    assert not reading.bad
    told = {name: reading.values[name] for name in ("number", "state", "date", "valid_to", "remarks", "tax_included")}
    assert told == {
        "number": made["estimate_number"],
        "state": "accepted",
        "date": "2026-11-22",
        "valid_to": "2099-12-22",
        "remarks": "加急",
        "tax_included": False,
    }
    assert (reading.values["account"], reading.values["contact"], reading.values["opportunity"]) == (
        Foreign("account", buyer["account"]),
        Foreign("contact", buyer["contact"]),
        Foreign("opportunity", opportunity),
    )
    assert (reading.values["net"], reading.values["tax"], reading.values["total"]) == ("23.75", "3.09", "26.84")
    (line,) = reading.items["lines"]
    assert line.values == {
        "product": Foreign("product", buyer["product"]), "text": "轴承", "position": "0", "quantity": "2",
        "price": "12.5", "discount": "5", "net": "23.75", "tax_rate": "13", "tax": "3.09", "total": "26.84",
    }  # fmt: skip
    written = {"order_number": "SO-1", "order_status": "部分发货", "order_waits_for": "折扣超过 15 %"}
    answer = update(selling, "quote", record.id, {"custom_fields": written})
    assert isinstance(answer, Saved) and answer.record is not None
    values = spec.map.read(answer.record.data).values
    assert (values["order_number"], values["order_status"], values["held_by"]) == tuple(written.values())
    assert values["state"] == "accepted"


def test_a_discount_by_amount_is_read_only_where_it_is_exact(
    bottle: lab.BottleCrm, selling: BottleCrm, buyer: dict[str, str]
) -> None:
    line = {"product": buyer["product"], "quantity": "3", "unit_price": "10", "discount_type": "FIXED"}
    quotes = [estimate(bottle, buyer, line_items=[{**line, "discount_value": value}]) for value in ("3", "1")]
    spec = selling.kinds["quote"]
    told = [spec.map.read(r.data) for r in selling.get(spec, [q["id"] for q in quotes]) if isinstance(r, WireRecord)]
    assert told[0].items["lines"][0].values["discount"] == "10"
    assert [name.rpartition(".")[2] for name in told[1].bad] == ["discount"]


def test_a_won_deal_has_its_lines_and_takes_the_order_number(
    bottle: lab.BottleCrm, selling: BottleCrm, buyer: dict[str, str]
) -> None:
    deal = {"name": fresh("商机"), "account": buyer["account"], "stage": "CLOSED_WON", "currency": "CNY"}
    made = bottle.call("POST", "/api/opportunities/", {**deal, "amount": "1", "closed_on": "2026-11-22"})["id"]
    line = {"product_id": buyer["product"], "quantity": "2", "unit_price": "12.5"}
    bottle.call("POST", f"/api/opportunities/{made}/line-items/", line)
    spec = selling.kinds["opportunity"]
    answer = update(selling, "opportunity", made, {"custom_fields": {"order_number": "SO-1", "order_status": "已发货"}})
    assert isinstance(answer, Saved) and answer.record is not None
    (record,) = [r for page in selling.read(spec, None) for r in page.records if r.id == made]
    assert record == answer.record
    reading = spec.map.read(record.data)
    told = {name: reading.values[name] for name in ("stage", "amount", "closing", "order_number", "order_status")}
    assert told == {
        "stage": "won", "amount": "25", "closing": "2026-11-22", "order_number": "SO-1", "order_status": "已发货",
    }  # fmt: skip
    assert [item.values["product"] for item in reading.items["lines"]] == [Foreign("product", buyer["product"])]
    with pytest.raises(RequestRefused):
        create(selling, "opportunity", {"name": fresh("商机")})


def bill(buyer: dict[str, str], lines: list[dict[str, Any]], key: str, **values: Any) -> Write:
    told = {
        "type": "invoice",
        "account": buyer["account"],
        "state": "posted",
        "issue_date": "2026-11-22",
        "due_date": "2026-12-22",
        "currency": "CNY",
        "custom_fields": {"erp_number": "INV-7"},
        **values,
    }
    return Write(1, "create", None, key, told, {"line_items": [ItemWrite("create", None, one) for one in lines]})


def test_an_invoice_of_the_erp_is_copied_to_the_cent_and_settled(selling: BottleCrm, buyer: dict[str, str]) -> None:
    spec = selling.kinds["invoice"]
    lines = [
        {"product": buyer["product"], "name": "轴承", "quantity": "10", "unit_price": "12.345", "discount": "5",
         "tax_rate": "13", "net": "117.28"},
        {"product": buyer["product"], "quantity": "2", "unit_price": "12.5", "tax_rate": "6", "net": "25"},
    ]  # fmt: skip
    key = fresh("key")
    write = bill(buyer, lines, key, net="142.28", tax="16.75", total="159.03", open="159.03")
    (answer,) = selling.write(spec, [write])
    assert isinstance(answer, Saved) and answer.record is not None
    reading = spec.map.read(answer.record.data)
    assert not reading.bad
    amounts = ("net", "tax", "total", "open", "state")
    assert [reading.values[name] for name in amounts] == ["142.28", "16.75", "159.03", "159.03", "posted"]
    assert [item.values["net"] for item in reading.items["lines"]] == ["117.28", "25"]
    assert [r.id for r in selling.find(spec, "own_key", [key])] == [answer.id]
    for wanted, state in (("59.03", "posted"), ("100", "posted"), ("0", "paid")):
        told = update(selling, "invoice", answer.id, {"open": wanted, "state": state})
        assert isinstance(told, Saved) and told.record is not None
        now = spec.map.read(told.record.data).values
        assert (now["open"], now["state"]) == (wanted, state)


def test_what_an_invoice_there_cannot_be_is_refused(
    bottle: lab.BottleCrm, selling: BottleCrm, buyer: dict[str, str]
) -> None:
    spec = selling.kinds["invoice"]
    line = {"product": buyer["product"], "quantity": "1", "unit_price": "10", "tax_rate": "13", "net": "10"}
    amounts = {"net": "10", "tax": "1.3", "total": "11.3", "open": "11.3"}
    alone = bottle.call("POST", "/api/accounts/", {"name": fresh("无联系人")})["id"]
    for values, code in (({"type": "credit_note"}, "credit_note"), ({"account": alone}, "no_contact")):
        (answer,) = selling.write(spec, [bill(buyer, [line], fresh("key"), **{**amounts, **values})])
        assert isinstance(answer, Refused) and answer.code == code
    (made,) = selling.write(spec, [bill(buyer, [line], fresh("key"), **amounts)])
    assert isinstance(made, Saved)
    change = Write(2, "update", made.id, items={"line_items": [ItemWrite("create", None, line)]})
    (answer,) = selling.write(spec, [change])
    assert isinstance(answer, Refused) and answer.code == "POSTED"
    told = update(selling, "invoice", made.id, {"open": "-1"})
    assert isinstance(told, Refused) and told.code == "overpaid"
    told = update(selling, "invoice", made.id, {"state": "cancelled", "open": "0"})
    assert isinstance(told, Saved) and told.record is not None
    assert spec.map.read(told.record.data).values["state"] == "cancelled"
