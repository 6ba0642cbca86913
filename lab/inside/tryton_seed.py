"""Fill a freshly initialised Tryton database: two companies that share their customers.

Runs inside the Tryton environment, in process through proteus, without a server:

    python tryton_seed.py CONFIG DATABASE RESULT.json

The result file tells the ids that tests need. Everything here is master data that an administrator would enter once.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model, config  # type: ignore[import-not-found]

COMPANIES: dict[str, dict[str, Any]] = {
    "asia": {
        "name": "达通亚洲贸易有限公司", "currency": "CNY", "timezone": "Asia/Shanghai", "vat": "0.13",
        "country": "CN", "subdivision": "CN-SH", "city": "上海", "street": "浦东新区世纪大道100号",
        "postal_code": "200120",
    },
    "europe": {
        "name": "Datong Europe BV", "currency": "EUR", "timezone": "Europe/Paris", "vat": "0.21",
        "country": "NL", "subdivision": None, "city": "Rotterdam", "street": "Wilhelminakade 173",
        "postal_code": "3072 AP",
    },
}  # fmt: skip
CURRENCIES = {"CNY": ("人民币", "¥", "156"), "EUR": ("Euro", "€", "978"), "USD": ("US Dollar", "$", "840")}
RATES = {"CNY": "7.80", "EUR": "1.00", "USD": "1.10"}
COUNTRIES = {
    "CN": ("CHN", "中国"), "HK": ("HKG", "中国香港"), "JP": ("JPN", "Japan"), "SG": ("SGP", "Singapore"),
    "NL": ("NLD", "Netherlands"), "BE": ("BEL", "Belgium"), "DE": ("DEU", "Germany"), "FR": ("FRA", "France"),
    "GB": ("GBR", "United Kingdom"), "US": ("USA", "United States"),
}  # fmt: skip
SUBDIVISIONS = {
    "CN-BJ": ("北京市", "municipality"), "CN-TJ": ("天津市", "municipality"), "CN-SH": ("上海市", "municipality"),
    "CN-CQ": ("重庆市", "municipality"), "CN-HE": ("河北省", "province"), "CN-LN": ("辽宁省", "province"),
    "CN-JS": ("江苏省", "province"), "CN-ZJ": ("浙江省", "province"), "CN-AH": ("安徽省", "province"),
    "CN-FJ": ("福建省", "province"), "CN-SD": ("山东省", "province"), "CN-HA": ("河南省", "province"),
    "CN-HB": ("湖北省", "province"), "CN-HN": ("湖南省", "province"), "CN-GD": ("广东省", "province"),
    "CN-SC": ("四川省", "province"), "CN-SN": ("陕西省", "province"), "CN-GX": ("广西壮族自治区", "autonomous region"),
}  # fmt: skip
PAYMENT_TERMS = {"Net 30": 30, "Net 60": 60, "Direct": 0}
CATEGORIES = ("电子元件", "机械设备", "Services")
PRODUCTS = {
    "W-100": ("轴承 Bearing", "goods", "12.50", "机械设备"),
    "G-200": ("传感器 Sensor", "goods", "99.00", "电子元件"),
    "S-300": ("安装服务 Installation", "service", "75.00", "Services"),
}
STOCK = {"W-100": 500.0, "G-200": 40.0}
MADE, BOUGHT, FREIGHT = "M-400", "P-500", "F-900"
SUPPLIED = {
    MADE: ("定制轴承座 Housing made to order", "120.00", "机械设备"),
    BOUGHT: ("进口电机 Motor bought to order", "800.00", "电子元件"),
}
LEAD_DAYS = {"made": 5, "bought": 12}


def main(config_file: str, database: str, result: str) -> None:
    """Build everything in the order in which it depends on each other and write the ids."""
    session = config.set_trytond(f"sqlite:///{database}", user="admin", config_file=config_file)
    currencies = make_currencies()
    countries, subdivisions = make_countries()
    companies = {key: make_company(entry, currencies, countries, subdivisions) for key, entry in COMPANIES.items()}
    ids: dict[str, Any] = {
        "companies": {key: company.id for key, company in companies.items()},
        "currencies": {code: currency.id for code, currency in currencies.items()},
        "countries": {code: country.id for code, country in countries.items()},
        "subdivisions": subdivisions,
    }
    open_both_companies_to(session, "admin", list(companies.values()))
    ids["payment_terms"] = make_payment_terms()
    ids["warehouses"] = make_warehouses()
    category = make_accounting_category()
    ids["taxes"] = {}
    for key, company in companies.items():
        enter(session, company)
        ids["taxes"][key] = make_books(company, Decimal(COMPANIES[key]["vat"]), category)
    ids["products"], ids["categories"] = make_products(session, companies, category)
    ids["products"] |= make_supplied(session, companies, category, ids["products"]["W-100"], ids["categories"])
    ids["carriers"] = {"own": make_carrier(session, companies["asia"], category)}
    ids["products"][FREIGHT] = Model.get("carrier")(ids["carriers"]["own"]).carrier_product.id
    ids["price_lists"] = {key: make_price_list(session, company) for key, company in companies.items()}
    for company in companies.values():
        fill_stock(session, company, ids["products"], ids["warehouses"])
    make_complaint_types()
    ids["users"] = {"connector": make_connector(list(companies.values()))}
    Path(result).write_text(json.dumps(ids, ensure_ascii=False, indent=1), encoding="utf-8")


def enter(session: Any, company: Any) -> None:
    """Work in one company from here on, as a user does who switches company."""
    session._context = {**session._context, "company": company.id}


def make_currencies() -> dict[str, Any]:
    """Three currencies; rates count units per euro and start long ago."""
    made = {}
    for code, (name, symbol, number) in CURRENCIES.items():
        currency = Model.get("currency.currency")(name=name, symbol=symbol, code=code, numeric_code=number)
        currency.rounding, currency.digits = Decimal("0.01"), 2
        currency.rates.new(date=dt.date(2020, 1, 1), rate=Decimal(RATES[code]))
        currency.save()
        made[code] = currency
    return made


def make_countries() -> tuple[dict[str, Any], dict[str, int]]:
    """Trading countries, and the provinces of China under their ISO 3166-2 codes."""
    countries = {}
    for code, (code3, name) in COUNTRIES.items():
        countries[code] = Model.get("country.country")(name=name, code=code, code3=code3)
        countries[code].save()
    subdivisions = {}
    for code, (name, kind) in SUBDIVISIONS.items():
        subdivision = Model.get("country.subdivision")(name=name, code=code, type=kind, country=countries["CN"])
        subdivision.save()
        subdivisions[code] = subdivision.id
    return countries, subdivisions


def make_company(
    entry: dict[str, Any], currencies: dict[str, Any], countries: dict[str, Any], subdivisions: dict[str, int]
) -> Any:
    """A company is a party that keeps books."""
    party = Model.get("party.party")(name=entry["name"])
    address = party.addresses[0] if party.addresses else party.addresses.new()
    address.street_unstructured = entry["street"]
    address.city, address.postal_code = entry["city"], entry["postal_code"]
    address.country = countries[entry["country"]]
    if entry["subdivision"]:
        address.subdivision = Model.get("country.subdivision")(subdivisions[entry["subdivision"]])
    party.save()
    company = Model.get("company.company")(party=party, timezone=entry["timezone"])
    company.currency = currencies[entry["currency"]]
    company.save()
    return company


def open_both_companies_to(session: Any, login: str, companies: list[Any]) -> None:
    """Let an existing user work in every company, in the first one by default."""
    User = Model.get("res.user")
    (user,) = User.find([("login", "=", login)])
    for company in companies:
        user.companies.append(Model.get("company.company")(company.id))
    user.company_filter = "all"
    user.company = companies[0]
    user.save()
    session._context = User.get_preferences(True, {})


def make_payment_terms() -> dict[str, int]:
    """Payment terms belong to the database, not to a company."""
    made = {}
    for name, days in PAYMENT_TERMS.items():
        term = Model.get("account.invoice.payment_term")(name=name)
        line = term.lines.new(type="remainder")
        if days:
            line.relativedeltas.new(days=days)
        term.save()
        made[name] = term.id
    return made


def make_warehouses() -> dict[str, int]:
    """The shipped warehouse becomes Shanghai; Rotterdam gets locations of its own."""
    Location = Model.get("stock.location")
    (shanghai,) = Location.find([("type", "=", "warehouse")])
    shanghai.name, shanghai.code = "上海仓", "SHA"
    shanghai.save()
    rotterdam = Location(name="Rotterdam", code="RTM", type="warehouse")
    for role in ("input", "output", "storage"):
        place = Location(name=f"Rotterdam {role}", code=f"RTM-{role[:3].upper()}", type="storage")
        place.save()
        setattr(rotterdam, f"{role}_location", place)
    (rotterdam.lost_found_location,) = Location.find([("type", "=", "lost_found")])
    (rotterdam.production_location,) = Location.find([("type", "=", "production")])
    rotterdam.save()
    return {"SHA": shanghai.id, "RTM": rotterdam.id}


def make_accounting_category() -> int:
    """One accounting category for all goods; each company hangs its own accounts below it."""
    category = Model.get("product.category")(name="标准税率 Standard rate", accounting=True)
    category.save()
    return int(category.id)


def make_books(company: Any, rate: Decimal, category_id: int) -> int:
    """Chart, fiscal years, VAT, a bank and the accounts of goods, for the company that is current."""
    from trytond.modules.account.tests.tools import create_chart, create_tax, get_accounts  # type: ignore

    create_chart(company, chart="account.account_template_root_en")
    accounts = get_accounts(company)
    for year in range(dt.date.today().year - 1, dt.date.today().year + 2):
        make_fiscal_year(company, year)
    tax = create_tax(rate, company)
    tax.name = tax.description = f"VAT {rate:%} {company.party.name}"
    tax.save()
    (journal,) = Model.get("account.journal").find([("type", "=", "cash")])
    Model.get("account.invoice.payment.method")(
        name="Bank", journal=journal, company=company, credit_account=accounts["cash"], debit_account=accounts["cash"]
    ).save()
    category = Model.get("product.category")(category_id)  # anew: a record remembers the company it was made in
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    settings = Model.get("sale.configuration")(1)
    settings.sale_invoice_method, settings.sale_shipment_method = "order", "order"
    settings.save()
    return int(tax.id)


def make_fiscal_year(company: Any, year: int) -> None:
    """A calendar year with months and its own number ranges."""
    from trytond.modules.account.tests.tools import create_fiscalyear
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences  # type: ignore

    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    fiscal_year = create_fiscalyear(company, today=(first, last))
    fiscal_year.name = fiscal_year.move_sequence.name = str(year)
    fiscal_year.start_date, fiscal_year.end_date = first, last
    set_fiscalyear_invoice_sequences(fiscal_year).click("create_period")


def make_products(session: Any, companies: dict[str, Any], accounting: int) -> tuple[dict[str, int], dict[str, int]]:
    """Three salable products; cost prices are kept per company."""
    enter(session, companies["asia"])
    categories = {}
    for name in CATEGORIES:
        categories[name] = Model.get("product.category")(name=name)
        categories[name].save()
    (unit,) = Model.get("product.uom").find([("symbol", "=", "u")])
    products = {}
    for code, (name, kind, price, category) in PRODUCTS.items():
        template = Model.get("product.template")(name=name, code=code, type=kind, default_uom=unit)
        template.salable = template.purchasable = True
        template.account_category = Model.get("product.category")(accounting)
        template.categories.append(categories[category])
        template.save()
        products[code] = template.products[0].id
        for company in companies.values():
            enter(session, company)
            set_prices(products[code], Decimal(price))
    return products, {name: category.id for name, category in categories.items()}


def make_supplied(
    session: Any, companies: dict[str, Any], accounting: int, part: int, categories: dict[str, int]
) -> dict[str, int]:
    """Two products that are supplied for each sale: one made of two bearings, one bought from the other company."""
    made = {}
    (unit,) = Model.get("product.uom").find([("symbol", "=", "u")])
    for code, (name, price, category) in SUPPLIED.items():
        enter(session, companies["asia"])
        template = Model.get("product.template")(name=name, code=code, type="goods", default_uom=unit)
        template.salable = True
        template.purchasable, template.producible = code == BOUGHT, code == MADE
        template.account_category = Model.get("product.category")(accounting)
        template.categories.append(Model.get("product.category")(categories[category]))
        template.supply_on_sale = "always"
        template.save()
        made[code] = template.products[0].id
        for company in companies.values():
            enter(session, company)
            set_prices(made[code], Decimal(price))
    enter(session, companies["asia"])
    bill = Model.get("production.bom")(name="M-400")
    bill.inputs.new(product=Model.get("product.product")(part), quantity=2.0)
    bill.outputs.new(product=Model.get("product.product")(made[MADE]), quantity=1.0)
    bill.save()
    product = Model.get("product.product")(made[MADE])
    product.boms.new(bom=bill)
    product.production_lead_times.new(bom=bill, lead_time=dt.timedelta(days=LEAD_DAYS["made"]))
    product.save()
    bought = Model.get("product.product")(made[BOUGHT])
    supplier = bought.template.product_suppliers.new(party=companies["europe"].party)
    supplier.currency = companies["europe"].currency
    supplier.lead_time = dt.timedelta(days=LEAD_DAYS["bought"])
    supplier.prices.new(quantity=0.0, unit_price=Decimal("60.00"))
    bought.template.save()
    return made


def make_carrier(session: Any, company: Any, accounting: int) -> int:
    """Our own lorry: a carrier is a party and a service, and another party would look like a customer."""
    enter(session, company)
    (unit,) = Model.get("product.uom").find([("symbol", "=", "u")])
    freight = Model.get("product.template")(name="运费 Freight", code=FREIGHT, type="service", default_uom=unit)
    freight.salable = True
    freight.account_category = Model.get("product.category")(accounting)
    freight.save()
    set_prices(freight.products[0].id, Decimal("30.00"))
    carrier = Model.get("carrier")(party=company.party, carrier_product=freight.products[0])
    carrier.save()
    return int(carrier.id)


def set_prices(product: int, price: Decimal) -> None:
    """List and cost price in the company that is current."""
    variant = Model.get("product.product")(product)
    variant.template.list_price = price
    variant.template.save()
    variant.cost_price = price / 2
    variant.save()


def make_price_list(session: Any, company: Any) -> int:
    """Wholesale: ten percent off from 100 pieces on."""
    enter(session, company)
    price_list = Model.get("product.price_list")(name=f"Wholesale {company.currency.code}", price="list_price")
    price_list.company = company
    price_list.lines.new(quantity=100.0, formula="unit_price * 0.9")
    price_list.lines.new(formula="unit_price")
    price_list.save()
    return int(price_list.id)


def fill_stock(session: Any, company: Any, products: dict[str, int], warehouses: dict[str, int]) -> None:
    """Each company counts its own goods into its own warehouse."""
    enter(session, company)
    code = "SHA" if company.currency.code == "CNY" else "RTM"
    inventory = Model.get("stock.inventory")()
    inventory.location = Model.get("stock.location")(warehouses[code]).storage_location
    for product, quantity in STOCK.items():
        line = inventory.lines.new(product=Model.get("product.product")(products[product]))
        line.quantity, line.expected_quantity = quantity, 0.0
    inventory.click("confirm")


def make_complaint_types() -> None:
    """What a customer can complain about."""
    for name, model in (("Sale", "sale.sale"), ("Sale line", "sale.line"), ("Invoice", "account.invoice")):
        kind = Model.get("sale.complaint.type")(name=name)
        (kind.origin,) = Model.get("ir.model").find([("name", "=", model)])
        kind.save()


def make_connector(companies: list[Any]) -> int:
    """The user under which Datong works: every application group, both companies, an employee in each."""
    user = Model.get("res.user")(name="Datong connector", login="connector")
    user.password = "Conn3ctor-pass"
    person = Model.get("party.party")(name="Datong connector")
    person.save()
    for company in companies:
        user.companies.append(Model.get("company.company")(company.id))
        employee = Model.get("company.employee")(party=person, company=company)
        employee.save()
        user.employees.append(employee)
    user.company_filter = "all"  # else only the company in the user's preferences may be worked in
    user.company = companies[0]
    user.employee = user.employees[0]
    for group in Model.get("res.group").find([]):
        user.groups.append(group)
    user.save()
    return int(user.id)


if __name__ == "__main__":
    main(*sys.argv[1:4])
