"""The how-tos are run: what a reader copies works, and does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from datong.base import json
from house.documents import ROOT, blocks

HOW_TO = ROOT / "docs" / "how-to"
CONNECTOR, BENCH = blocks(HOW_TO / "write-a-connector.md", "python")
FLOW, FLOW_TESTS = blocks(HOW_TO / "write-a-flow.md", "python")

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


def flow_of_the_page() -> dict[str, Any]:
    """The names that the page's code makes."""
    names: dict[str, Any] = {"__name__": "business_contact"}
    exec(compile(FLOW + FLOW_TESTS, "write-a-flow.md", "exec"), names)
    return names


def test_the_flow_and_its_tests() -> None:
    names = flow_of_the_page()
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
