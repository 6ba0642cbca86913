"""The proof on the real pair, BottleCRM and Tryton: between rounds databases are put back under the servers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ruamel.yaml import YAML

import lab
from tests.crashes.story import (
    Act,
    Datong,
    Scene,
    ask_and_delete,
    check_everything,
    link_reviews,
    nothing,
    plan_and_apply,
    resolve_for_the_erp,
    sync_once,
    sync_twice,
)
from tests.crashes.systems import Rows, SharedClock, Systems
from tests.real.real_pair import REGION_CODE, REGION_CODE_MAP, BottleSide, TrytonSide, configuration


class Bottle(BottleSide):
    def read(self) -> Rows:
        accounts = self.accounts()
        names = {row["id"]: row["name"] for row in accounts}
        told = [{**self._told(row), "id": row["id"]} for row in accounts]
        for row in told:
            row["addresses"] = [row["address"]] if any(row["address"]) else []
        people = [{"id": row["id"], "name": row["email"], "of": names.get(row["account"])} for row in self.contacts()]
        return {"customers": told, "contacts": people}


class Erp(TrytonSide):
    def read(self) -> Rows:
        parties = self.customers()
        mails = self.rows(
            "party.contact_mechanism",
            [["type", "=", "email"], ["name", "!=", None]],
            ("party", "name", "value", "active"),
        )
        return {
            "customers": [{**told, "id": number} for number, told in parties.items()],
            "contacts": [
                {
                    "id": str(row["id"]),
                    "person": row["name"],
                    "name": row["value"],
                    "of": parties[str(row["party"])]["name"],
                }
                for row in mails
                if row["active"] and str(row["party"]) in parties
            ],
        }


class RealSystems(Systems):
    crm: Bottle
    erp: Erp

    def __init__(self, real: lab.Real) -> None:
        self.clock = SharedClock()
        self.crm, self.erp = Bottle(real.bottlecrm), Erp(real.tryton)
        self._real = real
        self._databases = [real.folder / "bottlecrm" / "db.sqlite3", real.folder / "tryton" / "erp.sqlite"]
        self._offsets: dict[str, float] = {}

    def write_config(self, folder: Path) -> Path:
        for name, secret in (("crm.token", self._real.bottlecrm.token), ("erp.password", self._real.tryton.password)):
            (folder / name).write_text(secret, encoding="utf8")
        told = configuration(self._real)
        told["store"] = {"url": "sqlite:///datong.db"}
        told["flows"]["contact"] = {"first_load": "crm"}
        path = folder / "datong.yaml"
        with path.open("w", encoding="utf8") as file:
            YAML().dump(told, file)
        return path

    def keep(self, name: str) -> None:
        self._offsets[name] = self.clock.offset
        for database in self._databases:
            _copy(database, _kept(database, name))

    def put_back(self, name: str) -> None:
        """The offset stays as it is: the servers run on real time, and what they stamp must not lie in our past."""
        for database in self._databases:
            _copy(_kept(database, name), database)

    def read(self) -> dict[str, Rows]:
        return {"crm": self.crm.read(), "erp": self.erp.read()}

    def close(self) -> None:
        pass


def _kept(database: Path, name: str) -> Path:
    return database.with_name(f"{name.replace(' ', '-')}.kept")


def _copy(one: Path, other: Path) -> None:
    """By SQLite's own backup, which a server that has the file open takes for a big transaction of somebody else."""
    with closing(sqlite3.connect(one, timeout=60)) as source, closing(sqlite3.connect(other, timeout=60)) as target:
        source.backup(target)


@contextmanager
def real_systems() -> Iterator[RealSystems]:
    with lab.running() as real:
        yield RealSystems(real)


# The acts ------------------------------------------------------------------------------------------------------------

_HOME = {"address_line": "文三路1号", "city": "杭州市", "postcode": "310000", "country": "CN"}
_TOLD = ("文三路1号", "杭州市", "310000")


def _before_datong(scene: Scene) -> None:
    expected = scene.expected
    lab.ensure_custom_fields(scene.systems.crm.system)
    scene.make("crm", "甲", name="杭州甲辰科技有限公司", phone="0571-8800 0001", tax_id="91350100M000100Y43", **_HOME)
    scene.make("erp", "甲", name="杭州甲辰科技", phone="+8657188000099", email="erp@jia.example",
               tax_id="91350100M000100Y43", credit_limit={"asia": "30000"})  # fmt: skip
    expected.both("customers", "甲", name="杭州甲辰科技有限公司", email="erp@jia.example", tax_id="91350100M000100Y43",
                  addresses=[_TOLD], credit_limit={"asia": "30000"})  # fmt: skip
    expected.on("crm", "customers", "甲", phone="0571-8800 0001")
    expected.on("erp", "customers", "甲", phone="+8657188000001")
    scene.make("crm", "乙", name="苏州乙巳商贸有限公司", email="yi@yi.example", region_code="HD-01", **_HOME)
    expected.both("customers", "乙", name="苏州乙巳商贸有限公司", email="yi@yi.example", addresses=[_TOLD],
                  region_code="HD-01")  # fmt: skip
    _contact(scene, "乙", "娜", "李", "li.na@yi.example")
    scene.make("erp", "丙", name="成都丙午食品有限公司", phone="+862885550003", credit_limit={"asia": "10000"})
    expected.both("customers", "丙", name="成都丙午食品有限公司", phone="+862885550003",
                  credit_limit={"asia": "10000"})  # fmt: skip
    scene.make("crm", "丁", name="武汉丁未机械有限公司", phone="027-8400 0004")
    scene.make("crm", "丑", name="西安丑寅阀门有限公司", phone="029-8100 0008")
    scene.make("erp", "寅", name="西安丑寅阀门配件厂", phone="+862981000008")
    scene.make("erp", "丁", name="武汉丁未机械有限责任公司", phone="+862784000004", email="ding@ding.example")


def _contact(scene: Scene, of: str, first: str, last: str, email: str) -> None:
    scene.systems.crm.make_contact(scene.id("crm", of), first, last, email)
    scene.expected.both("contacts", email, name=email, of=of)


def _during_first_load(scene: Scene) -> None:
    scene.change("erp", "丙", credit_limit={"asia": "20000"})
    scene.expected.both("customers", "丙", credit_limit={"asia": "20000"})


def _one_and_two_after_all(scene: Scene) -> None:
    scene.expected.both("customers", "丑", name="西安丑寅阀门有限公司")
    scene.expected.both("customers", "寅", name="西安丑寅阀门配件厂")
    scene.expected.both("customers", "丁", name="武汉丁未机械有限公司", email="ding@ding.example")


def _new_on_both_sides(scene: Scene) -> None:
    scene.make("crm", "戊", name="宁波戊申物流有限公司", tax_id="9144030058073021X7", **_HOME)
    scene.expected.both("customers", "戊", name="宁波戊申物流有限公司", tax_id="9144030058073021X7", addresses=[_TOLD])
    _contact(scene, "戊", "强", "王", "wang@wu.example")
    scene.make("erp", "己", name="无锡己酉纺织有限公司", phone="+8651088880006", credit_limit={"asia": "5000"})
    scene.expected.both("customers", "己", name="无锡己酉纺织有限公司", phone="+8651088880006",
                        credit_limit={"asia": "5000"})  # fmt: skip


def _edited_while_created(scene: Scene) -> None:
    scene.change("crm", "戊", name="宁波戊申国际物流有限公司", email="wu@wu.example")
    scene.expected.both("customers", "戊", name="宁波戊申国际物流有限公司", email="wu@wu.example")
    scene.change("erp", "己", credit_limit={"asia": "6000"})
    scene.expected.both("customers", "己", credit_limit={"asia": "6000"})


def _edits(scene: Scene) -> None:
    expected = scene.expected
    scene.change("crm", "甲", name="杭州甲辰智能科技有限公司", address_line="文三路9号")
    expected.both("customers", "甲", name="杭州甲辰智能科技有限公司", addresses=[("文三路9号", "杭州市", "310000")])
    scene.change("erp", "甲", credit_limit={"asia": "35000.5"})
    expected.both("customers", "甲", credit_limit={"asia": "35000.5"})
    scene.change("erp", "乙", phone="+8651265000002")
    expected.both("customers", "乙", phone="+8651265000002")
    scene.change("erp", "丙", name="成都丙午 (改)")  # the CRM owns it: put back
    _contact_moves(scene)


def _contact_moves(scene: Scene) -> None:
    """A person's name is corrected in the CRM."""
    (one,) = [row for row in scene.systems.crm.contacts() if row["email"] == "li.na@yi.example"]
    scene.systems.crm.system.call("PATCH", f"/api/contacts/{one['id']}/", {"first_name": "丽娜"})
    scene.expected.on("erp", "contacts", "li.na@yi.example", person="李丽娜")


def _more_edits(scene: Scene) -> None:
    scene.change("erp", "甲", phone="+8657188000777")
    scene.expected.both("customers", "甲", phone="+8657188000777")


def _clash(scene: Scene) -> None:
    scene.change("crm", "丙", email="crm@bing.example")
    scene.change("erp", "丙", email="erp@bing.example", phone="+862885550033")
    scene.expected.both("customers", "丙", email="erp@bing.example", phone="+862885550033")


def _planned(scene: Scene) -> None:
    scene.change("crm", "丁", email="plan@ding.example")
    scene.expected.both("customers", "丁", email="plan@ding.example")
    scene.make("crm", "癸", name="厦门癸丑石材有限公司")
    scene.expected.both("customers", "癸", name="厦门癸丑石材有限公司")


def _while_planned(scene: Scene) -> None:
    scene.change("crm", "癸", name="厦门癸丑石业有限公司")
    scene.expected.both("customers", "癸", name="厦门癸丑石业有限公司")


def _switched_off(scene: Scene) -> None:
    scene.change("crm", "甲", active=False)
    scene.expected.both("customers", "甲", active=False)
    scene.make("crm", "子", name="青岛子丑水产有限公司", active=False)
    scene.expected.both("customers", "子", name="青岛子丑水产有限公司", active=False)


def _switched_on(scene: Scene) -> None:
    scene.change("crm", "甲", active=True, name="杭州甲辰机器人有限公司")
    scene.expected.both("customers", "甲", active=True, name="杭州甲辰机器人有限公司")


def _deleted(scene: Scene) -> None:
    scene.systems.crm.remove(scene.id("crm", "癸"))
    scene.systems.erp.remove(scene.id("erp", "己"))
    for side in ("crm", "erp"):
        for label in ("癸", "己"):
            scene.expected.gone(side, "customers", label)


def _delete(datong: Datong, scene: Scene) -> None:
    ask_and_delete(datong, scene, keep="")


_CONFIG = {
    "custom": REGION_CODE,
    "maps": REGION_CODE_MAP,
    "flows": {
        "customer_master": {
            "limits": {"updates": "100%", "deletes": "100%"},
            "fields": {"custom.region_code": {"shared": "ask"}},
        }
    },
}

REAL = (
    Act("first load", _before_datong, sync_twice, _during_first_load, config=_CONFIG),
    Act("review", _one_and_two_after_all, link_reviews),
    Act("check", nothing, check_everything),
    Act("creates", _new_on_both_sides, sync_once, _edited_while_created),
    Act("edits", _edits, sync_once, _more_edits),
    Act("conflict", _clash, resolve_for_the_erp),
    Act("plan", _planned, plan_and_apply, _while_planned),
    Act("off", _switched_off, sync_once),
    Act("on", _switched_on, sync_once),
    Act("deletes", _deleted, _delete),
)
