"""Passwords, sessions, one-time entries, tokens: what is good, for how long, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from datong.base.errors import DatongError, NotFound, UsageError
from datong.operations import Actor
from datong.operations.access import Access, LockedOut, NotLoggedIn
from datong.store import Store
from datong.store import schema as tables

PEOPLE = {"li.na": ("admin",), "王伟": ("operator",), "zhao.min": ("viewer",)}
ADMIN, WANG, ZHAO = (Actor(name, roles) for name, roles in PEOPLE.items())
GOOD = "四个 不同 的词 好记好记"


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def access(tmp_path: Path, watch: Watch) -> Iterator[Access]:
    store = Store(f"sqlite:///{tmp_path / 'datong.db'}", watch)
    yield Access(store, PEOPLE)
    store.close()


def test_a_password_lets_in_until_the_session_ends(access: Access, watch: Watch) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    actor, secret = access.log_in("王伟", GOOD)
    assert actor == WANG == access.of_session(secret)
    for _ in range(7):  # used all day long, it lasts as long as a working day
        watch.sleep(100 * 60)
        access.of_session(secret)
    watch.sleep(30 * 60)
    with pytest.raises(NotLoggedIn):
        access.of_session(secret)


def test_an_idle_session_ends(access: Access, watch: Watch) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    _, secret = access.log_in("王伟", GOOD)
    watch.sleep(2 * 3600 + 1)
    with pytest.raises(NotLoggedIn):
        access.of_session(secret)


def test_full_width_letters_are_the_same_password(access: Access) -> None:
    access.set_password(ADMIN, "王伟", "ｄａｔｏｎｇ打通-2026")
    assert access.log_in("王伟", "datong打通-2026")[0] == WANG


def test_out_is_out(access: Access) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    _, one = access.log_in("王伟", GOOD)
    _, other = access.log_in("王伟", GOOD)
    access.log_out(one)
    with pytest.raises(NotLoggedIn):
        access.of_session(one)
    assert access.of_session(other) == WANG
    access.set_password(WANG, "王伟", GOOD + "!")
    with pytest.raises(NotLoggedIn):
        access.of_session(other)


def test_who_is_taken_out_of_the_configuration_is_out_at_once(access: Access) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    _, secret = access.log_in("王伟", GOOD)
    token = access.make_token(WANG, "王伟", "导出", "viewer", 1)["token"]
    later = Access(access.store, {"li.na": ("admin",)})
    for refused in (
        lambda: later.of_session(secret),
        lambda: later.of_token(token),
        lambda: later.log_in("王伟", GOOD),
    ):
        with pytest.raises(NotLoggedIn):
            refused()
    fewer = Access(access.store, {"王伟": ("viewer",)})
    assert fewer.of_session(secret).roles == ("viewer",)


def test_five_wrong_passwords_lock_and_each_more_for_longer(access: Access, watch: Watch) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    for _ in range(5):
        with pytest.raises(NotLoggedIn) as wrong:
            access.log_in("王伟", "wrong")
        assert not isinstance(wrong.value, LockedOut)
    with pytest.raises(LockedOut) as locked:
        access.log_in("王伟", GOOD)
    assert locked.value.seconds == 60
    watch.sleep(61)
    with pytest.raises(NotLoggedIn):
        access.log_in("王伟", "wrong")
    watch.sleep(61)
    with pytest.raises(LockedOut):
        access.log_in("王伟", GOOD)
    watch.sleep(61)
    assert access.log_in("王伟", GOOD)[0] == WANG
    with pytest.raises(NotLoggedIn) as wrong:
        access.log_in("王伟", "wrong")
    assert not isinstance(wrong.value, LockedOut), "the right one begins the count anew"


def test_nobody_is_told_whether_a_name_exists(access: Access) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    told = set()
    for name, password in (("王伟", "wrong"), ("nobody", GOOD), ("zhao.min", GOOD), ("", ""), ("王伟", "\ud800")):
        with pytest.raises(NotLoggedIn) as refused:
            access.log_in(name, password)
        told.add(str(refused.value))
    assert len(told) == 1


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaa", "王伟的密码是这个对吧", ""])
def test_passwords_that_are_no_good(access: Access, password: str) -> None:
    with pytest.raises(UsageError):
        access.set_password(ADMIN, "王伟", password)


def test_only_an_administrator_sets_anothers(access: Access) -> None:
    with pytest.raises(UsageError, match="may not"):
        access.set_password(ZHAO, "王伟", GOOD)
    with pytest.raises(NotFound, match="nobody"):
        access.set_password(ADMIN, "nobody", GOOD)


def test_an_entry_is_good_once_and_for_minutes(access: Access, watch: Watch) -> None:
    entry = access.entry(WANG)
    with pytest.raises(NotLoggedIn):
        access.of_session(entry)
    actor, secret = access.redeem(entry)
    assert actor == WANG == access.of_session(secret)
    with pytest.raises(NotLoggedIn):
        access.redeem(entry)
    late = access.entry(WANG)
    watch.sleep(301)
    with pytest.raises(NotLoggedIn):
        access.redeem(late)


def test_a_token_may_no_more_than_its_role_and_its_person(access: Access, watch: Watch) -> None:
    made = access.make_token(WANG, "王伟", "报表", "viewer", 30)
    assert access.of_token(made["token"]).roles == ("viewer",)
    with pytest.raises(UsageError, match="does not have the role"):
        access.make_token(ZHAO, "zhao.min", "more", "operator", 1)
    with pytest.raises(UsageError, match="may not"):
        access.make_token(ZHAO, "王伟", "anothers", "viewer", 1)
    with pytest.raises(NotFound):
        access.revoke(ZHAO, made["id"])
    (row,) = access.tokens(WANG)
    assert (row["state"], row["used_at"] is not None, "token" in row) == ("good", True, False)
    assert access.tokens(ZHAO) == []
    access.revoke(ADMIN, made["id"])
    with pytest.raises(NotLoggedIn):
        access.of_token(made["token"])
    short = access.make_token(WANG, "王伟", "一天", "operator", 1)["token"]
    watch.sleep(86401)
    with pytest.raises(NotLoggedIn):
        access.of_token(short)
    assert [row["state"] for row in access.tokens(ADMIN)] == ["revoked", "expired"]


def test_no_secret_is_kept(access: Access) -> None:
    access.set_password(ADMIN, "王伟", GOOD)
    secrets = [access.log_in("王伟", GOOD)[1], access.entry(WANG)]
    secrets += [access.make_token(WANG, "王伟", "x", "viewer", 1)["token"], GOOD]
    with access.store.read() as tx:
        kept = "".join(str(tx.execute(sa.select(table)).all()) for table in tables.metadata.sorted_tables)
    assert not [secret for secret in secrets if secret in kept]


def test_all_errors_say_what_to_do(access: Access) -> None:
    for wrong in (lambda: access.log_in("a", "b"), lambda: access.of_session(""), lambda: access.of_token("")):
        with pytest.raises(DatongError) as refused:
            wrong()
        assert refused.value.remedy
