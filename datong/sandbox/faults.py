"""Faults on request: rules that say what goes wrong, where, how often. docs/sandbox.md lists the actions."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from datong.sandbox.fields import Field, Row, alter, as_decimal, find_field, pluck, without, write_decimal
from datong.sandbox.refusals import BadRequest, Invalid, Problem

ON_CALLS = (
    "rate_limit",
    "unavailable",
    "error_before",
    "error_after_commit",
    "timeout_late_commit",
    "drop_connection",
    "html_200",
    "truncated_json",
)
ON_READS = ("stale_read", "search_lag", "hide_field")
ON_VALUES = ("normalise", "round", "truncate", "drop_field", "refuse")
ON_EVENTS = ("lose_webhooks", "duplicate_webhooks", "reorder_webhooks")
ON_DOCUMENTS = ("change_price", "renumber")
ACTIONS = ("latency", *ON_CALLS, *ON_READS, "late_row", *ON_VALUES, *ON_DOCUMENTS, *ON_EVENTS)
NORMALISE: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "strip": str.strip,
    "phone": lambda text: re.sub(r"[^0-9+]", "", text),
}


@dataclass(frozen=True, slots=True)
class Call:
    """The HTTP call being served."""

    method: str
    path: str
    object: str


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)


@dataclass(slots=True)
class Rule:
    id: int
    action: str
    method: str | None = None
    path: str | None = None
    object: str | None = None
    times: int | None = None
    probability: float = 1.0
    params: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def matches(self, call: Call | None, object: str) -> bool:
        if self.times is not None and self.fired >= self.times:
            return False
        if self.object is not None and self.object != object:
            return False
        if self.method is None and self.path is None:
            return True
        if call is None or (self.method is not None and self.method.upper() != call.method):
            return False
        return self.path is None or re.search(self.path, call.path) is not None

    def seconds(self, default: float, name: str = "seconds") -> float:
        return float(self.params.get(name, default))


class Faults:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._count = 0
        self._random = random.Random(seed)
        self._window = (0, 0)

    def add(
        self,
        action: str,
        *,
        method: str | None = None,
        path: str | None = None,
        object: str | None = None,
        times: int | None = None,
        probability: float = 1.0,
        **params: Any,
    ) -> int:
        """Adds a rule and returns its id."""
        _refuse_nonsense(action, path, params)
        with self._lock:
            self._count += 1
            self._rules.append(Rule(self._count, action, method, path, object, times, probability, params))
            return self._count

    def clear(self, id: int | None = None) -> None:
        with self._lock:
            if id is not None:
                self._rules = [rule for rule in self._rules if rule.id != id]
                return
            self._rules = []
            self._count = 0
            self._random = random.Random(self._seed)

    def rules(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, object: str, *actions: str) -> list[Rule]:
        """The rules that fire now, in the order they were added; each is counted."""
        if not self._rules:
            return []
        with self._lock:
            return [rule for rule in self._rules if rule.action in actions and self._fires(rule, object)]

    def take_one(self, object: str, *actions: str) -> Rule | None:
        """The first rule that fires now; the others are not counted."""
        if not self._rules:
            return None
        with self._lock:
            return next((rule for rule in self._rules if rule.action in actions and self._fires(rule, object)), None)

    def hidden(self, object: str, schema: bool = False) -> list[str]:
        rules = self.take(object, "hide_field")
        return [rule.params["field"] for rule in rules if not schema or rule.params.get("schema")]

    def on_values(self, object: str, fields: tuple[Field, ...], data: Row) -> Row:
        """What the system makes of the values it is sent, before it checks them."""
        for rule in self.take(object, *ON_VALUES):
            data = _on_values(rule, fields, data)
        return data

    def _fires(self, rule: Rule, object: str) -> bool:
        if not rule.matches(current_call.get(), object):
            return False
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return False
        if "per_second" in rule.params and not self._over(int(rule.params["per_second"])):
            return False
        rule.fired += 1
        return True

    def _over(self, limit: int) -> bool:
        second, count = int(time.monotonic()), self._window[1]
        self._window = (second, count + 1 if second == self._window[0] else 1)
        return self._window[1] > limit


def _refuse_nonsense(action: str, path: str | None, params: Mapping[str, Any]) -> None:
    if action not in ACTIONS:
        raise BadRequest(f"unknown action {action!r}; known: {', '.join(ACTIONS)}")
    if action in (*ON_VALUES, "hide_field") and not isinstance(params.get("field"), str):
        raise BadRequest(f"{action} needs a field")
    if action == "normalise" and params.get("how") not in NORMALISE:
        raise BadRequest(f"normalise needs how: {', '.join(NORMALISE)}")
    for pattern in (path, params.get("pattern")):
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise BadRequest(f"not a regular expression: {pattern}") from error


def _on_values(rule: Rule, fields: tuple[Field, ...], data: Row) -> Row:
    path: str = rule.params["field"]
    if rule.action == "drop_field":
        changed: Row = without(data, path)
        return changed
    if rule.action == "refuse":
        _refuse(rule, path, data)
        return data
    result: Row = alter(data, path, _change(rule, find_field(fields, path)))
    return result


def _refuse(rule: Rule, path: str, data: Row) -> None:
    pattern = re.compile(rule.params.get("pattern", "."))
    if any(value is not None and pattern.search(str(value)) for value in pluck(data, path)):
        raise Invalid({path: Problem("REFUSED", str(rule.params.get("message", "refused by a rule of this system")))})


def _change(rule: Rule, one: Field | None) -> Callable[[Any], Any]:
    if rule.action == "round":
        return lambda value: _round(value, int(rule.params.get("decimals", 2)))
    if rule.action == "truncate":
        length: int | None = rule.params.get("length") or (one.max_length if one else None)
        return lambda value: value[:length] if isinstance(value, str) else value
    how = NORMALISE[rule.params["how"]]
    return lambda value: how(value) if isinstance(value, str) else value


def _round(value: Any, decimals: int) -> Any:
    number = as_decimal(value)
    return (
        value if number is None else write_decimal(number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), None)
    )
