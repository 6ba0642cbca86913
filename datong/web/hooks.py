"""Webhooks become hints in the inbox, durable before the vendor is thanked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Full, Queue
from typing import Any

from datong.base import log
from datong.base.clock import to_text
from datong.base.errors import StoreBusy
from datong.engine.landscape import Conn, Landscape
from datong.kit import Hint, KindSpec, WireRecord
from datong.store import Store, Transaction
from datong.store.bulk import Columns, run
from datong.store.schema import cut, inbox, links

_AT_ONCE = 200
_WAITING = 2000
_WAITS = Columns(inbox, ("id", "native_id", "received_at", "wire", "times"))
_INBOX = Columns(inbox, ("connection", "kind", "native_id", "wire", "received_at", "times"))
_THERE = Columns(links, ("native_id",))


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
            return note(tx, self._landscape, posts)


def note(tx: Transaction, landscape: Landscape, posts: Sequence[_Post]) -> list[int]:
    """Keep the hints that some flow follows; gives how many of each post."""
    counts = [0] * len(posts)
    by_kind: dict[tuple[str, str], list[tuple[Hint, datetime]]] = {}
    for number, post in enumerate(posts):
        for one in post.hints:
            if _followed(landscape, landscape.connections[post.connection], one.kind):
                by_kind.setdefault((post.connection, one.kind), []).append((one, post.at))
                counts[number] += 1
    for (connection, kind), hints in by_kind.items():
        _keep(tx, landscape.connections[connection], kind, hints)
    return counts


def _keep(tx: Transaction, conn: Conn, kind: str, hints: Sequence[tuple[Hint, datetime]]) -> None:
    """Hints of one kind beside those that wait: one row a record.

    The waiting row makes way for a new one: a cycle that has read the old row must not strike out this hint with it.
    """
    ids = sorted({cut(one.id, 200) for one, _ in hints})
    place = (conn.name, kind)
    waiting = {row[1]: row for row in _WAITS.select(tx, "native_id", ids, "connection = ? AND kind = ?", *place)}
    known = "connection = ? AND kind = ? AND state IN ('live', 'inactive')"
    there = {row[0] for row in _THERE.select(tx, "native_id", ids, known, *place)}
    rows = {native_id: (received, wire, times) for native_id, (_, _, received, wire, times) in waiting.items()}
    for one, at in hints:
        # what is new or was missing is read: a late webhook must not raise the dead
        native_id = cut(one.id, 200)
        wire = _wire(conn.specs[kind], one.record) if native_id in there else None
        before = rows.get(native_id)
        joined = wire if before is None else _joined(before[1], wire)
        rows[native_id] = (at, joined, before[2] + 1 if before else 1)
    if waiting:
        run(tx, "DELETE FROM inbox WHERE id IN ?", [row[0] for row in waiting.values()])
    _INBOX.insert(tx, [(*place, n, wire, received, times) for n, (received, wire, times) in rows.items()])


def _followed(landscape: Landscape, conn: Conn, kind: str) -> bool:
    running = landscape.flow_of(kind)
    return kind in conn.specs and running is not None and running.webhook


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


def _joined(waiting: dict[str, Any] | None, wire: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a hint and the one that waits already come to: the newer record, or a read where that cannot be told."""
    if waiting is None or wire is None:
        return None
    before, after = waiting.get("changed_at"), wire.get("changed_at")
    if before is None or after is None or before == after:
        return None
    return wire if after > before else waiting
