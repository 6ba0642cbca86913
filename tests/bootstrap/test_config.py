from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from datong.base.errors import ConfigurationError, Problem
from datong.bootstrap.config import Config, load

from .conftest import RIGHT, acme, load_text

Find = Callable[[str], list[Problem]]


def told(found: list[Problem]) -> list[str]:
    return [str(one) for one in found]


def one(found: list[Problem], where: str, *words: str) -> None:
    assert [p.where for p in found] == [where], told(found)
    for word in words:
        assert word in str(found[0]), str(found[0])


# What is right.


def test_everything_that_is_written_is_there(tmp_path: Path) -> None:
    config = load_text(tmp_path, RIGHT)
    sales, flow = config.connections["sales"], config.flows["customer_master"]
    assert config.path == tmp_path / "datong.yaml" and config.files == (config.path,)
    assert sales.settings == {"url": "https://crm.example.com", "token": "${env:CRM_TOKEN}"}
    assert config.connections["books"].companies["europe"].id == 2
    assert flow.trigger.every == timedelta(minutes=2) and flow.trigger.sweep == timedelta(hours=6)
    assert flow.limits.updates == Decimal("0.1") and flow.limits.deletes_at_least == 5
    assert flow.fields["company.*.credit_limit"].owned_by == "erp" and flow.fields["phone"].shared == "ask"
    assert config.flows["contact"].on and config.flows["contact"].direction == "both"
    assert config.maps["sales"]["account"]["custom.region_code"].field == "custom.region"
    assert config.values["sales"]["payment_term"] == {"NET30": "30 days", "012": "1.10"}
    assert config.people["li.na"].os_user == ["lina"]
    assert (config.service.host, config.service.port) == ("127.0.0.1", 8080)


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load_text(tmp_path, RIGHT)
    assert config.store_url() == f"sqlite:///{tmp_path}/datong.db"
    assert config.keys_folder() == tmp_path / "datong.keys"
    assert config.seals_file() == tmp_path / "datong.seals"


def test_an_absolute_or_secret_store_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_text(tmp_path, "store: {url: 'sqlite:////var/d.db'}").store_url() == "sqlite:////var/d.db"
    config = load_text(tmp_path, "store: {url: '${env:DATONG_STORE}'}")
    with pytest.raises(ConfigurationError, match="DATONG_STORE is not set"):
        config.store_url()
    monkeypatch.setenv("DATONG_STORE", "postgresql://u:p@h/d")
    assert config.store_url() == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    ("written", "on"),
    [("true", True), ("false", False), ("", True), ("{}", True), ("on", True), ("no", False), ("{on: off}", False)],
)
def test_short_forms_of_a_flow(tmp_path: Path, written: str, on: bool) -> None:
    text = RIGHT.replace("  contact: true", f"  contact: {written}")
    flow = load_text(tmp_path, text).flows["contact"]
    assert flow.on is on and flow.trigger.every == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("5m", 300), ("6h", 21600), ("1d", 86400), ("'90s'", 90)]
)
def test_durations(tmp_path: Path, written: str, seconds: int) -> None:
    config = load_text(tmp_path, RIGHT.replace("2m", written))
    assert config.flows["customer_master"].trigger.every == timedelta(seconds=seconds)


def test_an_empty_file_is_right(tmp_path: Path) -> None:
    assert load_text(tmp_path, "").connections == {}
    assert load_text(tmp_path, "connections:\nflows:\nmaps:\n  sales:\n").flows == {}


def test_the_version_is_of_the_meaning(tmp_path: Path) -> None:
    first = load_text(tmp_path, RIGHT).version
    assert load_text(tmp_path, "# remark\n" + RIGHT.replace("contact: true", "contact: {}")).version == first
    assert load_text(tmp_path, RIGHT.replace("2m", "120s")).version == first
    assert load_text(tmp_path, RIGHT.replace("2m", "3m")).version != first
    assert load_text(tmp_path, RIGHT.replace("CRM_TOKEN", "OTHER")).version != first


def test_the_version_is_without_secrets(tmp_path: Path) -> None:
    text = "connections: {a: {system: sandbox_acme, role: crm, url: http://x, token: ONE}}"
    assert load_text(tmp_path, text).version == load_text(tmp_path, text.replace("ONE", "TWO")).version


# Secrets.


def test_secrets_are_looked_up_when_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_text(tmp_path, RIGHT)
    with pytest.raises(ConfigurationError) as error:
        config.connections["sales"].resolved(tmp_path)
    assert error.value.problems[0].where == "connections.sales.token"
    assert "CRM_TOKEN is not set" in error.value.problems[0].cause
    monkeypatch.setenv("CRM_TOKEN", "s3cret")
    (tmp_path / "erp.token").write_text("t0ken\n")
    assert config.connections["sales"].resolved(tmp_path)["token"] == "s3cret"
    assert config.connections["books"].resolved(tmp_path)["token"] == "t0ken"
    assert "s3cret" not in repr(config)


def test_the_representation_hides_the_tokens_of_the_sandbox_too(tmp_path: Path) -> None:
    text = "connections: {a: {system: sandbox_acme, role: crm, url: http://x, token: OPEN, oauth: {api_key: SESAME}}}"
    config = load_text(tmp_path, text)
    assert config.connections["a"].settings["token"] == "OPEN"
    assert "OPEN" not in repr(config) + str(config) and "SESAME" not in repr(config)


@pytest.mark.parametrize(
    "setting",
    [
        "token: HUSH",
        "merchant: HUSH",
        "oauth: {client_secret: HUSH}",
        "url: https://u:HUSH@x.example",
        "token: 'a${env:X}'",
    ],
)
def test_a_secret_in_clear_is_refused_and_not_repeated(problems: Find, setting: str) -> None:
    key = setting.partition(":")[0]
    kept = "\n".join(f"    {k}: {v}" for k, v in {"url": "https://x.example", "token": "${env:T}"}.items() if k != key)
    found = problems(f"connections:\n  a:\n    system: acme\n    role: crm\n    {setting}\n{kept}\n")
    assert len(found) == 1 and found[0].where.startswith(f"datong.yaml:5 connections.a.{key}"), told(found)
    assert "HUSH" not in str(found[0])
    assert "${env:A_" in found[0].remedy or "take it out" in found[0].remedy


def test_a_password_in_the_address_of_the_store(problems: Find) -> None:
    one(problems("store:\n  url: postgresql://u:HUSH@h/d\n"), "datong.yaml:2 store.url", "in clear", "${env:")


def test_a_reference_fits_every_type(problems: Find) -> None:
    assert problems(RIGHT.replace("    database: prod\n", "    database: prod\n    page_size: ${env:SIZE}\n")) == []


# Each mistake, with its line.

MISTAKES = [
    (
        "    role: crm",
        "    role: crn",
        ":4 connections.sales.role",
        "'crn' is not one of crm, erp",
        "did you mean crm?",
    ),
    ("    role: crm\n", "", ":2 connections.sales.role", "role is missing", "crm or erp"),
    (
        "    system: acme\n    role: crm",
        "    system: sandbox_crn\n    role: crm",
        ":3 connections.sales.system",
        "sandbox_crm",
    ),
    (
        "    url: https://crm",
        "    urll: https://crm",
        ":5 connections.sales.urll",
        "acme has no setting urll",
        "mean url?",
        None,
    ),
    (
        "    database: prod",
        "    database: 7",
        ":14 connections.books.database",
        "a text is expected here, not a number",
        "quotes",
    ),
    ("    database: prod", "    page_size: x", ":14 connections.books.page_size", "a number is expected"),
    (
        "Asia/Shanghai}\n  books",
        "Asia/Shangai}\n  books",
        ":8 connections.sales.companies.asia.time_zone",
        "mean Asia/Shanghai?",
    ),
    ("    database: prod", "    time_zone: UTC+8", ":14 connections.books.time_zone", "no time zone"),
    (
        "currency: EUR",
        "currency: EURO",
        ":17 connections.books.companies.europe.currency",
        "ISO 4217",
        "did you mean EUR?",
    ),
    (
        "id: 1, currency: CNY",
        "id: 1, currency: RMB",
        ":16 connections.books.companies.asia.currency",
        "did you mean CNY?",
    ),
    ("id: 2", "id: 1", ":17 connections.books.companies.europe.id", "asia and europe have the same id 1"),
    ("      europe:", "      Asia:", ":17 connections.books.companies.Asia", "company", "differ in case only", None),
    ("id: 1, currency: CNY", "id: 1, currency: USD", ":16 connections.books.companies.asia.currency", "CNY in sales"),
    ("      europe:", "      eu.rope:", ":17 connections.books.companies.eu.rope", "cannot be a name"),
    ("  contact: true", "  contakt: true", ":26 flows.contakt", "there is no flow contakt", "did you mean contact?"),
    ("  contact: true", "  contact: 3", ":26 flows.contact", "a group of keys is expected here, not a number"),
    ("every: 2m", "every: 2 minutes", ":20 flows.customer_master.trigger.every", "not a duration", "5m"),
    ("every: 2m", "every: 120", ":20 flows.customer_master.trigger.every", "120 is not a duration"),
    ("every: 2m", "sweep: 0s", ":20 flows.customer_master.trigger.sweep", "out of bounds"),
    ("every: 2m", "sweep: 900d", ":20 flows.customer_master.trigger.sweep", "at most 366d"),
    ("every: 2m", "sweep: ２h", ":20 flows.customer_master.trigger.sweep", "not a duration"),
    ("every: 2m", "evry: 2m", ":20 flows.customer_master.trigger.evry", "unknown key evry", "did you mean every?"),
    ("every: 2m", "cron: 61 * * * *", ":20 flows.customer_master.trigger.cron", "not a cron expression", "five fields"),
    ("every: 2m", "webhook: perhaps", ":20 flows.customer_master.trigger.webhook", "true or false"),
    (
        "    trigger: {every: 2m}",
        "    limits: {updates: 10}",
        ":20 flows.customer_master.limits.updates",
        "such as 10%",
    ),
    (
        "    trigger: {every: 2m}",
        "    limits: {deletes: 200%}",
        ":20 flows.customer_master.limits.deletes",
        "percentage",
    ),
    (
        "    trigger: {every: 2m}",
        "    direction: to_erpp",
        ":20 flows.customer_master.direction",
        "did you mean to_erp?",
    ),
    ("    trigger: {every: 2m}", "    followers: [phone, nam]", ":20 flows.customer_master.followers.1", "mean name?"),
    ("account.country in", "account.contry in", ":21 flows.customer_master.scope", "no field contry", "mean country?"),
    ("account.country in", "acount.country in", ":21 flows.customer_master.scope", "undeclared", "write account.FIELD"),
    ('["CN", "FR"]', '["CN", "FR"', ":21 flows.customer_master.scope", "wrong at character", "account.active"),
    ('\'account.country in ["CN", "FR"]\'', "'\"CN\"'", ":21 flows.customer_master.scope", "not a question"),
    (
        "account.country in",
        "account.custom.regio in",
        ":21 flows.customer_master.scope",
        "custom field regio",
        "mean custom.region_code?",
    ),
    ("account.country in", "account.company.china.number in", ":21 flows.customer_master.scope", "company china"),
    ("      phone:", "      fone:", ":23 flows.customer_master.fields.fone", "did you mean phone?"),
    (
        "      company.*.credit_limit",
        "      credit_limit",
        ":24 flows.customer_master.fields.credit_limit",
        "company.*.credit_limit?",
    ),
    (
        "      custom.region_code",
        "      custom.region_cod",
        ":25 flows.customer_master.fields.custom.region_cod",
        "mean custom.region_code?",
    ),
    (
        "{shared: ask}",
        "{shared: ask, first: true}",
        ":23 flows.customer_master.fields.phone",
        "shared and first",
        "exactly one",
    ),
    ("{shared: ask}", "{}", ":23 flows.customer_master.fields.phone", "no rule given"),
    ("{shared: ask}", "{shared: owner}", ":23 flows.customer_master.fields.phone", "without an owner"),
    ("{shared: ask}", "{off: true, owner: crm}", ":23 flows.customer_master.fields.phone", "`owner` has a meaning"),
    ("{shared: ask}", "{owned_by: sales}", ":23 flows.customer_master.fields.phone.owned_by", "not one of crm, erp"),
    ("custom:\n  account:", "custom:\n  acount:", None, "no kind of record acount", "mean account?"),
    (
        "label_zh: 区域代码",
        "label: 区域代码",
        ":29 custom.account.region_code.label",
        "unknown key label",
        "label_zh?",
        None,
    ),
    (
        "label_zh: 区域代码",
        "label_zh: 区域代码, type: textt",
        ":29 custom.account.region_code.type",
        "did you mean text?",
    ),
    ("maps:\n  sales:", "maps:\n  sale:", ":31 maps.sale", "there is no connection sale", "did you mean sales?"),
    (
        "    account:\n      custom",
        "    accounts:\n      custom",
        ":32 maps.sales.accounts",
        "no kind of record accounts",
        "account?",
    ),
    (
        "      custom.region_code: {field",
        "      namee: {field",
        ":33 maps.sales.account.namee",
        "no field namee",
        "name?",
    ),
    ("value.upperAscii()", "value.upper(", ":33 maps.sales.account.custom.region_code.read", "wrong at character"),
    ("value.lowerAscii()", "vlue", ":33 maps.sales.account.custom.region_code.write", "undeclared", "write value,"),
    (
        "{field: custom.region,",
        "{fields: custom.region,",
        ":33 maps.sales.account.custom.region_code.fields",
        "mean field?",
    ),
    ("values:\n  sales:", "values:\n  sails:", ":35 values.sails", "there is no connection sails", "sales?"),
    ("    stage:", "    stagee:", ":36 values.sales.stagee", "neither a field nor a kind", "did you mean stage?"),
    (
        "CLIENT: customer",
        "CLIENT: custommer",
        ":36 values.sales.stage.CLIENT",
        "not a value of stage",
        "mean customer?",
    ),
    ("    payment_terms:", "    payment_term: {A: B}\n    payment_terms:", None, "are the same table", "together"),
    ("[operator]", "[operater]", ":39 people.li.na.roles.0", "did you mean operator?"),
    ("[operator]", "[]", ":39 people.li.na.roles", "at least 1", "viewer"),
    ("li.na@example.com", "li.na", ":39 people.li.na.mail", "right form", "e-mail address"),
    ("people:", "service: {port: 99999}\npeople:", ":38 service.port", "65535", "TCP port"),
    ("people:", "peeple:", ":38 peeple", "unknown key peeple", "did you mean people?"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m[1].strip()[:40]}")
def test_a_mistake_has_line_cause_and_remedy(problems: Find, mistake: tuple[str | None, ...]) -> None:
    old, new, where, *words = mistake
    assert old is not None and new is not None and RIGHT.count(old) >= 1, "the mistake is not in the text"
    found = problems(RIGHT.replace(old, new, 1))
    matching = [p for p in found if where is None or p.where == f"datong.yaml{where}"]
    assert any(all(word in str(p) for word in words if word) for p in matching), told(found)
    assert all(p.remedy for p in found)
    if where is not None and None not in words:
        assert len(found) == 1, told(found)


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(problems: Find) -> None:
    found = problems(
        RIGHT.replace("role: crm", "role: crn")
        .replace("EUR", "EURO")
        .replace("2m", "2x")
        .replace("account.country", "account.contry")
        .replace("contact: true", "contakt: true")
        .replace("value.upperAscii()", "value.")
        .replace("values:\n  sales:", "values:\n  sails:")
        .replace("operator", "boss")
    )
    lines = [int(p.where.split(" ")[0].split(":")[1]) for p in found]
    assert lines == [4, 17, 20, 21, 26, 33, 35, 39], told(found)


def test_a_broken_connection_is_no_unknown_connection(problems: Find) -> None:
    one(
        problems(RIGHT.replace("    system: acme\n    role: crm", "    system: acme")),
        "datong.yaml:2 connections.sales.role",
    )


def test_a_role_that_nobody_holds(problems: Find) -> None:
    found = problems(
        "connections:\n  a: {system: acme, role: crm, url: http://x, token: '${env:T}'}\nflows:\n  contact:\n"
    )
    one(found, "datong.yaml:4 flows.contact", "no connection has the role erp")
    assert problems("flows: {contact: false}") == []


def test_two_connections_to_one_database(problems: Find) -> None:
    again = (
        "  books2: {system: acme, role: erp, url: 'HTTPS://ERP.example.com:443/', token: '${env:T}', database: prod}\n"
    )
    one(problems(RIGHT.replace("flows:", f"{again}flows:")), "datong.yaml:18 connections.books2", "same database")
    assert problems(RIGHT.replace("flows:", f"{again.replace('prod', 'other')}flows:")) == []


def test_two_accounts_of_one_service_are_two_systems(problems: Find) -> None:
    base = "connections:\n  a: {system: acme, role: crm, url: http://x, token: '${env:A}'}\n"
    assert problems(base + "  b: {system: acme, role: crm, url: http://x, token: '${env:B}'}\n") == []
    one(
        problems(base + "  b: {system: acme, role: crm, url: http://x, token: '${env:A}'}\n"),
        "datong.yaml:3 connections.b",
    )


def test_the_books_of_a_company_are_kept_by_one_connection(problems: Find) -> None:
    again = "  old: {system: acme, role: erp, url: http://y, token: '${env:T}', companies: {asia: {}}}\n"
    found = problems(RIGHT.replace("flows:", f"{again}flows:"))
    one(found, "datong.yaml:18 connections.old.companies.asia", "kept by books already")
    assert problems(RIGHT.replace("flows:", f"{again.replace('erp', 'crm')}flows:")) == [], "two CRMs may sell for it"


def test_what_is_created_where_names_a_connection_and_fields_that_there_are(problems: Find) -> None:
    told = "  orders:\n    into: {old: 'order.company == \"asia\"', books: order.colour == 1}\n"
    found = problems(RIGHT.replace("flows:\n", f"flows:\n{told}"))
    assert [(one.where.rsplit(" ")[-1], one.cause) for one in found] == [
        ("flows.orders.into.old", "there is no connection old"),
        ("flows.orders.into.books", "order has no field colour"),
    ]


def test_an_account_of_the_machine_belongs_to_one_person(problems: Find) -> None:
    one(problems(RIGHT + "  wang: {roles: [admin], os_user: [lina]}\n"), "datong.yaml:40 people.wang.os_user", "li.na")


def test_a_scope_sees_through_texts_methods_and_brackets(problems: Find) -> None:
    scope = (
        '\'account.name.startsWith("account.nothing") && has(account.tax_id) && account["stage"] == "customer" && '
        'account.company["asia"].blocked != true && account.addresses.exists(k, account.addresses[k].country == "CN") '
        "&& account.custom.region_code.size() > 0 // account.none'"
    )
    assert problems(RIGHT.replace('\'account.country in ["CN", "FR"]\'', scope)) == []
    wrong = scope.replace('account["stage"]', 'account["stag"]')
    one(
        problems(RIGHT.replace('\'account.country in ["CN", "FR"]\'', wrong)),
        "datong.yaml:21 flows.customer_master.scope",
        "stage?",
    )


def test_the_scope_of_reference_data_sees_a_record(problems: Find) -> None:
    text = RIGHT.replace("  contact: true", "  reference_data: {scope: 'record.active == true'}")
    assert problems(text) == []
    one(problems(text.replace("record.active", "record.activ")), "datong.yaml:26 flows.reference_data.scope")


def test_a_connector_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    def broken(system: str) -> type | None:
        raise ImportError("no module named acme_sdk")

    (tmp_path / "datong.yaml").write_text(RIGHT, encoding="utf8")
    with pytest.raises(ConfigurationError, match="acme cannot be loaded: no module named acme_sdk") as error:
        load(tmp_path / "datong.yaml", settings_class_of=broken)
    assert [p.where.split(" ")[0] for p in error.value.problems] == ["datong.yaml:3", "datong.yaml:10"]


def test_the_flows_known_are_an_argument(tmp_path: Path) -> None:
    (tmp_path / "datong.yaml").write_text(RIGHT.replace("contact:", "orders:"), encoding="utf8")
    flows = {"orders": "product", "customer_master": "account"}
    config: Config = load(tmp_path / "datong.yaml", settings_class_of=acme, flows_known=flows)
    assert config.flows["orders"].on


def test_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="datong init"):
        load(tmp_path / "datong.yaml")


def test_a_broken_custom_field_is_no_undeclared_one(problems: Find) -> None:
    found = problems(RIGHT.replace("label_zh: 区域代码", "label: 区域代码"))
    assert [p.where for p in found] == [
        "datong.yaml:29 custom.account.region_code.label_zh",
        "datong.yaml:29 custom.account.region_code.label",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "connections: 3",
        "connections: [a]",
        "connections: {a: 1, b: [x], c: {companies: [1], role: x}}",
        "flows: {contact: {fields: {phone: 1, email: {owned_by: {}}}, followers: {a: 1}, trigger: [], limits: 0}}",
        "people: {a: {roles: operator}, '': {roles: [admin, 1, {}]}}",
        "values: {a: {b: {c: [1]}}, d: 1, e: {f: 1}}",
        "maps: {a: {account: {name: 1, x: {mode: y, off: z}}}, b: {c: 1}}",
        "custom: {account: {A-b: {}, c: 1}, d: []}",
        "store: 1\nservice: []\nunknown: {}",
        "include: {a: b}",
        "connections: {a: {system: acme, role: crm, url: 'http://[', token: '${env:T}', database: {}}}",
    ],
)
def test_any_shape_is_answered_with_problems(problems: Find, text: str) -> None:
    found = problems(text)
    assert found and all(p.where and p.cause and p.remedy for p in found)
    assert all(p.where.startswith("datong.yaml:") for p in found)
