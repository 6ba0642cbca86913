"""SimCRM: the objects, their fields, and what the CRM does with them."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, ClassVar

from datong.sandbox.clock import SECOND, to_datetime
from datong.sandbox.fields import Field, Manner, Row
from datong.sandbox.refusals import Invalid, Key, Problem
from datong.sandbox.rows import State
from datong.sandbox.system import Spec, System

COMPANIES = ("asia", "europe")


def _text(name: str, label: str, label_zh: str, max_length: int | None = 200, **more: Any) -> Field:
    return Field(name, "text", label, label_zh, max_length=max_length, **more)


def _by_code(name: str, ref: str, label: str, label_zh: str) -> Field:
    return Field(name, "ref", label, label_zh, ref=ref, ref_by="code")


_COMMON = (
    Field("active", "bool", "Active", "启用", default=True),
    _text("external_key", "External key", "外部主键", 100, unique=True),
)
_ADDRESS = (
    Field("type", "option", "Type", "类型", options=("billing", "shipping", "office"), default="office"),
    _text("country", "Country", "国家", 2),
    _text("province", "Province", "省", 60),
    _text("city", "City", "市", 60),
    _text("district", "District", "区", 60),
    _text("street", "Street", "街道"),
    _text("postcode", "Postcode", "邮编", 20),
)
_ERP_PART = (
    _text("number", "Customer number", "客户编号", 40),
    _by_code("payment_term", "payment_terms", "Payment term", "付款条件"),
    Field("credit_limit", "decimal", "Credit limit", "信用额度", decimals=2),
    _by_code("currency", "currencies", "Currency", "币种"),
    Field("blocked", "bool", "Blocked", "冻结"),
)
_CUSTOM = Field(
    "custom",
    "group",
    "Custom fields",
    "自定义字段",
    custom=True,
    fields=(
        _text("region_code", "Region code", "区域代码", 20, custom=True),
        Field("vip", "bool", "VIP", "VIP", default=False, custom=True),
        Field("score", "decimal", "Score", "评分", decimals=2, custom=True),
    ),
)
_ACCOUNT = (
    _text("name", "Name", "名称", 120, required=True),
    _text("name_en", "English name", "英文名称", 120),
    _text("short_name", "Short name", "简称", 60),
    Field("type", "option", "Type", "类型", options=("company", "person"), default="company"),
    Field("stage", "option", "Stage", "阶段", options=("lead", "prospect", "customer", "closed"), default="lead"),
    _text("tax_id", "Tax id", "统一社会信用代码", 40),
    _text("invoice_title", "Invoice title", "开票抬头", 120),
    _text("phone", "Phone", "电话", 40),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    _text("website", "Website", "网站"),
    _text("industry", "Industry", "行业", 60),
    _text("dealer_level", "Dealer level", "经销商等级", 20),
    Field("parent_id", "ref", "Parent", "上级单位", ref="accounts"),
    Field("owner_id", "ref", "Owner (empty: pool)", "负责人（空：公海）", ref="users"),
    _by_code("region", "regions", "Region", "大区"),
    Field("addresses", "lines", "Addresses", "地址", fields=_ADDRESS, line_prefix="AD"),
    Field(
        "erp",
        "group",
        "In the ERP",
        "ERP 信息",
        fields=tuple(Field(one, "group", one.title(), one, fields=_ERP_PART) for one in COMPANIES),
    ),
    _CUSTOM,
    _text("notes", "Notes", "备注", 4000),
    *_COMMON,
)
_CONTACT = (
    Field("account_id", "ref", "Account", "客户", ref="accounts"),
    _text("first_name", "First name", "名", 60),
    _text("last_name", "Last name", "姓", 60),
    _text("name", "Name", "姓名", 120, required=True),
    _text("title", "Title", "职务", 80),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    _text("phone", "Phone", "电话", 40),
    _text("mobile", "Mobile", "手机", 40),
    _text("language", "Language", "语言", 10),
    *_COMMON,
)
_PRODUCT = (
    _text("sku", "SKU", "产品编码", 40, required=True, unique=True),
    _text("name", "Name", "名称", 120, required=True),
    _text("name_en", "English name", "英文名称", 120),
    _text("description", "Description", "描述", 4000),
    _by_code("unit", "units", "Unit", "单位"),
    Field("list_price", "decimal", "List price", "标价", decimals=4),
    _by_code("currency", "currencies", "Currency", "币种"),
    _by_code("tax_code", "tax_codes", "Tax code", "税码"),
    _text("category", "Category", "类别", 60),
    _CUSTOM,
    *_COMMON,
)
_USER = (
    _text("name", "Name", "姓名", 120, required=True),
    Field("email", "email", "E-mail", "邮箱", max_length=120),
    _text("title", "Title", "职务", 80),
    *_COMMON,
)
_CODED = (
    _text("code", "Code", "代码", 20, required=True, unique=True),
    _text("name", "Name", "名称", 120, required=True),
    _text("name_en", "English name", "英文名称", 120),
)
_DAYS = Field("days", "int", "Days", "天数")
_RATE = Field("rate", "decimal", "Rate", "税率", decimals=4)


class Crm(System):
    name = "simcrm"
    title = "SimCRM"
    title_zh = "模拟 CRM"
    manner = Manner(empty_text=None, pad_decimals=False, unknown_is_error=False)
    tick = 1
    api = "/api/"
    own_key = "external_key"
    merge_object = "accounts"
    parent_field = "parent_id"
    child_ref = "account_id"
    specs: ClassVar[Mapping[str, Spec]] = {
        spec.name: spec
        for spec in (
            Spec("accounts", "account", _ACCOUNT, "Accounts", "客户", "name", "A"),
            Spec("contacts", "contact", _CONTACT, "Contacts", "联系人", "name", "C"),
            Spec("products", "product", _PRODUCT, "Products", "产品", "name", "P"),
            Spec("users", "user", _USER, "Users", "用户", "name", "U"),
            Spec(
                "payment_terms", "payment_term", (*_CODED, _DAYS, *_COMMON), "Payment terms", "付款条件", "code", "PT"
            ),
            Spec("tax_codes", "tax_code", (*_CODED, _RATE, *_COMMON), "Tax codes", "税码", "code", "TX"),
            Spec("units", "unit", (*_CODED, *_COMMON), "Units", "单位", "code", "UN"),
            Spec("regions", "region", (*_CODED, *_COMMON), "Regions", "大区", "code", "RG"),
            Spec("currencies", "currency", (*_CODED, *_COMMON), "Currencies", "币种", "code", "CU"),
        )
    }

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
        if spec.name == "accounts" and "addresses_changes" in sent:
            sent["addresses"] = _change_lines(held.get("addresses", []), sent.pop("addresses_changes"))
        return sent

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
        for object, field in (("contacts", "account_id"), ("accounts", "parent_id")):
            for child in self.table(object).live.find(field, key):
                self.write(object, child.key, {field: None})


def write_time(micros: int) -> str:
    return to_datetime(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _change_lines(held: list[Row], changes: Any) -> list[Row]:
    """The whole list that per-item changes come to."""
    if not isinstance(changes, dict) or not all(isinstance(part, list) for part in changes.values()):
        raise Invalid({"addresses_changes": Problem("INVALID", "must hold lists: create, update, delete")})
    lines = {line["id"]: line for line in held}
    for i, key in enumerate(changes.get("delete", [])):
        if not isinstance(key, str) or lines.pop(key, None) is None:
            raise Invalid({f"addresses_changes.delete[{i}]": Problem("INVALID", "unknown")})
    for i, line in enumerate(changes.get("update", [])):
        key = line.get("id") if isinstance(line, dict) else None
        if not isinstance(key, str) or key not in lines:
            raise Invalid({f"addresses_changes.update[{i}].id": Problem("INVALID", "unknown")})
        lines[key] = {**lines[key], **line}
    created = [{**line, "id": None} if isinstance(line, dict) else line for line in changes.get("create", [])]
    return [*lines.values(), *created]
