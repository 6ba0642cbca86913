"""Who comes in over the network: passwords, sessions, one-time entries, tokens; of what is given out, digests are kept.

Roles are those of `people:` in the configuration, looked up at each use: who is taken out of it is out at once.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from datong.base.clock import to_text
from datong.base.errors import DatongError, NotFound, UsageError
from datong.operations.actor import ROLES, Actor, require
from datong.store import Store, Transaction
from datong.store.journal import Entry, append
from datong.store.schema import passwords, sessions, tokens

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST, LONGEST = 10, 200
"""Characters of a password."""
TOKEN_PREFIX = "dt_"
"""What a token begins with, so that it is known when it is found where it should not be."""
_TRIES = 5
_LOCKED = timedelta(minutes=1)
_LOCKED_AT_MOST = timedelta(minutes=15)
_ENTRY = timedelta(minutes=5)
_SESSION = timedelta(hours=12)
_IDLE = timedelta(hours=2)
_SEEN_EVERY = timedelta(minutes=1)
_LASTS_AT_MOST = 366


class NotLoggedIn(DatongError):
    """Name and password, entry, session or token are not good (any more). Which of them is wrong is not told."""


class LockedOut(NotLoggedIn):
    """Too many wrong passwords: not even the right one counts for a while. `seconds` until it does."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many wrong passwords", remedy=f"try again in {max(1, -(-seconds // 60))} minutes")
        self.seconds = seconds


@dataclass(frozen=True)
class Access:
    """The door. `people`: name -> roles, as the configuration has them now."""

    store: Store
    people: Mapping[str, Sequence[str]]

    # passwords -------------------------------------------------------------------------------------------------------

    def set_password(self, actor: Actor, person: str, password: str) -> str:
        """Their own, or an administrator anybody's; ends their sessions. Raises UsageError."""
        if actor.name != person:
            require(actor, "admin", "set the password of another person")
        self._known(person)
        if not SHORTEST <= len(password) <= LONGEST:
            raise UsageError(
                f"a password has {SHORTEST} to {LONGEST} characters", remedy="several words are easy to remember"
            )
        if person.casefold() in password.casefold() or len(set(password)) < 5:
            raise UsageError("this password is guessed at once", remedy="not the name, and more than a few characters")
        hashed = _hashing().hash(_spelt(password))
        with self.store.write() as tx:
            tx.execute(passwords.delete().where(passwords.c.person == person))
            tx.execute(passwords.insert().values(person=person, hash=hashed, set_at=self._now, failures=0))
            tx.execute(sessions.delete().where(sessions.c.person == person))
            self._note(tx, actor.name, "password set", person)
        return person

    def known(self, actor: Actor) -> list[dict[str, Any]]:
        """Everybody: roles, and whether they can log in."""
        require(actor, "viewer", "see who may act")
        with self.store.read() as tx:
            rows = {row["person"]: row for row in tx.execute(sa.select(passwords)).mappings()}
        now = self._now
        told = []
        for name, roles in self.people.items():
            row = rows.get(name)
            locked = row is not None and row["locked_until"] is not None and now < row["locked_until"]
            state = "locked out" if locked else "set" if row is not None else "none"
            told.append({"name": name, "roles": list(roles), "password": state})
        return told

    def log_in(self, person: str, password: str) -> tuple[Actor, str]:
        """The person, and the secret of a new session. Raises NotLoggedIn, LockedOut."""
        now = self._now
        with self.store.read() as tx:
            row = tx.execute(sa.select(passwords).where(passwords.c.person == person)).mappings().one_or_none()
        if row is not None and row["locked_until"] is not None and now < row["locked_until"]:
            raise LockedOut(int((row["locked_until"] - now).total_seconds()))
        # as much work for a name that nobody has, so that the time does not tell who there is
        right = _hashing().verify(_spelt(password[: LONGEST + 1]), row["hash"] if row is not None else _nobodys())
        if row is None or person not in self.people or not right:
            if row is not None:
                self._failed(person)
            raise NotLoggedIn("name or password is wrong", remedy="an administrator can set a new password")
        with self.store.write() as tx:
            tx.execute(passwords.update().where(passwords.c.person == person).values(failures=0, locked_until=None))
            return self._begun(tx, person)

    def _failed(self, person: str) -> None:
        """One more wrong password; each beyond the first few locks for twice as long."""
        with self.store.write() as tx:
            many = tx.execute(sa.select(passwords.c.failures).where(passwords.c.person == person)).scalar_one() + 1
            values: dict[str, Any] = {"failures": many}
            if many >= _TRIES:
                lasts = min(_LOCKED * 2 ** min(many - _TRIES, 10), _LOCKED_AT_MOST)
                values["locked_until"] = self._now + lasts
                self._note(tx, person, "locked out", f"{many} wrong passwords")
            tx.execute(passwords.update().where(passwords.c.person == person).values(**values))

    # sessions --------------------------------------------------------------------------------------------------------

    def entry(self, actor: Actor) -> str:
        """A secret that is good for one log-in in the next minutes: from the command line into the console."""
        with self.store.write() as tx:
            return self._kept(tx, actor.name, "entry", _ENTRY)

    def redeem(self, entry: str) -> tuple[Actor, str]:
        """The person, and the secret of a new session. Raises NotLoggedIn."""
        with self.store.write() as tx:
            row = self._session(tx, entry, "entry")
            if row is None:
                raise NotLoggedIn("this link is used or too old", remedy="`datong console` gives a new one")
            tx.execute(sessions.delete().where(sessions.c.digest == row["digest"]))
            return self._begun(tx, row["person"])

    def of_session(self, secret: str) -> Actor:
        """Who it is. Raises NotLoggedIn where the session has ended, or was idle for long."""
        with self.store.read() as tx:
            row = self._session(tx, secret, "session")
        now = self._now
        if row is None or now - row["seen_at"] > _IDLE:
            raise NotLoggedIn("not logged in", remedy="log in")
        if now - row["seen_at"] > _SEEN_EVERY:
            with self.store.write(durable=False) as tx:
                tx.execute(sessions.update().where(sessions.c.digest == row["digest"]).values(seen_at=now))
        return self._actor(row["person"])

    def log_out(self, secret: str) -> None:
        with self.store.write() as tx:
            tx.execute(sessions.delete().where(sessions.c.digest == _digest(secret)))

    def _begun(self, tx: Transaction, person: str) -> tuple[Actor, str]:
        tx.execute(sessions.delete().where(sessions.c.until < self._now))
        self._note(tx, person, "logged in", "")
        return self._actor(person), self._kept(tx, person, "session", _SESSION)

    def _session(self, tx: Transaction, secret: str, type_: str) -> Any:
        wanted = (sessions.c.digest == _digest(secret), sessions.c.type == type_, sessions.c.until > self._now)
        return tx.execute(sa.select(sessions).where(*wanted)).mappings().one_or_none()

    def _kept(self, tx: Transaction, person: str, type_: str, lasts: timedelta) -> str:
        secret, now = secrets.token_urlsafe(32), self._now
        values = {"person": person, "type": type_, "begun_at": now, "seen_at": now, "until": now + lasts}
        tx.execute(sessions.insert().values(digest=_digest(secret), **values))
        return secret

    # tokens ----------------------------------------------------------------------------------------------------------

    def make_token(self, actor: Actor, person: str, name: str, role: str, days: int) -> dict[str, Any]:
        """A secret for programs, told once: it may what the person may, but no more than `role`. Raises UsageError."""
        if actor.name != person:
            require(actor, "admin", "make a token for another person")
        self._known(person)
        if role not in ROLES or not Actor(person, tuple(self.people[person])).may(role):
            raise UsageError(f"{person} does not have the role {role}", remedy=f"one of {', '.join(ROLES)}, and theirs")
        if not 1 <= days <= _LASTS_AT_MOST:
            raise UsageError(f"a token lasts 1 to {_LASTS_AT_MOST} days")
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), self._now
        values = {"person": person, "name": name, "role": role, "made_at": now, "until": now + timedelta(days=days)}
        with self.store.write() as tx:
            made = tx.execute(tokens.insert().values(digest=_digest(secret), **values)).inserted_primary_key
            self._note(tx, actor.name, "token made", f"{name} for {person}, {role}, {days} days")
        return {"id": made[0] if made else 0, "token": secret, "person": person, "name": name, "role": role}

    def tokens(self, actor: Actor) -> list[dict[str, Any]]:
        """Their own; an administrator sees everybody's. Never the secret."""
        query = sa.select(tokens).order_by(tokens.c.id)
        if not actor.may("admin"):
            query = query.where(tokens.c.person == actor.name)
        with self.store.read() as tx:
            rows = tx.execute(query).mappings().all()
        return [_token_told(dict(row), self._now) for row in rows]

    def revoke(self, actor: Actor, token_id: int) -> int:
        """End a token at once. Raises NotFound for one that is not there, or not theirs."""
        with self.store.write() as tx:
            row = tx.execute(sa.select(tokens).where(tokens.c.id == token_id)).mappings().one_or_none()
            if row is None or not (actor.name == row["person"] or actor.may("admin")):
                raise NotFound(f"there is no token {token_id}", remedy="`datong token list` shows them")
            tx.execute(tokens.update().where(tokens.c.id == token_id).values(revoked_at=self._now))
            self._note(tx, actor.name, "token revoked", f"{row['name']} of {row['person']}")
        return token_id

    def of_token(self, secret: str) -> Actor:
        """Who it is, with the roles of the token. Raises NotLoggedIn."""
        now = self._now
        wanted = (tokens.c.digest == _digest(secret), tokens.c.revoked_at.is_(None), tokens.c.until > now)
        with self.store.read() as tx:
            row = tx.execute(sa.select(tokens).where(*wanted)).mappings().one_or_none()
        if row is None:
            raise NotLoggedIn("this token is not good", remedy="`datong token create` makes a new one")
        if row["used_at"] is None or now - row["used_at"] > _SEEN_EVERY:
            with self.store.write(durable=False) as tx:
                tx.execute(tokens.update().where(tokens.c.id == row["id"]).values(used_at=now))
        person = self._actor(row["person"])
        return Actor(person.name, tuple(role for role in ROLES[: ROLES.index(row["role"]) + 1] if person.may(role)))

    # -----------------------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return self.store.clock.now()

    def _known(self, person: str) -> None:
        if person not in self.people:
            raise NotFound(f"{person} is not under people: in the configuration", remedy="add them there, with roles")

    def _actor(self, person: str) -> Actor:
        if person not in self.people:
            raise NotLoggedIn("not logged in", remedy="log in")
        return Actor(person, tuple(self.people[person]))

    def _note(self, tx: Transaction, actor: str, event: str, why: str) -> None:
        append(tx, self.store.clock, actor, [Entry(event, why=why)])


def _token_told(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    state = "revoked" if row["revoked_at"] else "expired" if row["until"] <= now else "good"
    times = {name: to_text(row[name]) if row[name] else None for name in ("made_at", "until", "used_at")}
    return {**{name: row[name] for name in ("id", "person", "name", "role")}, "state": state, **times}


def _digest(secret: str) -> str:
    """Enough for a secret of 256 random bits; passwords are hashed slowly instead."""
    return hashlib.sha256(secret.encode("utf8", "surrogatepass")).hexdigest()


def _spelt(password: str) -> bytes:
    """The same bytes from every keyboard: full-width letters and composed accents are the plain ones."""
    return unicodedata.normalize("NFKC", password).encode("utf8", "surrogatepass")


@cache
def _hashing() -> PasswordHash:
    try:
        from pwdlib import PasswordHash
    except ImportError as error:
        raise UsageError("passwords need argon2", remedy="install datong[web]") from error
    return PasswordHash.recommended()


@cache
def _nobodys() -> str:
    return _hashing().hash(secrets.token_urlsafe(32))
