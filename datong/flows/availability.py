"""The availability check: what is short on a quote or order, and when it can be there; through bills of materials."""

from collections.abc import Mapping
from decimal import Decimal

from datong.canon import BillOfMaterials, Line, Product, StockLevel, SupplyOrder
from datong.engine.near import Near
from datong.reckoning.availability import Promise, Recipe, Supply, promised

ZERO = Decimal(0)
_DEEPEST = 8


def availability(lines: Mapping[str, Line], near: Near, company: str | None) -> dict[str, Promise]:
    """Line -> what can be promised of it, first come first served. Lines without product or quantity are left out, and
    everything where the ERP shows no stock of any of them."""
    wanted = {
        key: (line.product, line.quantity)
        for key, line in lines.items()
        if line.product is not None and line.quantity is not None and line.quantity > 0
    }
    supply = Supply({}, {}, {}, {})
    recipes: dict[str, Recipe] = {}
    buying: dict[str, int] = {}
    seen: set[str] = set()
    todo = {product for product, _ in wanted.values()}
    for _ in range(_DEEPEST):
        for product in sorted(todo):
            _known(product, supply, recipes, buying, near)
        seen |= todo
        todo = {part for recipe in recipes.values() for part in recipe.components} - seen
        if not todo:
            break
    if not supply.stock:
        return {}
    supply.recipes, supply.buying = recipes, buying
    return dict(zip(wanted, promised(list(wanted.values()), supply, near.today(company)), strict=True))


def _known(reference: str, supply: Supply, recipes: dict[str, Recipe], buying: dict[str, int], near: Near) -> None:
    """All that is known of how a product can be had."""
    product = near.of(reference, Product)
    if product is not None and product.lead_days is not None:
        buying[reference] = int(product.lead_days)
    levels = near.with_reference(StockLevel, "product", reference).values()
    if levels:
        supply.stock[reference] = sum((level.available or ZERO for level in levels), ZERO)
    for order in near.with_reference(SupplyOrder, "product", reference).values():
        left = (order.quantity or ZERO) - (order.done or ZERO)
        free = order.order is None and order.state in ("confirmed", "running")
        if free and left > 0 and order.expected_finish is not None:
            supply.incoming.setdefault(reference, []).append((order.expected_finish, left))
    for recipe in near.with_reference(BillOfMaterials, "product", reference).values():
        made = recipe.quantity or Decimal(1)
        parts = {one.product: (one.quantity or ZERO) / made for one in recipe.components.values() if one.product}
        if recipe.active is not False and not recipe.bundle and parts:
            recipes[reference] = Recipe(parts, int(recipe.lead_days or 0))
