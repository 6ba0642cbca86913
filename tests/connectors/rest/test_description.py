"""A mistake in a description names file and line, what is wrong and what to write; secrets never stand in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from datong.base import json
from datong.base.clock import ManualClock
from datong.base.errors import AccessDenied, BadAnswer, ConfigurationError
from datong.bootstrap.config import load
from datong.connectors.rest import Rest, RestSettings
from datong.connectors.rest.description import Condition, field_at, text_at, value_at
from datong.kit import Context, Incoming, KindSpec
from datong.kit.budget import Budget

MAIN = """
connections:
  crm:
    system: rest
    role: crm
    url: https://crm.example
    description: crm.yaml
"""
RIGHT = """
auth: {bearer: {token: "${env:CRM_TOKEN}"}}
kinds:
  account:
    id: id
    key: our_key
    read: {path: /customers, params: {since: "{since}"}, items: data}
    since: {precision: s}
    changed_at: at
    find: {key: {path: /customers, params: {key: "{value}"}, items: data}}
    once: by_key
    create: {path: /customers, id: id}
    fields: {name: name, email: {path: mail, convert: email}}
"""


def mistakes(folder: Path, description: str) -> list[str]:
    (folder / "datong.yaml").write_text(MAIN, encoding="utf8")
    (folder / "crm.yaml").write_text(description, encoding="utf8")
    try:
        load(folder / "datong.yaml")
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_right_one(tmp_path: Path) -> None:
    assert mistakes(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: id\n", "idd: id\n", "crm.yaml:5 connections.crm.kinds.account.idd: unknown key idd. did you mean id?"),
        ("{since}", "{sinc}", "read.params.since: the placeholder {sinc} has no meaning here. did you mean {since}?"),
        ('since: "{since}"', "since: 1", "crm.yaml:7 connections.crm.kinds.account.read: {since} stands nowhere"),
        ("path: /customers, params", "path: customers, params", "read.path: 'customers' does not have the right form"),
        ("convert: email", "convert: emial", "crm.yaml:13 connections.crm.kinds.account.fields.email.convert: there"),
        ("convert: email", "convert: {number: {plces: 2}}", "fields.email.convert: number: "),
        ("path: mail", "path: [mail, domain]", "fields.email.path: email and ['mail', 'domain'] do not fit"),
        ("path: mail, convert: email", 'template: "{}"', "fields.email: '{}' names no places"),
        ("precision: s", "precision: minute", "since.precision: 'minute' is not one of us, ms, s, day"),
        ("    changed_at: at\n", "", "kinds.account.since: `since` without `changed_at`"),
        ("    once: by_key\n", "", "kinds.account: nothing says how a create happens once"),
        ("once: by_key", "once: always", "once: 'always' is not one of by_key, by_search, ask"),
        ("find: {key:", "find: {emial:", "find.emial: emial is not among the fields"),
        ('{key: {path: /customers, params: {key: "{value}"}, items: data}}', "{}", "records are not found by `key`"),
        ("{value}", "{values}x{id}", "find.key.params.key: the placeholder {id} has no meaning here"),
        ("id: id}", "size: 5}", "kinds.account.create.size: `size` without {records}"),
        ("create: {path: /customers", 'create: {path: /customers, body: "{records}"', "nobody says which records"),
        ("account:", "acount:", "connections.crm.kinds.acount: there is no kind acount"),
        ("${env:CRM_TOKEN}", "abc", "crm.yaml:2 connections.crm.auth.bearer.token: token stands here in clear"),
        ('auth: {bearer: {token: "${env:CRM_TOKEN}"}}', "auth: {}", "auth: nothing given"),
        ("items: data}\n    since", "items: data, page: {by: cursor}}\n    since", "cursor paging without `next`"),
        ("items: data}\n    since", "page: {by: page, size: 5}}\n    since", "read.page: {page} stands nowhere"),
        ("items: data}\n    since", "page: {by: offset}}\n    since", "nothing says which page is the last"),
        ("kinds:", "errors: [{then: refused}]\nkinds:", "crm.errors.0: this rule makes every answer an error"),
        ("kinds:", "url: https://b.example\nkinds:", "crm.yaml:3 connections.crm.url: this is already set in"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in RIGHT
    found = mistakes(tmp_path, RIGHT.replace(old, new, 1))
    assert any(told in one for one in found), found


def test_a_description_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "datong.yaml").write_text(MAIN, encoding="utf8")
    with pytest.raises(ConfigurationError, match=r"datong.yaml:7 description: there is no file .*crm.yaml"):
        load(tmp_path / "datong.yaml")


def test_two_connections_may_share_a_description(tmp_path: Path) -> None:
    second = "  crm2: {system: rest, role: crm, url: https://b.example, description: crm.yaml}\n"
    (tmp_path / "datong.yaml").write_text(MAIN + second, encoding="utf8")
    (tmp_path / "crm.yaml").write_text(RIGHT, encoding="utf8")
    config = load(tmp_path / "datong.yaml")
    one, two = (config.connections[name].settings for name in ("crm", "crm2"))
    assert one["kinds"] == two["kinds"] and one["url"] != two["url"]
    assert [file.name for file in config.files] == ["datong.yaml", "crm.yaml"]


def test_another_description_is_another_configuration(tmp_path: Path) -> None:
    mistakes(tmp_path, RIGHT)
    before = load(tmp_path / "datong.yaml").version
    mistakes(tmp_path, RIGHT.replace("name: name", "name: full_name"))
    assert load(tmp_path / "datong.yaml").version != before


# parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", {"a": [{"b": 1}, {"b": 2}], "c.d": 3, "7": "seven"}),
        ("a.1.b", 2),
        ("7", "seven"),
    ],
)
def test_paths(path: str, found: Any) -> None:
    assert value_at({"a": [{"b": 1}, {"b": 2}], "c.d": 3, "7": "seven"}, path) == found


@pytest.mark.parametrize("path", ["b", "a.2", "a.b", "a.1.b.c", "a.-1"])
def test_paths_that_lead_nowhere(path: str) -> None:
    assert repr(value_at({"a": [{"b": 1}, {"b": 2}]}, path)) == "ABSENT"


def test_words_for_people() -> None:
    data = {"why": {"name": "太长", "lines[0].qty": "缺"}, "many": ["a", "b"], "field": "lines[12].qty"}
    assert text_at(data, "why") == "name: 太长; lines[0].qty: 缺" and text_at(data, "many") == "a; b"
    assert (field_at(data, "why"), field_at(data, "field"), field_at(data, "none")) == ("name", "lines.qty", None)


@pytest.mark.parametrize(
    ("told", "data", "holds"),
    [
        ({"equals": 1}, {"x": 1}, True),
        ({"equals": 1}, {"x": "1"}, True),
        ({"equals": 1}, {"x": True}, False),
        ({"equals": True}, {"x": 1}, False),
        ({"equals": None}, {"x": None}, True),
        ({"equals": None}, {}, False),
        ({"differs": 0}, {"x": 0}, False),
        ({"differs": 0}, {"x": "E7"}, True),
        ({"differs": 0}, {}, False),
        ({"one_of": ["created", "updated"]}, {"x": "updated"}, True),
        ({"one_of": ["created", "updated"]}, {"x": ["updated"]}, False),
        ({"one_of": ["created"]}, [], False),
        ({"none_of": [0, 200]}, {"x": 200}, False),
        ({"none_of": [0, 200]}, {"x": 500}, True),
        ({"none_of": [0, 200]}, {}, False),
        ({"present": True}, {"x": []}, False),
        ({"present": True}, {"x": 0}, True),
        ({"present": False}, {"x": None}, True),
        ({"present": False}, {"x": "y"}, False),
    ],
)
def test_conditions(told: dict[str, Any], data: Any, holds: bool) -> None:
    condition = Condition.model_validate({"path": "x", **told})
    assert condition.holds(data) is holds
    assert condition.asked()(data) is holds


def test_one_question_a_condition() -> None:
    for told in ({"path": "x"}, {"path": "x", "equals": 1, "present": True}):
        with pytest.raises(ValidationError, match="asked in one condition"):
            Condition.model_validate(told)


# webhooks ----------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
FIELDS = {"name": "n"}


def hooked(webhook: dict[str, Any]) -> Rest:
    clock = ManualClock(NOW)
    kinds = {
        "account": {"object": "customer", "id": "no", "changed_at": "at", "read": {"path": "/c"}, "fields": FIELDS},
        "contact": {"object": "person", "id": "no", "version": "v", "read": {"path": "/p"}, "fields": FIELDS},
    }
    told = {"url": "http://127.0.0.1:9", "kinds": kinds, "webhook": webhook}
    return Rest(RestSettings.model_validate(told), Context("crm", clock, Budget(clock), {}))


TOKEN = {"header": "X-Token", "secret": "wort", "prefix": "Key "}
EVENT = {"what": "customer", "data": {"no": 7, "n": "深圳", "at": "2026-11-21T07:00:00Z"}}


def test_a_token_proves_who_calls() -> None:
    hook = hooked({"token": TOKEN, "kind": "what", "id": "data.no"})
    body = json.encode(EVENT)
    (hint,) = hook.hints(Incoming({"x-token": "Key wort"}, body, NOW))
    assert (hint.kind, hint.id, hint.record) == ("account", "7", None)
    for headers in ({}, {"x-token": "wort"}, {"x-token": "Key Wort"}):
        with pytest.raises(AccessDenied):
            hook.hints(Incoming(headers, body, NOW))


def test_a_complete_event_brings_the_record() -> None:
    hook = hooked({"token": TOKEN, "kind": "what", "id": "data.no", "record": "data", "complete": True})
    assert all(spec.complete_hints for spec in hook.kinds.values())

    def record_of(event: dict[str, Any]) -> Any:
        (hint,) = hook.hints(Incoming({"x-token": "Key wort"}, json.encode(event), NOW))
        return hint.record

    told = record_of(EVENT)
    assert (told.id, told.data["n"], told.changed_at) == ("7", "深圳", NOW - timedelta(hours=1))
    assert record_of({"what": "customer", "data": {"no": 7, "n": "深圳"}}) is None  # no time: it is read


def test_many_events_some_of_which_are_not_joined() -> None:
    hook = hooked({"unsigned": True, "events": "events", "kind": "what", "id": "data.no"})
    events = [EVENT, {"what": "invoice", "data": {"no": 1}}, {"what": "person", "data": {"no": "P1"}}]
    hints = hook.hints(Incoming({}, json.encode({"events": events}), NOW))
    assert [(one.kind, one.id) for one in hints] == [("account", "7"), ("contact", "P1")]
    for body in (b"", b"[]", b"{}", b'{"events": []}', b'{"events": [1]}', b'{"events": [{"what": "customer"}]}'):
        with pytest.raises(BadAnswer):
            hook.hints(Incoming({}, body, NOW))


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ({"id": "no"}, "nothing given"),
        ({"token": TOKEN, "unsigned": True, "id": "no", "kind": "k"}, "token and unsigned given"),
        ({"unsigned": True, "id": "no", "kind": "k", "complete": True, "record": ""}, "cannot be complete"),
        ({"token": TOKEN, "id": "no", "kind": "k", "complete": True}, "`complete` without `record`"),
        ({"token": TOKEN, "id": "no"}, "a webhook for several kinds without `kind`"),
        ({"hmac": {"header": "X", "secret": "s", "message": "{timestamp}"}, "id": "no", "kind": "k"}, "no meaning"),
        ({"hmac": {"header": "X", "secret": "s", "message": "x"}, "id": "no", "kind": "k"}, "{body} is not signed"),
        (
            {"hmac": {"header": "X", "secret": "s", "timestamp_header": "T"}, "id": "no", "kind": "k"},
            "{timestamp} is not signed",
        ),
    ],
)
def test_a_webhook_that_cannot_be_believed_is_a_mistake(webhook: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        hooked(webhook)
    assert told in str(caught.value)


def test_what_is_declared_follows_from_what_is_described() -> None:
    told = {
        "url": "http://127.0.0.1:9",
        "kinds": {
            "account": {"id": "id", "read": {"path": "/a"}, "fields": {"name": "n"}, "read_lag": "3s"},
            "contact": {
                "id": "id",
                "changed_at": "at",
                "read": {"path": "/c", "params": {"s": "{since}"}},
                "since": {"overlap": "5s"},
                "update": {"path": "/c/{id}", "headers": {"If-Match": "{version}"}},
                "fields": {"name": "n"},
            },
        },
    }
    clock = ManualClock()
    kinds = Rest(RestSettings.model_validate(told), Context("x", clock, Budget(clock), {})).kinds
    account, contact = kinds["account"], kinds["contact"]

    def shown(spec: KindSpec) -> tuple[Any, ...]:
        return spec.reads, spec.create, spec.update, spec.delete, spec.guard, spec.change_time, spec.batch

    assert shown(account) == ("snapshot", "never", False, False, False, False, 1)
    assert shown(contact) == ("changes", "never", True, False, True, True, 1)
    assert (account.read_lag, contact.overlap) == (timedelta(seconds=3), timedelta(seconds=5))
