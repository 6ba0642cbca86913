"""Canonical records. Every field carries its catalogue entry: label (en, zh), example, unit, personal data or not.

Three shapes of field beside the plain one: `company` holds what exists once per company of a connection,
a dict of records is a collection whose items are told apart by key, and `to=` marks a reference to another record.
A reference is the text `kind:record id`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field

from datong.base.money import Money


def field(
    en: str,
    zh: str,
    *,
    example: str = "",
    unit: str = "",
    personal: bool = False,
    cost: bool = False,
    to: str = "",
    ubl: str = "",
) -> Any:
    """`cost`: it says what something costs us, or what we earn: for those who may see it."""
    extra: dict[str, Any] = {
        "en": en,
        "zh": zh,
        "example": example,
        "unit": unit,
        "personal": personal,
        "cost": cost,
        "to": to,
        "ubl": ubl,
    }
    return Field(default=None, json_schema_extra=extra)


class Part(BaseModel):
    """A part of a record: no identity of its own."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True, frozen=True, defer_build=True)


class Record(Part):
    """One business object of ours. `custom` holds the fields a company added itself."""

    kind: ClassVar[str]
    labels: ClassVar[tuple[str, str]]
    custom: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The typed view of a flat document; unknown names are kept as they are."""
        nested: dict[str, Any] = {}
        for name, value in fields.items():
            head, _, rest = name.partition(".")
            if not rest:
                if name == "custom" or part_of(cls, name) is not Part:
                    continue
                nested[name] = _typed(cls, name, value)
                continue
            group = nested.setdefault(head, {})
            key, _, leaf = rest.partition(".")
            if head == "custom":
                group[rest] = value
            elif not leaf:
                if value:
                    group.setdefault(key, {})
            elif fields.get(f"{head}.{key}", True):  # not what is left of a removed item
                group.setdefault(key, {})[leaf] = _typed(part_of(cls, head), leaf, value)
        built: dict[str, Any] = {k: _construct(cls, k, v) for k, v in nested.items()}
        return cast(Self, cls.model_construct(None, **built))

    def flat(self) -> dict[str, Any]:
        """The flat document of canonical scalars: the inverse of `from_fields`. What is empty is left out."""
        made: dict[str, Any] = {f"custom.{name}": value for name, value in self.custom.items() if value is not None}
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if name == "custom" or value is None:
                continue
            part = part_of(type(self), name)
            if part is Part:
                made[name] = scalar(info.annotation, value)
                continue
            for key, item in value.items():
                if name != "company":
                    made[f"{name}.{key}"] = True
                leaves = ((leaf, getattr(item, leaf)) for leaf in part.model_fields)
                told = {
                    leaf: scalar(part.model_fields[leaf].annotation, one) for leaf, one in leaves if one is not None
                }
                made.update({f"{name}.{key}.{leaf}": one for leaf, one in told.items()})
        return made


@cache
def part_of(model: type[Part], name: str) -> type[Part]:
    """The class of the items under `company` or under a collection."""
    info = model.model_fields.get(name)
    item = getattr(info.annotation, "__args__", (None, None))[1] if info is not None else None
    return item if isinstance(item, type) and issubclass(item, Part) else Part


def _construct(model: type[Part], name: str, value: Any) -> Any:
    if isinstance(value, dict) and name != "custom":
        item = part_of(model, name)
        return {key: item.model_construct(**v) for key, v in value.items()}
    return value


def scalar(annotation: Any, value: Any) -> Any:
    """The canonical scalar of a typed value."""
    from datong.canon.fields import check, type_name

    return check(type_name(annotation), value)


def _typed(model: type[Part], name: str, value: Any) -> Any:
    return value if value is None else _reader(model, name)(value)


@cache
def _reader(model: type[Part], name: str) -> Callable[[Any], Any]:
    from datong.canon.fields import reader

    info = model.model_fields.get(name)
    return reader(info.annotation) if info is not None else lambda value: value


class Address(Part):
    """A postal address. 省市区 are province, city and district."""

    use: Literal["billing", "shipping", "office"] | None = field("Use", "用途", example="billing")
    country: str | None = field("Country", "国家", example="CN", ubl="Country/IdentificationCode")
    province: str | None = field("Province", "省", example="广东省")
    city: str | None = field("City", "市", example="深圳市")
    district: str | None = field("District", "区", example="南山区")
    street: str | None = field("Street", "街道", example="科技园路1号", personal=True)
    postcode: str | None = field("Postcode", "邮编", example="518057")


class AccountCompany(Part):
    """What one company of ours agreed with a customer, and how the customer stands there: amounts in the currency of
    the company's books. `open` says that the company keeps an account for it (开户)."""

    open: bool | None = field("Account kept", "已开户", example="true")
    number: str | None = field("Customer number", "客户编号", example="C00017")
    terms: str | None = field("Payment terms", "付款条件", example="payment_term:3", to="payment_term")
    credit_limit: Money | None = field("Credit limit", "信用额度", example="50000 CNY")
    blocked: bool | None = field("Blocked", "冻结", example="false")
    price_list: str | None = field("Price list", "价目表", example="price_list:1", to="price_list")
    credit_raise: Money | None = field("Temporary raise", "临时额度", example="20000 CNY")
    raise_until: date | None = field("Raise valid to", "临时额度有效期至", example="2026-12-31")
    raise_by: str | None = field("Raise approved by", "临时额度批准人", example="user:2", to="user")
    credit_used: Money | None = field("Credit used", "已用信用", example="31200 CNY")
    credit_free: Money | None = field("Credit free", "可用信用", example="18800 CNY")
    receivable: Money | None = field("Receivable", "应收余额", example="31200 CNY")
    not_due: Money | None = field("Not due", "未到期", example="20000 CNY")
    due_1_30: Money | None = field("Overdue 1-30 days", "逾期1-30天", example="11200 CNY")
    due_31_60: Money | None = field("Overdue 31-60 days", "逾期31-60天", example="0 CNY")
    due_61_90: Money | None = field("Overdue 61-90 days", "逾期61-90天", example="0 CNY")
    over_90: Money | None = field("Overdue over 90 days", "逾期90天以上", example="0 CNY")
    overdue: Money | None = field("Overdue", "逾期合计", example="11200 CNY")
    overdue_days: Decimal | None = field("Days overdue", "最长逾期天数", example="12", unit="days")
    bills: Money | None = field("Bills not due", "未到期承兑汇票", example="0 CNY")
    ytd: Money | None = field("Year to date", "本年累计", example="186000 CNY")
    mtd: Money | None = field("Month to date", "本月累计", example="11200 CNY")
    last_year: Money | None = field("Last year", "上年合计", example="240000 CNY")
    counted: str | None = field("What turnover counts", "统计口径", example="invoices 开票, without tax 未税")
    last_order: date | None = field("Last order", "最近下单日期", example="2026-11-20")
    last_payment: date | None = field("Last payment", "最近付款日期", example="2026-11-18")
    days_to_pay: Decimal | None = field("Average days to pay", "平均付款天数", example="34.5", unit="days")
    order_every: Decimal | None = field("Days between orders", "平均下单间隔天数", example="21", unit="days")
    average_order: Money | None = field("Average order", "平均订单金额", example="9300 CNY")
    favourites: str | None = field("Favourite product groups", "常购产品组", example="Pumps, Valves")
    as_of: datetime | None = field("Figures as of", "数据截至时间", example="2026-11-22T08:00:00.000000Z")


class Account(Record):
    """A customer: a company or a person we sell to."""

    kind = "account"
    labels = ("Customer", "客户")
    name: str | None = field("Name", "名称", example="深圳市大同科技有限公司", ubl="PartyLegalEntity/RegistrationName")
    name_en: str | None = field("Name in English", "英文名称", example="Datong Technology Co., Ltd.")
    short_name: str | None = field("Short name", "简称", example="大同科技")
    type: Literal["company", "person"] | None = field("Company or person", "企业或个人", example="company")
    stage: Literal["lead", "prospect", "customer", "closed"] | None = field("Stage", "阶段", example="customer")
    country: str | None = field("Country", "国家", example="CN")
    tax_id: str | None = field(
        "Tax id", "统一社会信用代码", example="91350100M000100Y43", personal=True, ubl="PartyTaxScheme/CompanyID"
    )
    invoice_title: str | None = field("Invoice title", "开票抬头", example="深圳市大同科技有限公司")
    phone: str | None = field("Phone", "电话", example="+8675526000000", personal=True)
    email: str | None = field("E-mail", "邮箱", example="sales@example.com", personal=True)
    website: str | None = field("Website", "网站", example="example.com")
    industry: str | None = field("Industry", "行业", example="Manufacturing")
    dealer_level: str | None = field("Dealer level", "经销商等级", example="A")
    region: str | None = field("Region", "区域", example="region:4", to="region")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    parent: str | None = field("Parent", "上级客户", example="account:7", to="account")
    owner: str | None = field("Owner", "负责人", example="user:2", to="user")
    active: bool | None = field("Active", "启用", example="true")
    notes: str | None = field("Notes", "备注", example="")
    company: dict[str, AccountCompany] = Field(default_factory=dict)
    addresses: dict[str, Address] = Field(default_factory=dict)


class Contact(Record):
    """A person at a customer."""

    kind = "contact"
    labels = ("Contact", "联系人")
    account: str | None = field("Customer", "客户", example="account:7", to="account")
    name: str | None = field("Name", "姓名", example="李娜", personal=True)
    family_name: str | None = field("Family name", "姓", example="李", personal=True)
    given_name: str | None = field("Given name", "名", example="娜", personal=True)
    title: str | None = field("Job title", "职务", example="采购经理")
    email: str | None = field("E-mail", "邮箱", example="li.na@example.com", personal=True)
    phone: str | None = field("Phone", "电话", example="+8675526000000", personal=True)
    mobile: str | None = field("Mobile", "手机", example="+8613800138000", personal=True)
    language: str | None = field("Language", "语言", example="zh")
    active: bool | None = field("Active", "启用", example="true")


class Product(Record):
    """What is sold."""

    kind = "product"
    labels = ("Product", "产品")
    sku: str | None = field("Product number", "产品编号", example="W-100", ubl="SellersItemIdentification/ID")
    name: str | None = field("Name", "名称", example="小部件")
    name_en: str | None = field("Name in English", "英文名称", example="Widget")
    description: str | None = field("Description", "描述")
    unit: str | None = field("Unit", "单位", example="unit:1", to="unit")
    list_price: Decimal | None = field("List price", "标准价", example="12.5", unit="currency")
    currency: str | None = field("Currency", "币种", example="currency:1", to="currency")
    tax_code: str | None = field("Tax code", "税码", example="tax_code:1", to="tax_code")
    category: str | None = field("Category", "类别", example="Goods")
    cost: Decimal | None = field("Unit cost", "单位成本", example="8.2", unit="currency", cost=True)
    lead_days: Decimal | None = field("Days to buy", "采购天数", example="14", unit="days")
    active: bool | None = field("Active", "启用", example="true")


class ReferenceRecord(Record):
    """A code that both systems keep under their own ids: tied by table, code or name, never created."""

    code: str | None = field("Code", "代码", example="NET30")
    name: str | None = field("Name", "名称", example="月结30天")
    active: bool | None = field("Active", "启用", example="true")


class User(ReferenceRecord):
    kind = "user"
    labels = ("User", "用户")
    email: str | None = field("E-mail", "邮箱", example="wang.wei@example.com", personal=True)


class Warehouse(ReferenceRecord):
    kind = "warehouse"
    labels = ("Warehouse", "仓库")


class Unit(ReferenceRecord):
    kind = "unit"
    labels = ("Unit", "单位")


class Currency(ReferenceRecord):
    kind = "currency"
    labels = ("Currency", "币种")


class TaxCode(ReferenceRecord):
    kind = "tax_code"
    labels = ("Tax code", "税码")
    rate: Decimal | None = field("Rate", "税率", example="13", unit="%")
    valid_from: date | None = field("Valid from", "生效日期", example="2026-01-01")


class PaymentTerm(ReferenceRecord):
    kind = "payment_term"
    labels = ("Payment terms", "付款条件")


class PaymentMethod(ReferenceRecord):
    kind = "payment_method"
    labels = ("Payment method", "付款方式")


class Region(ReferenceRecord):
    kind = "region"
    labels = ("Region", "区域")


class Company(ReferenceRecord):
    """A legal entity of ours that keeps its own books."""

    kind = "company"
    labels = ("Company", "公司")
    currency: str | None = field("Currency", "币种", example="CNY")
    time_zone: str | None = field("Time zone", "时区", example="Asia/Shanghai")


REFERENCE_KINDS: tuple[str, ...] = (
    "currency",
    "unit",
    "region",
    "tax_code",
    "payment_term",
    "payment_method",
    "warehouse",
    "user",
)
