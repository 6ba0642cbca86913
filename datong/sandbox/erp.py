"""SimERP: its objects, and what it does with them. The documents are in erp_documents, their rules beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from datong.sandbox import (
    erp_acts,
    erp_invoices,
    erp_planning,
    erp_prices,
    erp_receipts,
    erp_returns,
    erp_sales,
    erp_shipments,
    erp_stock,
)
from datong.sandbox.clock import SECOND, Clock, to_datetime
from datong.sandbox.erp_documents import DOCUMENTS
from datong.sandbox.erp_fields import EXT_REF, currency, day, flag, number, text
from datong.sandbox.erp_goods import GOODS
from datong.sandbox.erp_planning import PLANNING
from datong.sandbox.erp_service import SERVICE
from datong.sandbox.fields import Check, Field, Manner, Row
from datong.sandbox.refusals import Breach, Invalid, Key, NotFound, Problem
from datong.sandbox.rows import State
from datong.sandbox.system import Spec, Step, System, Written, copied, keep_read_only

WITH_COMPANIES = "companies"
_COMPANY_CURRENCY = {"asia": "CNY", "europe": "EUR"}


_SITE = (
    Field("use", "option", "Use", "用途", options=("BILL", "SHIP", "OFFICE"), default="OFFICE"),
    text("countryCode", "Country", "国家", 2),
    text("state", "State", "省", 60),
    text("town", "Town", "市", 60),
    text("area", "Area", "区", 60),
    text("street", "Street", "街道", 120),
    text("zip", "Zip", "邮编", 20),
)
_COMPANY_PART = (
    text("accountNo", "Account number", "客户编号", 20),
    Field("paymentTermId", "ref", "Payment term", "付款条件", ref="paymentTerms"),
    Field("creditLimit", "decimal", "Credit limit", "信用额度", decimals=2, default="0.00"),
    currency(),
    flag("blocked", "Blocked", "冻结"),
    Field("priceListId", "ref", "Price list", "价目表", ref="priceLists"),
)
_CUSTOMER = (
    text("custNo", "Customer number", "客户编号", 20, unique=True, read_only=True),
    text("custName", "Name", "名称", 80, required=True),
    text("custNameEn", "English name", "英文名称", 80),
    text("shortName", "Short name", "简称", 40),
    flag("isPerson", "Person", "个人"),
    text("taxNo", "Tax number", "统一社会信用代码", 30),
    text("invoiceTitle", "Invoice title", "开票抬头", 80),
    text("tel", "Telephone", "电话", 30),
    Field("email", "email", "E-mail", "邮箱", max_length=100),
    text("web", "Website", "网站", 120),
    Field("parentId", "ref", "Parent", "上级单位", ref="customers"),
    Field("salesEmployeeId", "ref", "Salesperson", "业务员", ref="employees"),
    Field("regionCode", "ref", "Region", "大区", ref="regions", ref_by="code"),
    Field("status", "option", "Status", "状态", options=("active", "inactive"), default="active"),
    currency(),
    Field("sites", "lines", "Sites", "地址", fields=_SITE, line_id="siteId"),
    Field(
        "userFields",
        "group",
        "User fields",
        "自定义字段",
        custom=True,
        fields=(
            text("regionCode", "Region code", "区域代码", 20, custom=True),
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
    EXT_REF,
)
_CONTACT = (
    Field("custId", "ref", "Customer", "客户", ref="customers"),
    text("familyName", "Family name", "姓", 40),
    text("givenName", "Given name", "名", 40),
    text("fullName", "Full name", "姓名", 80, required=True),
    text("position", "Position", "职务", 60),
    Field("mail", "email", "E-mail", "邮箱", max_length=100),
    text("tel", "Telephone", "电话", 30),
    text("mobile", "Mobile", "手机", 30),
    text("lang", "Language", "语言", 5),
    flag("disabled", "Disabled", "停用"),
    EXT_REF,
)
_ITEM = (
    text("itemNo", "Item number", "物料编码", 30, required=True, unique=True),
    text("description", "Description", "名称", 80, required=True),
    text("descriptionEn", "English description", "英文名称", 80),
    Field("baseUnit", "ref", "Base unit", "基本单位", ref="units"),
    Field("salesPrice", "decimal", "Sales price", "售价", decimals=4),
    Field("standardCost", "decimal", "Standard cost", "标准成本", decimals=4),
    currency(),
    Field("taxCodeId", "ref", "Tax code", "税码", ref="taxCodes"),
    text("group", "Group", "类别", 60),
    number("leadDays", "Days to buy", "采购天数", 2),
    Field("warrantyMonths", "int", "Warranty in months", "保修月数", default=12),
    flag("discontinued", "Discontinued", "停产"),
    EXT_REF,
)
_EMPLOYEE = (
    text("empNo", "Employee number", "工号", 20, required=True, unique=True),
    text("fullName", "Full name", "姓名", 80, required=True),
    Field("mail", "email", "E-mail", "邮箱", max_length=100),
    text("department", "Department", "部门", 60),
    flag("disabled", "Disabled", "停用"),
    EXT_REF,
)
_CODED = (
    text("code", "Code", "代码", 20, required=True, unique=True),
    text("name", "Name", "名称", 80, required=True),
    text("nameEn", "English name", "英文名称", 80),
    EXT_REF,
)
_WAREHOUSE = (
    *_CODED,
    Field("companyCode", "ref", "Company", "公司", ref="companies", ref_by="code"),
)
_COMPANY = (
    *_CODED,
    currency(),
    text("timeZone", "Time zone", "时区", 40),
    text("legalName", "Registered name", "注册名称", 120),
    text("taxNo", "Tax number", "统一社会信用代码", 30),
)
_DAYS = Field("days", "int", "Days", "天数")
_RATE = Field("rate", "decimal", "Rate", "税率", decimals=4)
_TAX_CODE = (
    *_CODED,
    _RATE,
    flag("exempt", "Exempt", "免税"),
    Field(
        "rates",
        "lines",
        "Rates by date",
        "按日期税率",
        line_id="rateId",
        fields=(day("validFrom", "Valid from", "生效日期"), _RATE),
    ),
)
_DECIMALS = Field("decimals", "int", "Decimals", "小数位")


@dataclass
class Settings:
    """How this SimERP was set up.

    `credit`: what a limit does when an order is approved. `supply_to_order`: what stock does not cover is made or
    bought at approval. `negative_stock`: goods may leave that were never counted in. With `renumber_on_approve` and
    `renumber_on_post` a draft has a number of its own, which it loses.
    """

    credit: Literal["off", "warn", "refuse"] = "warn"
    supply_to_order: bool = True
    negative_stock: bool = True
    renumber_on_approve: bool = False
    renumber_on_post: bool = False


class Erp(System):
    name = "simerp"
    title = "SimERP"
    title_zh = "模拟 ERP"
    manner = Manner(empty_text="", pad_decimals=True, unknown_is_error=True, times="seconds")
    tick = SECOND
    api = "/v1/"
    own_key = "extRef"
    merge_object = "customers"
    specs: ClassVar[Mapping[str, Spec]] = {
        spec.name: spec
        for spec in (
            Spec("customers", "customer", _CUSTOMER, "Customers", "客户", "custName"),
            Spec("contacts", "contact", _CONTACT, "Contacts", "联系人", "fullName", id_field="contactId"),
            Spec("items", "item", _ITEM, "Items", "物料", "description"),
            Spec("employees", "employee", _EMPLOYEE, "Employees", "员工", "fullName"),
            Spec("warehouses", "warehouse", _WAREHOUSE, "Warehouses", "仓库", "name"),
            Spec("units", "unit", _CODED, "Units", "单位", "name"),
            Spec("taxCodes", "taxCode", _TAX_CODE, "Tax codes", "税码", "name"),
            Spec("paymentTerms", "paymentTerm", (*_CODED, _DAYS), "Payment terms", "付款条件", "name"),
            Spec("paymentMethods", "paymentMethod", _CODED, "Payment methods", "付款方式", "name"),
            Spec("regions", "region", _CODED, "Regions", "大区", "name"),
            Spec("currencies", "currency", (*_CODED, _DECIMALS), "Currencies", "币种", "name"),
            Spec("companies", "company", _COMPANY, "Companies", "公司", "name"),
            *DOCUMENTS,
            *GOODS,
            *SERVICE,
            *PLANNING,
        )
    }

    def __init__(self, clock: Clock, seed: int) -> None:
        self.settings = Settings()
        self._counts: dict[tuple[str, ...], int] = {}
        super().__init__(clock, seed)

    def empty(self) -> None:
        super().empty()
        self.settings = Settings()
        self._counts = {}

    def act(self, name: str, /, **given: Any) -> Row:
        """What the people in SimERP do: see erp_acts. Raises Refusal."""
        return copied(erp_acts.act(self, name, **given))

    def steps(self, object: str, row: Row) -> Sequence[Step]:
        return erp_acts.steps(object, row)

    def take_step(self, object: str, key: Key, name: str) -> None:
        erp_acts.take_step(self, object, key, name)

    # What the rules of the documents ask.

    def row(self, object: str, key: Key | None) -> Row:
        """A row as it stands, not to be changed. Raises NotFound or Merged."""
        return self.table(object).get(key if key is not None else 0).data

    def count(self, *series: str) -> int:
        """The next number of a series; given back when the transaction is."""
        before = self._counts.get(series, 0)
        self._counts[series] = before + 1
        self.undo_with(lambda: self._counts.update({series: before}))
        return before + 1

    def number(self, series: str, values: Mapping[str, Any]) -> str:
        """A document number: series, company, year, running number."""
        code = (
            values["companyCode"]
            if "companyCode" in values
            else self.row("salesOrders", values["orderId"])["companyCode"]
        )
        dates = (values.get(name) for name in ("orderDate", "invoiceDate", "receiptDate"))
        year = (next(filter(None, dates), None) or self.clock.now().date().isoformat())[:4]
        return f"{series}-{code[:1].upper()}-{year}-{self.count(series, code, year):05d}"

    def part_of_customer(self, customer: Key | None, code: str) -> Row:
        """What was agreed with a customer for one company; empty where nothing was."""
        part: Row = {} if customer is None else self.row("customers", customer)[WITH_COMPANIES].get(code, {})
        return part

    def write(self, object: str, key: Key | None, sent: Mapping[str, Any], version: int | None = None) -> Written:
        with self.transaction():
            written = super().write(object, key, sent, version)
            if object == "priceLists":
                erp_prices.post_entries(self, written.state.data)
            return written

    def refuse_read_only(self, spec: Spec, check: Check, values: Row, held: Row) -> None:
        """Raises Invalid for what a writer may not have sent."""
        keep_read_only(spec.fields, check, values, held)
        if check.problems:
            raise Invalid(check.problems)

    # What every system says.

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
        if "lineChanges" in sent and any(one.name == "lines" for one in spec.fields):
            sent["lines"] = _changed_lines(held.get("lines", []), sent.pop("lineChanges"))
        return sent

    def permit(self, spec: Spec, held: Row, values: Row) -> None:
        rule = _PERMITS.get(spec.name)
        if rule:
            rule(held, values)

    def complete(self, spec: Spec, held: Row, values: Row) -> Row:
        rule = _COMPLETES.get(spec.name)
        return rule(self, held, values) if rule else values

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
        for spec in (*DOCUMENTS, *SERVICE):
            if any(one.name == "custId" for one in spec.fields) and self.table(spec.name).live.find("custId", key):
                raise Breach("IN_USE", f"customer {key} has {spec.name}", "custId")
        for contact in self.table("contacts").live.find("custId", key):
            self.delete("contacts", contact.key)
        for child in self.table("customers").live.find("parentId", key):
            self.write("customers", child.key, {"parentId": None})

    def delete(self, object: str, key: Key) -> None:
        row = self.table(object).get(key).data
        if object == "invoiceRequests":
            erp_invoices.permit_removal(row)
        elif object in _PERMITS:
            _PERMITS[object](row, row)
        super().delete(object, key)

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


_PERMITS: Mapping[str, Callable[[Row, Row], None]] = {
    "salesOrders": erp_sales.permit,
    "shipments": lambda held, values: erp_shipments.permit(held),
    "invoices": lambda held, values: erp_invoices.permit(held),
    "receipts": lambda held, values: erp_receipts.permit(held),
    "invoiceRequests": erp_invoices.permit_request,
    "returnOrders": erp_returns.permit,
    "forecasts": erp_planning.permit,
}
_COMPLETES: Mapping[str, Callable[[Erp, Row, Row], Row]] = {
    "salesOrders": erp_sales.complete,
    "orderChanges": lambda erp, held, values: erp_sales.complete_change(erp, values),
    "shipments": erp_shipments.complete,
    "invoices": erp_invoices.complete,
    "receipts": erp_receipts.complete,
    "invoiceRequests": erp_invoices.complete_request,
    "returnOrders": erp_returns.complete,
    "forecasts": erp_planning.complete,
    "prices": lambda erp, held, values: erp_prices.complete(values),
    "stockLevels": lambda erp, held, values: erp_stock.complete(values),
    "supplyOrders": lambda erp, held, values: erp_stock.complete_supply(erp, values),
}


def _changed_lines(held: Sequence[Row], changes: Any) -> list[Row]:
    """The whole list that `{"save": [...], "delete": [ids]}` comes to: lines with id are changed, others added."""
    if not isinstance(changes, dict) or not all(isinstance(part, list) for part in changes.values()):
        raise Invalid({"lineChanges": Problem("INVALID", "must hold lists: save, delete")})
    if not all(isinstance(line, dict) for line in changes.get("save", [])):
        raise Invalid({"lineChanges.save": Problem("INVALID", "must be a list of objects")})
    lines: dict[Any, Row] = {line["lineId"]: {"lineId": line["lineId"]} for line in held}
    gone = [id for id in changes.get("delete", []) if isinstance(id, int) and id in lines]
    for i, line in enumerate(changes.get("save", [])):
        id = line.get("lineId")
        if id is not None and (not isinstance(id, int) or id not in lines):
            raise Invalid({f"lines[{i}].lineId": Problem("INVALID", "unknown")})
        if id is not None:
            lines[id] = dict(line)
    fresh = [dict(line) for line in changes.get("save", []) if line.get("lineId") is None]
    return [*(line for id, line in lines.items() if id not in gone), *fresh]


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
