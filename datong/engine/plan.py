"""What must be written to one remote record: the smallest set of changes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datong.canon import is_empty
from datong.engine.flow import Policy
from datong.kit import ItemWrite
from datong.mapping import Converter, Field, FieldMap, Items, put, take, under_item

Native = Callable[[Converter, str], str | None]
"""(converter, `kind:id`) -> what stands for it there, None when there is nothing yet."""


@dataclass
class Change:
    """One write to come. `fields` are canonical: name -> (what is known to stand there, what shall stand there).

    `waiting` are references not there yet: field -> reference. `refused` are values that the map cannot write.
    """

    action: Literal["create", "update", "delete"]
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    items: dict[str, list[ItemWrite]] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def unsaid_items(self) -> list[str]:
        """Fields of items that cannot be written now."""
        return [name for name in (*self.waiting, *self.refused) if under_item(name)]

    @property
    def after(self) -> dict[str, Any]:
        """Field -> what shall stand there."""
        return {name: after for name, (_, after) in self.fields.items()}

    @property
    def something(self) -> bool:
        return self.action != "update" or bool(self.fields)


def change_of(
    fmap: FieldMap,
    agreed: Mapping[str, Any],
    sent: Mapping[str, Any],
    policy: Callable[[str], Policy | None],
    native: Native,
    *,
    create: bool,
    held: Iterable[str] = (),
    only: Callable[[str], bool] | None = None,
    known_items: Mapping[str, Mapping[str, str]] | None = None,
    whole: bool = False,
    entire_items: bool = False,
) -> Change:
    """The change that brings one remote record into agreement.

    `held` fields wait for a person; `only` narrows to the fields a follower receives; `known_items` are the line ids:
    collection -> native id -> key. `whole`: the system takes a record whole or not at all. `entire_items`: an item of
    which something cannot be written yet waits, for half of it would be another item: a line without its product.
    """
    change = Change("create" if create else "update")
    if not create and sent == agreed:
        return change
    rest = set(held)
    if create and not sent and only is None:
        _fill(change, fmap, agreed, policy, native, rest)
    else:
        for one in fmap.fields:
            name = one.name
            if name not in agreed:
                continue
            value = agreed[name]
            if sent[name] == value if name in sent else is_empty(value):
                continue
            if name in rest or (only is not None and not only(name)) or not _due(one, value, sent, policy, create):
                continue
            _put(change, one, value, sent.get(name), native)
    for collection in fmap.items:
        rule = policy(collection.name)
        if collection.write == "never" or rule is None or collection.name in rest:
            continue
        if not create and _settled(collection, rule, sent):
            continue
        if only is None or only(collection.name):
            known = (known_items or {}).get(collection.name, {})
            _items(change, fmap, collection.name, agreed, sent, native, known, rest, entire_items)
    if whole and not create and change.fields:
        _complete(change, fmap, agreed, sent, policy, native, rest)
    return change


def _fill(
    change: Change,
    fmap: FieldMap,
    values: Mapping[str, Any],
    policy: Callable[[str], Policy | None],
    native: Native,
    left_out: Collection[str],
) -> None:
    """Everything there is to be told, where nothing was told yet."""
    fields, wires = change.fields, change.values
    for name, one, path, write in fmap.writers:
        value = values.get(name)
        if value is None or is_empty(value) or name in left_out or policy(name) is None:
            continue
        if path is None:
            _put(change, one, value, None, native)
            continue
        try:
            wires[path] = write(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            change.refused[name] = str(error)
        else:
            fields[name] = (None, value)


def _complete(
    change: Change,
    fmap: FieldMap,
    agreed: Mapping[str, Any],
    sent: Mapping[str, Any],
    policy: Callable[[str], Policy | None],
    native: Native,
    held: Collection[str],
) -> None:
    """The rest of the record beside what changed, as last sent or agreed. Its collections are not sent again."""
    rest = Change("update")
    values = {**sent, **agreed, **{name: sent.get(name) for name in held}}
    _fill(rest, fmap, values, policy, native, {*change.fields, *change.waiting, *change.refused})
    for name, one, path, _ in fmap.writers:
        if name in rest.fields:
            if path is not None:
                change.values[path] = rest.values[path]
            else:
                put(change.values, one.path, take(rest.values, one.path))


def _due(one: Field, value: Any, sent: Mapping[str, Any], policy: Callable[[str], Policy | None], create: bool) -> bool:
    """Is a value to be written that is not known to stand there?"""
    if one.write == "never":
        return False
    rule = policy(one.name)
    if rule is None:
        return False
    if create:
        return not is_empty(value)
    if rule.how == "first" or one.write == "if_new":
        return False
    before = sent.get(one.name)
    if is_empty(before):
        return not is_empty(value)
    return one.write != "if_empty"


def _settled(collection: Items, rule: Policy, sent: Mapping[str, Any]) -> bool:
    """Nothing is written to a collection after the create, or while it holds something."""
    if rule.how == "first" or collection.write == "if_new":
        return True
    return collection.write == "if_empty" and any(
        sent.get(f"{collection.name}.{k}") for k in _keys(collection.name, sent)
    )


def _put(change: Change, one: Field, value: Any, before: Any, native: Native) -> None:
    convert = one.convert
    try:
        if convert.to:
            wire = _wire(change, one, value, native)
        else:
            wire = convert.null if value is None else convert.write(value)
    except (ValueError, TypeError, ArithmeticError) as error:
        change.refused[one.name] = str(error)
        return
    if one.name in change.waiting:
        return
    change.fields[one.name] = (before, value)
    if one.nested:
        put(change.values, one.path, wire)
    else:
        change.values[one.path] = wire


def _wire(change: Change, one: Field, value: Any, native: Native, name: str | None = None) -> Any:
    if one.convert.to and value is not None:
        found = native(one.convert, str(value))
        if found is None:
            change.waiting[name or one.name] = str(value)
            return None
        return one.convert.to_wire(found)
    return one.convert.to_wire(value)


def _items(
    change: Change,
    fmap: FieldMap,
    name: str,
    agreed: Mapping[str, Any],
    sent: Mapping[str, Any],
    native: Native,
    known: Mapping[str, str],
    held: Collection[str],
    entire: bool,
) -> None:
    collection = fmap.collection(name)
    assert collection is not None
    line_of = {key: line for line, key in known.items()}
    ops: list[ItemWrite] = []
    touched: dict[str, tuple[Any, Any]] = {}
    every: list[ItemWrite] = []
    for key in _keys(name, agreed):
        presence = f"{name}.{key}"
        there = agreed.get(presence)
        if presence in held:
            continue
        if sent.get(presence) and collection.id and key not in line_of:
            continue  # which line it is over there is known once it has been read again
        fresh = there and not sent.get(presence)
        due = [f for f in collection.fields if _due_leaf(f, agreed, sent, f"{presence}.{f.name}", bool(fresh))]
        if there and not collection.id:
            every.append(
                ItemWrite("create", None, _nested(_leaves(change, collection.fields, presence, agreed, native, held)))
            )
        if fresh:
            values = _leaves(change, due, presence, agreed, native, held)
            if entire and _unsaid(presence, change, ()):
                continue
            touched[presence] = (sent.get(presence), True)
            touched.update({n: (None, agreed[n]) for n in (f"{presence}.{f.name}" for f in values)})
            touched.update(_left_over(collection, presence, agreed, sent))
            ops.append(ItemWrite("create", None, _nested(values)))
        elif there:
            moved = _leaves(change, due, presence, agreed, native, held)
            if moved:
                ops.append(ItemWrite("update", line_of.get(key), _nested(moved)))
                names = [f"{presence}.{f.name}" for f in moved]
                touched.update({n: (sent.get(n), agreed.get(n)) for n in names})
        elif sent.get(presence):
            touched[presence] = (True, None)
            ops.append(ItemWrite("delete", line_of.get(key)))
    if not collection.id and change.action == "update" and _unsaid(name, change, held):
        return  # a list written whole would lose what cannot be said now
    if ops:
        change.items[collection.path] = ops if collection.id else every
        change.fields.update(touched)


def _keys(name: str, agreed: Mapping[str, Any]) -> list[str]:
    head = f"{name}."
    return [n[len(head) :] for n in agreed if n.startswith(head) and "." not in n[len(head) :]]


def _leaves(
    change: Change,
    fields: Iterable[Field],
    presence: str,
    agreed: Mapping[str, Any],
    native: Native,
    held: Collection[str],
) -> dict[Field, Any]:
    """What can be written of an item; what cannot, is told in `change` and left out."""
    found: dict[Field, Any] = {}
    for one in fields:
        name = f"{presence}.{one.name}"
        if name not in agreed or one.write == "never" or name in held:
            continue
        try:
            wire = _wire(change, one, agreed[name], native, name)
        except (ValueError, TypeError, ArithmeticError) as error:
            change.refused[name] = str(error)
            continue
        if name not in change.waiting:
            found[one] = wire
    return found


def _left_over(
    collection: Items, presence: str, agreed: Mapping[str, Any], sent: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """What an earlier item of the same key held: a new one starts without it."""
    names = [f"{presence}.{f.name}" for f in collection.fields]
    return {n: (sent[n], agreed[n]) for n in names if n in agreed and is_empty(agreed[n]) and not is_empty(sent.get(n))}


def _unsaid(name: str, change: Change, held: Collection[str]) -> bool:
    return any(n.startswith(f"{name}.") for n in (*held, *change.refused, *change.waiting))


def _due_leaf(one: Field, agreed: Mapping[str, Any], sent: Mapping[str, Any], name: str, fresh: bool) -> bool:
    """Must the field of an item be written? `fresh`: the item is not there yet."""
    value, before = agreed.get(name), sent.get(name)
    if fresh:
        return not is_empty(value)
    if value == before or (is_empty(value) and is_empty(before)) or one.write == "if_new":
        return False
    return one.write != "if_empty" or is_empty(before)


def _nested(values: Mapping[Field, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for one, wire in values.items():
        put(made, one.path, wire)
    return made
