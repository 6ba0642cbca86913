"""Forecasts: demand as it is in sight now, made into documents; what was in sight on a day; how far it was off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date as Day
from decimal import Decimal
from typing import Any

from datong.base.clock import local_date, to_text
from datong.base.errors import NotFound, UsageError
from datong.base.money import plain
from datong.canon import Forecast, ForecastLine, Order
from datong.engine.absorb import Absorber
from datong.engine.cycle import Engine
from datong.engine.evaluate import Evaluator
from datong.flows.demand import DEMAND, DemandSettings
from datong.flows.forecasts import FORECASTS
from datong.flows.orders import stands
from datong.insight.demand import By, DemandRules, grouped
from datong.insight.forecast import Hit, Place, compared, drafted, latest, told
from datong.insight.span import Span
from datong.operations.actor import Actor, require
from datong.operations.demand import Demand, around_of, every, names_of, signals_in_sight, within
from datong.operations.documents import Shelf, opened
from datong.operations.work import acting
from datong.store.unit import Unit


def make(engine: Engine, actor: Actor, period: Span, *, company: str | None = None) -> list[dict[str, Any]]:
    """A forecast for each month and company of a period, where what is in sight differs from the last one. Gives the
    new ones; a person agrees to each before the ERP plans with it.

    Raises UsageError where the flow is off, or nothing that could be planned with is in sight.
    """
    require(actor, "operator", "make a forecast")
    _on(engine)
    settings = engine.landscape.settings_of(DEMAND)
    rules = (settings if isinstance(settings, DemandSettings) else DemandSettings()).rules()
    with acting(engine, actor) as unit:
        shelf = Shelf(engine, unit)
        signals, _ = signals_in_sight(shelf, rules)
        only = _only_company(engine)
        placed = [one if one.company else replace(one, company=only) for one in signals]
        drafts = drafted(one for one in placed if within(one, period) and company in (None, one.company))
        if not drafts:
            raise UsageError(f"nothing is in sight for {period}", remedy="`datong demand` shows what is, and for when")
        kept = every(shelf, Forecast)
        before = latest(kept)
        made = [
            _made(unit, actor, place, kept, lines, rules)
            for place, lines in drafts.items()
            if place not in before or _said(lines) != _said(kept[before[place]].lines.values())
        ]
        unit.flush()
        Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh(made)
        unit.flush()
        return [_head(Forecast.from_fields(one.agreed), f"forecast:{i}") for i, one in unit.load(made).items()]


def _on(engine: Engine) -> None:
    if engine.landscape.flow_of(Forecast.kind) is None:
        raise UsageError("no flow carries forecasts", remedy=f"switch `{FORECASTS}` on under flows: in datong.yaml")


def _only_company(engine: Engine) -> str:
    known = {code for conn in engine.landscape.connections.values() for code in conn.companies}
    return known.pop() if len(known) == 1 else ""


def _said(lines: Iterable[ForecastLine]) -> set[tuple[Any, ...]]:
    """What lines say, however their numbers are written."""
    return {tuple(getattr(line, name) for name in ForecastLine.model_fields) for line in lines}


def _made(
    unit: Unit, actor: Actor, place: Place, kept: Mapping[str, Forecast], lines: list[Any], rules: DemandRules
) -> int:
    company, month = place
    mine = [one.version or Decimal(0) for one in kept.values() if (one.company or "", one.month) == place and one.sight]
    version, span = max(mine, default=Decimal(0)) + 1, Span.parse(month)
    forecast = Forecast.model_construct(
        number="-".join(one for one in ("FC", company, month, plain(version)) if one),
        company=company or None,
        month=month,
        version=version,
        start=span.start,
        end=span.end,
        sight=unit.now,
        made_by=actor.name,
        weighted_by=_rules_told(rules),
        withdrawn=False,
        lines={str(number): line for number, line in enumerate(lines, 1)},
    )
    record = unit.new_record(Forecast.kind)
    record.agreed = forecast.flat()
    record.origin["*"] = [FORECASTS, to_text(unit.now)]
    unit.touch(record)
    unit.note("made", record_id=record.id, kind=record.kind, flow=FORECASTS, why=f"of what is in sight for {month}")
    return record.id


def _rules_told(rules: DemandRules) -> str:
    quotes = ", ".join(f"{state} {weight:f}" for state, weight in rules.quotes.items())
    return (
        f"quotes: {quotes}; pipeline without probability {rules.pipeline:f}; lost {rules.lost:f}; told {rules.told:f}"
    )


def withdraw(engine: Engine, actor: Actor, number: str) -> dict[str, Any]:
    """Nobody is to plan with it any more. Raises NotFound."""
    require(actor, "operator", "withdraw a forecast")
    _on(engine)
    with acting(engine, actor) as unit:
        shelf = Shelf(engine, unit)
        found = [one for one in shelf.records(Forecast.kind) if one.agreed.get("number") == number]
        if not found or not found[0].agreed.get("sight"):
            raise NotFound(f"there is no forecast {number}", remedy="`datong forecast list` shows them")
        record = found[0]
        record.agreed["withdrawn"] = True
        record.origin["withdrawn"] = ["person", to_text(unit.now)]
        unit.touch(record)
        unit.note("withdrawn", record_id=record.id, kind=record.kind, flow=FORECASTS, why=f"by {actor.name}")
        unit.flush()
        Evaluator(unit, engine.landscape, Absorber(unit, engine.landscape).references).weigh({record.id})
        unit.flush()
        return _head(Forecast.from_fields(record.agreed), f"forecast:{record.id}")


def listed(
    engine: Engine, actor: Actor, period: Span | None = None, *, company: str | None = None
) -> list[dict[str, Any]]:
    """Every forecast that was made here, by month, company and version."""
    require(actor, "viewer", "see forecasts")
    with opened(engine, read=False) as (shelf, _):
        kept = _in(_kept(shelf), period, company)
        ordered = sorted(kept.items(), key=lambda one: (one[1].month or "", one[1].company or "", one[1].version or 0))
        return [_head(one, key) for key, one in ordered]


def _kept(shelf: Shelf) -> dict[str, Forecast]:
    return {key: one for key, one in every(shelf, Forecast).items() if one.sight is not None}


def _in(kept: Mapping[str, Forecast], period: Span | None, company: str | None) -> dict[str, Forecast]:
    return {
        key: one
        for key, one in kept.items()
        if company in (None, one.company) and (period is None or (one.start is not None and one.start in period))
    }


def _head(one: Forecast, reference: str) -> dict[str, Any]:
    return {
        "number": one.number,
        "erp_number": one.erp_number,
        "company": one.company,
        "month": one.month,
        "version": plain(one.version or Decimal(0)),
        "state": one.state,
        "sight": to_text(one.sight) if one.sight else None,
        "made_by": one.made_by,
        "lines": len(one.lines),
        "reference": reference,
    }


def as_of(
    engine: Engine, actor: Actor, by: By, day: Day, period: Span | None = None, *, company: str | None = None
) -> Demand:
    """What was in sight at the end of a day: of every month the last forecast that was made until then.

    Raises NotFound where there is none.
    """
    require(actor, "viewer", "see demand")
    with opened(engine, read=False) as (shelf, _):
        then = {key: one for key, one in _kept(shelf).items() if _day(engine, one) <= day}
        if not then:
            raise NotFound(f"there is no forecast of {day} or before", remedy="`datong forecast list` shows them")
        kept = _in({key: then[key] for key in latest(then).values()}, period, company)
        signals = [signal for key, one in kept.items() for signal in told(one, key)]
        return Demand(by, period, grouped(signals, by), signals, names_of(shelf, signals), [])


def _day(engine: Engine, one: Forecast) -> Day:
    """On which it was made, where the company is."""
    assert one.sight is not None  # _kept saw to it
    return local_date(one.sight, engine.landscape.zones.get(one.company or "", "UTC"))


@dataclass(frozen=True)
class Comparison:
    """Forecasts beside what was ordered in their months."""

    of: list[dict[str, Any]]
    hits: list[Hit]
    names: dict[str, str]

    @property
    def told(self) -> dict[str, Any]:
        return {"forecasts": self.of, "hits": [dict(self.row(one)) for one in self.hits]}

    def row(self, one: Hit) -> Iterator[tuple[str, Any]]:
        yield "month", one.month
        yield "company", one.company
        for name in ("product", "region", "unit"):
            yield name, self.names.get(getattr(one, name), getattr(one, name))
        for name in ("expected", "ordered", "off"):
            yield name, plain(getattr(one, name))
        yield "accuracy", None if one.accuracy is None else plain(one.accuracy)


def compare(
    engine: Engine, actor: Actor, period: Span, *, company: str | None = None, day: Day | None = None
) -> Comparison:
    """What was expected of a period against the orders of its months. Of each month the last forecast, or the last
    that was made until `day`. Raises NotFound where there is none."""
    require(actor, "viewer", "compare forecasts")
    with opened(engine, read=False) as (shelf, _):
        kept = {key: one for key, one in _kept(shelf).items() if day is None or _day(engine, one) <= day}
        chosen = _in({key: kept[key] for key in latest(kept).values()}, period, company)
        if not chosen:
            raise NotFound(f"there is no forecast of {period}", remedy="`datong forecast list` shows them")
        around = around_of(shelf)
        orders = [one for one in every(shelf, Order).values() if stands(one)]
        hits = compared(chosen.values(), orders, around)
        wanted = {v for one in hits for v in (one.product, one.region, one.unit) if ":" in v}
        names = {reference: shelf.name(reference) or reference for reference in sorted(wanted)}
        return Comparison([_head(one, key) for key, one in chosen.items()], hits, names)
