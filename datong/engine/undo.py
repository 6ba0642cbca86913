"""What taking back means for one record: from its rows of the journal to steps that say beforehand what they do. Pure.

`heard` reads the rows: what changed inside of what is to be undone, what changed after it. `decided` makes steps of
that, field by field. A field that was changed again later is left alone, and the step names that change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from datong.base.clock import to_text
from datong.canon import is_empty
from datong.engine.holding import EVERY
from datong.mapping import FieldMap, under_item

REVERSIBLE = "reversible"
OFF = "by switching off"
CANCEL = "by cancelling"
COUNTER = "by counter-document"
NOT = "not"

AGREED_EVENTS = frozenset({"seen", "taken in", "resolved", "computed", "made", "amended", "undone"})
"""After these the agreed value is another one."""
_FIRST = frozenset({"seen", "made"})
"""Before these there was none."""
MAP_CHANGED = "the map changed"

Row = Mapping[str, Any]
"""A row of the journal, its values as `fields`."""
Act = Literal["agree", "keep", "known", "rest", "release", "none"]


class _Known:
    def __repr__(self) -> str:
        return "KNOWN"


KNOWN: Final = _Known()
"""Nothing was edited there: only how it is read had changed."""


@dataclass
class Heard:
    """What the rows say. `sides` and `wrote` are by (connection, field): what stood there before, what was written."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    later: dict[str, Row] = field(default_factory=dict)
    taken_from: dict[str, str | None] = field(default_factory=dict)
    sides: dict[tuple[str, str], Any] = field(default_factory=dict)
    wrote: dict[tuple[str, str], Any] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    joined: dict[str, int | None] = field(default_factory=dict)
    held: list[tuple[str, str, Any, bool]] = field(default_factory=list)
    """(connection, field, value, whether it keeps)"""
    released: list[tuple[str, str, Any, bool]] = field(default_factory=list)
    erased: bool = False


def heard(rows: Iterable[Row], inside: Callable[[Row], bool]) -> Heard:
    """`rows` of one record, oldest first; `inside` says which of them are to be undone."""
    found = Heard()
    values: dict[str, Any] = {}
    for row in rows:
        mine = inside(row)
        if mine and row["digest"] and row["body"] is None:
            found.erased = True
        fields = {name: (told["before"], told["after"]) for name, told in _fields(row).items()}
        if row["event"] in AGREED_EVENTS:
            _agreed(found, row, _with_leaves(fields, values), values, mine)
        elif mine:
            _done(found, row, fields)
        if mine and row["event"] == "taken in":
            _source(found, row, fields)
    return found


def _fields(row: Row) -> Mapping[str, Any]:
    return (row["body"] or {}).get("fields") or {}


def _with_leaves(fields: dict[str, tuple[Any, Any]], values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """With what an item held that was taken away: the row names the item only."""
    found = dict(fields)
    for name, (_, after) in fields.items():
        if name.count(".") == 1 and is_empty(after):
            leaves = (leaf for leaf in values if leaf.startswith(f"{name}."))
            found.update({leaf: (values[leaf], None) for leaf in leaves if leaf not in fields})
    return found


def _agreed(found: Heard, row: Row, fields: Mapping[str, tuple[Any, Any]], values: dict[str, Any], mine: bool) -> None:
    for name, (before, after) in fields.items():
        if mine and row["event"] not in _FIRST:
            found.before.setdefault(name, before)
            found.after[name] = after
            found.taken_from[name] = row["connection"]
            found.later.pop(name, None)
        elif name in found.after or (in_list(name) and ".".join(name.split(".")[:2]) in found.after):
            found.later[name] = row
        values[name] = after


def _done(found: Heard, row: Row, fields: Mapping[str, tuple[Any, Any]]) -> None:
    """What was done at a side, or with it."""
    conn, event = row["connection"], row["event"]
    if event == "updated":
        for name, (before, after) in fields.items():
            found.sides.setdefault((conn, name), before)
            found.wrote[conn, name] = after
    elif event == "created":
        found.made[conn] = row["native_id"]
    elif event == "deleted":
        found.gone.add(conn)
    elif event == "linked":
        found.joined[conn] = row["run"]
    elif event in ("held", "hold released"):
        into = found.held if event == "held" else found.released
        keeps = bool(row["body"].get("keeps"))
        for name, (before, after) in fields.items():
            into.append((conn or "", name, after if event == "held" else before, keeps))


def _source(found: Heard, row: Row, fields: Mapping[str, tuple[Any, Any]]) -> None:
    """What stood at the side a value was taken in from: what was agreed until then; at a first link the value itself,
    long before."""
    conn = row["connection"]
    first = conn in found.joined and found.joined[conn] == row["run"]
    for name, (_, after) in fields.items():
        told = KNOWN if row["why"] == MAP_CHANGED else after if first else found.before[name]
        found.sides.setdefault((conn, name), told)


@dataclass(frozen=True)
class Step:
    """One thing that an undo does, or says it cannot. `refused`: something that came later would be lost."""

    act: Act
    way: str
    connection: str = ""
    field: str = ""
    before: Any = None
    after: Any = None
    why: str = ""

    @property
    def refused(self) -> bool:
        return self.act == "none" and self.why.startswith(LATER)


LATER = "changed later: "


@dataclass(frozen=True)
class Side:
    """A main link of the record, as it is now."""

    native_id: str
    sent: Mapping[str, Any]
    fmap: FieldMap


def decided(
    told: Heard,
    kind: str,
    agreed: Mapping[str, Any],
    sides: Mapping[str, Side],
    carried: Callable[[str], str | None],
    *,
    hold: bool = False,
) -> list[Step]:
    """The steps for one record. `carried` gives who decides a field (its policy), None where no flow carries it.
    `hold`: what is put back is held there, so that no side changes it again by itself."""
    steps: list[Step] = []
    if told.erased:
        steps.append(Step("none", NOT, why="values of that time were erased from the journal"))
    stays: set[str] = set()
    for conn in told.made:
        back = _unmade(conn, kind, agreed, sides.get(conn))
        steps += back
        if any(step.act == "none" for step in back):
            stays.add(conn)
    steps += [Step("none", NOT, conn, why="what was deleted does not come back") for conn in sorted(told.gone)]
    wanted: dict[str, Any] = dict(agreed)
    left: set[str] = set()
    for name in told.after:
        step = _field_back(told, name, agreed, carried, stays)
        long_there = _same(told.sides.get((told.taken_from[name] or "", name)), told.after[name])
        if step is not None and step.act == "agree" and not long_there:
            step = _given_back(step, told.taken_from[name], sides)
        if step is None:
            continue
        steps.append(step)
        if step.act == "agree":
            wanted[name] = step.after
            if hold:
                steps.append(_held(name, step.after))
        else:
            left.add(name)
    for (conn, name), before in told.sides.items():
        if conn in sides and conn not in told.made and name not in left:
            steps += _side_back(told, conn, name, before, wanted, agreed, sides[conn])
    steps += [
        Step("release", REVERSIBLE, conn, name, before=value, why="keeps" if keeps else "")
        for conn, name, value, keeps in told.held
    ]
    steps += [
        Step("keep" if keeps else "rest", REVERSIBLE, conn, name, after=value, why="it was held")
        for conn, name, value, keeps in told.released
    ]
    return steps


def _field_back(
    told: Heard, name: str, agreed: Mapping[str, Any], carried: Callable[[str], str | None], stays: set[str]
) -> Step | None:
    """Our own value: what it was before becomes the agreed one again."""
    before, after, now = told.before[name], told.after[name], agreed.get(name)
    if told.taken_from[name] in stays or (_same(before, after) and name not in told.later):
        return None
    later = told.later.get(name) or _later_within(told, name)
    if later is not None:
        return Step("none", NOT, field=name, before=now, after=before, why=LATER + _named(later, name))
    if not _same(now, after):
        return Step("none", NOT, field=name, before=now, after=before, why=LATER + f"it is {now!r} now")
    how = carried(name)
    if how is None:
        return Step("none", NOT, field=name, before=now, after=before, why="no flow carries it any more")
    if how == "told":
        return None  # it follows from other records, and goes back with them
    return Step("agree", REVERSIBLE, field=name, before=now, after=before)


def _given_back(step: Step, source: str | None, sides: Mapping[str, Side]) -> Step:
    """Where the side that a value came from does not take another one from us, it stays the agreed one."""
    side = sides.get(source or "")
    entry = side.fmap.named(step.field) if side is not None else None
    if side is None or entry is None or entry.write == "overwrite" or side.sent.get(step.field) == step.after:
        return step
    why = f"{source} does not take it from us (write: {entry.write}): correct it there"
    return Step("none", NOT, source or "", step.field, step.before, step.after, why)


def _later_within(told: Heard, name: str) -> Row | None:
    """An item that came is not taken away when something in it was changed since."""
    if name.count(".") != 1 or not is_empty(told.before[name]):
        return None
    return next((row for leaf, row in told.later.items() if leaf.startswith(f"{name}.")), None)


def _side_back(
    told: Heard, conn: str, name: str, before: Any, wanted: Mapping[str, Any], agreed: Mapping[str, Any], side: Side
) -> list[Step]:
    """A side whose own value was another than the agreed one gets that back, and keeps it until it is released."""
    if before is KNOWN:
        if _same(side.sent.get(name), wanted.get(name)):
            return []
        why = "nothing was edited there: only how it is read had changed"
        return [Step("known", REVERSIBLE, conn, name, side.sent.get(name), wanted.get(name), why)]
    stays = _same(wanted.get(name), agreed.get(name))
    if _same(before, wanted.get(name)) or (stays and _same(before, side.sent.get(name))):
        return []
    if (conn, name) in told.wrote and not _same(told.wrote[conn, name], side.sent.get(name)):
        return []  # it holds another value already: that was taken in later, and is told of there
    if in_list(name):
        why = "the sides differed in a line: correct it there"
        return [Step("none", NOT, conn, name, side.sent.get(name), before, why)]
    why = "the sides differed: it is given back its own value, which is held there"
    return [Step("keep", REVERSIBLE, conn, name, side.sent.get(name), before, why)]


def _held(name: str, value: Any) -> Step:
    if in_list(name):
        return Step("none", NOT, field=name, why="a part of a list cannot be held; hold the list when it is back")
    return Step("keep", REVERSIBLE, "", name, value, value, "held, so that no side changes it again")


def _unmade(conn: str, kind: str, agreed: Mapping[str, Any], side: Side | None) -> list[Step]:
    """A record that was made there."""
    if side is None:
        return [Step("none", NOT, conn, why="it is not there any more")]
    back = way_back(side.fmap, kind, agreed)
    if back.act == "none":
        return [Step("none", back.way, conn, why=f"{side.native_id} was made there: {back.why}")]
    step = Step("keep", back.way, conn, back.field, side.sent.get(back.field), back.value, back.why)
    return [step, Step("rest", REVERSIBLE, conn, EVERY, why="it rests while it is off")] if back.way == OFF else [step]


_STAGES = {"order": ("shipping", "billing", "paying")}
_DONE_STATES = {
    "order": ("closed",),
    "return": ("received", "inspected", "repaired", "replaced", "exchanged", "refunded"),
}
_PAPERS = ("shipment", "invoice", "payment", "bill")


class Back(NamedTuple):
    """How a create is taken back: what is done, to which field, which value, and how that reads."""

    act: Act
    field: str
    value: Any
    way: str
    why: str


def way_back(fmap: FieldMap, kind: str, agreed: Mapping[str, Any]) -> Back:
    """How the create of a record is taken back, in the state that it is in now."""
    wish, active = fmap.named("wish"), fmap.named("active")
    if kind in _DONE_STATES and wish is not None and wish.write != "never":
        went = [name for name in _STAGES.get(kind, ()) if agreed.get(name) not in (None, "none")]
        if went or agreed.get("state") in _DONE_STATES[kind]:
            return Back(
                "none", "", None, COUNTER, "goods or papers went out: make a return or a credit note in the ERP"
            )
        return Back("keep", "wish", "cancelled", CANCEL, "it is cancelled there, and stays as a cancelled one")
    if kind in _PAPERS:
        return Back("none", "", None, COUNTER, "what is posted stays: make its counter-document in the ERP")
    if active is not None and active.write == "overwrite":
        return Back("keep", "active", False, OFF, "it is switched off there, and stays")
    return Back("none", "", None, NOT, f"a {kind} can neither be switched off nor cancelled there: remove it by hand")


def in_list(name: str) -> bool:
    """An item of a collection, or a part of one."""
    return under_item(name) or (name.count(".") == 1 and not name.startswith(("company.", "custom.")))


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (is_empty(one) and is_empty(other))


def _named(row: Row, name: str) -> str:
    """Which change of whom."""
    told = _fields(row).get(name)
    where = f" in {row['connection']}" if row["connection"] else ""
    moved = f", {told['before']!r} -> {told['after']!r}" if told else ""
    return f"{row['event']}{where} at {to_text(row['at'])[:19]} by {row['actor']}{moved} (row {row['id']})"
