"""Parked items whose cause is gone close by themselves, so that the list of work is what there is to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datong.engine.absorb import Absorber
from datong.engine.evaluate import Evaluator
from datong.engine.landscape import Conn, Landscape
from datong.mapping import Foreign
from datong.store.bulk import run
from datong.store.unit import Link, Unit
from datong.store.work import close, open_items

CAUSES = ("missing reference", "value", "not accepted", "crowded key")
_AT_ONCE = 500


class Mended:
    """Looks at what stands before people, within one unit of work."""

    def __init__(self, unit: Unit, landscape: Landscape) -> None:
        self.unit = unit
        self.landscape = landscape
        self.references = Absorber(unit, landscape).references
        self.evaluator = Evaluator(unit, landscape, self.references)
        self._over: Mapping[str, Callable[[dict[str, Any]], bool]] = {
            "code": self._known_code,
            "unmapped": self._has_counterpart,
            "value": self._readable,
            "unwritable": self._writable,
            "not accepted": self._accepted,
            "crowded": self._told_apart,
        }

    def close(self) -> int:
        """Close what is over; gives how many."""
        over = []
        for cause in CAUSES:
            for item in open_items(self.unit.tx, types=("parked",), cause=cause, limit=_AT_ONCE):
                judge = self._over.get(str(item["subject"]).partition(":")[0])
                if judge is not None and judge(item):
                    over.append(item)
        for item in over:
            self.unit.note(
                "mended",
                record_id=item["record_id"],
                connection=item["connection"],
                kind=item["kind"],
                native_id=item["native_id"],
                flow=item["flow"],
                why=f"{item['cause']}: {item['reason']}",
                body={"item": item["id"]},
            )
        close(self.unit.tx, self.unit.clock, "datong", ids=[item["id"] for item in over])
        return len(over)

    def _conn(self, item: Mapping[str, Any]) -> Conn | None:
        return self.landscape.connections.get(item["connection"])

    def _links(self, item: Mapping[str, Any]) -> list[Link]:
        """The record's links in the item's connection."""
        self.unit.load([item["record_id"]])
        return [k for k in self.unit.links_of(item["record_id"]) if k.connection == item["connection"]]

    def _known_code(self, item: dict[str, Any]) -> bool:
        conn, told = self._conn(item), item["detail"] or {}
        ways = [Foreign(told["reference"], told["code"], by) for by in ("code", "id")] if told else []
        return conn is not None and any(self.references.resolve(conn, way) is not None for way in ways)

    def _has_counterpart(self, item: dict[str, Any]) -> bool:
        survivor = self.references.survivor(item["record_id"])
        link = self.unit.link_in(survivor, item["connection"])
        return link is not None and link.here

    def _readable(self, item: dict[str, Any]) -> bool:
        if item["record_id"] is None:
            return False
        links = [k for k in self._links(item) if k.native_id == item["native_id"]]
        return not any(k.held.get(item["field"], "").startswith("bad value") for k in links)

    def _writable(self, item: dict[str, Any]) -> bool:
        record = self.unit.load([item["record_id"]]).get(item["record_id"])
        running, conn = self.landscape.flow_of(item["kind"]), self._conn(item)
        if record is None or running is None or conn is None or item["kind"] not in conn.specs:
            return True
        links: list[Link | None] = [*self._links(item)]
        changes = [self.evaluator.change(running, record, conn, link, set()) for link in links or [None]]
        return not any(item["field"] in change.refused for change in changes)

    def _accepted(self, item: dict[str, Any]) -> bool:
        """The system holds the agreed value by now, or was given another one that it kept."""
        conn = self._conn(item)
        if conn is None:
            return True
        for link in self._links(item):
            if link.held.get(item["field"]) != "not accepted":
                continue
            stands = conn.specs[link.kind].map.read_form(link.seen).values.get(item["field"])
            if stands is None or stands != self.unit.records[link.record_id].agreed.get(item["field"]):
                return False
            del link.held[item["field"]]
            self.unit.touch_link(link)
        return True

    def _told_apart(self, item: dict[str, Any]) -> bool:
        """No value of the key stands on more records of a side than may share one."""
        running, told = self.landscape.flow_of(item["kind"]), item["detail"] or {}
        if running is None or running.master is None or told.get("rule") not in running.master.identity.caps:
            return True
        crowd = run(
            self.unit.tx,
            "SELECT COUNT(*) FROM keys JOIN links ON links.id = keys.link_id "
            "WHERE keys.kind = ? AND keys.rule = ? AND keys.value IN ? AND links.keyed "
            "GROUP BY keys.connection, keys.value ORDER BY 1 DESC LIMIT 1",
            item["kind"],
            told["rule"],
            list(told["values"]),
        )
        return not crowd or int(crowd[0][0]) <= running.master.identity.caps[told["rule"]]
