"""Where the code of Datong commits and calls, read from its source: what the story has to come to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crashes.doors import PACKAGE

ROOMS = ("engine", "operations", "store", "web")
"""The rooms that write into the store while Datong runs. `cli` and `bootstrap` write through them."""


@dataclass
class Function:
    """One function: `engine.cycle.Engine.apply`, what it enters by `with`, and what it calls, each with the line."""

    name: str
    manager: bool
    entered: list[tuple[str, int]] = field(default_factory=list)
    called: list[tuple[str, int]] = field(default_factory=list)


def functions(folder: Path) -> Iterator[Function]:
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield from _functions(ast.parse(path.read_text(encoding="utf8")), module)


def _functions(tree: ast.AST, scope: str) -> Iterator[Function]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{scope}.{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{scope}.{node.name}"
            managers = {_short(_dotted(one)) for one in node.decorator_list}
            found = Function(name, "contextmanager" in managers)
            _look(node, found)
            yield found
            yield from _functions(node, f"{name}.<locals>")
        else:
            yield from _functions(node, scope)


def _look(tree: ast.AST, found: Function) -> None:
    """Into a function, but not into those within it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
            found.entered.append((_short(_dotted(node.context_expr.func)), node.context_expr.lineno))
        if isinstance(node, ast.Call):
            found.called.append((_dotted(node.func), node.lineno))
        _look(node, found)


def _dotted(node: ast.expr) -> str:
    """`self.store.write`; what is not named so is left out."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def committing() -> set[str]:
    """Every place that enters a writing transaction, also through a context manager of Datong's own."""
    found = [one for room in ROOMS for one in functions(Path(PACKAGE) / room)]
    openers = {"write"}
    while more := {_short(one.name) for one in found if one.manager and _enters(one, openers)} - openers:
        openers |= more
    return {f"{one.name}:{line}" for one in found if not one.manager for line in _enters(one, openers)}


def _enters(function: Function, openers: set[str]) -> list[int]:
    return [line for name, line in function.entered if name in openers]


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def calling(product: str) -> set[str]:
    """Every place of a connector that asks the client it holds for something."""
    return {
        f"{one.name}:{line}"
        for one in functions(Path(PACKAGE) / "connectors" / product)
        for call, line in one.called
        if _ASKS.search(call)
    }


_ASKS = re.compile(r"(?:^|\.)_?(?:http|api|lists|db|session)\.(?:get|call|ask|all|change)$")
NOT_IN_THE_STORY = {
    "engine.cycle.Engine._close_mended": "closes what is over; the next look does it again",
    "engine.worker.Worker._journal_failure": "only after a mistake in Datong itself",
    "engine.deliver.Deliverer._delete": "its first transaction writes only where people deleted on both sides at once",
    "engine.prepare.Preparation.look": "writes only where people edit between the reading of a list and of its record",
    "connectors.sandbox_erp.orders.Orders._change": "documents are no part of the story yet",
    "connectors.sandbox_erp.orders.Orders._step": "documents are no part of the story yet",
    "connectors.sandbox_erp.receipts._written": "documents are no part of the story yet",
    "connectors.sandbox_erp.ageing.aged_balances": "documents are no part of the story yet",
    **dict.fromkeys(
        ("engine.cycle.Engine.undo", "engine.cycle.Engine._apply_undo"),
        "no act of the story: tests/properties/test_undo_laws.py kills an undo while it is applied",
    ),
    "engine.cycle.Engine.propose": "a plan: lost, it is made again",
    "engine.planning.Planner.discard": "a plan that nobody needs",
    **dict.fromkeys(
        (
            "operations.configuration.apply",
            "operations.plans.answer",
            "operations.public.link",
            "operations.public.revoke",
            "operations.records.hold_field",
            "operations.records.release_field",
        ),
        "one transaction, by a person who sees whether it was kept",
    ),
    "operations.reconcile._keep": "a report: lost, it is made again",
    "operations.reconcile.ask_about": "an item about a report: lost, the next report makes it",
    **{
        f"operations.access.Access.{name}": "one transaction, by a person who sees whether it was kept"
        for name in [
            "set_password",
            "log_in",
            "_failed",
            "entry",
            "redeem",
            "of_session",
            "log_out",
            "make_token",
            "revoke",
            "of_token",
        ]
    },
    "operations.approvals.answer": "documents are no part of the story yet",
    "operations.demand.demand": "reads what is kept",
    "operations.forecasts.as_of": "reads what is kept",
    "operations.forecasts.compare": "reads what is kept",
    "operations.forecasts.listed": "reads what is kept",
    "operations.forecasts.make": "one transaction, by a person who sees whether it was kept",
    "operations.forecasts.withdraw": "one transaction, by a person who sees whether it was kept",
    "operations.suggest.accept": "one transaction, by a person who sees whether it was kept",
    "operations.suggest.suggest": "reads what is kept",
    "operations.month_end.match": "reads what is kept, and at --read what a plan reads; nothing of it is kept",
    "operations.month_end._keep": "what is at rest: lost, it is found again",
    "operations.month_end.sign_off": "one transaction, by a person who sees whether it was kept",
    "operations.statements.all_statements": "reads, as operations.month_end.match does",
    "operations.statements.answer": "one transaction, by a person who sees whether it was kept",
    "operations.statements.statements_of": "reads what is kept",
    "connectors.tryton.writer.Writer._places": "a read; provinces are looked up only where an address has one",
    "connectors.tryton.writer.Writer._update": "its second call takes back the first when the record moved in between",
}
"""Functions with a place that no story comes to, and why it may be left out."""
_OF_DOCUMENTS = (
    "connectors.tryton.orders.",
    "connectors.tryton.goods.",
    "connectors.tryton.reading.",
    "connectors.tryton.changes.",
    "connectors.tryton.ageing.",
    "connectors.tryton.returns.",
    "connectors.tryton.planning.",
    "connectors.tryton.campaign_prices.",
    "connectors.tryton.__init__.Tryton._changed_documents",
    "connectors.tryton.__init__.Tryton._receipts",
    "connectors.tryton.__init__.Tryton._stock_of",
    "connectors.bottlecrm.copies.",
)
"""Documents are no part of the story on the real systems yet."""


def left_out(pair: str, reached: set[str]) -> list[str]:
    """Places that commit or call and that the story never came to. Every commit must be in the sandbox's story,
    every call of a connector in the story of the pair it is for."""
    products = ("tryton", "bottlecrm") if pair == "real" else ("sandbox_crm", "sandbox_erp")
    places = {place for product in products for place in calling(product)}
    places |= committing() if pair == "sandbox" else set()
    missing = {place for place in places - reached if not place.startswith(_OF_DOCUMENTS)}
    return sorted(place for place in missing if place.partition(":")[0] not in NOT_IN_THE_STORY)
