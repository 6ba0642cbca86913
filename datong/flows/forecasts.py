"""Forecasts (预测单): what demand said at one moment, agreed to by a person, told to the ERP as one document.

A forecast is made by `datong forecast make` and never changes. A later sight is the next version: once the ERP has it,
the one before is taken out of planning, and only then the new one is planned with, so that no month counts twice.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from datong.canon import Forecast, ForecastLine
from datong.engine.flow import ERP, Approve, Master, Policies, Skip, Verdict, owned_by, told
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.approval import Approver
from datong.matching import Identity, same
from datong.reckoning.exact import summed

FORECASTS = "forecasts"


class ForecastSettings(Approver):
    """Who agrees to a forecast before the ERP plans with it."""


def ours(forecast: Mapping[str, Any]) -> bool:
    """Made here; those that planners made in the ERP are theirs."""
    return bool(forecast.get("sight"))


_FROZEN = ("number", "company", "month", "version", "start", "end", "sight", "made_by", "weighted_by", "withdrawn")

forecasts = Master(
    name=FORECASTS,
    en="Forecasts",
    zh="预测单",
    settings=ForecastSettings,
    record=Forecast,
    identity=Identity(link=(same("number"),)),
    fields=Policies(
        owned_by(ERP, *_FROZEN, "lines", "custom").once(ours, told()),
        owned_by(ERP, "erp_number", "erp_state"),
        told("state"),
    ),
    first_load=ERP,
    creates_in=(ERP,),
    needs=("lines.*.product",),
    whole=True,
    made_here=True,
    lives=(
        LifeCycle(
            "state",
            ("proposed", "current", "replaced"),
            ends={"withdrawn": ("proposed", "current")},
            back={
                ("current", "proposed"): "another version is planned with again in the ERP",
                ("replaced", "proposed"): "the next version was withdrawn",
            },
            waits={"proposed": ("the approver", "agree to the forecast")},
        ),
    ),
)


@forecasts.into(ERP)
def may_be_planned_with(forecast: Forecast, near: Near) -> Verdict:
    """What people agreed to, while it is the latest."""
    if forecast.withdrawn:
        return Skip("it was withdrawn")
    if not forecast.lines:
        return Skip("nothing is expected")
    newer = [one.version for one in _newer(forecast, near) if one.version is not None]
    if newer:
        return Skip(f"version {max(newer):f} takes its place")
    return Approve((near.settings.step("forecast", f"{forecast.number}: {_figures(forecast, near)}"),))


def _figures(forecast: Forecast, near: Near) -> str:
    """What somebody agrees to: the sums, in the units and currencies that there are."""
    lines = list(forecast.lines.values())
    products = sorted({one.product for one in lines if one.product})
    sums = ", ".join(f"{near.name(one)} {_sum_of(lines, one):f}" for one in products[:_NAMED])
    more = f" and {len(products) - _NAMED} more products" if len(products) > _NAMED else ""
    worth: dict[str, list[Decimal]] = {}
    for one in lines:
        worth.setdefault(one.currency or "", []).append(one.amount or Decimal(0))
    amounts = ", ".join(f"{summed(some):f} {code}".strip() for code, some in sorted(worth.items()))
    return f"{sums}{more}; worth {amounts}"


_NAMED = 5
"""Products that an approval names; the others are counted."""


def _sum_of(lines: list[ForecastLine], product: str) -> Decimal:
    return summed(one.quantity or Decimal(0) for one in lines if one.product == product)


@forecasts.tells
def standing(forecast: Forecast, near: Near) -> Mapping[str, Any]:
    """Of the versions of a month one is planned with: the newest that the ERP has, as soon as no other is."""
    if forecast.sight is None:
        return {}
    if forecast.withdrawn:
        return {"state": "withdrawn"}
    newer = _newer(forecast, near)
    if any(one.erp_number for one in newer) or (newer and forecast.erp_number is None):
        return {"state": "replaced"}
    if forecast.erp_number is None or any(one.erp_state == "active" for one in _versions(forecast, near)):
        return {"state": "proposed"}
    return {"state": "current"}


def _newer(forecast: Forecast, near: Near) -> list[Forecast]:
    """Later versions that the ERP has, or may get."""
    mine = forecast.version or Decimal(0)
    later = [one for one in _versions(forecast, near) if (one.version or Decimal(0)) > mine]
    return [one for one in later if one.erp_number or not one.withdrawn]


def _versions(forecast: Forecast, near: Near) -> list[Forecast]:
    """The other ones of its month and company that were made here."""
    found = near.having(Forecast, "month", forecast.month)
    me = near.reference(Forecast.kind)
    return [
        one for key, one in found.items() if key != me and one.company == forecast.company and one.sight is not None
    ]
