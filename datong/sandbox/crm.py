"""SimCRM: the objects, their fields, and what the CRM does with them."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar

from datong.sandbox import crm_sales, crm_service
from datong.sandbox.clock import SECOND, Clock, to_datetime
from datong.sandbox.crm_desk import Desk
from datong.sandbox.crm_fields import CODED, COMMON, COMPANIES, amount, by_code, by_id, day, number, text
from datong.sandbox.crm_goods import GOODS
from datong.sandbox.crm_money import MONEY
from datong.sandbox.crm_sales import SALES
from datong.sandbox.crm_service import SERVICE, dated
from datong.sandbox.crm_sums import rated, revised, summed
from datong.sandbox.fields import Field, Manner, Row
from datong.sandbox.refusals import Invalid, Key, Problem
from datong.sandbox.rows import State
from datong.sandbox.system import Spec, System

_ADDRESS = (
    Field("type", "option", "Type", "类型", options=("billing", "shipping", "office"), default="office"),
    text("country", "Country", "国家", 2),
    text("province", "Province", "省", 60),
    text("city", "City", "市", 60),
    text("district", "District", "区", 60),
    text("street", "Street", "街道"),
    text("postcode", "Postcode", "邮编", 20),
)
_FIGURES = (
    *(
        amount(name, label, label_zh)
        for name, label, label_zh in (
            ("ytd", "Year to date", "本年累计"),
            ("mtd", "Month to date", "本月累计"),
            ("last_year", "Last year", "上年合计"),
            ("receivable", "Receivable", "应收余额"),
            ("not_due", "Not due", "未到期"),
            ("due_1_30", "Overdue 1-30 days", "逾期1-30天"),
            ("due_31_60", "Overdue 31-60 days", "逾期31-60天"),
            ("due_61_90", "Overdue 61-90 days", "逾期61-90天"),
            ("over_90", "Overdue over 90 days", "逾期90天以上"),
            ("overdue", "Overdue", "逾期合计"),
            ("bills", "Bills not due", "未到期承兑汇票"),
            ("credit_used", "Credit used", "已用信用"),
            ("credit_free", "Credit free", "可用信用"),
            ("average_order", "Average order", "平均订单金额"),
        )
    ),
    number("overdue_days", "Days overdue", "最长逾期天数", 2),
    number("days_to_pay", "Average days to pay", "平均付款天数", 2),
    number("order_every", "Days between orders", "平均下单间隔天数", 2),
    day("last_order", "Last order", "最近下单日期"),
    day("last_payment", "Last payment", "最近付款日期"),
    text("favourites", "Favourite product groups", "常购产品组", 400),
    text("counted", "What turnover counts", "统计口径", 400),
    Field("as_of", "moment", "As of", "数据截至时间"),
)
"""What the books say of the account, told from outside."""
_ERP_PART = (
    text("number", "Customer number", "客户编号", 40),
    by_code("payment_term", "payment_terms", "Payment term", "付款条件"),
    Field("credit_limit", "decimal", "Credit limit", "信用额度", decimals=2),
    by_code("currency", "currencies", "Currency", "币种"),
    Field("blocked", "bool", "Blocked", "冻结"),
    by_id("price_list_id", "price_lists", "Price list", "价目表"),
    amount("credit_raise", "Temporary raise", "临时额度"),
    day("raise_until", "Raise valid to", "临时额度有效期至"),
    by_id("raise_by_id", "users", "Raise approved by", "临时额度批准人"),
    Field("figures", "group", "Financial summary", "财务摘要", fields=_FIGURES),
)
_CUSTOM = Field(
    "custom",
    "group",
    "Custom fields",
    "自定义字段",
    custom=True,
    fields=(
        text("region_code", "Region code", "区域代码", 20, custom=True),
        Field("vip", "bool", "VIP", "VIP", default=False, custom=True),
        Field("score", "decimal", "Score", "评分", decimals=2, custom=True),
    ),
)
_ACCOUNT = (
    text("name", "Name", "名称", 120, required=True),
    text("name_en", "English name", "英文名称", 120),
    text("short_name", "Short name", "简称", 60),
    Field("type", "option", "Type", "类型", options=("company", "person"), default="company"),
    Field("stage", "option", "Stage", "阶段", options=("lead", "prospect", "customer", "closed"), default="lead"),
    text("tax_id", "Tax id", "统一社会信用代码", 40),
    text("invoice_title", "Invoice title", "开票抬头", 120),
    text("phone", "Phone", "电话", 40),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    text("website", "Website", "网站"),
    text("industry", "Industry", "行业", 60),
    text("dealer_level", "Dealer level", "经销商等级", 20),
    Field("parent_id", "ref", "Parent", "上级单位", ref="accounts"),
    Field("owner_id", "ref", "Owner (empty: pool)", "负责人（空：公海）", ref="users"),
    by_code("region", "regions", "Region", "大区"),
    Field("addresses", "lines", "Addresses", "地址", fields=_ADDRESS, line_prefix="AD"),
    Field(
        "erp",
        "group",
        "In the ERP",
        "ERP 信息",
        fields=tuple(Field(one, "group", one.title(), one, fields=_ERP_PART) for one in COMPANIES),
    ),
    _CUSTOM,
    text("notes", "Notes", "备注", 4000),
    *COMMON,
)
_CONTACT = (
    Field("account_id", "ref", "Account", "客户", ref="accounts"),
    text("first_name", "First name", "名", 60),
    text("last_name", "Last name", "姓", 60),
    text("name", "Name", "姓名", 120, required=True),
    text("title", "Title", "职务", 80),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    text("phone", "Phone", "电话", 40),
    text("mobile", "Mobile", "手机", 40),
    text("language", "Language", "语言", 10),
    *COMMON,
)
_PRODUCT = (
    text("sku", "SKU", "产品编码", 40, required=True, unique=True),
    text("name", "Name", "名称", 120, required=True),
    text("name_en", "English name", "英文名称", 120),
    text("description", "Description", "描述", 4000),
    by_code("unit", "units", "Unit", "单位"),
    Field("list_price", "decimal", "List price", "标价", decimals=4),
    by_code("currency", "currencies", "Currency", "币种"),
    by_code("tax_code", "tax_codes", "Tax code", "税码"),
    text("category", "Category", "类别", 60),
    _CUSTOM,
    *COMMON,
)
_USER = (
    text("name", "Name", "姓名", 120, required=True),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    text("title", "Title", "职务", 80),
    *COMMON,
)
_DAYS = Field("days", "int", "Days", "天数")
_RATE = Field("rate", "decimal", "Rate", "税率", decimals=4)
_AMOUNTS = ("net", "tax", "total")
_SUMMED = {"opportunities": ("amount",), "quotes": _AMOUNTS, "orders": _AMOUNTS, "contracts": _AMOUNTS}
"""Documents that SimCRM adds up, and where their totals stand."""
_RATED = ("quotes", "contracts")
"""Documents on which SimCRM notes the exchange rate of their day."""

_NUMBERED = {**crm_sales.NUMBERED, **crm_service.NUMBERED}


class Crm(System):
    name = "simcrm"
    title = "SimCRM"
    title_zh = "模拟 CRM"
    manner = Manner(empty_text=None, pad_decimals=False, unknown_is_error=False)
    tick = 1
    api = "/api/"
    own_key = "external_key"
    merge_object = "accounts"
    specs: ClassVar[Mapping[str, Spec]] = {
        spec.name: spec
        for spec in (
            Spec("accounts", "account", _ACCOUNT, "Accounts", "客户", "name", "A"),
            Spec("contacts", "contact", _CONTACT, "Contacts", "联系人", "name", "C"),
            Spec("products", "product", _PRODUCT, "Products", "产品", "name", "P"),
            Spec("users", "user", _USER, "Users", "用户", "name", "U"),
            Spec("payment_terms", "payment_term", (*CODED, _DAYS, *COMMON), "Payment terms", "付款条件", "code", "PT"),
            Spec("tax_codes", "tax_code", (*CODED, _RATE, *COMMON), "Tax codes", "税码", "code", "TX"),
            Spec("units", "unit", (*CODED, *COMMON), "Units", "单位", "code", "UN"),
            Spec("regions", "region", (*CODED, *COMMON), "Regions", "大区", "code", "RG"),
            Spec("currencies", "currency", (*CODED, *COMMON), "Currencies", "币种", "code", "CU"),
            *SALES,
            *MONEY,
            *GOODS,
            *SERVICE,
        )
    }

    def __init__(self, clock: Clock, seed: int) -> None:
        super().__init__(clock, seed)
        self.desk = Desk(self)
        self.files: dict[str, bytes] = {}
        """Contents by `sha256:` and their digest."""

    def fold(self, value: Any) -> str:
        return "" if value is None else str(value).strip().casefold()

    def envelope(self, spec: Spec, state: State, values: Row) -> Row:
        return {
            "id": state.key,
            "version": state.version,
            "created_at": write_time(state.created),
            "updated_at": write_time(state.updated),
            **values,
        }

    def expand(self, spec: Spec, held: Row, sent: Row) -> Row:
        for name in ("id", "version", "created_at", "updated_at"):
            sent.pop(name, None)
        for one in spec.fields:
            if one.type == "lines" and f"{one.name}_changes" in sent:
                sent[one.name] = _change_lines(one.name, held.get(one.name, []), sent.pop(f"{one.name}_changes"))
        return sent

    def complete(self, spec: Spec, held: Row, values: Row) -> Row:
        if not held and "date" in values and not values["date"] and spec.name in _NUMBERED:
            values = {**values, "date": self.clock.now().date().isoformat()}
        if spec.name == "orders" and not held and not values["wish"] and not values["erp_number"]:
            values = {**values, "wish": "draft"}  # of an order that comes with a number nobody here wished anything
        if spec.name in _SUMMED:
            values = summed(held, values, self._tax_rate, _SUMMED[spec.name])
        if spec.name in _RATED:
            values = rated(held, values, self._rate)
        if spec.name == "quotes":
            values = revised(held, values)
        if spec.name == "cases":
            values = dated(values, write_time(self.clock.micros()))
        return values

    def assign(self, spec: Spec, key: Key, values: Row) -> Row:
        if spec.name not in _NUMBERED or values["number"]:
            return values
        year = str(values.get("date") or self.clock.now().date())[:4]
        return {**values, "number": f"{_NUMBERED[spec.name]}-{year}-{str(key).rpartition('-')[2]}"}

    def _rate(self, currency: str, into: str, on: str) -> tuple[str, str] | None:
        rows = (state.data for state in self.table("exchange_rates").live.find("currency", currency))
        fit = [(row["date"], row["rate"]) for row in rows if row["into_currency"] == into and row["rate"]]
        day, rate = max(((day, rate) for day, rate in fit if day and day <= on), default=("", ""))
        return (rate, day) if day else None

    def _tax_rate(self, code: str) -> str | None:
        found = self.table("tax_codes").live.find("code", code)
        return found[0].data["rate"] if found else None

    def event(self, object: str, state: State, happened: str) -> Row:
        data = self.strip(state.data, self.faults.hidden(object))
        if state.gone:
            data = {"id": state.key, **({"merged_into": state.merged_into} if state.merged_into else {})}
        return {
            "id": f"ev-{self._event_count}",
            "event": f"{self.specs[object].singular}.{happened}",
            "object": object,
            "object_id": state.key,
            "version": state.version,
            "occurred_at": write_time(self.clock.micros()),
            "data": data,
            "complete": not state.gone,
        }

    def sign(self, secret: str, body: bytes) -> dict[str, str]:
        moment = self.clock.micros() // SECOND
        digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-SimCRM-Signature": f"t={moment},v1={digest}"}

    def leave_children(self, key: Key) -> None:
        """Prices of a customer go with it: without one they would hold for everybody."""
        for price in self.table("prices").live.find("account_id", key):
            self.delete("prices", price.key)
        for object, field in self.pointers("accounts"):
            for child in self.table(object).live.find(field, key):
                self.record(object, child.key, {field: None})


def write_time(micros: int) -> str:
    return to_datetime(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _change_lines(name: str, held: list[Row], changes: Any) -> list[Row]:
    """The whole list that per-item changes come to."""
    at = f"{name}_changes"
    if not isinstance(changes, dict) or not all(isinstance(part, list) for part in changes.values()):
        raise Invalid({at: Problem("INVALID", "must hold lists: create, update, delete")})
    lines = {line["id"]: line for line in held}
    for i, key in enumerate(changes.get("delete", [])):
        if not isinstance(key, str) or lines.pop(key, None) is None:
            raise Invalid({f"{at}.delete[{i}]": Problem("INVALID", "unknown")})
    for i, line in enumerate(changes.get("update", [])):
        key = line.get("id") if isinstance(line, dict) else None
        if not isinstance(key, str) or key not in lines:
            raise Invalid({f"{at}.update[{i}].id": Problem("INVALID", "unknown")})
        lines[key] = {**lines[key], **line}
    created = [{**line, "id": None} if isinstance(line, dict) else line for line in changes.get("create", [])]
    return [*lines.values(), *created]
