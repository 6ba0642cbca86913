"""What is our own echo, and what is too old to say anything: the part of intake that decides without the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from datong.base.clock import to_text
from datong.engine.absorb import OLDER, Absorber, Evidence, _origin_time, describe
from datong.engine.landscape import Conn
from datong.kit import KindSpec
from datong.mapping import Field, FieldMap, boolean, choice, number, phone, reference, text, under_item
from datong.store.unit import Link, Rec

T0 = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIELDS = (
    Field("name", "n", text(6)),
    Field("custom.score", "s", number(2)),
    Field("stage", "st", choice({"lead": "L", "prospect": "L", "customer": "C"})),
    Field("active", "a", boolean()),
    Field("phone", "p", phone("CN")),
    Field("owner", "o", reference("user")),
)
SPEC = KindSpec(FieldMap("account", "companies", FIELDS), read_lag=5 * SECOND)


@dataclass
class Connection:
    """What the decisions below ask of a connection."""

    name: str = "erp"
    specs: dict[str, KindSpec] = field(default_factory=lambda: {"account": SPEC})


def decider(**offsets: float) -> Absorber:
    made = Absorber.__new__(Absorber)
    made._offsets = offsets
    return made


def link(**known: Any) -> Link:
    return replace(Link(1, 1, "erp", "account", "17"), **known)


def is_evidence(known: Link, read_at: datetime, changed_at: datetime | None = None) -> bool:
    told = Evidence({}, "digest", read_at, changed_at=changed_at)
    answer = decider().is_evidence(cast(Conn, Connection()), known, told)
    assert answer is True or answer is False
    return answer


def test_what_is_read_of_a_new_record_is_evidence() -> None:
    assert is_evidence(link(), T0)
    assert is_evidence(link(), T0, T0)


def test_what_was_read_before_our_write_could_show_is_none() -> None:
    known = link(written_at=T0)
    assert not is_evidence(known, T0 - SECOND)
    assert not is_evidence(known, T0 + 4 * SECOND)
    assert not is_evidence(known, T0 + 5 * SECOND), "within the lag, its last moment included"
    assert is_evidence(known, T0 + 6 * SECOND)


def test_what_was_read_before_the_last_look_is_none() -> None:
    assert not is_evidence(link(read_at=T0), T0 - SECOND)
    assert is_evidence(link(read_at=T0), T0), "two pages of one read begin together"


def test_an_older_state_is_none() -> None:
    known = link(changed_at=T0)
    assert not is_evidence(known, T0 + SECOND, T0 - SECOND)
    assert is_evidence(known, T0 + SECOND, T0)
    assert is_evidence(known, T0 + SECOND, T0 + SECOND)
    assert is_evidence(known, T0 + SECOND), "without a change time nothing speaks against it"
    assert is_evidence(link(), T0, T0 - 1000 * SECOND)


def test_an_older_state_is_one_when_a_read_begun_after_it_was_met_says_so_still() -> None:
    known = link(changed_at=T0, held={OLDER: to_text(T0 + 10 * SECOND)})
    assert not is_evidence(known, T0 + 15 * SECOND, T0 - SECOND), "within the lag: an answer from before"
    assert is_evidence(known, T0 + 16 * SECOND, T0 - SECOND), "the clock over there was set back"


@pytest.mark.parametrize(
    ("name", "agreed", "held"),
    [
        ("name", "深圳市大同科技有限公司", "深圳市大同科"),
        ("custom.score", "12.345", "12.35"),
        ("stage", "prospect", "lead"),
        ("phone", "0755 2600 0000", "+8675526000000"),
    ],
)
def test_what_the_system_makes_of_our_value_is_our_value(name: str, agreed: Any, held: Any) -> None:
    one = SPEC.map.named(name)
    assert one is not None
    conn = cast(Conn, Connection())
    assert decider().same_form(conn, one, agreed, held) is True
    assert decider().same_form(conn, one, agreed, f"{held}1") is False


@pytest.mark.parametrize(
    ("name", "agreed", "held"),
    [
        ("name", None, None),
        ("name", "", None),
        ("owner", "user:2", "user:2"),
        ("stage", "closed", "lead"),
        ("custom.score", "no number", "1"),
        ("active", "yes", "yes"),
    ],
)
def test_what_cannot_be_our_value_in_its_form_is_not(name: str, agreed: Any, held: Any) -> None:
    """An empty value has no form, a reference is known by itself, and what the map cannot write never went there."""
    one = SPEC.map.named(name)
    assert one is not None
    assert decider().same_form(cast(Conn, Connection()), one, agreed, held) is False


def test_a_systems_time_is_told_by_our_clock() -> None:
    conn = cast(Conn, Connection())
    assert decider(erp=90.0)._by_our_clock(conn, T0) == T0 - timedelta(seconds=90)
    assert decider(erp=-5.0)._by_our_clock(conn, T0) == T0 + timedelta(seconds=5)
    assert decider(crm=90.0)._by_our_clock(conn, T0) == T0
    assert decider(erp=90.0)._by_our_clock(conn, None) is None


def test_a_record_is_called_by_what_people_know_of_it() -> None:
    def called(**agreed: Any) -> str:
        return describe(Rec(7, "account", agreed=agreed))

    everything = {"email": "li.na@example.com", "code": "K1", "sku": "W-100", "name": "大同"}
    for name in ("name", "sku", "code", "email"):
        assert called(**everything) == f"account {everything.pop(name)}"
    assert called(name=None, sku="") == "account #7"


def test_when_a_value_came() -> None:
    record = Rec(7, "account", agreed={"name": "大同"})
    assert _origin_time(record, "name") is None
    record.origin["name"] = ["crm", "2026-11-21T08:00:00.000000Z"]
    assert _origin_time(record, "name") == T0


@pytest.mark.parametrize(
    ("name", "under"),
    [
        ("addresses.main.city", True),
        ("addresses.main", False),
        ("name", False),
        ("company.asia.terms", False),
        ("custom.a.b", False),
        ("lines.1.price.net", True),
    ],
)
def test_fields_of_items(name: str, under: bool) -> None:
    assert under_item(name) is under
