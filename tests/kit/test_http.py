"""Every row of the table in `datong.kit.http`, against a real server on a real socket."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from datong.kit.budget import Budget
from datong.kit.http import Http, http_date, retry_after

from .server import Reply, Server, serving

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    shared_server.seen.clear()
    shared_server.headers.clear()
    shared_server.says(Reply())
    return shared_server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def http(server: Server, clock: ManualClock) -> Iterator[Http]:
    client = Http(server.url + "/", Budget(clock), headers={"Authorization": "Bearer t"}, timeout=5)
    yield client
    client.close()


def consequence(http: Http, method: str) -> RemoteError:
    with pytest.raises(RemoteError) as raised:
        http.call(method, "/v1/x", body={"name": "大同"} if method != "GET" else None)
    return raised.value


TABLE = [
    (400, {}, RequestRefused, RequestRefused),
    (401, {}, AccessDenied, AccessDenied),
    (402, {}, RequestRefused, RequestRefused),
    (403, {}, AccessDenied, AccessDenied),
    (404, {}, RequestRefused, RequestRefused),
    (405, {}, RequestRefused, RequestRefused),
    (408, {}, TryLater, OutcomeUnknown),
    (409, {}, RequestRefused, RequestRefused),
    (410, {}, RequestRefused, RequestRefused),
    (413, {}, RequestRefused, RequestRefused),
    (422, {}, RequestRefused, RequestRefused),
    (425, {}, TryLater, OutcomeUnknown),
    (429, {}, RateLimited, RateLimited),
    (429, {"Retry-After": "7"}, RateLimited, RateLimited),
    (500, {}, TryLater, OutcomeUnknown),
    (501, {}, TryLater, OutcomeUnknown),
    (502, {}, TryLater, OutcomeUnknown),
    (503, {}, TryLater, OutcomeUnknown),
    (503, {"Retry-After": "7"}, TryLater, TryLater),
    (504, {}, TryLater, OutcomeUnknown),
    (504, {"Retry-After": "7"}, TryLater, OutcomeUnknown),
    (521, {}, TryLater, OutcomeUnknown),
    (301, {"Location": "/elsewhere"}, RequestRefused, RequestRefused),
    (302, {"Location": "/login"}, RequestRefused, RequestRefused),
    (307, {"Location": "/elsewhere"}, RequestRefused, RequestRefused),
]


@pytest.mark.parametrize(("status", "headers", "read", "write"), TABLE)
def test_statuses(
    http: Http, server: Server, status: int, headers: dict[str, str], read: type[Exception], write: type[Exception]
) -> None:
    server.says(Reply(status, '{"error": "客户已停用"}'.encode(), headers))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        error = consequence(http, method)
        assert type(error) is (read if method == "GET" else write), method
        assert str(status) in str(error) and "客户已停用" in str(error) and method in str(error)
        if isinstance(error, TryLater):
            assert error.after == (7.0 if headers else None)
        if isinstance(error, RequestRefused):
            assert error.code == str(status)
    assert len(server.seen) == 5, "nothing is repeated, no redirect is followed"


def test_the_budget_pauses_after_429(server: Server, http: Http, clock: ManualClock) -> None:
    server.says(Reply(429, headers={"Retry-After": "30"}), Reply(200))
    consequence(http, "GET")
    before = clock.monotonic()
    http.get("/")
    assert clock.monotonic() - before == 30


def test_a_429_without_a_time_pauses_a_second(server: Server, http: Http, clock: ManualClock) -> None:
    server.says(Reply(429), Reply(200))
    consequence(http, "POST")
    http.get("/")
    assert clock.monotonic() == 1


def test_503_does_not_pause_the_others(server: Server, http: Http, clock: ManualClock) -> None:
    server.says(Reply(503, headers={"Retry-After": "30"}), Reply(200))
    consequence(http, "GET")
    http.get("/")
    assert clock.monotonic() == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("一百", None),
        ("999999999", 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("Mon, 99 Foo 2026", None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d (GMT|[+-]\d{4,6})")
)
def test_any_header_is_a_time_or_none(text: str) -> None:
    moment = http_date(text)
    assert moment is None or moment.tzinfo is not None
    after = retry_after(text, NOW)
    assert after is None or 0 <= after <= 86400


def test_a_date_counts_from_the_servers_own_clock(server: Server, http: Http) -> None:
    """Ours may be wrong by an hour; both dates are the server's."""
    there = datetime(2031, 1, 1, tzinfo=UTC)
    later = format_datetime(there + timedelta(seconds=40), usegmt=True)
    server.says(Reply(503, headers={"Date": format_datetime(there, usegmt=True), "Retry-After": later}))
    error = consequence(http, "GET")
    assert isinstance(error, TryLater)
    assert error.after == 40


# bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        ('{"名称": "大同"}'.encode(), {}, {"名称": "大同"}),
        (b"[1, 2]", {"Content-Type": "text/html"}, [1, 2]),
        (b"", {}, None),
        (b"  \n", {}, None),
        (b"null", {}, None),
        (gzip.compress(b'{"a": 1}', mtime=0), {"Content-Encoding": "gzip"}, {"a": 1}),
        (gzip.compress(b'{"a": 1}', mtime=0), {}, {"a": 1}),  # packed and not labelled
        (b'{"a": 1}', {"Content-Encoding": "gzip"}, {"a": 1}),  # labelled and not packed
    ],
)
def test_answers(server: Server, http: Http, body: bytes, headers: dict[str, str], answer: object) -> None:
    server.says(Reply(200, body, headers))
    assert http.get("/") == answer
    assert http.call("POST", "/", body={}) == answer


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<html><body>Please log in</body></html>", {"Content-Type": "text/html"}),
        (b'{"a": 1', {}),
        (b"OK", {}),
        (b'{"a": NaN}', {}),
        (b"\xff\xfe{}", {}),
        (gzip.compress(b'{"a": 1}' * 50, mtime=0)[:-12], {"Content-Encoding": "gzip"}),
        (b"\x1f\x8b" + b"garbage", {"Content-Encoding": "gzip"}),
        (gzip.compress(b"<html>", mtime=0), {}),
    ],
)
def test_not_the_promised_json(server: Server, http: Http, body: bytes, headers: dict[str, str]) -> None:
    """On a read the answer is bad; after a write nobody knows what happened."""
    server.says(Reply(200, body, headers))
    assert type(consequence(http, "GET")) is BadAnswer
    for method in ("POST", "PATCH", "DELETE"):
        assert type(consequence(http, method)) is OutcomeUnknown


def test_a_broken_body_of_a_refusal_is_still_a_refusal(server: Server, http: Http) -> None:
    server.says(Reply(400, b"<html>"))
    assert type(consequence(http, "POST")) is RequestRefused


def test_a_long_answer_is_not_quoted_whole(server: Server, http: Http) -> None:
    server.says(Reply(400, b"x" * 100_000))
    assert len(str(consequence(http, "GET"))) < 500
    server.says(Reply(200, b"x" * 100_000))
    assert len(str(consequence(http, "GET"))) < 500


# broken connections --------------------------------------------------------------------------------------------


def test_no_connection(clock: ManualClock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    http = Http(url, Budget(clock), timeout=2)
    for method in ("GET", "POST"):
        error = consequence(http, method)
        assert type(error) is TryLater, "nothing was sent"
        assert url in str(error) and error.remedy


def test_no_such_host(clock: ManualClock) -> None:
    http = Http("http://crm.invalid", Budget(clock), timeout=2)
    assert type(consequence(http, "POST")) is TryLater


@pytest.mark.parametrize(
    "url", ["crm.example", "ftp://crm.example", "http://", "http://[::1", "http://crm.example:port"]
)
def test_an_address_that_is_none(url: str, clock: ManualClock) -> None:
    http = Http(url, Budget(clock), timeout=2)
    error = consequence(http, "POST")
    assert type(error) in (RequestRefused, TryLater)
    assert error.remedy


@pytest.mark.parametrize(
    "reply",
    [
        Reply(drop=True),
        Reply(200, b'{"a": 1', length=1000),  # cut in the middle
        Reply(200, b"", length=1000),
        Reply(201, b"{}", wait=1.0),  # silent
    ],
    ids=["hangs up", "cut", "cut at once", "silent"],
)
def test_cut_or_silent_after_sending(server: Server, clock: ManualClock, reply: Reply) -> None:
    http = Http(server.url, Budget(clock), timeout=0.3)
    server.says(reply)
    assert type(consequence(http, "GET")) is TryLater
    assert type(consequence(http, "POST")) is OutcomeUnknown
    assert len(server.seen) == 2, "a write is never repeated by itself"
    http.close()


def test_half_an_answer_without_a_length(server: Server, http: Http) -> None:
    server.says(Reply(200, b'{"a": [1, 2', length=-1))
    assert type(consequence(http, "GET")) is BadAnswer
    assert type(consequence(http, "POST")) is OutcomeUnknown


def test_after_a_broken_call_the_next_one_goes(server: Server, http: Http) -> None:
    server.says(Reply(drop=True), Reply(200, b"[]"))
    consequence(http, "POST")
    assert http.get("/") == []


# calls -----------------------------------------------------------------------------------------------------------


def test_what_is_sent(server: Server, http: Http) -> None:
    http.call("POST", "/v1/客户", params={"q": "深圳 & 大同", "n": 2}, body={"名": "大同"}, headers={"X-Key": "k"})
    method, path, body = server.seen[0]
    assert (method, body) == ("POST", '{"名":"大同"}'.encode())
    assert path.startswith("/v1/%E5%AE%A2%E6%88%B7?q=%E6%B7%B1%E5%9C%B3") and "%26" in path and path.endswith("n=2")
    sent = server.headers[0]
    assert sent["authorization"] == "Bearer t" and sent["x-key"] == "k" and sent["content-type"] == "application/json"
    http.get("/plain")
    assert "content-type" not in server.headers[1] and "x-key" not in server.headers[1]


def test_no_body_is_not_an_empty_one(server: Server, http: Http) -> None:
    http.call("POST", "/a")
    http.call("POST", "/b", body={})
    assert [body for _, _, body in server.seen] == [b"", b"{}"]


def test_a_post_that_only_reads(server: Server, http: Http) -> None:
    server.says(Reply(500))
    with pytest.raises(TryLater):
        http.call("POST", "/search", body={}, changes=False)
    with pytest.raises(OutcomeUnknown):
        http.call("GET", "/approve", changes=True)


def test_statuses_a_connector_reads_itself(server: Server, http: Http) -> None:
    server.says(
        Reply(404, '{"why": "没有"}'.encode()), Reply(200, b"[1]"), Reply(404, b""), Reply(409), Reply(404, b"<html>")
    )
    assert http.get("/", allow=(404,)) == (404, {"why": "没有"})
    assert http.get("/", allow=(404,)) == (200, [1])
    assert http.get("/", allow=(404,)) == (404, None)
    with pytest.raises(RequestRefused):
        http.get("/", allow=(404,))
    with pytest.raises(RequestRefused):  # a page for people says nothing of the record
        http.get("/", allow=(404,))


def test_a_vendors_own_rules(server: Server, clock: ManualClock) -> None:
    def by_code(status: int, body: bytes) -> RemoteError | None:
        if b"DUPLICATE" in body:
            return RequestRefused("it is there already", field="name", code="DUPLICATE")
        return TryLater("asleep", after=3) if status == 418 else None

    http = Http(server.url, Budget(clock), rules=(by_code,))
    server.says(Reply(200, b'{"error": "DUPLICATE"}'), Reply(418), Reply(404), Reply(200, b"{}"))
    duplicate = consequence(http, "POST")
    assert isinstance(duplicate, RequestRefused) and duplicate.field == "name"
    assert type(consequence(http, "POST")) is TryLater
    assert type(consequence(http, "POST")) is RequestRefused
    assert http.get("/") == {}


def test_the_servers_clock_is_noted(server: Server, http: Http) -> None:
    assert http.server_time is None
    http.get("/")
    assert http.server_time is not None and http.server_time.tzinfo is not None
    server.says(Reply(500))
    consequence(http, "GET")
    assert http.server_time is not None


def test_no_proxy_of_the_environment(server: Server, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Http(server.url, Budget(clock)).get("/") == {}


def test_every_call_costs_one_of_the_budget(server: Server, clock: ManualClock) -> None:
    budget = Budget(clock, per_second=2, burst=2)
    http = Http(server.url, budget)
    for _ in range(6):
        http.get("/")
    assert budget.spent == 6
    assert clock.monotonic() == pytest.approx(2.0)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large(server: Server, clock: ManualClock, packed: bool) -> None:
    body = b'"' + b"x" * 3000 + b'"'
    client = Http(server.url, Budget(clock), most_bytes=2000)
    server.says(Reply(body=gzip.compress(body) if packed else body))
    with pytest.raises(BadAnswer, match="more than 2,000 bytes"):
        client.get("/")
    with pytest.raises(OutcomeUnknown, match="more than 2,000 bytes"):
        client.call("POST", "/", body={})
    server.says(Reply(body=b'"small"'))
    assert client.get("/") == "small"
    client.close()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><title>Login</title>", "a web page and no JSON"),
        (b"\n<html>", "a web page and no JSON"),
        (b"<?xml version='1.0'?><a/>", "XML and no JSON"),
        (b'{"items": [{"a"', "cut short or damaged"),
        (b"OK", "answered no JSON"),
    ],
)
def test_what_came_in_place_of_json(server: Server, http: Http, body: bytes, told: str) -> None:
    server.says(Reply(body=body))
    with pytest.raises(BadAnswer, match=told) as caught:
        http.get("/customers")
    assert f"{server.url}/customers" in str(caught.value)


def test_a_body_of_several_packed_parts(server: Server, http: Http) -> None:
    server.says(Reply(body=gzip.compress(b'{"a":') + gzip.compress(b"1}")))
    assert http.get("/") == {"a": 1}


def test_an_exchange_has_status_and_headers(server: Server, http: Http) -> None:
    server.says(Reply(201, b'{"id": 1}', {"Link": "</next>; rel=next"}))
    reply = http.exchange("POST", "/", body={"name": "深圳"})
    assert (reply.status, reply.data, reply.headers["link"]) == (201, {"id": 1}, "</next>; rel=next")


def test_a_form(server: Server, http: Http) -> None:
    server.says(Reply(body=b"{}"))
    http.exchange("POST", "/token", form={"scope": "a b", "名": "深圳"})
    assert server.seen[-1][2] == b"scope=a+b&%E5%90%8D=%E6%B7%B1%E5%9C%B3"
    assert server.headers[-1]["content-type"] == "application/x-www-form-urlencoded"


def test_every_call_is_signed_as_it_is_sent(server: Server, clock: ManualClock) -> None:
    asked: list[tuple[str, str, bytes]] = []

    def sign(method: str, url: str, body: bytes) -> dict[str, str]:
        asked.append((method, url, body))
        return {"X-Signature": str(len(asked))}

    client = Http(server.url, Budget(clock), sign=sign)
    server.says(Reply(body=b"{}"))
    client.get("/a", {"q": "深"})
    client.call("POST", "/b", body={"a": 1})
    client.close()
    assert asked == [("GET", f"{server.url}/a?q=%E6%B7%B1", b""), ("POST", f"{server.url}/b", b'{"a":1}')]
    assert [one["x-signature"] for one in server.headers] == ["1", "2"]
