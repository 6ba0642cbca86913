"""The how-tos are run: what a reader copies works, and does what the page says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datong.base import json
from datong.engine.flow import Master
from datong.engine.lifecycle import LifeCycle
from datong.flows import FLOWS
from datong.sandbox import Sandbox
from house.documents import ROOT, blocks
from tests.cli.conftest import Place, placed

HOW_TO = ROOT / "docs" / "how-to"
CONNECTOR, BENCH = blocks(HOW_TO / "write-a-connector.md", "python")
FLOW, FLOW_TESTS, DEALS, DEALS_TESTS = blocks(HOW_TO / "write-a-flow.md", "python")

WITH_ALL_FAULTS = '''
from handy_crm import HandyCrm, HandySettings
import pytest
from datong.sandbox import Sandbox
from datong.testing import ConformanceSuite, Fault
from datong.testing.bench_sandbox import CrmBench, START


class HandyBench(CrmBench):
    """Every fault there is. HandyCRM's connector updates by PATCH, and knows no webhooks."""

    def settings(self, url, key):
        return HandySettings(url=url, token=key, page_size=self.page_size)

    def event(self, id):
        self.cannot("send webhooks")

    def signed(self, body, *, age=0.0, forged=False):
        self.cannot("send webhooks")

    def play(self, fault, *, on="read", **more):
        for method in ("POST", "PATCH") if on == "write" else ("GET",):
            self.where = {on: {"method": method}}
            super().play(fault, on=on, **more)


class TestAll(ConformanceSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def sandboxes(cls):
        with Sandbox(seed=3, size=0, start=START) as ours, Sandbox(seed=4, size=0, start=START) as theirs:
            yield ours, theirs

    @pytest.fixture
    def bench(self, sandboxes):
        ours, theirs = sandboxes
        ours.clock.reset()
        ours.crm.reset()
        bench = HandyBench(ours.crm, theirs.crm, "contact", HandyCrm)
        yield bench
        bench.close()
'''


def test_a_pilot_as_it_is_shown_leaves_those_outside_alone(tmp_path: Path) -> None:
    """Also those whom both systems hold already; who is inside is brought into agreement."""
    from datong.bootstrap.build import build
    from datong.bootstrap.config import load
    from datong.sandbox import Sandbox
    from tests.scenarios.sandbox_pair import sandbox_pair

    _, pilot = blocks(HOW_TO / "connect.md", "yaml")
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        path = pair.write_config(tmp_path)
        text = path.read_text(encoding="utf8")
        flows = re.search(r"^flows:\n(?: .*\n)+", text, re.MULTILINE)
        assert flows is not None
        path.write_text(text.replace(flows[0], pilot), encoding="utf8")
        inside, outside = "91350100M000100Y43", "91320500083922499X"
        for tax_id, letter in ((inside, "A"), (outside, "B")):
            sandbox.crm.create("accounts", {"name": f"客户{letter}有限公司", "tax_id": tax_id, "stage": "customer"})
            pair.erp.make(name=f"旧名{letter}", tax_id=tax_id)
        app = build(load(path), pair.clock)
        try:
            for _ in range(3):
                sandbox.clock.advance(20)
                app.engine().sync()
            assert {one["name"] for one in pair.erp.customers().values()} == {"客户A有限公司", "旧名B"}
        finally:
            app.close()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The reader's folder, as `pip install .` would make it found."""
    (tmp_path / "handy_crm.py").write_text(CONNECTOR, encoding="utf8")
    (tmp_path / "test_handy_crm.py").write_text(BENCH, encoding="utf8")
    (tmp_path / "test_all.py").write_text(WITH_ALL_FAULTS, encoding="utf8")
    (told,) = blocks(HOW_TO / "write-a-connector.md", "toml")
    project = tomllib.loads(told)["project"]
    entries = project["entry-points"]["datong.connectors"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf8")
    points = "".join(f"{name} = {target}\n" for name, target in entries.items())
    (info / "entry_points.txt").write_text(f"[datong.connectors]\n{points}", encoding="utf8")
    return tmp_path


def run(package: Path, *command: str) -> str:
    environment = {"PYTHONPATH": f"{ROOT}:{package}", "CRM_TOKEN": "t"}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=package, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def suite(package: Path, file: str) -> tuple[int, str]:
    """How many cases passed, and all that was told."""
    told = run(package, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", str(package), file)
    return int(re.findall(r"(\d+) passed", told)[0]), told


def test_the_connector_conforms(package: Path) -> None:
    passed, told = suite(package, "test_handy_crm.py")
    assert passed >= 30
    assert "NOT PROVED" in told, "the page says how promises are named that the bench cannot test"


def test_the_connector_conforms_whatever_the_vendor_does(package: Path) -> None:
    passed, told = suite(package, "test_all.py")
    unproved = set(re.findall(r"This bench cannot (\w+ \w+)", told))
    assert unproved == {"send webhooks", "move a", "merge two"}, "what HandyCRM cannot do itself"
    assert passed >= 50


def test_the_connector_is_found_and_its_configuration_is_right(package: Path) -> None:
    listed = json.loads(run(package, "-m", "datong.cli", "connectors", "--json"))["items"]
    (handy,) = [one for one in listed if one["name"] == "handy_crm"]
    assert list(handy["kinds"]) == ["contact"]
    assert {one["name"] for one in handy["settings"] if one["required"]} == {"url", "token"}
    (shown,) = blocks(HOW_TO / "write-a-connector.md", "yaml")
    (package / "datong.yaml").write_text(shown, encoding="utf8")
    run(package, "-c", "from datong.bootstrap.config import load; assert load('datong.yaml').connections['crm']")


def flow_of_the_page(code: str = FLOW + FLOW_TESTS) -> dict[str, Any]:
    """The names that the page's code makes."""
    names: dict[str, Any] = {"__name__": "business_contact"}
    exec(compile(code, "write-a-flow.md", "exec"), names)
    return names


@pytest.mark.parametrize("code", [FLOW + FLOW_TESTS, DEALS + DEALS_TESTS], ids=["masters", "documents"])
def test_the_flow_and_its_tests(code: str) -> None:
    names = flow_of_the_page(code)
    tests = [one for name, one in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for one in tests:
        one()


def test_the_flow_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the page says: in FLOWS, in FLOWS_KNOWN, in datong.yaml."""
    from datong.bootstrap import build as building
    from datong.bootstrap.config import FLOWS_KNOWN, load
    from datong.sandbox import Sandbox
    from tests.scenarios.sandbox_pair import sandbox_pair

    flow = flow_of_the_page()["business_contact"]
    (shown,) = blocks(HOW_TO / "write-a-flow.md", "yaml")
    monkeypatch.setattr(building, "FLOWS", (*building.FLOWS, flow))
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        path = pair.write_config(tmp_path)
        before, _, after = path.read_text(encoding="utf8").partition("flows:\n")
        rest = re.sub(r"\A(?:(?:[ #].*)?\n)*", "", after)
        path.write_text(f"{before}{shown}{rest}", encoding="utf8")
        app = building.build(load(path, flows_known={**FLOWS_KNOWN, flow.name: "contact"}), pair.clock)
        try:
            account = sandbox.crm.create("accounts", {"name": "深圳市大同科技有限公司", "stage": "customer"})["id"]
            for name, mail in (("李娜", "li.na@datong.example"), ("王伟", None), ("张敏", "min@example.invalid")):
                sandbox.crm.create("contacts", {"account_id": account, "name": name, "email": mail})
            engine = app.engine()
            for _ in range(3):
                sandbox.clock.advance(20)
                engine.sync()
            assert [one["fullName"] for one in sandbox.erp.rows("contacts")] == ["李娜"]
            assert engine.sync().waiting["parked"] == 1, "the placeholder waits for a person"
        finally:
            app.close()


def test_the_flow_of_documents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A won deal becomes one order of its first line; a large one waits until it is agreed to."""
    from datong.bootstrap import build as building
    from datong.bootstrap.config import FLOWS_KNOWN, load
    from tests.scenarios.sandbox_pair import sandbox_pair

    names = flow_of_the_page(DEALS)
    flows = tuple(names[one] for one in ("deals", "small_orders", "deal_to_order"))
    stood_in_for = ("opportunities", "orders", "opportunity_to_order", "quotes", "quote_to_order")
    rest = tuple(one for one in building.FLOWS if one.name not in stood_in_for)
    monkeypatch.setattr(building, "FLOWS", (*rest, *flows))
    known = {**FLOWS_KNOWN, "deals": "opportunity", "small_orders": "order", "deal_to_order": "opportunity"}
    with Sandbox(seed=1, size=0) as sandbox:
        pair = sandbox_pair(sandbox, tmp_path)
        path = pair.write_config(tmp_path)
        text = re.sub(r"^  (?:orders|quote_to_order): .*\n", "", path.read_text(encoding="utf8"), flags=re.MULTILINE)
        path.write_text(text.replace("flows:\n", "flows:\n  deal_to_order: true\n"), encoding="utf8")
        place = {"type": "billing", "country": "CN", "city": "深圳市", "street": "科技园路1号"}
        customer = pair.crm.make(name="深圳市大同科技有限公司", tax_id="91350100M000100Y43", addresses=[place])
        goods = {"itemNo": "W-100", "description": "小部件", "baseUnit": 1, "currency": "CNY", "taxCodeId": 1}
        sandbox.erp.create("items", {**goods, "salesPrice": "12.50"})
        app = building.build(load(path, flows_known=known), pair.clock)
        try:
            engine = app.engine()

            def sync() -> None:
                for _ in range(4):
                    sandbox.clock.advance(20)
                    engine.sync()

            sync()
            for quantity in ("3", "2000"):
                line = {"sku": "W-100", "quantity": quantity}
                told = {"name": f"采购 {quantity}", "company": "asia", "currency": "CNY"}
                deal = sandbox.crm.desk.make_opportunity(customer, [line], **told)
                sandbox.crm.desk.win(deal["id"])
            sync()
            (order,) = sandbox.erp.rows("salesOrders")
            assert [float(line["qty"]) for line in order["lines"]] == [3]
            held = [one["order_number"] for one in sandbox.crm.rows("opportunities")]
            assert held == [order["docNo"], None]
            assert engine.sync().waiting["parked"] == 1, "the large one is to be agreed to"
        finally:
            app.close()


# Order to cash.

CASH = HOW_TO / "order-to-cash.md"
CASH_TEXT = CASH.read_text(encoding="utf8")
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]


@pytest.fixture(scope="module")
def cashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's console, typed: what `datong chain` tells in the end."""
    folder = tmp_path_factory.mktemp("shop")
    with Sandbox(seed=1, size=12) as sandbox:
        place = placed(sandbox, folder)
        text = place.config.read_text(encoding="utf8")
        head = text[: text.index("  # Order to cash")]
        tail = text[text.index("# The CRM's codes") :]
        shown = blocks(CASH, "yaml")[0].removeprefix("flows:\n")
        place.config.write_text(f"{head}{shown}\n{tail}", encoding="utf8")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("COLUMNS", "120")
            told = [typed(line[2:], place) for line in blocks(CASH, "console")[1].splitlines()]
        yield told[-1]


def typed(line: str, place: Place) -> str:
    """One line of the console, with the ports of this sandbox."""
    words = shlex.split(line, comments=True)
    if words[0] == "curl":
        url = words[-1].replace("http://127.0.0.1:8101", place.sandbox.crm.url)
        url = url.replace("http://127.0.0.1:8102", place.sandbox.erp.url)
        body = words[words.index("--json") + 1].encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            told = json.loads(answer.read().decode())
        assert told.get("ok", True), told
    elif words[0] == "datong" and words[1] not in ("init", "sandbox"):
        place.sandbox.clock.advance(20)
        if "ITEM" in words:
            (waits,) = place.datong("approvals", "list", "--json").json["items"]
            words[words.index("ITEM")] = str(waits["id"])
        answered = place.datong(*words[1:])
        assert answered.status in ((0, 1) if words[1] == "sync" else (0,)), answered.err
        return answered.out
    return ""


def undated(text: str) -> list[str]:
    """Its lines, with the days masked and without the space at their ends."""
    plain = re.sub(r"\d{4}-\d\d-\d\d", "____-__-__", re.sub(r"-20\d\d-", "-____-", text))
    return [line.rstrip() for line in plain.splitlines() if line.strip()]


@pytest.mark.parametrize("page", [CASH, *READMES], ids=lambda page: page.name)
def test_the_chain_is_told_as_it_is_shown(cashed: str, page: Path) -> None:
    shown = [block for block in blocks(page, "text") if "invoice IN-A-" in block]
    assert [set(undated(block)) <= set(undated(cashed)) for block in shown] == [True]


def test_every_flow_of_order_to_cash_is_told_with_what_it_requires() -> None:
    part = CASH_TEXT[CASH_TEXT.index("## The flows") : CASH_TEXT.index("## With real systems")]
    rows = re.findall(r"^\| (`.+?) \| .+ \| (.*?) ?\|$", part, re.MULTILINE)
    told = {name for names, _ in rows for name in re.findall(r"`(\w+)`", names)}
    master_data = {"reference_data", "customer_master", "contact", "product_catalogue"}
    assert told == {flow.name for flow in FLOWS} - master_data
    required = {flow.name: set(flow.requires) for flow in FLOWS if flow.requires}
    single = {names.strip("`"): set(re.findall(r"`(\w+)`", text)) for names, text in rows if text and "," not in names}
    assert {**single, "prices": {"price_lists"}} == required


def test_every_setting_of_a_flow_is_told_with_its_default() -> None:
    part = CASH_TEXT[CASH_TEXT.index("## Settings of the flows") : CASH_TEXT.index("### Money, per company")]
    rows = re.findall(r"^\| `(\w+)` \| (`.+?) \| (.*?) ?\| ", part, re.MULTILINE)
    told = {(flow, name): default for flow, names, default in rows for name in re.findall(r"`(\w+)`", names)}
    declared = {
        (flow.name, name): info.get_default(call_default_factory=True)
        for flow in FLOWS
        if flow.settings is not None
        for name, info in flow.settings.model_fields.items()
    }
    assert set(told) == set(declared)
    assert {key: f"`{value}`" for key, value in declared.items() if told[key]} == {k: v for k, v in told.items() if v}


def test_every_life_cycle_is_told() -> None:
    page = (ROOT / "docs" / "concepts" / "documents.md").read_text(encoding="utf8")
    table = page[page.index("## Life cycles") : page.index("## Who may change")]
    declared = [row(f.record.kind, life) for f in FLOWS if isinstance(f, Master) for life in f.lives]
    assert re.findall(r"^\| \w+ \| `.*$", table, re.MULTILINE) == declared


def row(kind: str, life: LifeCycle) -> str:
    """A life cycle as the page shows it."""
    ways: dict[str, list[str]] = {}
    for (before, after), why in life.back.items():
        ways.setdefault(why, []).append(f"{before} → {after}")
    back = "; ".join(f"{why}: {', '.join(moves)}" for why, moves in ways.items())
    ends = "; ".join(f"{end} (after {', '.join(sources)})" for end, sources in life.ends.items())
    return f"| {kind} | `{life.name}` | {' → '.join(life.row)} | {ends} | {back} |"


def test_every_doubt_of_a_flow_is_in_the_table_of_what_waits() -> None:
    part = CASH_TEXT[CASH_TEXT.index("## What waits") : CASH_TEXT.index("## What is not there yet")]
    part += (HOW_TO / "notices.md").read_text(encoding="utf8")
    causes = {cause for flow in FLOWS if isinstance(flow, Master) for cause in flow.doubts}
    assert causes | {"approval", "changed after acceptance", "too late"} <= set(re.findall(r"`([a-z -]+)`", part))
