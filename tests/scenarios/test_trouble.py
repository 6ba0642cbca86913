"""Outages, wrong answers, refusals, lost answers, a killed worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datong.base.errors import ConfigurationError
from datong.bootstrap.config import load
from datong.operations import work
from datong.operations.checking import check
from tests.scenarios.pair import WANG
from tests.scenarios.sandbox_pair import TAX_ID, SandboxPair


def test_erp_down_for_ten_minutes_with_200_edits(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"limits": {"updates": "100%"}}})
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司", email=f"c{n}@x.example") for n in range(40)]
    pair.settle()
    before = pair.erp.writes()
    pair.erp.stop()
    for number in range(200):
        pair.crm.change(ids[number % 40], name=f"客户第{number % 40}号有限公司 改{number}")
        if number % 40 == 39:
            result = pair.engine.sync()
            assert result.problems and not result.updated
            pair.advance(120)
    pair.erp.start()
    pair.advance(900)
    pair.settle()
    names = {c["name"] for c in pair.erp.customers().values()}
    assert names == {f"客户第{n}号有限公司 改{160 + n}" for n in range(40)}
    assert pair.erp.writes() - before <= 40, "at most one write per record and side"
    assert not pair.items("parked")


@pytest.mark.parametrize("fault", ["error_after_commit", "timeout_late_commit", "drop_connection"])
def test_a_create_whose_answer_is_lost_happens_once(empty: SandboxPair, fault: str) -> None:
    pair = empty
    pair.sync()
    params = {"drop_connection": {"after_commit": True}, "timeout_late_commit": {"delay": 5, "hold": 0}}.get(fault, {})
    pair.sandbox.erp.faults.add(fault, method="POST", path="customers/save", times=1, **params)
    pair.crm.make(name="只建一次有限公司", tax_id=TAX_ID)
    for _ in range(5):
        pair.sync()
        pair.advance(120)
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["只建一次有限公司"]
    assert not pair.items("parked")


def test_a_refused_record_is_shown_and_the_rest_goes_on(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    pair.sandbox.erp.faults.add("refuse", object="customers", field="custName", pattern="坏", message="名称不允许")
    bad = pair.crm.make(name="坏客户")
    pair.crm.make(name="好客户")
    pair.sync()
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["好客户"]
    (item,) = pair.items("parked")
    assert "名称不允许" in item["reason"] and item["remedy"] and item["field"] == "name"
    pair.crm.change(bad, name="改好的客户")
    pair.settle()
    assert {c["name"] for c in pair.erp.customers().values()} == {"好客户", "改好的客户"}
    assert not pair.items("parked"), "it resolves itself when the cause is gone"


def test_the_same_refusal_on_500_records_is_one_item_and_the_rest_goes_on(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    pair.sandbox.erp.faults.add(
        "refuse", object="customers", field="email", pattern="@", message="e-mail is switched off"
    )
    for number in range(500):
        pair.crm.make(name=f"客户第{number}号", email=f"c{number}@x.example")
    pair.crm.make(name="没有邮箱的客户")
    pair.sandbox.erp.edit("items", pair.sandbox.erp.rows("items")[0]["id"], {"description": "改名的产品"})
    pair.sync()
    items = pair.items("parked")
    assert len(items) == 1 and items[0]["cause"] == "same refusal" and items[0]["remedy"], items
    assert "改名的产品" in {p["name"] for p in pair.sandbox.crm.rows("products")}, "other flows go on"
    calls = pair.erp.writes()
    pair.sync()
    assert pair.erp.writes() == calls, "the flow rests"
    pair.sandbox.erp.faults.clear()
    work.retry(pair.engine, WANG, items[0]["id"])
    pair.settle()
    assert len(pair.erp.customers()) == 501 and not pair.items("parked")


def test_wrong_credentials_suspend_one_connection_with_one_item(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    pair.crm.make(name="客户甲")
    good = (pair.folder / "datong.yaml").read_text(encoding="utf8")
    pair.configure(connections={"erp": {"key": "wrong"}})
    for _ in range(3):
        result = pair.sync()
    assert result.problems
    (item,) = pair.items("parked")
    assert item["cause"] == "access" and "erp" in item["reason"] and item["remedy"]
    told = check(pair.engine, WANG)
    assert not told["ok"] and [c["ok"] for c in told["connections"]] == [True, False]
    (pair.folder / "datong.yaml").write_text(good, encoding="utf8")
    pair.restart()
    pair.advance(3600)
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["客户甲"] and not pair.items("parked")


def test_unreachable_system_is_named_and_heals_by_itself(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    pair.erp.stop()
    pair.crm.make(name="客户乙")
    result = pair.sync()
    assert any("erp" in p for p in result.problems)
    pair.erp.start()
    pair.advance(900)
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["客户乙"] and not pair.items("parked")


def test_another_database_behind_the_address_stops_and_asks(empty: SandboxPair, tmp_path: Path) -> None:
    from datong.sandbox import Sandbox

    pair = empty
    pair.sync()
    with Sandbox(seed=2, size=0) as other:
        pair.configure(connections={"erp": {"url": other.erp.url, "key": other.erp.token}})
        pair.crm.make(name="不可写入")
        result = pair.sync()
        assert any("we know" in p for p in result.problems)
        assert not other.erp.rows("customers")
        (item,) = pair.items("parked")
        assert item["cause"] == "wrong system"


def test_invalid_tax_id_stops_at_the_gate(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    crm = pair.crm.make(name="税号错误有限公司", tax_id="91350100M000100Y44")
    pair.crm.make(name="十五位老税号有限公司", tax_id="440301123456789")
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["十五位老税号有限公司"]
    (item,) = pair.items("parked")
    assert item["cause"] == "gate" and "CRM" in item["remedy"]
    pair.crm.change(crm, tax_id=TAX_ID)
    pair.settle()
    assert len(pair.erp.customers()) == 2 and not pair.items("parked")


def test_unmapped_code_is_one_item_and_blanks_nothing(empty: SandboxPair) -> None:
    pair = empty
    pair.configure(flows={"customer_master": {"fields": {"company.*.terms": {"owned_by": "crm"}}}})
    pair.sync()
    for number in range(5):
        pair.crm.make(name=f"月结45天客户{number}", terms={"asia": "NET45"})
    fine = pair.crm.make(name="月结30天客户", terms={"asia": "NET30"})
    pair.settle()
    assert len(pair.erp.customers()) == 6, "the records go on without the field"
    (item,) = pair.items("parked")
    assert "NET45" in item["reason"] or "45" in item["reason"]
    erp = next(i for i, c in pair.erp.customers().items() if c["name"] == "月结30天客户")
    assert pair.erp.customer(erp)["terms"]["asia"] and pair.crm.customer(fine)["terms"]["asia"] == "NET30"
    assert all(c["terms"]["asia"] == "NET45" for c in pair.crm.customers().values() if "45" in c["name"])
    erp_term = pair.sandbox.erp.create("paymentTerms", {"code": "NET45", "name": "月结45天"})
    pair.settle()
    pair.settle()
    terms = {c["terms"].get("asia") for c in pair.erp.customers().values() if "45" in c["name"]}
    assert terms == {erp_term["id"]}, "mapped later, it is filled in"


def test_wrong_configuration_names_every_mistake(empty: SandboxPair) -> None:
    path = empty.folder / "datong.yaml"
    text = (
        path.read_text(encoding="utf8").replace("first_load: crm", "first_laod: crm").replace("role: erp", "role: epr")
    )
    path.write_text(text, encoding="utf8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    told = [str(p) for p in caught.value.problems]
    assert len(told) >= 2 and all("datong.yaml:" in t for t in told), told
    assert any("first_load" in t for t in told)


WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from datong.bootstrap.build import build
from datong.bootstrap.config import load
import os, signal
app = build(load(Path({config!r})))
def die(where):
    if where == {where!r}:
        os.kill(os.getpid(), signal.SIGKILL)
app.engine("worker", checkpoint=die).sync()
"""


@pytest.mark.parametrize("where", ["intended create", "before create", "after create", "before find", "confirmed"])
def test_worker_killed_in_the_middle_of_a_create(empty: SandboxPair, where: str) -> None:
    pair = empty
    pair.engine.sync()
    pair.crm.make(name="被打断的客户有限公司", tax_id=TAX_ID)
    pair.close()
    pair.app = None
    root = str(Path(__file__).parents[2])
    code = WORKER.format(root=root, config=str(pair.folder / "datong.yaml"), where=where)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pair.restart()
    for _ in range(4):
        pair.sync()
        pair.advance(120)
    pair.settle()
    assert [c["name"] for c in pair.erp.customers().values()] == ["被打断的客户有限公司"]
    assert pair.app and pair.app.sealer.verify()["intact"]
    assert not pair.items("parked")


def test_a_key_too_crowded_to_tell_anything_is_one_item_and_creates_nothing(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    for number in range(25):
        pair.crm.make(name=f"共用税号客户{number}", tax_id=TAX_ID)
    pair.erp.make(name="真正的主人", tax_id=TAX_ID)
    pair.sync()
    pair.sync()
    assert len(pair.erp.customers()) == 1 and len(pair.crm.customers()) == 25
    assert [i["cause"] for i in pair.items("parked")] == ["crowded key"], [i["subject"] for i in pair.items("parked")]


def test_a_hint_that_comes_while_its_forerunner_is_answered_is_not_lost(empty: SandboxPair) -> None:
    from datong.engine.reading import Reader

    pair = empty
    pair.sync()
    crm = pair.crm.make(name="第一次")
    pair.engine.note_hint("crm", "account", crm)
    real = Reader.hints

    def meanwhile(self: Reader, conn: object, kind: str, *rest: object, **more: object) -> list[int]:
        answered = real(self, conn, kind, *rest, **more)  # type: ignore[arg-type]
        if answered:
            pair.crm.change(crm, name="第二次")
            pair.engine.note_hint("crm", "account", crm)
        return answered

    Reader.hints = meanwhile  # type: ignore[method-assign,assignment]
    try:
        pair.sync(hints_only=True)
    finally:
        Reader.hints = real  # type: ignore[method-assign]
    pair.sync(hints_only=True)
    assert [c["name"] for c in pair.erp.customers().values()] == ["第二次"]


def test_a_backlog_of_hints_is_answered_by_one_list_read(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    for number in range(600):
        pair.engine.note_hint("erp", "account", str(number + 1))
    before = pair.sandbox.erp.stats()["requests"].get("GET customers", 0)
    pair.sync()
    assert pair.sandbox.erp.stats()["requests"].get("GET customers", 0) - before < 20


def test_a_mass_change_is_one_item_and_one_plan_however_often_it_is_met(empty: SandboxPair) -> None:
    pair = empty
    pair.sync()
    ids = [pair.crm.make(name=f"客户第{n}号有限公司") for n in range(30)]
    pair.settle()
    pair.advance(7200)
    for number, one in enumerate(ids):
        pair.crm.change(one, name=f"错误的批量修改{number}")
    writes = pair.erp.writes()
    stopped = [pair.sync() for _ in range(3)]
    assert all(r.stopped for r in stopped) and pair.erp.writes() == writes
    (item,) = pair.items("parked")
    assert item["cause"] == "mass change" and stopped[-1].plan in item["remedy"]
    pair.engine.apply(stopped[-1].plan, accept_mass=True)
    assert not pair.items("parked")
    pair.crm.change(ids[0], name="之后的修改")
    assert not pair.sync().stopped, "what a person accepted does not stop the next sync"


def test_nothing_is_delivered_to_another_database_by_a_retry_either(empty: SandboxPair) -> None:
    from datong.sandbox import Sandbox

    pair = empty
    pair.sync()
    with Sandbox(seed=2, size=0) as other:
        pair.configure(connections={"erp": {"url": other.erp.url, "key": other.erp.token}})
        pair.crm.make(name="不可写入")
        pair.sync()
        pair.advance(7200)
        pair.engine.deliver_due()
        assert not other.erp.rows("customers")
