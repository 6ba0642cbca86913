"""`python -m datong.cli.event_reference` writes docs/reference/journal.md; `--check` only compares.

The events are found in the code: whatever is given as `event` to a row of the journal, and to every function that takes
an `event` and passes it on. What each means stands here: an event without a meaning is not written, it is refused.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TARGET = PACKAGE.parent / "docs" / "reference" / "journal.md"

MEANING: dict[str, str] = {
    "token revoked": "a token ended before its time",
    "token made": "a token for a program: what for, whose, its role, how long",
    "password set": "a person has a new password (`why` is whose); their sessions ended",
    "logged in": "a person came into the console",
    "locked out": "somebody gave too many wrong passwords for a person, who cannot log in for a while",
    "amended": "a document made here was changed, because the one it was made of was (`why`)",
    "approved": "a person agreed to what a rule asked for; `why` has the figures",
    "applied": "a plan was applied; `why` is its id",
    "back": "nobody had looked for a while (sleep, an outage of the machine): everything is looked at",
    "computed": "fields that are computed from other records changed",
    "configured": "another version of the configuration is live; `why` says what it changed",
    "conflict": "a field was changed by both sides: held until settled (values, or the new item)",
    "conflict closed": "both sides came to hold the same by themselves",
    "clock went back": "a change bears an earlier time than one before it: the clock over there was set back",
    "created": "a record was made there; `cause` is the row of the intent, which has the values",
    "deleted": "a record was deleted there, because its partner was and the rule or a person said so",
    "dismissed": "a person leaves a parked item as it is",
    "gone": "a record is not there any more, found twice",
    "held": "a field is frozen: neither taken in nor written there until it is released; of a value kept there, which",
    "hold released": "a field is frozen no more",
    "linked": "a native record and a record of ours are one; `why` says by which keys, or by whom",
    "signed link made": "a person made a link by which a customer sees how a document stands; `why` says until when",
    "signed links revoked": "a person took all links to a document back",
    "linked by a person": "a person settled a review: the two are one",
    "locked": "a person: nothing of the record is written",
    "made": "a document was made of another one, or by a person, with its values",
    "mass accepted": "a person applied a plan that the mass guard had stopped",
    "mended": "a parked item closed by itself: its cause is gone",
    "merged": "two records became one",
    "missing": "a record was asked for by id and not given; looked for once more before it counts",
    "no access": "a record exists, but we may not see it any more; nothing is deleted",
    "out of scope": "a record exists, but outside of what the connection is to see; nothing is deleted",
    "numbers kept": "a key of ours names a record that this store is too old to know: no other gets its number",
    "parked": "something waits for a person: a new item, with its remedy",
    "paused": "a person: the record rests, nothing is taken in or written",
    "plan approved": "a person agreed to a plan: to the content of this digest",
    "plan rejected": "a person rejected a plan; `why` has the reason",
    "planned": "a plan was made, with its totals",
    "put back": "the side may not decide this field: the agreed value is written to it again",
    "reconciled": "both sides were compared in full; `why` is the report and what it found",
    "refused": "a person refused what a rule asked for; `why` has the figures and the reason",
    "released": "a person ended a pause or a lock",
    "resolved": "a person settled a conflict",
    "resumed": "a connection answers again, or a person started a flow again",
    "retried": "a person has a parked item tried again",
    "review": "two records may be one: a new item",
    "routed": "the configuration gives the record to a company of ours",
    "seen": "a record was seen for the first time, with its values",
    "separated": "a person settled a review: the two are not one",
    "signed off": "a person accepted a mismatch of month end; `why` has its figures and the reason",
    "statement answered": "a customer's answer to a statement: who, when, the amount they have",
    "suspended": "a connection, or a flow in it, rests",
    "taken in": "a value that a side holds became the agreed one",
    "undone": "the value of before is the agreed one again; `why` says what is taken back",
    "unlinked": "a person took a native record out of its record",
    "unreachable": "a connection does not answer; it heals by itself",
    "updated": "fields of a record were written there; `cause` is the row of the intent",
    "verdict": "the gate of a flow says something else of the record than before",
    "withdrawn": "a person took a forecast back",
    "worker failed": "a cycle of the service failed in a way that nobody foresaw",
    "write intended": "what is about to be written, durable before the call; `why` is create, update or delete; "
    "`cause` is an earlier intent of which nothing is known",
}

_BELOW = ("base", "canon", "connectors", "insight", "kit", "mapping", "matching", "sandbox")
"""Rooms that know nothing of the store, so of no journal: `.importlinter` holds them to it."""
_COMPUTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("engine/absence.py", "why.replace('_', ' ')"): ("out of scope", "no access"),
    ("engine/absorb.py", "event"): (),  # the rows that _note gathered: its callers are looked at
}
"""Events that are made of something else, by module and expression."""

HEAD = """\
# The journal

Made by `python -m datong.cli.event_reference`; do not edit.

One append-only list of everything seen, decided, written and done by people. `datong journal` shows it,
`datong explain` the rows of one record, both with `--json` as documents. Rows are never changed. Where its seals are,
and what `--verify` finds: [operate.md](../operate.md#the-journal-and-its-seals).

| Part | Meaning |
|---|---|
| `id` | number of the row; there are no gaps |
| `at` | when it was written, UTC |
| `actor` | the person, or `datong` |
| `event` | what happened: below |
| `record_id` | our record |
| `connection`, `kind`, `native_id` | the record of a system, where one is meant |
| `flow` | by which flow |
| `cause` | the row that led to this one |
| `why` | in words |
| `body` | the values: `fields` with before and after, and what else belongs to it |

| Event | Meaning |
|---|---|
"""


def reference() -> str:
    """The page. Raises LookupError for an event without a meaning, or a meaning without an event."""
    found = events()
    if found != MEANING.keys():
        raise LookupError(f"explain in {__name__}.MEANING, or remove: {sorted(found ^ MEANING.keys())}")
    return HEAD + "".join(f"| {event} | {MEANING[event]} |\n" for event in sorted(found))


def events(package: Path = PACKAGE) -> set[str]:
    """Every event that the code of a package gives to the journal. Raises LookupError for one that cannot be told."""
    files = [(path.relative_to(package), path) for path in package.rglob("*.py")]
    trees = {
        name.as_posix(): ast.parse(path.read_text(encoding="utf8"))
        for name, path in files
        if name.parts[0] not in _BELOW
    }
    constants = {name: value for tree in trees.values() for name, value in _constants(tree)}
    found: set[str] = set()
    for module, tree in trees.items():
        places = {"Entry": 0, "note": 0, **_doors(tree)}
        for function, call in _calls(tree):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name not in places or (name == "note" and not isinstance(call.func, ast.Attribute)):
                continue
            given = _given(call, places[name])
            if given is not None and not _passed_on(function, given):
                found |= set(_told(module, function, given, constants))
    return found


def _doors(tree: ast.Module) -> dict[str, int]:
    """Functions that note an `event` they are given, and at which place; a method's `self` is not given."""
    found = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.FunctionDef) and "note" in one.name and one.name != "note":
            names = [a.arg for a in one.args.args if a.arg != "self"]
            if "event" in names:
                found[one.name] = names.index("event")
    return found


def _calls(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
    """Every call, with the function it stands in."""

    def within(node: ast.AST, function: ast.FunctionDef | None) -> Iterator[tuple[ast.FunctionDef | None, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            here = child if isinstance(child, ast.FunctionDef) else function
            if isinstance(child, ast.Call):
                yield here, child
            yield from within(child, here)

    return within(tree, None)


def _given(call: ast.Call, place: int) -> ast.expr | None:
    """What the call gives as event; None for a row that was made elsewhere (`note(Entry(...))`)."""
    named = [k.value for k in call.keywords if k.arg == "event"]
    given = named[0] if named else call.args[place] if len(call.args) > place else None
    made_elsewhere = isinstance(given, ast.Call) and getattr(given.func, "id", "") == "Entry"
    return None if made_elsewhere or (isinstance(given, ast.Name) and given.id == "entry") else given


def _passed_on(function: ast.FunctionDef | None, given: ast.expr) -> bool:
    """Is it the `event` that the function was given? Then its callers are looked at."""
    taken = {a.arg for a in [*function.args.args, *function.args.kwonlyargs]} if function is not None else set()
    return isinstance(given, ast.Name) and given.id == "event" and "event" in taken


def _told(module: str, function: ast.FunctionDef | None, given: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """The texts that an expression may be."""
    known = _COMPUTED.get((module, ast.unparse(given)))
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
    elif isinstance(given, ast.IfExp):
        yield from _told(module, function, given.body, constants)
        yield from _told(module, function, given.orelse, constants)
    elif isinstance(given, ast.Name) and given.id in constants:
        yield constants[given.id]
    elif isinstance(given, ast.Name) and (assigned := _assigned(function, given.id)) is not None:
        yield from _told(module, function, assigned, constants)
    elif (choices := _choices(given)) is not None:
        for one in choices:
            yield from _told(module, function, one, constants)
    elif known is not None:
        yield from known
    else:
        raise LookupError(f"{module}:{given.lineno}: which events may {ast.unparse(given)!r} be? Say so in _COMPUTED")


def _choices(given: ast.expr) -> list[ast.expr] | None:
    """`{...}[x]` and `{...}.get(x, other)`."""
    if isinstance(given, ast.Subscript) and isinstance(given.value, ast.Dict):
        return given.value.values
    called = given.func if isinstance(given, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr == "get" and isinstance(called.value, ast.Dict):
        return [*called.value.values, *given.args[1:]]  # type: ignore[attr-defined]
    return None


def _assigned(function: ast.FunctionDef | None, name: str) -> ast.expr | None:
    for one in ast.walk(function) if function is not None else ():
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id == name:
            return one.value
    return None


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for one in tree.body:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
            yield from ((target.id, one.value.value) for target in one.targets if isinstance(target, ast.Name))


def main() -> int:
    page = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf8") == page else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(page, encoding="utf8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
