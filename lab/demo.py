"""The demo on real systems: BottleCRM and Tryton, unmodified, brought into agreement by Datong and kept there.

Everything is done and judged through the systems' own APIs. With `once` it ends by itself.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from datong.cli.context import Session
from datong.cli.demo import acts
from datong.cli.demo.agreement import Verdict, phone, text
from datong.cli.demo.feed import Feed
from datong.cli.demo.keep import asked_to_stop
from datong.cli.demo.play import judged
from datong.cli.demo.voice import act, say
from datong.cli.output import show, table
from datong.operations import work
from lab import real as systems
from lab import taxnumbers
from lab.customers import SeededCustomers, seed_customers
from lab.errors import LabError

TOTAL, SHARED = 60, 20
EVENTS = tuple(f"{kind}.{what}" for kind in ("account", "contact") for what in ("created", "updated", "deleted"))
CURRENCIES = {"asia": "CNY", "europe": "EUR"}
CONFIG = """\
# Datong 打通 between BottleCRM and Tryton. 连接 BottleCRM 与 Tryton。
connections:
  crm:
    system: bottlecrm
    role: crm
    url: {crm_url}
    token: ${{file:crm.token}}
    {webhook}
    phone_region: CN
    create_custom_fields: true
    companies: {{asia: {{currency: CNY, time_zone: Asia/Shanghai}}, europe: {{currency: EUR, time_zone: Europe/Paris}}}}
  erp:
    system: tryton
    role: erp
    url: {erp_url}
    database: {database}
    login: {login}
    password: ${{file:erp.password}}
    phone_region: CN
    companies:
      asia: {{id: {asia}, currency: CNY, time_zone: Asia/Shanghai}}
      europe: {{id: {europe}, currency: EUR, time_zone: Europe/Paris}}
flows:
  reference_data: true
  customer_master:
    first_load: crm
    trigger: {{every: 5s, sweep: 20s}}
  contact: {{first_load: crm, trigger: {{every: 5s, sweep: 20s}}}}
  product_catalogue: {{first_load: erp, trigger: {{every: 30s, sweep: 10m}}}}
"""
Row = dict[str, Any]
Pair = tuple[Row, Row]


def demo(once: bool, cache: str | None = None) -> int:
    """Gives the exit status: with `once` 0 only if both sides agree."""
    say("Starting Tryton and BottleCRM; the first time they are installed, which takes a minute or two.", "正在启动")
    with ExitStack() as stack:
        real = stack.enter_context(systems.running(cache))
        seeded = seed_customers(real.tryton, real.bottlecrm, total=TOTAL, shared=SHARED)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="datong-demo-real-")))
        port = 0 if once else _free_port()
        session = Session(config_file=configured(folder, real, port))
        stack.callback(session.close)
        scene = acts.Scene(session, session.actor)
        _opening(real, seeded, session)
        acts.checked(scene)
        acts.planned_and_applied(scene)
        if once:
            return _once(scene, real)
        _keep(scene, real, port)
        return 0


def configured(folder: Path, real: systems.Real, port: int) -> Path:
    """The configuration; BottleCRM posts its webhooks to `port`, if there is one."""
    crm, erp = real.bottlecrm, real.tryton
    webhook = "# no webhook: changes are found by polling"
    if port:
        (folder / "crm.webhook").write_text(crm.create_webhook(f"http://127.0.0.1:{port}/hooks/crm", EVENTS).secret)
        webhook = "webhook_secret: ${file:crm.webhook}"
    for name, secret in (("crm.token", crm.token), ("erp.password", erp.password)):
        (folder / name).write_text(secret, encoding="utf8")
    told = {"crm_url": crm.url, "erp_url": erp.url, "database": erp.database, "login": erp.login, **erp.companies}
    path = folder / "datong.yaml"
    path.write_text(CONFIG.format(webhook=webhook, **told), encoding="utf8")
    return path


def _opening(real: systems.Real, seeded: SeededCustomers, session: Session) -> None:
    act(1, "Two real systems that disagree", "两个真实系统，数据不一致")
    say(f"BottleCRM: {real.bottlecrm.url}   {len(accounts(real))} customers", "真实 CRM（PyPI：django-crm）")
    say(f"Tryton:    {real.tryton.url}   {len(parties(real))} customers", "真实 ERP（PyPI：trytond），两家公司")
    say(
        f"{len(seeded.strong)} of them have one tax number on both sides, {len(seeded.lookalikes)} only look alike",
        f"{len(seeded.strong)} 个两边税号相同，{len(seeded.lookalikes)} 个仅相似",
    )
    say(f"Configuration: {session.config_file}", "配置文件")


# The systems, by their own APIs.


def accounts(real: systems.Real) -> list[Row]:
    answer = real.bottlecrm.call("GET", "/api/accounts/?limit=100000")
    return [*answer["active_accounts"]["open_accounts"], *answer["closed_accounts"]["close_accounts"]]


def parties(real: systems.Real) -> list[Row]:
    """Every customer with its parts and, per company, its credit limit."""
    ours = [
        row["party"] for model in ("company.company", "company.employee") for row in _rows(real, model, [], "party")
    ]
    fields = ("name", "active", "code", "customer_payment_term")
    found = {row["id"]: row for row in _rows(real, "party.party", [["id", "not in", ours]], *fields)}
    for name, model, wanted in (
        ("addresses", "party.address", ("party", "street", "city", "postal_code")),
        ("mechanisms", "party.contact_mechanism", ("party", "type", "value", "name")),
        ("identifiers", "party.identifier", ("party", "type", "code")),
    ):
        for party in found.values():
            party[name] = []
        for row in _rows(real, model, [["party", "in", list(found)], ["active", "=", True]], *wanted):
            found[row["party"]][name].append(row)
    for company in real.tryton.companies:
        for row in _rows(real, "party.party", [["id", "in", list(found)]], "credit_limit_amount", company=company):
            found[row["id"]].setdefault("limits", {})[company] = row["credit_limit_amount"]
    return list(found.values())


def _rows(real: systems.Real, model: str, domain: list[Any], *fields: str, company: str = "asia") -> list[Row]:
    context = {"company": real.tryton.companies[company], "active_test": False}
    asked = (domain, 0, None, [["id", "ASC"]], list(fields))
    return list(real.tryton.call(f"model.{model}.search_read", *asked, context=context))


def tax_number(value: Any) -> str:
    """Bare and in capitals, however it was typed."""
    import unicodedata

    return "".join(c for c in unicodedata.normalize("NFKC", text(value)).upper() if c.isalnum())


def _party_tax(party: Row) -> str:
    return next((tax_number(i["code"]) for i in party["identifiers"] if i["type"]), "")


def _custom(account: Row, key: str) -> Any:
    return (account.get("custom_fields") or {}).get(key)


def _first(party: Row, kind: str) -> str:
    """The first of its telephone numbers or addresses that is no person's."""
    return next((text(m["value"]) for m in party["mechanisms"] if m["type"] == kind and not m["name"]), "")


def pairs(here: list[Row], there: list[Row]) -> list[Pair]:
    """By the customer number that Tryton gave, else by a tax number that one customer holds on each side."""
    found: dict[tuple[Any, Any], Pair] = {}
    by_code = {party["code"]: party for party in there if party["code"]}
    for account in here:
        for company in CURRENCIES:
            party = by_code.get(_custom(account, f"number_{company}"))
            if party is not None:
                found[account["id"], party["id"]] = (account, party)
    taken = {i for key in found for i in key}
    ours = _once_each((a for a in here if a["id"] not in taken), lambda a: tax_number(_custom(a, "tax_id")))
    theirs = _once_each((p for p in there if p["id"] not in taken), _party_tax)
    for number in sorted(ours.keys() & theirs.keys()):
        one, other = ours[number], theirs[number]
        found[one["id"], other["id"]] = (one, other)
    return list(found.values())


def _once_each(rows: Iterator[Row], key: Callable[[Row], str]) -> dict[str, Row]:
    held: dict[str, list[Row]] = {}
    for row in rows:
        held.setdefault(key(row), []).append(row)
    return {value: some[0] for value, some in held.items() if value and len(some) == 1}


# Do they agree?


def compare(real: systems.Real) -> Verdict:
    verdict = Verdict()
    terms = {number: name for name, number in real.tryton.ids["payment_terms"].items()}
    found = pairs(accounts(real), parties(real))
    for account, party in found:
        verdict.weigh("customers", account["id"], party["id"], _facts(account, party, terms))
    for ids in ([a["id"] for a, _ in found], [p["id"] for _, p in found]):
        verdict.doubled += [f"{i} stands for several on the other side" for i in {*ids} if ids.count(i) > 1]
    return verdict


def _facts(account: Row, party: Row, terms: dict[int, str]) -> Iterator[tuple[str, Any, Any]]:
    yield "name", text(account["name"]), text(party["name"])
    yield "tax number", tax_number(_custom(account, "tax_id")), _party_tax(party)
    yield "phone", phone(account["phone"]), phone(_first(party, "phone"))
    yield "email", text(account["email"]).lower(), _first(party, "email").lower()
    yield "active", account["is_active"], party["active"]
    ours = tuple(text(account[n]) for n in ("address_line", "city", "postcode"))
    theirs = [tuple(text(a[n]) for n in ("street", "city", "postal_code")) for a in party["addresses"]]
    yield "address", ours, next((one for one in theirs if one == ours), theirs[0] if theirs else ("", "", ""))
    for company, currency in CURRENCIES.items():
        yield f"number, {company}", text(_custom(account, f"number_{company}")), text(party["code"])
        yield (
            f"terms, {company}",
            text(_custom(account, f"terms_{company}")),
            terms.get(party["customer_payment_term"], ""),
        )
        limit = party["limits"][company]
        told = _custom(account, f"credit_limit_{company}")
        yield (
            f"credit limit, {company}",
            (Decimal(told.split()[0]), told.split()[1]) if told else None,
            None if limit is None else (Decimal(limit), currency),
        )


# Edits, as people make them.


@dataclass(frozen=True)
class Edit:
    where: str
    what: str
    then: str
    make: Callable[[], object]


def edits(real: systems.Real) -> list[Edit]:
    """A handful on both sides, each on a customer that both hold."""
    ready = [pair for pair in pairs(accounts(real), parties(real)) if _plain(*pair)]
    if len(ready) < 7:
        raise LabError(f"only {len(ready)} customers stand on both sides with telephone and e-mail, which is too few")
    (a, b), (c, _), (_, d), (e, _), (f, _), (g, h), (_, i) = ready[:7]

    def crm(account: Row, **values: Any) -> Callable[[], object]:
        return lambda: real.bottlecrm.call("PATCH", f"/api/accounts/{account['id']}/", values)

    def erp(party: Row, company: str = "asia", **values: Any) -> Callable[[], object]:
        context = {"company": real.tryton.companies[company]}
        return lambda: real.tryton.call("model.party.party.write", [party["id"]], values, context=context)

    def mechanism(party: Row, kind: str, value: str) -> Callable[[], object]:
        number = _mechanism_of(party, kind)["id"]
        return lambda: real.tryton.call("model.party.contact_mechanism.write", [number], {"value": value})

    little = {"credit_limit_asia": "1 CNY"}
    wrong = "changed in the wrong place"
    return [
        Edit("ERP", f"phone of {a['name']}", "the CRM shows it", mechanism(b, "phone", "+86 21 5555 0101")),
        Edit("CRM", f"website of {a['name']}", "the ERP shows it", crm(a, website="https://www.example.com")),
        Edit("CRM", f"{c['name']} renamed", "the ERP shows it", crm(c, name=f"{c['name']} 2")),
        Edit("ERP", f"credit limit of {d['name']}", "the CRM shows it", erp(d, credit_limit_amount=Decimal("77000"))),
        Edit("CRM", f"credit limit of {e['name']}", "put back: the ERP decides it", crm(e, custom_fields=little)),
        Edit("CRM", f"street of {f['name']}", "the ERP shows it", crm(f, address_line="星湖街328号")),
        Edit("CRM", f"e-mail of {g['name']}", "and otherwise in the ERP:", crm(g, email="crm@example.com")),
        Edit("ERP", f"e-mail of {g['name']}", "a person decides", mechanism(h, "email", "erp@example.com")),
        Edit("ERP", f"name of {i['name']}", "put back: the CRM decides it", erp(i, name=wrong)),
        Edit("CRM", f"new: {NEW['name']}", "the ERP gets it, once", lambda: _new(real)),
    ]


def _new(real: systems.Real) -> object:
    return real.bottlecrm.call("POST", "/api/accounts/", NEW)


NEW = {
    "name": "达通演示（苏州）有限公司",
    "email": "demo@datong.example",
    "phone": "+86 512 6555 0188",
    "address_line": "星湖街1号",
    "city": "苏州",
    "postcode": "215000",
    "country": "CN",
    "custom_fields": {"tax_id": taxnumbers.uscc(Random("datong demo"), "320594")},
}


def _mechanism_of(party: Row, kind: str) -> Row:
    """The first of its kind that is no person's. Raises StopIteration where there is none."""
    return next(m for m in party["mechanisms"] if m["type"] == kind and not m["name"])


def _plain(account: Row, party: Row) -> bool:
    reached = {m["type"] for m in party["mechanisms"] if not m["name"]} >= {"phone", "email"}
    return reached and bool(account["is_active"] and party["active"])


def _once(scene: acts.Scene, real: systems.Real) -> int:
    act(5, "Edits on both sides", "两边同时修改")
    made = edits(real)
    for edit in made:
        edit.make()
    show(table("", ("edited in", "what", "so"), [[e.where, e.what, e.then] for e in made]))
    feed = Feed(scene.app.store)
    acts.synced(scene)
    feed.tell()
    acts.conflicts_decided(scene, feed)
    quiet = acts.until_quiet(scene)
    feed.tell()
    for item in work.listed(scene.engine(), scene.actor, ("parked",)):
        say(f"parked {item['id']}: {item['reason']} -> {item['remedy']}")
    act(6, "Do both sides agree? Their own APIs say", "两边是否一致？以两个系统自身的 API 为准")
    return 0 if judged(compare(real), quiet) else 1


def _keep(scene: acts.Scene, real: systems.Real, port: int) -> None:
    """The service runs; each Enter makes one edit on one side, until Ctrl-C."""
    from datong.web.service import Service

    act(5, "Now edit either side", "现在请在任一系统中修改数据")
    _what_to_try(scene, real)
    waiting = edits(real)
    feed = Feed(scene.app.store)
    with asked_to_stop() as stop, Service(scene.app, port=port):
        while not stop.wait(0.2):
            feed.tell()
            if waiting and _entered():
                edit = waiting.pop(0)
                say(f"{edit.where}: {edit.what} -> {edit.then}")
                edit.make()
    say("stopped", "已结束")


def _what_to_try(scene: acts.Scene, real: systems.Real) -> None:
    crm, erp = real.bottlecrm, real.tryton
    account = accounts(real)[0]
    say("Press Enter, and I edit one side through its API. 按回车键，我通过 API 修改其中一边。")
    say("Or edit it yourself 或自行修改:")
    body = json.dumps({"phone": "+86 21 5555 0199"})
    say(f"  BottleCRM {crm.url}  Authorization: Bearer {crm.token}")
    say(
        f"    curl -X PATCH {crm.url}/api/accounts/{account['id']}/ -H 'Authorization: Bearer {crm.token}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
    say(f"  Tryton {erp.url}  database {erp.database}, {erp.login} / {erp.password}, by its desktop client or JSON-RPC")
    say("In another terminal 在另一个终端:")
    for words in (("parked", "list"), ("review", "list"), ("conflict", "list"), ("explain", "crm", account["id"])):
        say(f"  {scene.session.line(*words)}")
    say("What happens is told here; Ctrl-C ends it.", "以下逐条显示发生的事；Ctrl-C 结束。")


def _entered() -> bool:
    """Somebody pressed Enter."""
    if not sys.stdin.isatty():
        return False
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and bool(sys.stdin.readline())


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
