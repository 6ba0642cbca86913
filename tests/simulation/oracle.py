"""What may stand in the two systems at the end, judged by what people entered. Nothing of Datong is asked but its
journal (was it shown?) and its open items (is it waiting for a person?).

An entry is *superseded* when a person, who had its value before them, entered another one over it. What is superseded
needs no trace. Of the others (one at most that stands, and what was entered on the other side meanwhile) the policy of
the field says which may stand; each of the rest must have been shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from datong.engine.flow import NEWEST, OWNER, Policy
from tests.simulation.evidence import Evidence, evidence
from tests.simulation.system import Entry, Row, canon
from tests.simulation.traits import FIELDS, LEVEL, OUTSIDE, SIDES
from tests.simulation.world import World

_ALL_WAIT = ("mass change", "map changed", "same refusal")
"""Causes for which the whole flow waits."""


def judge(world: World) -> list[str]:
    """Everything that is wrong at the end, in words."""
    told = evidence(world)
    wrong = [f"an open item has no remedy: {i['reason']}" for i in world.items() if not i["remedy"] or not i["reason"]]
    wrong += [f"nobody foresaw: {i['reason']}" for i in world.items(settled=True) if i["cause"] == "unknown error"]
    customers = sorted({r.customer for s in world.systems.values() for r in s.rows.values()})
    for customer in () if any(i["cause"] in _ALL_WAIT for i in told.general) else customers:
        wrong.extend(_customer(world, told, customer))
    return wrong


def sealed(world: World) -> list[str]:
    """Whether the journal is as it was written."""
    assert world.process is not None
    verified = world.process.sealer.verify()
    return [] if verified["intact"] else [f"the seals do not verify: {verified['why']}"]


def _customer(world: World, told: Evidence, customer: int) -> Iterator[str]:
    here = {side: world.systems[side].of(customer) for side in SIDES}
    for side, rows in here.items():
        by_people = sum(r.by_person or r.excused for r in rows)
        if len(rows) > max(1, by_people) + world.ledger.apart[customer]:
            yield f"customer {customer} stands {len(rows)} times in {side}, entered {by_people} times"
    if world.ledger.apart[customer]:
        return  # each of its records goes its own way
    if any(customer in system.merged for system in world.systems.values()):
        return  # the side that holds it still goes its own way
    if world.traits.scope and any(row.values.get(LEVEL) == OUTSIDE for rows in here.values() for row in rows):
        return
    removed = {side for side in SIDES if customer in world.systems[side].removed}
    waiting = told.waiting[customer]
    if removed:
        yield from _removed(world, customer, here, removed, waiting)
        return
    if not all(here.values()):
        if not waiting:
            where = next(side for side in SIDES if not here[side])
            yield f"customer {customer} is not in {where}, and nothing waits for a person"
        return
    if any(len(rows) > 1 for rows in here.values()):
        return
    if any(i["type"] == "review" for i in waiting):
        return
    crm, erp = here["crm"][0], here["erp"][0]
    for name in FIELDS:
        held = [i for i in waiting if i["field"] in (None, name)]
        yield from _field(world, told, customer, name, crm, erp, held)


def _removed(
    world: World, customer: int, here: dict[str, list[Row]], removed: set[str], waiting: list[dict[str, Any]]
) -> Iterator[str]:
    left = [side for side, rows in here.items() if rows]
    if world.traits.deletes == "delete" and left and not waiting and len(removed) == 1:
        yield f"customer {customer} was deleted in {', '.join(sorted(removed))}, and still stands in {', '.join(left)}"


def _field(
    world: World, told: Evidence, customer: int, name: str, crm: Row, erp: Row, held: list[dict[str, Any]]
) -> Iterator[str]:
    where = f"{name} of customer {customer}"
    policy = world.traits.policies[name]
    history = world.ledger.about(customer, name)
    if name == LEVEL:
        yield from _level(world, where, crm, erp, held)
        return
    standing = {row_side: row.entries.get(name) for row_side, row in (("crm", crm), ("erp", erp))}
    yield from _faithful(world, where, name, (("crm", crm), ("erp", erp)))
    heads = [e for e in _heads(history) if not e.unseen_loss]
    if any(e.early and e.value is None for e in heads):
        return  # an empty value never clears a filled one at first load: any of those before may stand
    if crm.values.get(name) is None and erp.values.get(name) is None:
        standing["erp"] = standing["crm"] = max((s for s in standing.values() if s is not None), default=None)
    if standing["crm"] != standing["erp"]:
        if not held and (customer, name) not in told.dismissed:
            shown = f"crm {crm.values.get(name)!r}, erp {erp.values.get(name)!r}"
            yield f"{where} differs and nothing waits for a person: {shown} ({policy.how}, {policy.clash})"
        return
    stands = standing["crm"]
    if held:
        return
    may = _may_stand(policy, history, heads)
    lost = world.ledger.forgotten
    may += [e.over for e in history if any(since <= e.at <= until for since, until in lost) or (lost and e.early)]
    empty = crm.values.get(name) is None and erp.values.get(name) is None
    if empty and any(serial is None or world.ledger.entries[serial].value is None for serial in may):
        may.append(stands)  # of two who emptied it neither stands more than the other
    if stands not in may and stands not in told.chosen and (customer, name) not in told.retried:
        yield f"{where}: entry {stands} stands, but {may} should ({policy.how} {policy.owner or ''}, {policy.clash})"
        return
    for lost in heads:
        if lost.serial != stands and not (empty and lost.value is None):
            yield from _loser(told, where, policy, stands, lost)


def _may_stand(policy: Policy, history: list[Entry], heads: list[Entry]) -> list[int | None]:
    """The entries of which one must stand in the end. What its owner never filled may be what came with the record."""
    unseen = [e.lost_to for e in history if e.unseen_loss]
    if policy.how == "owned":
        owners = [e for e in history if e.side == policy.owner and not e.unseen_loss]
        filled = [e for e in owners if not (e.early and e.value is None)]
        if filled:
            return unseen + [max(some, key=lambda e: (e.at, e.serial)).serial for some in (owners, filled)]
        return [None, *(e.serial for e in history)]
    return unseen + ([e.serial for e in heads] or [None])


def _heads(history: Sequence[Entry]) -> list[Entry]:
    """Entries that nobody has knowingly replaced."""
    replaced = {e.over for e in history if not e.doubtful}
    return [e for e in history if e.serial not in replaced]


def _loser(told: Evidence, where: str, policy: Policy, stands: int | None, lost: Entry) -> Iterator[str]:
    if lost.serial in told.shown:
        return
    if lost.value is None and (lost.customer, lost.field) in told.cleared:
        return
    by_rule = policy.how == "owned" or policy.clash in (OWNER, NEWEST) or lost.early
    if by_rule and lost.serial in told.taken_over:
        return
    yield (
        f"{where}: entry {lost.serial} ({lost.side}, {lost.at:%d %H:%M:%S}) is lost unseen, "
        f"{stands} stands ({policy.how} {policy.owner or ''}, {policy.clash})"
    )


def _faithful(world: World, where: str, name: str, rows: tuple[tuple[str, Row], ...]) -> Iterator[str]:
    """What stands is what its author entered, in the form that this system gives it."""
    for side, row in rows:
        serial = row.entries.get(name)
        if serial is None:
            if row.values.get(name) is not None:
                yield f"{where} is {row.values[name]!r} in {side}, which nobody entered"
            continue
        entry = world.ledger.entries[serial]
        value = row.values.get(name)
        if entry.customer != row.customer or entry.field != name:
            yield f"{where} is {value!r} in {side}, which was entered elsewhere"
        elif _bare(value) not in {_bare(form) for form in _forms(world, side, entry)}:
            yield f"{where} is {value!r} in {side}; {entry.value!r} was entered in {entry.side}"


def _bare(value: str | None) -> str | None:
    """Without the spaces that people leave behind a value."""
    return value and value.rstrip(" ")


def _forms(world: World, side: str, entry: Entry) -> set[str | None]:
    """In what forms an entry may stand in a system. A form that the map does not declare may come to its author; so may
    any, where Datong has lost its memory of what it wrote there."""
    systems, remapped = world.systems, world.remapped
    mine = systems[side].manners.form(entry.field)
    theirs = systems[side].other.manners.form(entry.field)
    told = {canon(entry.value)} if side != entry.side else {canon(entry.value), entry.value}
    if world.ledger.forgotten or not theirs.declared or (systems[side].other.side, entry.field) in remapped:
        told |= {theirs.hold(value) for value in told}
        told |= {mine.hold(value) for value in told}
    if not mine.declared or side != entry.side or (side, entry.field) in remapped:
        told |= {mine.hold(value) for value in told}
    return {mine.hold(value) for value in told} if side != entry.side else told


def _level(world: World, where: str, crm: Row, erp: Row, held: list[dict[str, Any]]) -> Iterator[str]:
    """A choice carries no serial: both sides must hold forms of one value."""
    one, other = crm.values.get(LEVEL), erp.values.get(LEVEL)
    forms = {side: world.systems[side].manners.form(LEVEL) for side in SIDES}
    if one == other or forms["erp"].hold(one) == other or forms["crm"].hold(other) == one or held:
        return
    yield f"{where} differs and nothing waits for a person: crm {one!r}, erp {other!r}"
