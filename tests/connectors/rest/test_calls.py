"""Paging that ends, errors told apart, proofs renewed: against a server that answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from datong.base.clock import ManualClock
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RequestRefused,
    TryLater,
)
from datong.connectors.rest import Rest, RestSettings
from datong.kit import Context, ItemWrite, Lost, Refused, Saved, Write
from datong.kit.budget import Budget

from .vendors import Asked, Told, serving

Handle = Callable[[Asked], Told]
KIND: dict[str, Any] = {"id": "id", "fields": {"name": "name"}}


@contextmanager
def rest(handle: Handle, kind: dict[str, Any], **settings: Any) -> Iterator[Rest]:
    clock = ManualClock()
    with serving(handle) as url:
        told = {"url": url, "kinds": {"account": {**KIND, **kind}}, **settings}
        connector = Rest(RestSettings.model_validate(told), Context("x", clock, Budget(clock), {}))
        yield connector
        connector.close()


def ids(connector: Rest, since: str | None = None) -> list[str]:
    return [one.id for page in connector.read(connector.kinds["account"], since) for one in page.records]


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"客户 {number}"} for number in numbers]


# paging ------------------------------------------------------------------------------------------------------------

ALL = rows(*range(7))
BY_PAGE: dict[str, Any] = {"path": "/r", "params": {"p": "{page}", "n": "{size}"}, "items": "items"}


def paged(asked: Asked) -> Told:
    number, size = int(asked.query.get("p", 1)) - 1, int(asked.query["n"])
    items = ALL[number * size :][:size]
    return Told(data={"items": items, "more": (number + 1) * size < len(ALL), "total": len(ALL)})


@pytest.mark.parametrize("end", [{}, {"more": "more"}, {"total": "total"}])
def test_pages_that_are_counted(end: dict[str, str]) -> None:
    with rest(paged, {"read": {**BY_PAGE, "page": {"by": "page", "size": 3, **end}}}) as connector:
        assert ids(connector) == [str(number) for number in range(7)]


def test_four_are_read_by_id_at_a_time_and_answered_in_order() -> None:
    met = threading.Barrier(4, timeout=30)

    def handle(asked: Asked) -> Told:
        met.wait()  # broken were they asked for one after the other
        return Told(data=ALL[int(asked.path.rpartition("/")[2])])

    with rest(handle, {**READ, "get": {"path": "/r/{id}"}}) as connector:
        found = list(connector.get(connector.kinds["account"], ["3", "1", "2", "0"]))
        assert [one.id for one in found] == ["3", "1", "2", "0"]


def test_within_a_session_one_is_read_after_the_other() -> None:
    within: list[int] = []
    most: list[int] = []

    def handle(asked: Asked) -> Told:
        if asked.path == "/login":
            return Told(data={"token": "t"})
        within.append(1)
        most.append(len(within))
        time.sleep(0.01)
        within.pop()
        return Told(data=ALL[int(asked.path.rpartition("/")[2])])

    auth = {"session": {"login": {"method": "POST", "path": "/login"}, "token": "token"}}
    with rest(handle, {**READ, "get": {"path": "/r/{id}"}}, auth=auth) as connector:
        assert len(list(connector.get(connector.kinds["account"], ["3", "1", "2", "0"]))) == 4
    assert max(most) == 1


def test_a_full_last_page_costs_one_empty_one() -> None:
    with rest(paged, {"read": {**BY_PAGE, "page": {"by": "page", "size": 7}}}) as connector:
        assert len(ids(connector)) == 7


def test_a_keyset() -> None:
    def handle(asked: Asked) -> Told:
        after = int(asked.query.get("after", -1))
        return Told(data=[row for row in ALL if row["id"] > after][:3])

    read = {"path": "/r", "params": {"after": "{after}"}, "page": {"by": "keyset", "after": "id", "size": 3}}
    with rest(handle, {"read": read}) as connector:
        assert ids(connector) == [str(number) for number in range(7)]


@pytest.mark.parametrize("where", ["header", "answer"])
def test_links(where: str) -> None:
    def handle(asked: Asked) -> Told:
        start = int(asked.query.get("from", 0))
        link = f"/r?from={start + 3}&q=%26" if start + 3 < 7 else None
        if where == "answer":
            return Told(data={"items": ALL[start : start + 3], "next": link})
        headers = {"Link": f'</r?from=0>; rel="first", <{link}>; rel="next"'} if link else {}
        return Told(data={"items": ALL[start : start + 3]}, headers=headers)

    page = {"by": "link", **({"next": "next"} if where == "answer" else {})}
    with rest(handle, {"read": {"path": "/r", "items": "items", "page": page}}) as connector:
        assert ids(connector) == [str(number) for number in range(7)]


def test_a_link_to_a_stranger_gets_no_credentials() -> None:
    def handle(asked: Asked) -> Told:
        return Told(data={"items": ALL[:3], "next": "http://127.0.0.2:9/steal"})

    read = {"path": "/r", "items": "items", "page": {"by": "link", "next": "next"}}
    with rest(handle, {"read": read}) as connector, pytest.raises(BadAnswer, match=r"127\.0\.0\.2:9"):
        ids(connector)


def test_a_page_that_comes_for_ever_ends_the_reading() -> None:
    with (
        rest(lambda _: Told(data={"items": ALL[:3]}), {"read": {**BY_PAGE, "page": {"by": "page", "size": 3}}}) as it,
        pytest.raises(BadAnswer, match="the same page again and again"),
    ):
        ids(it)


def test_a_cursor_that_goes_back_ends_the_reading() -> None:
    def handle(asked: Asked) -> Told:
        here = asked.query.get("c", "a")
        number = "abc".index(here)
        return Told(data={"items": rows(number), "next": {"a": "b", "b": "c", "c": "b"}[here]})

    read = {"path": "/r", "params": {"c": "{cursor}"}, "items": "items", "page": {"by": "cursor", "next": "next"}}
    with rest(handle, {"read": read}) as connector, pytest.raises(BadAnswer, match="goes in circles"):
        ids(connector)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"rows": []}, "no list at items: there is an object with rows"),
        ({"items": {"a": 1}}, "no list at items"),
        ({"items": [1, 2]}, "a record is no object"),
        ({"items": [{"name": "x"}]}, "without an id at id: it has name"),
        ([1], "there is a list of 1"),
    ],
)
def test_an_answer_of_another_shape_says_what_is_there(data: Any, told: str) -> None:
    with (
        rest(lambda _: Told(data=data), {"read": {"path": "/r", "items": "items"}}) as connector,
        pytest.raises(BadAnswer, match=told),
    ):
        ids(connector)


def test_a_list_that_is_null_is_empty() -> None:
    with rest(lambda _: Told(data={"items": None}), {"read": {"path": "/r", "items": "items"}}) as connector:
        assert ids(connector) == []


# what changed ------------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 21, 8, tzinfo=UTC)


def dated(*seconds: int) -> list[dict[str, Any]]:
    return [
        {"id": at, "name": "客户", "at": (START + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")}
        for at in seconds
    ]


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        ({}, "2026-11-21T08:00:09.500000Z"),
        ({"precision": "ms"}, "2026-11-21T08:00:09.500Z"),
        ({"precision": "s"}, "2026-11-21T08:00:09Z"),
        ({"precision": "s", "strict": True}, "2026-11-21T08:00:08Z"),
        ({"precision": "s", "overlap": "5s"}, "2026-11-21T08:00:04Z"),
        ({"precision": "day", "zone": "Asia/Shanghai"}, "2026-11-21"),
        ({"precision": "s", "form": "plain", "zone": "Asia/Shanghai"}, "2026-11-21 16:00:09"),
        ({"form": "unix"}, "1795248009"),
        ({"form": "unix_ms"}, "1795248009500"),
    ],
)
def test_since_in_the_words_of_the_system(since: dict[str, Any], asked: str) -> None:
    seen: list[str | None] = []

    def handle(call: Asked) -> Told:
        seen.append(call.query.get("since"))
        return Told(data=[])

    kind = {"read": {"path": "/r", "params": {"since": "{since}"}}, "since": since, "changed_at": "at"}
    with rest(handle, kind) as connector:
        assert ids(connector) == [] and ids(connector, "2026-11-21T08:00:09.500000Z") == []
    assert seen == [None, asked]


def test_without_order_only_the_end_is_a_safe_place() -> None:
    data = dated(9, 3, 7)

    def handle(call: Asked) -> Told:
        return Told(data=data[int(call.query["o"]) :][:2])

    read = {"path": "/r", "params": {"s": "{since}", "o": "{offset}"}, "page": {"by": "offset", "size": 2}}
    kind = {"read": read, "since": {"sorted": False}, "changed_at": "at"}
    with rest(handle, kind) as connector:
        pages = list(connector.read(connector.kinds["account"], None))
    assert [page.cursor for page in pages] == [None, pages[-1].cursor]
    assert pages[-1].cursor is not None and pages[-1].cursor <= "2026-11-21T08:00:09.000000Z"


# errors ------------------------------------------------------------------------------------------------------------

ERRORS = [
    {"when": {"path": "code", "equals": 13}, "then": "later", "text": "msg", "after": "wait"},
    {"when": {"path": "code", "equals": 14}, "then": "limited", "text": "msg", "after": "wait"},
    {"when": {"path": "code", "one_of": [2, 7]}, "then": "denied", "text": "msg"},
    {"when": {"path": "code", "equals": 5}, "then": "unknown", "text": "msg"},
    {"when": {"path": "code", "equals": 6}, "then": "bad", "text": "msg"},
    {"when": {"path": "code", "differs": 0}, "then": "refused", "text": "msg", "code": "code", "field": "field"},
]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (13, TryLater),
        (14, RateLimited),
        (2, AccessDenied),
        (7, AccessDenied),
        (5, TryLater),
        (6, BadAnswer),
        (99, RequestRefused),
    ],
)
def test_errors_go_by_what_they_say_whatever_the_status(status: int, code: int, error: type[RemoteError]) -> None:
    if status != 200 and code == 5:
        error = OutcomeUnknown  # an http error that says itself that it does not know
    data = {"code": code, "msg": "不行", "wait": "2", "field": "name", "items": []}
    with (
        rest(lambda _: Told(status, data), {"read": {"path": "/r", "items": "items"}}, errors=ERRORS) as connector,
        pytest.raises(error, match="不行") as caught,
    ):
        ids(connector)
    assert type(caught.value) is error
    if isinstance(caught.value, TryLater) and code != 5:
        assert caught.value.after == 2
    if isinstance(caught.value, RequestRefused):
        assert (caught.value.code, caught.value.field) == ("99", "name")


def test_no_error_where_no_rule_fits() -> None:
    with rest(lambda _: Told(data={"code": 0, "items": ALL}), {"read": {"path": "/r", "items": "items"}}) as connector:
        assert len(ids(connector)) == 7


# proofs ------------------------------------------------------------------------------------------------------------

READ: dict[str, Any] = {"read": {"path": "/r", "params": {"q": "a b"}}}


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"basic": {"user": "李", "password": "p:w"}}, "authorization", "Basic 5p2OOnA6dw=="),
        ({"header": {"name": "X-Key", "key": "k"}}, "x-key", "k"),
        ({"bearer": {"token": "t"}}, "authorization", "Bearer t"),
    ],
)
def test_fixed_proofs(auth: dict[str, Any], header: str, value: str) -> None:
    seen: list[str | None] = []

    def handle(asked: Asked) -> Told:
        seen.append(asked.headers.get(header))
        return Told(data=[])

    with rest(handle, READ, auth=auth) as connector:
        ids(connector)
    assert seen == [value]


@pytest.mark.parametrize("sent", ["basic", "body"])
def test_a_token_is_fetched_once_and_again_when_refused(sent: str) -> None:
    good: set[str] = set()
    forms: list[bytes] = []

    def handle(asked: Asked) -> Told:
        if asked.path == "/token":
            forms.append(asked.raw)
            assert ("authorization" in asked.headers) is (sent == "basic")
            good.clear()
            good.add(f"t{len(forms)}")
            return Told(data={"access_token": f"t{len(forms)}", "expires_in": 3600})
        if asked.headers["authorization"].removeprefix("Bearer ") not in good:
            return Told(401, {"error": "expired"})
        return Told(data=ALL)

    told = {"token_url": "/token", "client_id": "我", "client_secret": "s&", "scope": "crm.read", "sent": sent}
    with rest(handle, READ, auth={"oauth2": told}) as connector:
        ids(connector), ids(connector)
        assert len(forms) == 1
        good.clear()
        assert len(ids(connector)) == 7 and len(forms) == 2
        connector.context.clock.sleep(3600)
        ids(connector)
        assert len(forms) == 3
    body = b"&client_id=%E6%88%91&client_secret=s%26" if sent == "body" else b""
    assert forms[0] == b"grant_type=client_credentials&scope=crm.read" + body


def test_a_token_that_stays_refused_is_no_loop() -> None:
    calls: list[str] = []

    def handle(asked: Asked) -> Told:
        calls.append(asked.path)
        return Told(data={"access_token": "t"}) if asked.path == "/token" else Told(403, {"error": "no right"})

    told = {"token_url": "/token", "client_id": "c", "client_secret": "s"}
    with rest(handle, READ, auth={"oauth2": told}) as connector, pytest.raises(AccessDenied, match="no right"):
        ids(connector)
    assert calls == ["/token", "/r", "/token", "/r"]


def test_no_token_for_a_wrong_secret() -> None:
    told = {"token_url": "/token", "client_id": "c", "client_secret": "s"}
    with (
        rest(lambda _: Told(400, {"error": "invalid_client"}), READ, auth={"oauth2": told}) as connector,
        pytest.raises(AccessDenied, match="invalid_client"),
    ):
        ids(connector)


def test_a_session_token_goes_into_its_header() -> None:
    def handle(asked: Asked) -> Told:
        if asked.path == "/login":
            assert asked.body == {"user": "datong"} and "x-session" not in asked.headers
            return Told(data={"data": {"session": "s1"}})
        return Told(data=ALL) if asked.headers.get("x-session") == "Token s1" else Told(401)

    login = {"method": "POST", "path": "/login", "body": {"user": "datong"}}
    told = {"login": login, "token": "data.session", "header": "X-Session", "prefix": "Token "}
    with rest(handle, READ, auth={"session": told}) as connector:
        assert len(ids(connector)) == 7


def test_every_request_is_signed() -> None:
    def handle(asked: Asked) -> Told:
        stamp, nonce = asked.headers["x-time"], asked.headers["x-nonce"]
        message = f"{asked.method}\n{asked.target}\n{stamp}\n{nonce}\n".encode() + asked.raw
        wanted = hmac.new(b"secret", message, hashlib.sha256).hexdigest()
        return Told(data=ALL) if asked.headers["x-signature"] == f"v1={wanted}" else Told(403, {"error": "signature"})

    told = {
        "secret": "secret",
        "message": "{method}\n{path}\n{timestamp}\n{nonce}\n{body}",
        "header": "X-Signature",
        "prefix": "v1=",
        "timestamp_header": "X-Time",
        "nonce_header": "X-Nonce",
    }
    with rest(handle, READ, auth={"signed": told}) as connector:
        assert len(ids(connector)) == 7


# writing -----------------------------------------------------------------------------------------------------------

BATCH: dict[str, Any] = {
    "read": {"path": "/r"},
    "once": "ask",
    "create": {
        "path": "/batch",
        "size": 3,
        "body": {"items": "{records}"},
        "results": "results",
        "ok": {"path": "ok", "equals": True},
        "id": "id",
        "text": "why",
    },
}


def created(connector: Rest, count: int) -> list[Any]:
    writes = [Write(number, "create", key=f"k{number}", values={"name": str(number)}) for number in range(count)]
    return sorted(connector.write(connector.kinds["account"], writes), key=lambda one: one.ref)


def test_a_result_that_is_missing_is_an_unknown_outcome() -> None:
    def handle(asked: Asked) -> Told:
        if asked.path == "/r":
            return Told(data=[{"id": "1", "name": "0"}])
        return Told(data={"results": [{"ok": True, "id": "1"}, {"ok": False, "why": "不行"}]})

    with rest(handle, BATCH) as connector:
        saved, refused, lost = created(connector, 3)
    assert isinstance(saved, Saved) and saved.record is not None and saved.record.data["name"] == "0"
    assert refused == Refused(1, "不行", None, "")
    assert isinstance(lost, Lost)


def test_more_results_than_records_are_not_believed() -> None:
    def handle(asked: Asked) -> Told:
        return Told(data={"results": [{"ok": True, "id": str(n)} for n in range(9)]})

    with rest(handle, BATCH) as connector:
        assert all(isinstance(one, Lost) for one in created(connector, 3))


def test_saved_without_an_id_is_an_unknown_outcome() -> None:
    with rest(lambda _: Told(data={"results": [{"ok": True}]}), BATCH) as connector:
        assert [type(one) for one in created(connector, 1)] == [Lost]


def test_what_was_saved_stays_saved_when_it_cannot_be_read_back() -> None:
    def handle(asked: Asked) -> Told:
        return Told(503) if asked.path == "/r" else Told(data={"results": [{"ok": True, "id": "1"}]})

    with rest(handle, BATCH) as connector:
        assert created(connector, 1) == [Saved(0, "1", None)]


def test_a_batch_is_cut_to_its_size() -> None:
    sizes: list[int] = []

    def handle(asked: Asked) -> Told:
        if asked.path == "/r":
            return Told(data=[])
        sizes.append(len(asked.body["items"]))
        return Told(data={"results": [{"ok": True, "id": one["name"]} for one in asked.body["items"]]})

    with rest(handle, BATCH) as connector:
        assert [one.id for one in created(connector, 7)] == [str(number) for number in range(7)]
    assert sizes == [3, 3, 1]


def test_a_cut_answer_to_a_write_is_an_unknown_outcome() -> None:
    with rest(lambda _: Told(raw=b'{"results": [{"ok"'), BATCH) as connector, pytest.raises(OutcomeUnknown):
        created(connector, 1)


def test_a_place_made_of_others_is_made_of_what_stands_there_too() -> None:
    sent: list[Any] = []

    def handle(asked: Asked) -> Told:
        if asked.method == "GET":
            return Told(data={"id": "1", "street": "科技园路1号", "city": "深圳市", "whole": "科技园路1号, 深圳市"})
        sent.append(asked.body)
        return Told(data={})

    kind = {
        "read": {"path": "/r"},
        "get": {"path": "/r/{id}"},
        "update": {"method": "PATCH", "path": "/r/{id}"},
        "fields": {"custom.street": "street", "custom.city": "city", "name": "name"},
        "composed": {"whole": "{street}, {city}"},
    }
    with rest(handle, kind) as connector:
        for values in ({"city": "广州市"}, {"name": "大同"}, {"city": None}):
            list(connector.write(connector.kinds["account"], [Write(0, "update", "1", values=values)]))
    assert sent == [
        {"city": "广州市", "whole": "科技园路1号, 广州市"},
        {"name": "大同"},
        {"city": None, "whole": "科技园路1号, "},
    ]


def test_what_is_not_described_is_refused() -> None:
    with rest(lambda _: Told(data=[]), {"read": {"path": "/r"}}) as connector:
        spec = connector.kinds["account"]
        assert (spec.create, spec.update, spec.delete) == ("never", False, False)
        (answer,) = connector.write(spec, [Write(0, "delete", "1")])
    assert isinstance(answer, Refused)


SINGLE: dict[str, Any] = {
    "read": {"path": "/r"},
    "get": {"path": "/r/{id}"},
    "once": "ask",
    "create": {"path": "/r", "id": "id", "text": "why"},
}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Told(400, {"why": "名称太长"}), "名称太长"),
        (Told(422, raw=b"name too long"), "name too long"),
        (Told(409, raw=b"<html>conflict</html>"), "conflict"),
        (Told(400), "null"),
    ],
)
def test_a_refusal_is_the_record_s_own_affair(told: Told, reason: str) -> None:
    with rest(lambda _: told, SINGLE) as connector:
        (answer,) = created(connector, 1)
    assert isinstance(answer, Refused) and reason in answer.reason


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (Told(401), AccessDenied),
        (Told(429, headers={"Retry-After": "2"}), RateLimited),
        (Told(500), OutcomeUnknown),
        (Told(408), OutcomeUnknown),
        (Told(503, headers={"Retry-After": "2"}), TryLater),
        (Told(200, raw=b"<html>"), OutcomeUnknown),
    ],
)
def test_what_is_the_connection_s_affair_is_raised(told: Told, error: type[RemoteError]) -> None:
    with rest(lambda _: told, SINGLE) as connector, pytest.raises(error):
        created(connector, 1)


def test_a_web_page_with_404_is_no_proof_that_a_record_is_gone() -> None:
    with rest(lambda _: Told(404, raw=b"<html>nginx</html>"), SINGLE) as connector, pytest.raises(RequestRefused):
        list(connector.get(connector.kinds["account"], ["1"]))


def test_records_without_a_way_to_get_them_are_picked_out_of_the_list() -> None:
    with rest(lambda _: Told(data=ALL), {"read": {"path": "/r"}}) as connector:
        found = list(connector.get(connector.kinds["account"], ["3", "77", "3"]))
        assert [one.id for one in found] == ["3", "77"]
        assert len(list(connector.ids(connector.kinds["account"]))) == 7


def test_the_fields_that_a_system_tells() -> None:
    def handle(asked: Asked) -> Told:
        inner = [{"api": "city", "kind": "text", "must": True}]
        fields = [
            {"api": "name", "title": "名称", "kind": "text", "must": True, "long": 80, "values": None, "own": 0},
            {"api": "level", "title": "等级", "kind": "list", "values": ["A", "B"], "own": 1},
            {"api": "address", "parts": inner},
        ]
        return Told(data={"fields": fields})

    describe = {
        "path": "/schema",
        "items": "fields",
        "name": "api",
        "type": "kind",
        "label": "title",
        "required": {"path": "must", "equals": True},
        "custom": {"path": "own", "equals": 1},
        "max_length": "long",
        "options": "values",
        "nested": "parts",
    }
    with rest(handle, {"read": {"path": "/r"}, "describe": describe}) as connector:
        name, level, city = connector.describe(connector.kinds["account"])
    assert (name.path, name.label, name.type, name.required, name.max_length, name.custom) == (
        "name", "名称", "text", True, 80, False,
    )  # fmt: skip
    assert (level.options, level.custom, level.required) == (("A", "B"), True, False)
    assert (city.path, city.required) == ("address.city", True)


def test_who_answers() -> None:
    told = {"org": {"id": "o-1"}, "me": "李娜", "now": "2026-11-21T16:00:00+08:00"}
    identity = {"path": "/me", "id": "org.id", "user": "me", "time": "now"}
    with rest(lambda _: Told(data=told), {"read": {"path": "/r"}}, identity=identity) as connector:
        checked = connector.check()
    assert (checked.identity, checked.user, checked.server_time) == ("o-1", "李娜", START)
    with (
        rest(lambda _: Told(data={}), {"read": {"path": "/r"}}, identity=identity) as connector,
        pytest.raises(BadAnswer, match=r"names nothing at org\.id"),
    ):
        connector.check()


def test_a_list_without_line_ids_is_written_whole() -> None:
    sent: list[Any] = []

    def handle(asked: Asked) -> Told:
        if asked.method == "GET":
            return Told(data={"id": "1", "name": "深圳", "addresses": [{"town": "深圳市"}]})
        sent.append(asked.body)
        return Told(data={"id": "1"})

    addresses = {"path": "addresses", "fields": {"city": "town"}}
    with rest(handle, {**SINGLE, "collections": {"addresses": addresses}}) as connector:
        spec = connector.kinds["account"]
        items = {
            "addresses": [ItemWrite("create", None, {"town": "深圳市"}), ItemWrite("create", None, {"town": "广州市"})]
        }
        (saved,) = connector.write(spec, [Write(0, "create", key="k", values={"name": "深圳"}, items=items)])
    assert sent == [{"name": "深圳", "addresses": [{"town": "深圳市"}, {"town": "广州市"}]}]
    assert isinstance(saved, Saved) and saved.record is not None
    reading = spec.map.read(saved.record.data)
    assert [one.values for one in reading.items["addresses"]] == [{"city": "深圳市"}]


def test_numbers_of_companies_are_found_each_by_its_own() -> None:
    def handle(asked: Asked) -> Told:
        found = [{"id": "1", "name": "深圳", "no": {"asia": "C1"}}, {"id": "2", "name": "x", "no": {"asia": "C11"}}]
        return Told(data=found if asked.query.get("asia") == "C1" else [])

    kind = {
        "id": "id",
        "read": {"path": "/r"},
        "fields": {"name": "name", "company.{company}.number": "no.{company}"},
        "find": {"company.asia.number": {"path": "/r", "params": {"asia": "{value}"}}},
    }
    clock = ManualClock()
    with serving(handle) as url:
        settings = RestSettings.model_validate({"url": url, "kinds": {"account": kind}})
        connector = Rest(settings, Context("x", clock, Budget(clock), {"asia": {"currency": "CNY"}}))
        spec = connector.kinds["account"]
        assert spec.find_by == ("company.asia.number",)
        assert [one.id for one in connector.find(spec, "company.asia.number", ["C1"])] == ["1"]
        connector.close()
