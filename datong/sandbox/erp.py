"""SimERP: the objects, their fields, and what the ERP does with them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from datong.sandbox.clock import SECOND, to_datetime
from datong.sandbox.fields import Field, Manner, Row
from datong.sandbox.refusals import Invalid, Key, NotFound, Problem
from datong.sandbox.rows import State
from datong.sandbox.system import Spec, System, Written

WITH_COMPANIES = "companies"
_COMPANY_CURRENCY = {"asia": "CNY", "europe": "EUR"}


def _text(name: str, label: str, label_zh: str, max_length: int | None = 200, **more: Any) -> Field:
    return Field(name, "text", label, label_zh, max_length=max_length, **more)


def _currency(label: str = "Currency", label_zh: str = "币种") -> Field:
    return Field("currency", "ref", label, label_zh, ref="currencies", ref_by="code")


def _flag(name: str, label: str, label_zh: str) -> Field:
    return Field(name, "bool", label, label_zh, default=False)


_EXT_REF = _text("extRef", "External reference", "外部参考号", 100, unique=True)
_SITE = (
    Field("use", "option", "Use", "用途", options=("BILL", "SHIP", "OFFICE"), default="OFFICE"),
    _text("countryCode", "Country", "国家", 2),
    _text("state", "State", "省", 60),
    _text("town", "Town", "市", 60),
    _text("area", "Area", "区", 60),
    _text("street", "Street", "街道", 120),
    _text("zip", "Zip", "邮编", 20),
)
_COMPANY_PART = (
    _text("accountNo", "Account number", "客户编号", 20),
    Field("paymentTermId", "ref", "Payment term", "付款条件", ref="paymentTerms"),
    Field("creditLimit", "decimal", "Credit limit", "信用额度", decimals=2, default="0.00"),
    _currency(),
    _flag("blocked", "Blocked", "冻结"),
)
_CUSTOMER = (
    _text("custNo", "Customer number", "客户编号", 20, unique=True, read_only=True),
    _text("custName", "Name", "名称", 80, required=True),
    _text("custNameEn", "English name", "英文名称", 80),
    _text("shortName", "Short name", "简称", 40),
    _flag("isPerson", "Person", "个人"),
    _text("taxNo", "Tax number", "统一社会信用代码", 30),
    _text("invoiceTitle", "Invoice title", "开票抬头", 80),
    _text("tel", "Telephone", "电话", 30),
    Field("email", "email", "E-mail", "邮箱", max_length=100),
    _text("web", "Website", "网站", 120),
    Field("parentId", "ref", "Parent", "上级单位", ref="customers"),
    Field("salesEmployeeId", "ref", "Salesperson", "业务员", ref="employees"),
    Field("regionCode", "ref", "Region", "大区", ref="regions", ref_by="code"),
    Field("status", "option", "Status", "状态", options=("active", "inactive"), default="active"),
    _currency(),
    Field("sites", "lines", "Sites", "地址", fields=_SITE, line_id="siteId"),
    Field(
        "userFields",
        "group",
        "User fields",
        "自定义字段",
        custom=True,
        fields=(
            _text("regionCode", "Region code", "区域代码", 20, custom=True),
            Field("vip", "bool", "VIP", "VIP", default=False, custom=True),
        ),
    ),
    Field(
        WITH_COMPANIES,
        "group",
        "Companies",
        "公司",
        sparse=True,
        fields=tuple(Field(one, "group", one.title(), one, fields=_COMPANY_PART) for one in _COMPANY_CURRENCY),
    ),
    _EXT_REF,
)
_CONTACT = (
    Field("custId", "ref", "Customer", "客户", ref="customers"),
    _text("familyName", "Family name", "姓", 40),
    _text("givenName", "Given name", "名", 40),
    _text("fullName", "Full name", "姓名", 80, required=True),
    _text("position", "Position", "职务", 60),
    Field("mail", "email", "E-mail", "邮箱", max_length=100),
    _text("tel", "Telephone", "电话", 30),
    _text("mobile", "Mobile", "手机", 30),
    _text("lang", "Language", "语言", 5),
    _flag("disabled", "Disabled", "停用"),
    _EXT_REF,
)
_ITEM = (
    _text("itemNo", "Item number", "物料编码", 30, required=True, unique=True),
    _text("description", "Description", "名称", 80, required=True),
    _text("descriptionEn", "English description", "英文名称", 80),
    Field("baseUnit", "ref", "Base unit", "基本单位", ref="units"),
    Field("salesPrice", "decimal", "Sales price", "售价", decimals=4),
    _currency(),
    Field("taxCodeId", "ref", "Tax code", "税码", ref="taxCodes"),
    _text("group", "Group", "类别", 60),
    _flag("discontinued", "Discontinued", "停产"),
    _EXT_REF,
)
_EMPLOYEE = (
    _text("empNo", "Employee number", "工号", 20, required=True, unique=True),
    _text("fullName", "Full name", "姓名", 80, required=True),
    Field("mail", "email", "E-mail", "邮箱", max_length=100),
    _text("department", "Department", "部门", 60),
    _flag("disabled", "Disabled", "停用"),
    _EXT_REF,
)
_CODED = (
    _text("code", "Code", "代码", 20, required=True, unique=True),
    _text("name", "Name", "名称", 80, required=True),
    _text("nameEn", "English name", "英文名称", 80),
    _EXT_REF,
)
_WAREHOUSE = (
    *_CODED,
    Field("companyCode", "ref", "Company", "公司", ref="companies", ref_by="code"),
)
_COMPANY = (*_CODED, _currency(), _text("timeZone", "Time zone", "时区", 40))
_DAYS = Field("days", "int", "Days", "天数")
_RATE = Field("rate", "decimal", "Rate", "税率", decimals=4)
_DECIMALS = Field("decimals", "int", "Decimals", "小数位")


class Erp(System):
    name = "simerp"
    title = "SimERP"
    title_zh = "模拟 ERP"
    manner = Manner(empty_text="", pad_decimals=True, unknown_is_error=True)
    tick = SECOND
    api = "/v1/"
    own_key = "extRef"
    merge_object = "customers"
    parent_field = "parentId"
    child_ref = "custId"
    specs: ClassVar[Mapping[str, Spec]] = {
        spec.name: spec
        for spec in (
            Spec("customers", "customer", _CUSTOMER, "Customers", "客户", "custName"),
            Spec("contacts", "contact", _CONTACT, "Contacts", "联系人", "fullName", id_field="contactId"),
            Spec("items", "item", _ITEM, "Items", "物料", "description"),
            Spec("employees", "employee", _EMPLOYEE, "Employees", "员工", "fullName"),
            Spec("warehouses", "warehouse", _WAREHOUSE, "Warehouses", "仓库", "name"),
            Spec("units", "unit", _CODED, "Units", "单位", "name"),
            Spec("taxCodes", "taxCode", (*_CODED, _RATE), "Tax codes", "税码", "name"),
            Spec("paymentTerms", "paymentTerm", (*_CODED, _DAYS), "Payment terms", "付款条件", "name"),
            Spec("paymentMethods", "paymentMethod", _CODED, "Payment methods", "付款方式", "name"),
            Spec("regions", "region", _CODED, "Regions", "大区", "name"),
            Spec("currencies", "currency", (*_CODED, _DECIMALS), "Currencies", "币种", "name"),
            Spec("companies", "company", _COMPANY, "Companies", "公司", "name"),
        )
    }

    def fold(self, value: Any) -> str:
        return "" if value is None else str(value)

    def envelope(self, spec: Spec, state: State, values: Row) -> Row:
        return {
            spec.id_field: state.key,
            "rowVersion": state.version,
            "createdAt": write_time(state.created),
            "modifiedAt": write_time(state.updated),
            **values,
        }

    def shape(self, state: State, variant: str) -> Row:
        if variant == WITH_COMPANIES or WITH_COMPANIES not in state.data:
            return state.data
        return {name: value for name, value in state.data.items() if name != WITH_COMPANIES}

    def expand(self, spec: Spec, held: Row, sent: Row) -> Row:
        for name in (spec.id_field, "rowVersion"):
            sent.pop(name, None)
        for name in ("createdAt", "modifiedAt"):
            if name in sent and sent.pop(name) != held.get(name):
                raise Invalid({name: Problem("READ_ONLY", "given by the system")})
        return sent

    def assign(self, spec: Spec, key: Key, values: Row) -> Row:
        if spec.name != "customers":
            return values
        parts = {code: _complete_part(code, key, part) for code, part in values[WITH_COMPANIES].items()}
        return {**values, "custNo": values["custNo"] or f"C{key:05d}", WITH_COMPANIES: parts}

    def event(self, object: str, state: State, happened: str) -> Row:
        return {"object": object, "id": state.key, "at": write_time(self.clock.micros())}

    def sign(self, secret: str, body: bytes) -> dict[str, str]:
        return {"X-SimERP-Token": secret} if secret else {}

    def leave_children(self, key: Key) -> None:
        for contact in self.table("contacts").live.find("custId", key):
            self.delete("contacts", contact.key)
        for child in self.table("customers").live.find("parentId", key):
            self.write("customers", child.key, {"parentId": None})

    def save_company(self, key: Key, code: str, part: Mapping[str, Any]) -> Written:
        """Creates or changes the part of a customer for one company."""
        if code not in _COMPANY_CURRENCY:
            raise NotFound(code)
        return self.write("customers", key, {WITH_COMPANIES: {code: dict(part)}})

    def save_sites(self, key: Key, sites: list[Row]) -> tuple[Written, list[Any]]:
        """Changes the sites with id, adds those without; returns their ids in the order sent."""
        with self.transaction():
            held: list[Row] = self.table("customers").get(key).data["sites"]
            wanted = {site["siteId"]: dict(site) for site in held}
            ids = [_site_id(site) for site in sites]
            for i, (site, id) in enumerate(zip(sites, ids, strict=True)):
                if id is not None and id not in wanted:
                    raise Invalid({f"sites[{i}].siteId": Problem("INVALID", "unknown")})
                if id is not None:
                    wanted[id].update(site)
            fresh = [site for site, id in zip(sites, ids, strict=True) if id is None]
            written = self.write("customers", key, {"sites": [*wanted.values(), *fresh]})
            created = iter(written.state.data["sites"][len(held) :])
            return written, [next(created)["siteId"] if id is None else id for id in ids]

    def delete_sites(self, key: Key, ids: list[Any]) -> Written:
        with self.transaction():
            held: list[Row] = self.table("customers").get(key).data["sites"]
            unknown = [id for id in ids if id not in [site["siteId"] for site in held]]
            if unknown:
                raise Invalid({"siteIds": Problem("INVALID", f"unknown: {unknown}")})
            return self.write("customers", key, {"sites": [site for site in held if site["siteId"] not in ids]})


def write_time(micros: int) -> str:
    return to_datetime(micros).isoformat(timespec="seconds").replace("+00:00", "Z")


def _site_id(site: object) -> Any:
    if not isinstance(site, dict):
        raise Invalid({"sites": Problem("INVALID", "must be a list of objects")})
    return site.get("siteId")


def _complete_part(code: str, key: Key, part: Row) -> Row:
    return {
        **part,
        "accountNo": part["accountNo"] or f"{code[0].upper()}1{key:05d}",
        "currency": part["currency"] or _COMPANY_CURRENCY[code],
    }
