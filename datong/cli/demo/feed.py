"""What happens, as it happens: journal rows as lines a visitor can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datong.cli.output import short, show
from datong.operations.naming import Names

if TYPE_CHECKING:
    from datong.store import Store

TOLD = {
    "taken in": "taken in 采纳",
    "put back": "put back 恢复",
    "created": "created 新建",
    "updated": "written 写入",
    "deleted": "deleted 删除",
    "linked": "linked 对应",
    "merged": "merged 合并",
    "parked": "parked 待处理",
    "review": "to review 待确认",
    "conflict": "conflict 冲突",
    "conflict closed": "settled 已一致",
    "resolved": "resolved 已裁决",
    "verdict": "verdict 判定",
    "missing": "missing 未见",
    "gone": "gone 已删除",
    "suspended": "suspended 暂停",
    "unreachable": "unreachable 不可达",
    "resumed": "resumed 恢复连接",
}


class Feed:
    """Tells what is new in the journal since it was last asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = 0
        self.skip()

    def skip(self) -> None:
        """What happened so far is no news."""
        from datong.store import journal

        with self._store.read() as tx:
            newest = journal.entries(tx, limit=1, newest=True)
        self._last = newest[-1]["id"] if newest else 0

    def tell(self) -> int:
        """Print the news; gives the number of lines."""
        from datong.store import journal

        lines = 0
        while True:
            with self._store.read() as tx:
                rows = journal.entries(tx, after=self._last, limit=500)
            if not rows:
                return lines
            self._last = rows[-1]["id"]
            told = [row for row in rows if row["event"] in TOLD]
            names = Names(self._store, [row["body"] for row in told], [row["record_id"] for row in told])
            for row in told:
                show(line(row, names))
            lines += len(told)


def line(row: dict[str, Any], names: Names) -> str:
    """Who, what, before -> after, why."""
    fields = names.in_fields((row["body"] or {}).get("fields") or {})
    values = "; ".join(f"{n}: {short(v['before'], 36)} -> {short(v['after'], 36)}" for n, v in fields.items())
    place = " ".join(part for part in (row["connection"], row["native_id"]) if part)
    name = f"{row['kind'] or ''} {short(names.of(row['record_id']) or '', 24) if row['record_id'] else ''}".strip()
    parts = [f"{name} ({place})" if place else name, values, f"[{row['why']}]" if row["why"] else ""]
    head = f"{row['at']:%H:%M:%S} {row['actor']:<8} {TOLD[row['event']]}"
    return f"{head}: {' · '.join(part for part in parts if part)}"
