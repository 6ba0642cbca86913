"""Counts and sums of both sides, gathered while records are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from datong.base.money import decimal, plain
from datong.engine.reconcile.compare import Side, amounts
from datong.engine.reconcile.model import Difference


@dataclass
class Kind:
    """One kind of record of a flow. `waiting` differ and are known; `left_out` are not to be compared, and why."""

    compared: int = 0
    equal: int = 0
    differing: int = 0
    waiting: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def agreement(self) -> str:
        """Share of what was compared that is alike on both sides, per cent; never rounded up to 100."""
        if not self.compared:
            return ""
        share = Decimal(self.equal * 100) / self.compared
        return plain(share.quantize(Decimal("0.01"), rounding="ROUND_DOWN"))


@dataclass
class _Sum:
    amount: Decimal = Decimal(0)
    records: int = 0


class Tally:
    """Grows with the number of flows, companies and currencies, not with that of records."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._present: dict[tuple[str, str, str], Counter[str]] = {}
        self._sums: dict[tuple[str, str, str, str, str], dict[str, _Sum]] = {}

    def kind(self, flow: str, kind: str) -> Kind:
        return self._kinds.setdefault((flow, kind), Kind())

    def leave_out(self, flow: str, kind: str, why: str) -> None:
        self.kind(flow, kind).left_out[why] += 1

    def count(
        self,
        flow: str,
        kind: str,
        sides: Sequence[Side],
        companies: Sequence[str],
        currency: str,
        difference: Difference | None,
    ) -> None:
        """One record that was compared, with the sides on which it stands."""
        here = self.kind(flow, kind)
        here.compared += 1
        if difference is None:
            here.equal += 1
        elif difference.known is not None:
            here.waiting += 1
        else:
            here.differing += 1
        for side in sides:
            if side.main:
                for company in companies:
                    self._present.setdefault((flow, kind, company), Counter())[side.connection] += 1
                self._add(flow, kind, side, currency)

    def _add(self, flow: str, kind: str, side: Side, currency: str) -> None:
        for name, company, of, text in amounts(kind, side, currency):
            try:
                amount = decimal(text)
            except ValueError:
                continue  # it is shown as a difference of its own
            one = self._sums.setdefault((flow, kind, name, company, of), {}).setdefault(side.connection, _Sum())
            one.amount += amount
            one.records += 1

    # told --------------------------------------------------------------------------------------------------------

    def agreement(self) -> list[dict[str, Any]]:
        return [
            {
                "flow": flow,
                "kind": kind,
                "compared": one.compared,
                "equal": one.equal,
                "differing": one.differing,
                "waiting": one.waiting,
                "left_out": dict(sorted(one.left_out.items())),
                "agreement": one.agreement,
            }
            for (flow, kind), one in self._kinds.items()
        ]

    def counts(self) -> list[dict[str, Any]]:
        return [
            {"flow": flow, "kind": kind, "company": company, "records": dict(sorted(told.items()))}
            for (flow, kind, company), told in sorted(self._present.items())
        ]

    def money(self) -> list[dict[str, Any]]:
        """Fields that at least two connections hold."""
        return [
            {
                "flow": flow,
                "kind": kind,
                "field": name,
                "company": company,
                "currency": currency,
                "sums": {c: {"amount": plain(s.amount), "records": s.records} for c, s in sorted(sums.items())},
                "apart": plain(_apart(sums)),
            }
            for (flow, kind, name, company, currency), sums in self._shared()
        ]

    def _shared(self) -> Iterator[tuple[tuple[str, str, str, str, str], Mapping[str, _Sum]]]:
        held: dict[tuple[str, str, str], set[str]] = {}
        for (flow, kind, name, _, _), sums in self._sums.items():
            held.setdefault((flow, kind, name), set()).update(sums)
        for key, sums in sorted(self._sums.items()):
            connections = held[key[:3]]
            if len(connections) > 1:
                yield key, {c: sums.get(c, _Sum()) for c in connections}


def _apart(sums: Mapping[str, _Sum]) -> Decimal:
    amounts_ = [one.amount for one in sums.values()]
    return max(amounts_) - min(amounts_)
