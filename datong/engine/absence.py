"""What is no longer there: a hint that is looked into, never a delete by itself.

gone (twice, one sweep apart) | merged into another | out of scope | no access. Only *gone* is a delete, and what
becomes of the other side goes by the flow's rule: ask (the default), delete, keep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from datong.engine.absorb import describe
from datong.engine.landscape import Conn, Landscape
from datong.kit import KindSpec
from datong.store.schema import due
from datong.store.unit import Link, Rec, Unit
from datong.store.work import Item

CONFIRM = timedelta(seconds=1)


class Absences:
    """Judges records that were asked for by id and not given."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self.unit = unit
        self.landscape = landscape

    def found(self, conn: Conn, spec: KindSpec, link: Link, row: Any, read_at: datetime) -> bool:
        """`row` of the spool says why the record of `link` was not given. False: that is no evidence, for it may have
        been asked for before our own write could be seen there."""
        if link.written_at is not None and read_at <= link.written_at + spec.read_lag:
            return False
        record = self.unit.load([link.record_id])[link.record_id]
        if link.read_at is not None and read_at < link.read_at:
            return True
        self.unit.touch_link(link)
        why = row.absence
        if why == "merged" and row.into:
            self._merged(conn, record, link, row.into)
        elif why in ("out_of_scope", "no_access"):
            self._unseen(conn, record, link, why)
        elif link.state in ("live", "inactive"):
            link.state, link.missing_at = "missing", read_at
            self._note(record, link, "missing", "asked for by id and not given; looked for once more before it counts")
        elif link.state == "missing" and link.missing_at and read_at >= link.missing_at + CONFIRM + spec.read_lag:
            self._gone(conn, record, link)
        return True

    def _note(self, record: Rec, link: Link, event: str, why: str) -> None:
        self.unit.note(
            event,
            record_id=record.id,
            connection=link.connection,
            kind=record.kind,
            native_id=link.native_id,
            why=why,
        )

    def _unseen(self, conn: Conn, record: Rec, link: Link, why: str) -> None:
        if link.state == why:
            return
        link.state = why
        self._note(record, link, why.replace("_", " "), "it exists, but not for us any more; nothing is deleted")

    def _merged(self, conn: Conn, record: Rec, link: Link, into: str) -> None:
        """The system says into which record it was merged: proposed, for a person to carry over."""
        if link.state == "merged":
            return
        link.state = "merged"
        survivor = self.unit.load_native(conn.name, link.kind, [into]).get(into)
        self._note(record, link, "merged", f"merged into {into} in {conn.name}")
        self.propose_merge(conn, record, link, survivor.record_id if survivor else None, into)

    def propose_merge(self, conn: Conn, record: Rec, link: Link, survivor: int | None, into: str) -> None:
        others = [k for k in self.unit.links_of(record.id) if k.id != link.id and k.here]
        if survivor is None or survivor == record.id:
            return
        if not others:
            self.merge_records(record, self.unit.load([survivor])[survivor], "merged in the only system that holds it")
            return
        kept = self.unit.records[survivor] if survivor in self.unit.records else self.unit.load([survivor])[survivor]
        told = ", ".join(f"{k.connection} {k.native_id}" for k in others)
        self.unit.open(
            Item(
                "review",
                "merge",
                f"merge:{record.id}:{survivor}",
                f"{describe(record)} was merged into {describe(kept)} in {conn.name}; it still stands in {told}",
                "`datong review link` carries the merge over (the other side's record is kept as a further link of "
                "the survivor); `datong review separate` keeps both",
                kind=record.kind,
                record_id=record.id,
                other_id=survivor,
                connection=conn.name,
                native_id=link.native_id,
                detail={"survivor": into},
            )
        )

    def merge_records(self, loser: Rec, survivor: Rec, why: str) -> None:
        """What points at the loser resolves to the survivor; its links become further links of the survivor."""
        for link in list(self.unit.links_of(loser.id)):
            if link.here:
                self.unit.move_link(link, survivor)
        loser.state, loser.merged_into = "merged", survivor.id
        self.unit.touch(loser)
        self.unit.touch(survivor)
        self.unit.tx.execute(due.delete().where(due.c.record_id == loser.id))
        self.unit.note("merged", record_id=loser.id, kind=loser.kind, why=f"into record {survivor.id}: {why}")

    def _gone(self, conn: Conn, record: Rec, link: Link) -> None:
        link.state = "gone"
        self._note(record, link, "gone", f"not there any more in {conn.name}, found twice")
        others = [k for k in self.unit.links_of(record.id) if k.id != link.id and k.here]
        if not others:
            record.state = "gone"
            self.unit.touch(record)
            return
        moved = self._where_children_went(record, conn)
        if moved is not None:
            link.state = "merged"
            self.propose_merge(conn, record, link, moved, str(moved))
            return
        running = self.landscape.flow_of(record.kind)
        rule = running.deletes if running is not None and running.master is not None else "keep"
        if rule == "delete":
            able = [k for k in others if self.landscape.connections[k.connection].specs[k.kind].delete]
            for other in able:
                self._delete_due(record, other)
            if len(able) < len(others):
                self._ask(conn, record, link, [k for k in others if k not in able])
        elif rule == "ask":
            self._ask(conn, record, link, others)

    def _where_children_went(self, record: Rec, conn: Conn) -> int | None:
        """The one record to which all children of a gone one moved: a merge that the system does not tell."""
        from datong.engine.relatives import former_children

        homes = former_children(self.unit, record, conn.name)
        return homes.pop() if len(homes) == 1 else None

    def _delete_due(self, record: Rec, link: Link) -> None:
        self.unit.tx.execute(due.delete().where(due.c.record_id == record.id, due.c.connection == link.connection))
        self.unit.tx.execute(
            due.insert().values(
                record_id=record.id,
                connection=link.connection,
                kind=record.kind,
                task="delete",
                at=self.unit.now,
                attempts=0,
                fence=0,
            )
        )

    def _ask(self, conn: Conn, record: Rec, link: Link, others: list[Link]) -> None:
        told = ", ".join(f"{k.connection} {k.native_id}" for k in others)
        self.unit.open(
            Item(
                "parked",
                "delete",
                f"delete:{record.id}:{conn.name}",
                f"{describe(record)} was deleted in {conn.name} ({link.native_id}); it still stands in {told}",
                "`datong parked retry` deletes it there too; `datong parked dismiss` keeps it there, no longer tied",
                kind=record.kind,
                record_id=record.id,
                connection=conn.name,
                native_id=link.native_id,
            )
        )
