"""What can be delivered when: from stock, from what is on its way, by making it of its components, by buying it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Day
from datetime import timedelta
from decimal import Decimal

ZERO = Decimal(0)
_DEEPEST = 20


@dataclass(frozen=True)
class Recipe:
    """Of what one unit is made: component -> quantity of it; `days` that making takes."""

    components: Mapping[str, Decimal]
    days: int = 0


@dataclass
class Supply:
    """What there is and what comes, product by product; what one line takes is not there for the next.

    `incoming` are (day, quantity), `recipes` what can be made, `buying` the days it takes to buy. A product that is in
    neither of the last two cannot be had beyond what is there and on its way.
    """

    stock: dict[str, Decimal]
    incoming: dict[str, list[tuple[Day, Decimal]]] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    buying: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """`short`: what is not in stock now. `earliest`: when everything is there; None where nobody can say. `lacking`:
    what has to be bought or waited for, in quantities of the lowest level."""

    short: Decimal
    earliest: Day | None
    lacking: Mapping[str, Decimal]


def promised(wanted: Sequence[tuple[str, Decimal]], supply: Supply, today: Day) -> list[Promise]:
    """For each wanted (product, quantity) in turn. `supply` is used up."""
    return [_promise(product, quantity, supply, today) for product, quantity in wanted]


def _promise(product: str, quantity: Decimal, supply: Supply, today: Day) -> Promise:
    short = max(ZERO, quantity - max(ZERO, supply.stock.get(product, ZERO)))
    lacking: dict[str, Decimal] = {}
    return Promise(short, _ready(product, quantity, supply, today, lacking, ()), lacking)


def _ready(
    product: str, quantity: Decimal, supply: Supply, today: Day, lacking: dict[str, Decimal], within: tuple[str, ...]
) -> Day | None:
    """When `quantity` is there. `within`: what it is a part of, for a recipe may lead back to itself."""
    rest, ready = _taken(product, quantity, supply, today)
    if rest <= 0:
        return ready
    recipe = supply.recipes.get(product)
    if recipe is not None and product not in within and len(within) < _DEEPEST:
        for component, each in recipe.components.items():
            there = _ready(component, each * rest, supply, today, lacking, (*within, product))
            if there is None:
                return None
            ready = max(ready, there + timedelta(days=recipe.days))
        return max(ready, today + timedelta(days=recipe.days))
    lacking[product] = lacking.get(product, ZERO) + rest
    days = supply.buying.get(product)
    return None if days is None else max(ready, today + timedelta(days=days))


def _taken(product: str, quantity: Decimal, supply: Supply, today: Day) -> tuple[Decimal, Day]:
    """What stock and what is on its way leave open, and when the last of it comes."""
    there = max(ZERO, supply.stock.get(product, ZERO))
    used = min(there, quantity)
    if used:
        supply.stock[product] = there - used
    rest, ready = quantity - used, today
    coming = sorted(supply.incoming.get(product, ()))
    for place, (day, amount) in enumerate(coming):
        if rest <= 0:
            break
        part = min(rest, amount)
        coming[place] = (day, amount - part)
        rest, ready = rest - part, max(ready, day)
    if product in supply.incoming:
        supply.incoming[product] = [one for one in coming if one[1] > 0]
    return rest, ready
