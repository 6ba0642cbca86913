"""What happens in a proof, act by act: what people do, what Datong is asked to do, and what must stand afterwards.

An act is four functions. `people` and `meanwhile` work in the two systems by their own APIs and write down in
`Expected` what must come of it; nothing of that is read from Datong. `faults` says how the systems misbehave. `work` is
what Datong does: it may be killed anywhere and is then simply begun again, so it asks what there is to do before it
does it, as a person would. `meanwhile` happens while Datong is dead, or after `work` when it was not killed: what must
stand in the end is the same wherever the kill was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML

from datong.bootstrap.build import build
from datong.bootstrap.config import Config
from datong.engine.cycle import Result
from datong.kit import Hint
from datong.operations import Actor, records, work
from datong.operations.checking import check
from tests.crashes.systems import SharedClock

WANG = Actor("wang.wei", ("admin",))
SIDES = ("crm", "erp")
RECORDS = ("customer_master", "contact", "product_catalogue")
CUSTOMERS = ("customer_master",)


class Expected:
    """What must stand on each side, by the labels of the story: side -> object -> label -> the values that are told."""

    def __init__(self) -> None:
        self.stands: dict[str, dict[str, dict[str, dict[str, Any]]]] = {"crm": {}, "erp": {}}

    def on(self, side: str, object: str, label: str, **values: Any) -> None:
        self.stands[side].setdefault(object, {}).setdefault(label, {}).update(values)

    def both(self, object: str, label: str, **values: Any) -> None:
        for side in SIDES:
            self.on(side, object, label, **values)

    def gone(self, side: str, object: str, label: str) -> None:
        del self.stands[side][object][label]

    def name(self, side: str, label: str) -> str:
        return str(self.stands[side]["customers"][label]["name"])


@dataclass
class Scene:
    """The systems, what must stand there, and the ids that people know: (side, label) -> native id."""

    systems: Any
    expected: Expected = field(default_factory=Expected)
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def make(self, side: str, label: str, **values: Any) -> None:
        """A person enters a customer; they know its id from then on, and it must keep it."""
        self.ids[side, label] = getattr(self.systems, side).make(**values)
        plain = {name: value for name, value in values.items() if name in ("name", "email", "tax_id", "website")}
        self.expected.on(side, "customers", label, id=self.ids[side, label], **plain)

    def change(self, side: str, label: str, **values: Any) -> None:
        getattr(self.systems, side).change(self.id(side, label), **values)

    def id(self, side: str, label: str) -> str:
        """As a person finds it: by the name that stands there."""
        if (side, label) not in self.ids:
            name = self.expected.name(side, label)
            rows = self.systems.read()[side]["customers"]
            (self.ids[side, label],) = [row["id"] for row in rows if row["name"] == name]
        return self.ids[side, label]

    def copied(self) -> Scene:
        return Scene(self.systems, deepcopy(self.expected), dict(self.ids))


class Datong:
    """One process of Datong at work."""

    def __init__(self, config: Config, clock: SharedClock) -> None:
        self.clock = clock
        self.app = build(config, clock)
        self.engine = self.app.engine("datong", random=Random(1))

    def sync(self, flows: Sequence[str] = RECORDS, **how: Any) -> Result:
        self.clock.advance(20)
        return self.engine.sync([one for one in flows if one in self.engine.landscape.flows], **how)

    def settle(self, most: int = 12) -> None:
        """Cycles until one writes nothing and takes nothing in."""
        for _ in range(most):
            done = self.sync()
            if not (done.created or done.updated or done.deleted or done.changed):
                return
        raise AssertionError(f"never quiet: {done}")

    def rest(self) -> None:
        """What waits for time, comes: back-offs, leases of the dead, `settle` of creates, sweeps."""
        for _ in range(2):
            self.clock.advance(660)
            self.settle()

    def items(self, type: str, cause: str = "") -> list[dict[str, Any]]:
        found = work.listed(self.engine, WANG, (type,), limit=None)
        return [one for one in found if one["cause"] == cause or not cause]

    def open(self) -> list[list[str]]:
        """What waits for people, without the ids that differ from run to run."""
        return sorted([i["type"], i["cause"], str(i["field"])] for i in work.listed(
            self.engine, WANG, ("parked", "review", "conflict"), limit=None))  # fmt: skip

    def close(self) -> None:
        self.app.close()


@dataclass(frozen=True)
class Act:
    name: str
    people: Callable[[Scene], None]
    work: Callable[[Datong, Scene], None]
    meanwhile: Callable[[Scene], None] = lambda scene: None
    faults: Callable[[Any], None] = lambda systems: None
    config: Mapping[str, Any] = field(default_factory=dict)

    def configure(self, folder: Path) -> None:
        """The sections of this act, into the configuration that is there."""
        path, yaml = folder / "datong.yaml", YAML()
        told = yaml.load(path.read_text(encoding="utf8"))
        _merge(told, self.config)
        with path.open("w", encoding="utf8") as file:
            yaml.dump(told, file)


def _merge(into: Any, told: Mapping[str, Any]) -> None:
    for name, value in told.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), Mapping):
            _merge(into[name], value)
        else:
            into[name] = value


def sync_once(datong: Datong, _: Scene) -> None:
    datong.sync()


def sync_twice(datong: Datong, _: Scene) -> None:
    """Everything is read for the first time; then what came of it comes back."""
    datong.sync(())
    datong.sync()


# The acts on the sandbox ---------------------------------------------------------------------------------------------

_HANGZHOU = {"type": "office", "country": "CN", "city": "杭州", "street": "文三路 1 号", "postcode": "310000"}
_SUZHOU = {"type": "office", "country": "CN", "city": "苏州", "street": "人民路 2 号", "postcode": "215000"}
_DEPOT = {"type": "shipping", "country": "CN", "city": "昆山", "street": "前进路 3 号", "postcode": "215300"}
_SHOP = {"type": "billing", "country": "CN", "city": "常熟", "street": "虞山路 4 号", "postcode": "215500"}


def _told(address: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return address["street"], address["city"], address["postcode"]


def _before_datong(scene: Scene) -> None:
    """甲 stands in both, 乙 and its branch in the CRM only, 丙 in the ERP only, 丁 in both under two names, and 丑 in
    the CRM looks like 寅 in the ERP."""
    crm, erp, expected = scene.systems.crm, scene.systems.erp, scene.expected
    for side, object in ((crm, "products"), (erp, "items")):  # the sandbox's own are not ours
        for row in side.system.rows(object):
            side.system.delete(object, row["id"])
    scene.make("crm", "甲", name="杭州甲辰科技有限公司", phone="0571-8800 0001", tax_id="91350100M000100Y43",
               addresses=[_HANGZHOU])  # fmt: skip
    scene.make("erp", "甲", name="杭州甲辰科技", phone="+8657188000099", email="erp@jia.example",
               tax_id="91350100M000100Y43", credit_limit={"asia": "30000"})  # fmt: skip
    expected.both("customers", "甲", name="杭州甲辰科技有限公司", email="erp@jia.example", tax_id="91350100M000100Y43",
                  addresses=[_told(_HANGZHOU)])  # fmt: skip
    expected.on("crm", "customers", "甲", phone="0571-8800 0001", credit_limit={"asia": "30000"})
    expected.on("erp", "customers", "甲", phone="+8657188000001", credit_limit={"asia": "30000"})
    scene.make("crm", "乙", name="苏州乙巳商贸有限公司", email="yi@yi.example", addresses=[_SUZHOU, _DEPOT])
    for label in ("甲", "乙"):
        scene.change("crm", label, region_code="hn-01")
        expected.both("customers", label, region_code="hn-01")
    scene.make("crm", "乙昆山", name="苏州乙巳商贸昆山分公司", parent_id=scene.ids["crm", "乙"])
    expected.both("customers", "乙", name="苏州乙巳商贸有限公司", email="yi@yi.example",
                  addresses=[_told(_SUZHOU), _told(_DEPOT)])  # fmt: skip
    expected.both("customers", "乙昆山", name="苏州乙巳商贸昆山分公司", parent="乙")
    crm.make_contact(scene.ids["crm", "乙"], "李娜", "li.na@yi.example")
    expected.both("contacts", "李娜", name="李娜", of="乙", email="li.na@yi.example")
    scene.make("erp", "丙", name="成都丙午食品有限公司", phone="+862885550003", credit_limit={"asia": "10000"})
    expected.both("customers", "丙", name="成都丙午食品有限公司", phone="+862885550003",
                  credit_limit={"asia": "10000"})  # fmt: skip
    scene.make("crm", "丁", name="武汉丁未机械有限公司", phone="027-8400 0004")
    scene.make("erp", "丁", name="武汉丁未机械有限责任公司", phone="+862784000004", email="ding@ding.example")
    scene.make("crm", "丑", name="西安丑寅阀门有限公司", phone="029-8100 0008")
    scene.make("erp", "寅", name="西安丑寅阀门配件厂", phone="+862981000008")
    erp.system.create("items", {"itemNo": "WP-1", "description": "水泵 一型", "salesPrice": "120.5"})
    expected.both("products", "WP-1", name="WP-1", title="水泵 一型", price="120.5")


def _during_first_load(scene: Scene) -> None:
    scene.change("erp", "丙", credit_limit={"asia": "20000"})
    scene.expected.both("customers", "丙", credit_limit={"asia": "20000"})
    scene.change("crm", "乙", website="yi.example")
    scene.expected.both("customers", "乙", website="yi.example")


def link_reviews(datong: Datong, scene: Scene) -> None:
    """丁 is one, 丑 and 寅 are two."""
    for item in datong.items("review", "possible match"):
        ids = {item["detail"][one]["id"] for one in ("left", "right")}
        decide = work.link if scene.ids["crm", "丁"] in ids else work.separate
        decide(datong.engine, WANG, item["id"])
    datong.sync(CUSTOMERS)


def _one_and_two_after_all(scene: Scene) -> None:
    scene.expected.both("customers", "丑", name="西安丑寅阀门有限公司")
    scene.expected.both("customers", "寅", name="西安丑寅阀门配件厂")
    scene.expected.both("customers", "丁", name="武汉丁未机械有限公司", email="ding@ding.example")
    scene.expected.on("crm", "customers", "丁", phone="027-8400 0004")
    scene.expected.on("erp", "customers", "丁", phone="+862784000004")


def _new_on_both_sides(scene: Scene) -> None:
    expected = scene.expected
    scene.make("crm", "戊", name="宁波戊申物流有限公司", tax_id="9144030058073021X7", addresses=[_HANGZHOU])
    expected.both("customers", "戊", name="宁波戊申物流有限公司", tax_id="9144030058073021X7",
                  addresses=[_told(_HANGZHOU)])  # fmt: skip
    scene.systems.crm.make_contact(scene.ids["crm", "戊"], "王强", "wang@wu.example")
    expected.both("contacts", "王强", name="王强", of="戊", email="wang@wu.example")
    scene.make("crm", "戊分", name="宁波戊申物流北仑分公司", parent_id=scene.ids["crm", "戊"])
    expected.both("customers", "戊分", name="宁波戊申物流北仑分公司", parent="戊")
    scene.make("erp", "己", name="无锡己酉纺织有限公司", phone="+8651088880006", credit_limit={"asia": "5000"})
    expected.both("customers", "己", name="无锡己酉纺织有限公司", phone="+8651088880006", credit_limit={"asia": "5000"})
    scene.systems.erp.system.create("items", {"itemNo": "WP-2", "description": "水泵 二型", "salesPrice": "240"})
    expected.both("products", "WP-2", name="WP-2", title="水泵 二型", price="240")


def _edited_while_created(scene: Scene) -> None:
    """The new ones are edited again where they were made, before or after they stand on the other side."""
    scene.change("crm", "戊", name="宁波戊申国际物流有限公司", email="wu@wu.example")
    scene.expected.both("customers", "戊", name="宁波戊申国际物流有限公司", email="wu@wu.example")
    scene.change("erp", "己", credit_limit={"asia": "6000"})
    scene.expected.both("customers", "己", credit_limit={"asia": "6000"})


def _edits(scene: Scene) -> None:
    expected = scene.expected
    scene.change("crm", "甲", name="杭州甲辰智能科技有限公司")
    expected.both("customers", "甲", name="杭州甲辰智能科技有限公司")
    scene.change("erp", "甲", credit_limit={"asia": "35000.5"})
    expected.both("customers", "甲", credit_limit={"asia": "35000.5"})
    held = scene.systems.crm.system.get("accounts", scene.id("crm", "乙"))["addresses"]
    moved = {**held[0], "street": "人民路 200 号"}
    scene.change("crm", "乙", phone="0512-6500 0002", addresses=[moved, _SHOP])
    expected.both("customers", "乙", addresses=[_told(moved), _told(_SHOP)])
    expected.on("crm", "customers", "乙", phone="0512-6500 0002")
    expected.on("erp", "customers", "乙", phone="+8651265000002")
    scene.change("erp", "丙", name="成都丙午 (改)")  # the CRM owns it: put back
    scene.systems.erp.system.edit("items", _item(scene, "WP-1"), {"salesPrice": "125.25"})
    expected.both("products", "WP-1", price="125.25")


def _item(scene: Scene, number: str) -> int:
    return next(int(row["id"]) for row in scene.systems.read()["erp"]["products"] if row["name"] == number)


def _more_edits(scene: Scene) -> None:
    scene.change("crm", "甲", website="jia.example")
    scene.expected.both("customers", "甲", website="jia.example")
    scene.change("erp", "甲", phone="+8657188000777")
    scene.expected.both("customers", "甲", phone="+8657188000777")
    held = scene.systems.crm.system.get("accounts", scene.id("crm", "甲"))["addresses"]
    scene.change("crm", "甲", addresses=[*held, _DEPOT])
    scene.expected.both("customers", "甲", addresses=[_told(_HANGZHOU), _told(_DEPOT)])


def _clash(scene: Scene) -> None:
    scene.change("crm", "丙", email="crm@bing.example")
    scene.change("erp", "丙", email="erp@bing.example", phone="+862885550033")
    scene.expected.both("customers", "丙", email="erp@bing.example", phone="+862885550033")


def resolve_for_the_erp(datong: Datong, _: Scene) -> None:
    datong.sync(CUSTOMERS)
    for item in datong.items("conflict"):
        work.resolve(datong.engine, WANG, item["id"], take="erp")
    datong.sync(CUSTOMERS)


def _lost_answers(scene: Scene) -> None:
    expected = scene.expected
    scene.make("crm", "庚", name="合肥庚戌仪器有限公司", email="geng@geng.example", addresses=[_SUZHOU])
    expected.both("customers", "庚", name="合肥庚戌仪器有限公司", email="geng@geng.example",
                  addresses=[_told(_SUZHOU)])  # fmt: skip
    scene.make("erp", "辛", name="长沙辛亥包装有限公司", credit_limit={"asia": "700"})
    expected.both("customers", "辛", name="长沙辛亥包装有限公司", credit_limit={"asia": "700"})
    scene.change("erp", "乙", credit_limit={"asia": "1500"})
    expected.both("customers", "乙", credit_limit={"asia": "1500"})


def _answers_get_lost(systems: Any) -> None:
    systems.fault("erp", "drop_connection", path="customers/save", method="POST", times=1, after_commit=True)
    systems.fault("crm", "error_after_commit", path="accounts/batch", method="POST", times=1)


def _late(scene: Scene) -> None:
    scene.make("crm", "壬", name="福州壬子茶业有限公司", email="ren@ren.example")
    scene.expected.both("customers", "壬", name="福州壬子茶业有限公司", email="ren@ren.example")


def _commits_late(systems: Any) -> None:
    systems.fault("erp", "timeout_late_commit", path="customers/save", method="POST", times=1, delay=25, hold=0)


def _sync_and_try_again(datong: Datong, _: Scene) -> None:
    """What is due is tried again without reading first: before and after a late commit, and `settle`."""
    datong.sync()
    for seconds in (15, 15, 100):
        datong.clock.advance(seconds)
        datong.engine.deliver_due(list(CUSTOMERS))


def _planned(scene: Scene) -> None:
    scene.change("crm", "戊", phone="0574-8700 0005")
    scene.expected.on("crm", "customers", "戊", phone="0574-8700 0005")
    scene.expected.on("erp", "customers", "戊", phone="+8657487000005")
    scene.change("erp", "己", credit_limit={"asia": "8000"})
    scene.expected.both("customers", "己", credit_limit={"asia": "8000"})
    scene.make("crm", "癸", name="厦门癸丑石材有限公司")
    scene.expected.both("customers", "癸", name="厦门癸丑石材有限公司")


def plan_and_apply(datong: Datong, _: Scene) -> None:
    datong.clock.advance(20)
    datong.engine.apply(datong.engine.plan(CUSTOMERS)["id"])


def _while_planned(scene: Scene) -> None:
    """One of the planned records moves on before, or after, its plan is applied."""
    scene.change("crm", "癸", name="厦门癸丑石业有限公司")
    scene.expected.both("customers", "癸", name="厦门癸丑石业有限公司")


def _hinted(scene: Scene) -> None:
    scene.change("crm", "丁", name="武汉丁未重工有限公司")
    scene.expected.both("customers", "丁", name="武汉丁未重工有限公司")
    scene.change("erp", "丁", credit_limit={"asia": "4400"})
    scene.expected.both("customers", "丁", credit_limit={"asia": "4400"})
    scene.make("crm", "子", name="青岛子丑水产有限公司")
    scene.expected.both("customers", "子", name="青岛子丑水产有限公司")


def _by_hints(datong: Datong, scene: Scene) -> None:
    """Webhooks come in as the service takes them, and its worker follows them."""
    from datong.engine.worker import Halt, Worker
    from datong.web.hooks import Letterbox

    letters = Letterbox(datong.app.store, datong.app.landscape)
    letters.start()
    for side, label in (("crm", "丁"), ("erp", "丁"), ("crm", "子")):
        letters.post(side, [Hint("account", scene.ids[side, label])], datong.clock.now()).result(60)
    letters.stop()
    datong.engine.note_hint("crm", "account", scene.ids["crm", "丁"])
    datong.clock.advance(5)
    worker = Worker(datong.engine, halt=Halt(), random=Random(1))
    with datong.app.store.writer():
        worker.begin()
        for seconds in (5, 5, 60):  # more than twice the shortest interval: it was away
            worker.step()
            datong.clock.advance(seconds)
        worker.step()
    worker.stop()
    worker.run()  # asked to stop already: it gives back what it holds, seals, and ends


def _trouble(scene: Scene) -> None:
    scene.change("crm", "戊", name="坏 宁波戊申国际物流有限公司")  # refused over there: shown until it is corrected
    scene.expected.on("crm", "customers", "戊", name="坏 宁波戊申国际物流有限公司")
    scene.change("crm", "乙", name="苏州乙巳贸易有限公司")
    scene.expected.both("customers", "乙", name="苏州乙巳贸易有限公司")
    scene.change("erp", "丙", credit_limit={"asia": "21000"})
    scene.expected.both("customers", "丙", credit_limit={"asia": "21000"})


def _systems_fail(systems: Any) -> None:
    systems.fault("erp", "refuse", object="customers", field="custName", pattern="坏", message="名称不允许")
    systems.fault("crm", "error_before", path="accounts/batch", method="POST", times=1, status=401)
    systems.fault("erp", "unavailable", path="contacts", method="GET", times=1)
    systems.fault("crm", "html_200", path="products", method="GET", times=1)


def _through_trouble(datong: Datong, _: Scene) -> None:
    for _ in range(4):
        datong.sync()
        datong.clock.advance(900)


def _corrected(scene: Scene) -> None:
    scene.change("crm", "戊", name="宁波戊申供应链有限公司")
    scene.expected.both("customers", "戊", name="宁波戊申供应链有限公司")


def _deleted(scene: Scene) -> None:
    scene.systems.erp.remove(scene.id("erp", "己"))
    scene.systems.crm.remove(scene.id("crm", "癸"))
    scene.systems.crm.remove(scene.id("crm", "壬"))
    for side in SIDES:
        scene.expected.gone(side, "customers", "己")
        scene.expected.gone(side, "customers", "癸")
    scene.expected.gone("crm", "customers", "壬")


def ask_and_delete(datong: Datong, scene: Scene, keep: str = "壬") -> None:
    """A person has the deletes carried over, but keeps one in the ERP."""
    datong.sync(CUSTOMERS, sweep=True)
    datong.sync(CUSTOMERS, sweep=True)
    for item in datong.items("parked", "delete"):
        decide = work.dismiss if item["native_id"] == scene.ids.get(("crm", keep)) else work.retry
        decide(datong.engine, WANG, item["id"])
    datong.sync(CUSTOMERS)


def _held_back(scene: Scene) -> None:
    scene.change("crm", "庚", name="合肥庚戌精密仪器有限公司")
    scene.change("erp", "庚", phone="+8655162000007")
    scene.expected.both("customers", "庚", name="合肥庚戌精密仪器有限公司", phone="+8655162000007")


def _hold_and_release(datong: Datong, scene: Scene) -> None:
    records.hold(datong.engine, WANG, "pause", "crm", scene.ids["crm", "庚"], "account")
    datong.sync(CUSTOMERS)
    records.hold(datong.engine, WANG, "release", "crm", scene.ids["crm", "庚"], "account")
    datong.clock.advance(20)
    datong.engine.sync_record("crm", "account", scene.ids["crm", "庚"])


def _unlink(datong: Datong, scene: Scene) -> None:
    """丁 was two companies after all."""
    native = scene.ids["crm", "丁"]
    links = records.explain(datong.engine, WANG, "crm", native, "account")["links"]
    if any((one["connection"], one["native_id"]) == ("erp", scene.ids["erp", "丁"]) for one in links):
        work.unlink(datong.engine, WANG, "erp", scene.ids["erp", "丁"], "account")
    datong.sync(CUSTOMERS)


def _two_after_all(scene: Scene) -> None:
    """From now on they are edited apart: each gets a counterpart of its own on the other side."""
    expected = scene.expected
    expected.stands["erp"]["customers"]["丁二"] = expected.stands["erp"]["customers"].pop("丁")
    kept = expected.stands["erp"]["customers"]["丁二"]
    expected.on("crm", "customers", "丁二", **{n: v for n, v in kept.items() if n != "id"})
    expected.on("erp", "customers", "丁", name=expected.name("crm", "丁"), email="ding@ding.example")


def _merged(scene: Scene) -> None:
    """In the CRM 庚 is merged into 甲. In the ERP both stay: further links of one record."""
    scene.expected.on("erp", "customers", "庚", id=scene.id("erp", "庚"))
    keep, lose = scene.id("crm", "甲"), scene.id("crm", "庚")
    scene.systems.crm.system.merge("accounts", keep, lose)
    scene.expected.gone("crm", "customers", "庚")


def _merge_carried_over(datong: Datong, _: Scene) -> None:
    datong.sync(CUSTOMERS, sweep=True)
    datong.sync(CUSTOMERS, sweep=True)
    for item in datong.items("review", "merge"):
        work.link(datong.engine, WANG, item["id"])
    datong.sync(CUSTOMERS)


def _followed(scene: Scene) -> None:
    """A follower is given the name and the tax id of what it follows."""
    expected = scene.expected.stands["erp"]["customers"]
    expected["庚"].update(name=expected["甲"]["name"], tax_id=expected["甲"]["tax_id"])


def _mass_edit(scene: Scene) -> None:
    for label in ("甲", "乙", "丙", "戊"):
        scene.change("crm", label, website=f"{scene.ids['crm', label].lower()}.example")
        scene.expected.both("customers", label, website=f"{scene.ids['crm', label].lower()}.example")


def _mass_accepted(datong: Datong, _: Scene) -> None:
    result = datong.sync(CUSTOMERS)
    if result.stopped:
        datong.engine.apply(result.plan, accept_mass=True)


def _read_in_capitals(scene: Scene) -> None:
    """A new map: the CRM's region code is read in capitals, so the ERP is sent it so."""
    for label in ("甲", "乙"):
        scene.expected.on("erp", "customers", label, region_code="HN-01")


def _remap(datong: Datong, _: Scene) -> None:
    if any("map of" in told for told in datong.sync(CUSTOMERS).problems):
        datong.clock.advance(20)
        datong.engine.apply(datong.engine.plan(CUSTOMERS)["id"])


def _edited_under_the_new_map(scene: Scene) -> None:
    scene.change("crm", "子", region_code="hd-02")
    scene.expected.on("crm", "customers", "子", region_code="hd-02")
    scene.expected.on("erp", "customers", "子", region_code="HD-02")


_CAPITALS = {"read": "value.upperAscii()", "write": "value.lowerAscii()"}
_REGION = {"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}}


def check_everything(datong: Datong, _: Scene) -> None:
    """`datong check` reads and keeps nothing."""
    assert check(datong.engine, WANG)["connections"]


def _twenty(scene: Scene) -> None:
    for number in range(20):
        label = f"客户{number}"
        scene.make("crm", label, name=f"第{number}号经销商有限公司", email=f"c{number}@x.example")
        scene.expected.both("customers", label, name=f"第{number}号经销商有限公司", email=f"c{number}@x.example")


def _all_refused(systems: Any) -> None:
    systems.fault("erp", "refuse", object="customers", field="email", pattern="@x.example", times=20, message="停用")


def _start_again(datong: Datong, _: Scene) -> None:
    """The flow rests for what all were refused for; a person mends the cause and has it tried again."""
    datong.sync(CUSTOMERS)
    for item in datong.items("parked"):
        if item["cause"] in ("same refusal", "refused"):
            work.retry(datong.engine, WANG, item["id"])
    datong.sync(CUSTOMERS)


_LIMITS = {"updates": "100%", "deletes": "100%"}


def nothing(_: Scene) -> None:
    """The people rest."""


SANDBOX = (
    Act("first load", _before_datong, sync_twice, _during_first_load,
        config={"flows": {"customer_master": {"limits": _LIMITS}}, "custom": _REGION}),
    Act("review", _one_and_two_after_all, link_reviews),
    Act("check", nothing, check_everything),
    Act("creates", _new_on_both_sides, sync_once, _edited_while_created),
    Act("edits", _edits, sync_once, _more_edits),
    Act("conflict", _clash, resolve_for_the_erp),
    Act("lost answers", _lost_answers, _sync_and_try_again, faults=_answers_get_lost),
    Act("late commit", _late, _sync_and_try_again, faults=_commits_late),
    Act("plan", _planned, plan_and_apply, _while_planned),
    Act("hints", _hinted, _by_hints),
    Act("trouble", _trouble, _through_trouble, faults=_systems_fail),
    Act("corrected", _corrected, sync_once),
    Act("deletes", _deleted, ask_and_delete),
    Act("hold", _held_back, _hold_and_release),
    Act("unlink", nothing, _unlink, _two_after_all),
    Act("merge", _merged, _merge_carried_over, _followed),
    Act("mass change", _mass_edit, _mass_accepted,
        config={"flows": {"customer_master": {"limits": {"updates": "1%", "updates_at_least": 2}}}}),
    Act("new map", _read_in_capitals, _remap, _edited_under_the_new_map,
        config={"flows": {"customer_master": {"limits": _LIMITS}},
                "maps": {"crm": {"account": {"custom.region_code": _CAPITALS}}}}),
    Act("same refusal", _twenty, _start_again, faults=_all_refused),
)  # fmt: skip
