"""Converters by name: how a description in the configuration says which converter a field has.

`phone` · `{phone: {region: CN}}` · `{amount: CNY}` · `{choice: {customer: CLIENT, lead: LEAD}}` · `{table: {...}}`
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from datong.mapping import convert, joined
from datong.mapping.convert import Converter
from datong.mapping.regional import local_amount, local_day, local_number

ConverterTold = str | dict[str, Any]
"""A name alone, or one name with its arguments."""

CONVERTERS: Mapping[str, Callable[..., Converter]] = {
    "text": convert.text,
    "trimmed": convert.trimmed,
    "spelt": convert.spelt,
    "number": convert.number,
    "scaled": convert.scaled,
    "amount": convert.amount,
    "percent": convert.percent,
    "boolean": convert.boolean,
    "choice": convert.choice,
    "table": convert.table,
    "listed": convert.listed,
    "email": convert.email,
    "phone": convert.phone,
    "country": convert.country,
    "day": convert.day,
    "moment": convert.moment,
    "tags": convert.tags,
    "words": convert.words,
    "reference": convert.reference,
    "e164": joined.e164,
    "money": joined.money,
    "local_number": local_number,
    "local_amount": local_amount,
    "local_day": local_day,
}

_TAKE_A_TABLE = ("choice", "table", "listed", "e164")


def named_converter(told: ConverterTold) -> Converter:
    """The converter that a description names. Raises ValueError saying what is wrong and what there is."""
    if isinstance(told, str):
        told = {told: {}}
    if not isinstance(told, Mapping) or len(told) != 1:
        raise ValueError(f"one converter by its name, with its arguments if it has any; not {told!r:.80}")
    ((name, given),) = told.items()
    make = CONVERTERS.get(name)
    if make is None:
        raise ValueError(f"there is no converter {name!r:.60}; there are: {', '.join(CONVERTERS)}")
    try:
        if name in _TAKE_A_TABLE:
            return make(_table(name, given))
        if isinstance(given, Mapping):
            return _called(make, **given)
        return _called(make) if given is None else _called(make, given)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{name}: {error}; it takes {_signature(make)}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _table(name: str, given: Any) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping) or not given:
        raise ValueError("give the values it knows, such as {customer: CLIENT, lead: LEAD}")
    if name in ("table", "listed"):
        return {str(theirs): str(ours) for theirs, ours in given.items()}
    return {str(ours): theirs for ours, theirs in given.items()}


def _called(make: Callable[..., Converter], *positional: Any, **given: Any) -> Converter:
    """Arguments are checked by name and by plain type before the call: they come from a file."""
    bound = inspect.signature(make).bind(*positional, **given)
    for name, value in bound.arguments.items():
        wanted = str(inspect.signature(make).parameters[name].annotation)
        plain_type = {"str": str, "bool": bool, "int | None": (int, type(None)), "str | None": (str, type(None))}
        if wanted in plain_type and not isinstance(value, plain_type[wanted]):  # type: ignore[arg-type]
            raise TypeError(f"{name} = {value!r:.40} is not {wanted.replace('str', 'text')}")
        if wanted == "int | None" and isinstance(value, bool):
            raise TypeError(f"{name} = {value!r} is not a number")
    return make(*bound.args, **bound.kwargs)


def _signature(make: Callable[..., Converter]) -> str:
    told = inspect.signature(make).parameters.values()
    shown = [p.name if p.default is p.empty else f"{p.name} (else {p.default!r})" for p in told]
    return ", ".join(shown) or "no argument"
