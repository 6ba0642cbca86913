"""Webhooks become hints in the inbox, durable before the vendor is thanked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Full, Queue
from typing import Any

import sqlalchemy as sa

from datong.base import log
from datong.base.clock import to_text
from datong.base.errors import StoreBusy
from datong.engine.intake import hint
from datong.engine.landscape import Conn, Landscape
from datong.kit import Hint, KindSpec, WireRecord
from datong.store import Store, Transaction
from datong.store.schema import inbox, links
from datong.store.unit import chunks

_AT_ONCE = 200
_WAITING = 2000


@dataclass(frozen=True)
class _Post:
    connection: str
    hints: Sequence[Hint]
    at: datetime
    noted: Future[int]


class Letterbox:
    """One thread that writes hints down: all that wait, in one transaction."""

    def __init__(self, store: Store, landscape: Landscape) -> None:
        self._store = store
        self._landscape = landscape
        self._queue: Queue[_Post | None] = Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="datong-letterbox", daemon=True)
        self._log = log.get("web")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write down what waits, and end."""
        self._queue.put(None)
        self._thread.join(60)

    def post(self, connection: str, hints: Sequence[Hint], at: datetime) -> Future[int]:
        """How many were noted, once they are. Raises StoreBusy when too many wait for the store."""
        return self._put(_Post(connection, hints, at, Future()))

    def ping(self) -> Future[int]:
        """Done once the store could be written."""
        return self._put(_Post("", (), self._store.clock.now(), Future()))

    def _put(self, post: _Post) -> Future[int]:
        try:
            self._queue.put_nowait(post)
        except Full:
            raise StoreBusy("more hints come in than the store can take", remedy="try again in a moment") from None
        return post.noted

    def _run(self) -> None:
        ended = False
        while not ended:
            taken = self._taken()
            ended = None in taken
            posts = [post for post in taken if post is not None]
            try:
                noted = self._note(posts)
            except Exception as error:  # told to each sender, who tries again
                self._log.warning("hints could not be noted", cause=str(error), posts=len(posts))
                for post in posts:
                    post.noted.set_exception(error)
            else:
                for post, many in zip(posts, noted, strict=True):
                    post.noted.set_result(many)

    def _taken(self) -> list[_Post | None]:
        """The next, and what waits behind it; None is the last."""
        taken = [self._queue.get()]
        while taken[-1] is not None and len(taken) < _AT_ONCE:
            try:
                taken.append(self._queue.get_nowait())
            except Empty:
                break
        return taken

    def _note(self, posts: Sequence[_Post]) -> list[int]:
        with self._store.write() as tx:
            return [note(tx, self._landscape, post.connection, post.hints, post.at) for post in posts]


def note(tx: Transaction, landscape: Landscape, connection: str, hints: Sequence[Hint], at: datetime) -> int:
    """Keep the hints that some flow follows; gives how many."""
    if not hints:
        return 0
    conn = landscape.connections[connection]
    wanted = [one for one in hints if _followed(landscape, conn, one.kind)]
    for kind in {one.kind for one in wanted}:
        mine = [one for one in wanted if one.kind == kind]
        there = _there(tx, connection, kind, [one.id for one in mine])
        for one in mine:
            wire = _wire(conn.specs[kind], one.record) if one.id in there else None
            hint(tx, at, connection, kind, one.id, _joined(tx, connection, one, wire))
    return len(wanted)


def _followed(landscape: Landscape, conn: Conn, kind: str) -> bool:
    running = landscape.flow_of(kind)
    return kind in conn.specs and running is not None and running.webhook


def _there(tx: Transaction, connection: str, kind: str, ids: Sequence[str]) -> set[str]:
    """Those we know to exist. What is new or was missing is read: a late webhook must not raise the dead."""
    found: set[str] = set()
    for some in chunks(ids):
        query = sa.select(links.c.native_id).where(
            links.c.connection == connection,
            links.c.kind == kind,
            links.c.native_id.in_(some),
            links.c.state.in_(("live", "inactive")),
        )
        found.update(tx.execute(query).scalars())
    return found


def _wire(spec: KindSpec, record: WireRecord | None) -> dict[str, Any] | None:
    """What `engine.reading.record_of` reads; nothing where the kind does not vouch for its webhooks."""
    if record is None or not spec.complete_hints:
        return None
    return {
        "id": record.id,
        "data": dict(record.data),
        "version": record.version,
        "changed_at": to_text(record.changed_at) if record.changed_at else None,
        "active": record.active,
    }


def _joined(tx: Transaction, connection: str, one: Hint, wire: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a hint and the one that waits already come to: the newer record, or a read where that cannot be told.

    The waiting row makes way for a new one: a cycle that has read the old row must not strike out this hint with it.
    """
    here = (inbox.c.connection == connection, inbox.c.kind == one.kind, inbox.c.native_id == one.id)
    waiting = tx.execute(inbox.delete().where(*here).returning(inbox.c.wire)).first()
    if waiting is None or wire is None:
        return wire
    before, after = (waiting.wire or {}).get("changed_at"), wire["changed_at"]
    if before is None or after is None or before == after:
        return None
    return wire if after > before else dict(waiting.wire)
