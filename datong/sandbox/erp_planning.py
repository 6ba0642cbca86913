"""Planning in SimERP: forecasts (预测单), which its planners count as demand while they are active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datong.sandbox.erp_books import exact
from datong.sandbox.erp_fields import COMPANY, DOC_NO, EXT_REF, ITEM, UNIT, day, number, option, ref, text
from datong.sandbox.fields import Field, Row
from datong.sandbox.refusals import Breach, Invalid, Problem
from datong.sandbox.system import Spec

if TYPE_CHECKING:
    from datong.sandbox.erp import Erp

_FORECAST = (
    DOC_NO,
    text("externalNo", "External number", "外部单号", 40),
    COMPANY,
    day("dateFrom", "From", "开始日期", required=True),
    day("dateTo", "To", "结束日期", required=True),
    text("version", "Version", "版本", 20),
    option("status", "Status", "状态", "draft", "active", "cancelled", default="draft"),
    text("remarks", "Remarks", "备注", 500),
    Field(
        "lines",
        "lines",
        "Lines",
        "明细",
        line_id="lineId",
        fields=(
            ITEM,
            ref("regionCode", "Region", "大区", "regions", ref_by="code"),
            text("source", "Source", "来源", 40),
            number("qty", "Quantity", "数量"),
            number("qtyBefore", "Before the weight", "加权前数量"),
            number("weightPct", "Weight %", "权重", 2),
            UNIT,
        ),
    ),
    EXT_REF,
)
_FROZEN = ("companyCode", "dateFrom", "dateTo", "version", "lines")


def permit(held: Row, values: Row) -> None:
    """A draft may be changed; what is planned with is cancelled, and what is cancelled stays so."""
    if not held or held["status"] == "draft":
        return
    changed = [name for name in _FROZEN if values[name] != held[name]]
    if changed:
        raise Breach("POSTED", f"{held['docNo']} is {held['status']}", changed[0])
    if values["status"] != held["status"] and (held["status"], values["status"]) != ("active", "cancelled"):
        raise Breach("WRONG_STATE", f"{held['docNo']} is {held['status']}", "status")


def complete(erp: Erp, held: Row, values: Row) -> Row:
    if values["dateTo"] < values["dateFrom"]:
        raise Invalid({"dateTo": Problem("INVALID", "before the first day")})
    for i, line in enumerate(values["lines"]):
        if exact(line["qty"]) < 0:
            raise Invalid({f"lines[{i}].qty": Problem("NEGATIVE_QUANTITY", "must not be negative")})
    if values["status"] == "active":
        _must_be_alone(erp, values, held.get("id"))
    return {**values, "docNo": values["docNo"] or held.get("docNo") or erp.number("FC", values)}


def _must_be_alone(erp: Erp, values: Row, key: object) -> None:
    """No day of a company is planned with twice."""
    for state in erp.table("forecasts").live.find("companyCode", values["companyCode"]):
        other = state.data
        over = other["dateFrom"] <= values["dateTo"] and values["dateFrom"] <= other["dateTo"]
        if other["status"] == "active" and over and state.key != key and other["docNo"] != values["docNo"]:
            raise Breach("OVERLAP", f"{other['docNo']} is active for these days", "status")


PLANNING = (
    Spec(
        "forecasts",
        "forecast",
        _FORECAST,
        "Forecasts",
        "预测单",
        "docNo",
        columns=("docNo", "externalNo", "companyCode", "dateFrom", "dateTo", "version", "status"),
    ),
)
