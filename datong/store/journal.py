"""The journal: every change seen, decision, write, conflict and human act is one append-only row, tamper-evident.

A row holds its values and their salted digest; the values (`body`) can be erased, leaving the digest. A sealer signs
blocks of rows, each with the hash of the block before, with a key that is not in the database, and writes each seal to
a file outside as well.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from datong.base import json
from datong.base.clock import Clock, to_text
from datong.base.errors import StoreError
from datong.store.bulk import Columns, run
from datong.store.opening import Store, Transaction
from datong.store.runs import present
from datong.store.schema import clean, cut, journal, seals

_BLOCK = 2000
_LEAF = 16


@dataclass(slots=True)
class Entry:
    """One row to append. `body` holds the values (before and after); it is what may be erased later."""

    event: str
    record_id: int | None = None
    connection: str | None = None
    kind: str | None = None
    native_id: str | None = None
    flow: str | None = None
    cause: int | None = None
    why: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


_ROW = Columns(
    journal,
    (
        "id",
        "at",
        "actor",
        "event",
        "record_id",
        "connection",
        "kind",
        "native_id",
        "flow",
        "cause",
        "run",
        "why",
        "salt",
        "digest",
        "leaf",
        "body",
    ),
    raw=("at", "native_id", "why", "body"),
)
_LEAVES = Columns(journal, ("id", "leaf"))
_SEALED = Columns(seals, ("first", "last", "hash", "signature"))
_SEAL = Columns(seals, ("first", "last", "at", "leaves", "hash", "signature"))
_TAIL = 4096
"""Bytes at the end of the file of seals: several lines of it."""


class Journal:
    """Collects the entries of one transaction and appends them in bulk."""

    def __init__(self, tx: Transaction, clock: Clock, actor: str) -> None:
        self._tx = tx
        self._clock = clock
        self._actor = actor
        self._entries: list[Entry] = []
        self._first = 0

    def note(self, entry: Entry) -> int:
        """Gives the id that the row will have: this transaction is the only one that writes."""
        if not self._entries:
            self._first = (run(self._tx, "SELECT MAX(id) FROM journal")[0][0] or 0) + 1
        self._entries.append(entry)
        return self._first + len(self._entries) - 1

    def flush(self) -> list[int]:
        """Append what was noted; gives the ids in order."""
        if not self._entries:
            return []
        at = to_text(self._clock.now())
        of_run = present()
        secret = secrets.token_hex(12)
        rows = []
        for number, entry in enumerate(self._entries, self._first):
            salt = digest = text = None
            if entry.body:
                salt = f"{secret}{number:x}"
                body = json.canonical(entry.body)
                digest = hashlib.sha256(salt.encode() + body).hexdigest()
                text = body.decode()
            row = (
                number,
                at,
                self._actor,
                entry.event,
                entry.record_id,
                entry.connection,
                entry.kind,
                None if entry.native_id is None else cut(entry.native_id, 200),
                entry.flow,
                entry.cause,
                of_run,
                clean(entry.why),
                salt,
                digest,
            )
            rows.append((*row, _leaf(row), text))
        _ROW.insert(self._tx, rows)
        self._entries = []
        return [row[0] for row in rows]


def append(tx: Transaction, clock: Clock, actor: str, entries: Iterable[Entry]) -> list[int]:
    book = Journal(tx, clock, actor)
    for entry in entries:
        book.note(entry)
    return book.flush()


def value_digest(salt: str, body: Mapping[str, Any]) -> str:
    return hashlib.sha256(salt.encode() + json.canonical(body)).hexdigest()


def row_digest(row: Any) -> str:
    """Over everything of a row but its erasable values."""
    told = (row[name] for name in _ROW.names[2:-2])
    return _leaf((row["id"], to_text(row["at"]), *told))


def _leaf(told: Sequence[Any]) -> str:
    return hashlib.sha256(json.encode(told)).hexdigest()[:_LEAF]


class Sealer:
    """Signs blocks of the journal. The key lies in `folder`, made at first use, readable by its owner only."""

    def __init__(self, store: Store, folder: Path, seals_file: Path) -> None:
        self._store = store
        self._key_file = folder / "journal.key"
        self._seals_file = seals_file

    def _key(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if not self._key_file.exists():
            self._refuse_new_key()
            self._key_file.parent.mkdir(parents=True, exist_ok=True)
            self._make_key(Ed25519PrivateKey.generate().private_bytes_raw())
        return Ed25519PrivateKey.from_private_bytes(self._key_file.read_bytes())

    @property
    def public_key(self) -> str:
        """The public half of the key, in hex: what somebody else needs to check what was signed here."""
        found: str = self._key().public_key().public_bytes_raw().hex()
        return found

    def sign(self, data: bytes) -> dict[str, str]:
        """A signature of `data` with the key of the journal, and whose it is."""
        key = self._key()
        public = key.public_key().public_bytes_raw().hex()
        return {"algorithm": "Ed25519", "key": public, "signature": key.sign(data).hex()}

    def last(self, tx: Transaction) -> dict[str, Any] | None:
        """The newest seal: the row up to which the journal is sealed, and its hash. None before the first."""
        rows = run(tx, "SELECT last, hash FROM seals ORDER BY id DESC LIMIT 1")
        return {"row": rows[0][0], "hash": rows[0][1]} if rows else None

    def _make_key(self, key: bytes) -> None:
        """Written beside and put in place whole: a process killed meanwhile leaves no half key. Of two that make one
        at the same time the first one's stands."""
        fresh = self._key_file.with_name(f"{self._key_file.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):
                os.link(fresh, self._key_file)
        finally:
            fresh.unlink()

    def _refuse_new_key(self) -> None:
        """A new key in place of a lost one would make every older seal look forged."""
        with self._store.read() as tx:
            if tx.execute(sa.select(seals.c.id).limit(1)).first() is not None:
                raise StoreError(
                    f"the journal's key {self._key_file} is gone, and older seals were made with it",
                    remedy="restore it from the backup",
                )

    def seal(self) -> int:
        """Seal every row not sealed yet; gives the number of rows."""
        if not self._key_file.exists():
            self._key()  # a lost key is told of, also where there is nothing to seal
        self._complete_outside()
        if not self._anything_new():
            return 0
        sealed = 0
        while True:
            with self._store.write() as tx:
                block = self._seal_block(tx)
            if not block:
                return sealed
            self._write_outside(block)
            rows = int(block["last"]) - int(block["first"]) + 1
            sealed += rows
            if rows < _BLOCK:
                return sealed

    def _anything_new(self) -> bool:
        with self._store.read() as tx:
            rows = run(tx, "SELECT 1 FROM journal WHERE id > (SELECT COALESCE(MAX(last), 0) FROM seals) LIMIT 1")
        return bool(rows)

    def _seal_block(self, tx: Transaction) -> dict[str, Any] | None:
        last = run(tx, "SELECT last, hash FROM seals ORDER BY id DESC LIMIT 1")
        after, previous = last[0] if last else (0, "")
        leaves = _LEAVES.where(tx, "id > ? ORDER BY id LIMIT ?", after, _BLOCK)
        if not leaves:
            return None
        key = self._key()
        block: dict[str, Any] = {
            "first": leaves[0][0],
            "last": leaves[-1][0],
            "at": self._store.clock.now(),
            "leaves": "".join(leaf for _, leaf in leaves),
        }
        block["hash"] = _block_hash(previous, block["first"], block["last"], block["leaves"])
        block["signature"] = key.sign(block["hash"].encode()).hex()
        _SEAL.insert(tx, [tuple(block[name] for name in _SEAL.names)])
        public = key.public_key().public_bytes_raw().hex()
        if run(tx, "SELECT value FROM meta WHERE name = 'seal_key'") != [(public,)]:
            run(tx, "DELETE FROM meta WHERE name = 'seal_key'")
            run(tx, "INSERT INTO meta (name, value) VALUES ('seal_key', ?)", public)
        return block

    def _complete_outside(self) -> None:
        """Seals that a crash kept from being written outside are written there first."""
        with self._store.read() as tx:
            rows = _SEALED.where(tx, "last > ? ORDER BY id", self._last_outside())
        for row in rows:
            self._write_outside(dict(zip(_SEALED.names, row, strict=True)))

    def _last_outside(self) -> int:
        """The last row sealed outside. Its end tells: the file only grows, and is not read whole every few seconds."""
        if not self._seals_file.exists():
            return 0
        with self._seals_file.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().split()
        return int(self._line(lines[-1])["last"]) if lines else 0

    def _write_outside(self, block: Mapping[str, Any]) -> None:
        line = {name: block[name] for name in ("first", "last", "hash", "signature")}
        with self._seals_file.open("a", encoding="utf8") as file:
            file.write(json.dumps(line) + "\n")

    def verify(self) -> dict[str, Any]:
        """`{intact, rows, sealed, first_bad, why}`: reads every sealed row again."""
        outside = self._outside()
        self._key()
        with self._store.read() as tx:
            rows = tx.execute(sa.select(sa.func.count()).select_from(journal)).scalar() or 0
            bad = self._first_bad(tx, outside)
            sealed = tx.execute(sa.select(sa.func.max(seals.c.last))).scalar() or 0
        answer = {"intact": bad is None, "rows": rows, "sealed": sealed, "first_bad": bad[0] if bad else None}
        return {**answer, "why": bad[1] if bad else ""}

    def _outside(self) -> list[dict[str, Any]]:
        if not self._seals_file.exists():
            return []
        lines = self._seals_file.read_text(encoding="utf8").splitlines()
        return [self._line(line) for line in lines if line]

    def _line(self, line: str | bytes) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(line)
            return told
        except ValueError as error:
            raise StoreError(f"{self._seals_file} is damaged: {error}", remedy="restore it from the backup") from error

    def _first_bad(self, tx: Transaction, outside: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
        public = self._key().public_key()
        previous, expected = "", 1
        blocks = list(tx.execute(sa.select(seals).order_by(seals.c.id)).mappings())
        known: dict[int, list[Mapping[str, Any]]] = {}
        for line in outside:
            known.setdefault(int(line["last"]), []).append(line)
        for block in blocks:
            if block["first"] != expected:
                return expected, "a seal is missing"
            bad = self._bad_row(tx, block)
            if bad is not None:
                return bad
            hashed = _block_hash(previous, block["first"], block["last"], block["leaves"])
            if hashed != block["hash"] or not _signed(public, block["hash"].encode(), block["signature"]):
                return block["first"], "the seal does not fit its rows"
            if any(outer["hash"] != block["hash"] for outer in known.pop(int(block["last"]), [])):
                return block["first"], f"the seal differs from the one in {self._seals_file.name}"
            previous, expected = block["hash"], block["last"] + 1
        if known:
            return min(int(line["first"]) for lines in known.values() for line in lines), "rows sealed outside are gone"
        return None

    def _bad_row(self, tx: Transaction, block: Any) -> tuple[int, str] | None:
        leaves = iter(_leaves(block["leaves"]))
        expected = block["first"]
        query = sa.select(journal).where(journal.c.id.between(block["first"], block["last"])).order_by(journal.c.id)
        for row in tx.execute(query).mappings():
            leaf = next(leaves, None)
            if row["id"] != expected:
                return expected, "the row is missing"
            if not leaf == row["leaf"] == row_digest(row):
                return row["id"], "the row was altered"
            if row["body"] is not None and value_digest(row["salt"] or "", row["body"]) != row["digest"]:
                return row["id"], "the row's values were altered"
            expected += 1
        return None if expected == block["last"] + 1 else (expected, "the row is missing")


def _leaves(text: str) -> Iterator[str]:
    return (text[i : i + _LEAF] for i in range(0, len(text), _LEAF))


def _block_hash(previous: str, first: int, last: int, leaves: str) -> str:
    return hashlib.sha256(f"{previous}:{first}:{last}:{leaves}".encode()).hexdigest()


def signed_by(public: str, data: bytes, signature: str) -> bool:
    """Was `data` signed with the key whose public half, in hex, this is?"""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError:
        return False
    return _signed(key, data, signature)


def _signed(public: Any, data: bytes, signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def entries(
    tx: Transaction,
    *,
    since: datetime | None = None,
    record_id: int | None = None,
    run: Mapping[str, Any] | None = None,
    after: int = 0,
    limit: int = 100,
    newest: bool = False,
) -> list[dict[str, Any]]:
    """Rows with their values, oldest first; with `newest` the last `limit` of them. `run` is a row of `runs`."""
    query = sa.select(*(column for column in journal.c if column.name != "leaf"))
    if since is not None:
        query = query.where(journal.c.at >= since)
    if record_id is not None:
        query = query.where(journal.c.record_id == record_id)
    if run is not None:
        query = query.where(journal.c.run == run["id"], journal.c.id > run["after_journal"])
        if run["last_journal"] is not None:
            query = query.where(journal.c.id <= run["last_journal"])
    query = query.where(journal.c.id > after)
    query = query.order_by(journal.c.id.desc() if newest else journal.c.id).limit(limit)
    rows = [{**row, "body": spelled(row["body"])} for row in tx.execute(query).mappings()]
    return rows[::-1] if newest else rows


def spelled(body: Any) -> Any:
    """The values of a row, as they are told: what was nothing before is kept as `values`, and is a change like every
    other."""
    if not body or "values" not in body:
        return body
    fields = {name: {"before": None, "after": value} for name, value in body["values"].items()}
    return {**{n: v for n, v in body.items() if n != "values"}, "fields": fields}
