"""Each example of docs/rest.md does what the page says, on a small system with the manners of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from datong.base.errors import AccessDenied, RequestRefused
from datong.engine.landscape import Conn
from datong.kit import Answer, Incoming, Missing, Moved, Refused, Saved, WireRecord, Write

from .examples import connected
from .vendors import Frappe, HubSpot, KingDee, serving

KEY = "dt-test-1"


def read_all(conn: Conn, since: str | None = None) -> tuple[list[WireRecord], str | None]:
    pages = list(conn.connector.read(conn.specs["account"], since))
    assert [page.last for page in pages] == [*[False] * (len(pages) - 1), True]
    return [one for page in pages for one in page.records], pages[-1].cursor


def write(conn: Conn, *writes: Write) -> list[Answer]:
    answers = list(conn.connector.write(conn.specs["account"], writes))
    return sorted(answers, key=lambda one: one.ref)


def wire(conn: Conn, **values: Any) -> dict[str, Any]:
    from datong.mapping import put

    data: dict[str, Any] = {}
    for name, value in values.items():
        one = conn.specs["account"].map.named(name)
        assert one is not None
        put(data, one.path, one.convert.to_wire(value))
    return data


def got(conn: Conn, *ids: str) -> list[WireRecord | Missing]:
    return list(conn.connector.get(conn.specs["account"], ids))


def canonical(conn: Conn, record: WireRecord | Missing) -> dict[str, Any]:
    assert isinstance(record, WireRecord)
    reading = conn.specs["account"].map.read(record.data)
    assert reading.bad == {}
    return reading.values


class TestHubSpot:
    @pytest.fixture
    def hubspot(self) -> HubSpot:
        return HubSpot()

    @pytest.fixture
    def conn(self, hubspot: HubSpot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Conn]:
        with serving(hubspot) as url, connected("sales", tmp_path, monkeypatch, HUBSPOT_URL=url) as conn:
            yield conn

    def test_it_says_what_it_can(self, conn: Conn) -> None:
        spec = conn.specs["account"]
        assert (spec.reads, spec.create, spec.batch, spec.guard) == ("changes", "by_key", 100, False)
        assert conn.connector.check().identity == "4711"

    def test_changes_are_read_page_by_page(self, hubspot: HubSpot, conn: Conn) -> None:
        ids = [hubspot.add(name=f"客户 {number}", lifecyclestage="customer") for number in range(450)]
        records, cursor = read_all(conn)
        assert [one.id for one in records] == ids
        assert canonical(conn, records[0]) == {"name": "客户 0", "stage": "customer"}
        hubspot.rows[ids[0]]["properties"]["hs_lastmodifieddate"] = "2026-01-01T00:00:00.000Z"
        moment = datetime.now(UTC) + timedelta(minutes=5)
        hubspot.edit(ids[3], name="改名")
        hubspot.rows[ids[3]]["properties"]["hs_lastmodifieddate"] = moment.isoformat().replace("+00:00", "Z")
        hubspot.rows[ids[3]]["updatedAt"] = moment.isoformat()
        later, _ = read_all(conn, (moment - timedelta(minutes=1)).isoformat())
        assert [one.id for one in later] == [ids[3]] and cursor is not None

    def test_a_search_that_ends_early_is_asked_anew(self, hubspot: HubSpot, conn: Conn) -> None:
        """The vendor gives 10,000 rows of a search at most; here 400, so that it is soon reached."""
        told = conn.connector.settings.kinds["account"]  # type: ignore[attr-defined]
        ids = [hubspot.add(name=f"客户 {number}") for number in range(900)]
        for row in hubspot.rows.values():  # spread wider than the overlap
            stamp = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=int(row["id"]))).isoformat()
            row["updatedAt"] = row["properties"]["hs_lastmodifieddate"] = stamp
        page = told.read.page.model_copy(update={"most": 400})
        kinds = {"account": told.model_copy(update={"read": told.read.model_copy(update={"page": page})})}
        settings = conn.connector.settings.model_copy(update={"kinds": kinds})
        narrow = type(conn.connector)(settings, conn.connector.context)
        records, _ = read_all(replace(conn, connector=narrow))
        assert list(dict.fromkeys(one.id for one in records)) == ids
        assert max(int(call.body.get("after", 0)) for call in hubspot.calls) < 400
        narrow.close()

    def test_a_batch_is_answered_item_by_item(self, hubspot: HubSpot, conn: Conn) -> None:
        first, bad, third = write(
            conn,
            Write(0, "create", key="k0", values=wire(conn, name="深圳", website="a.example")),
            Write(1, "create", key="k1", values=wire(conn, name="北京", website="me@example")),
            Write(2, "create", key="k2", values=wire(conn, name="上海")),
        )
        assert isinstance(first, Saved) and isinstance(third, Saved)
        assert hubspot.rows[first.id]["properties"]["name"] == "深圳"
        assert hubspot.rows[third.id]["properties"]["datong_key"] == "k2"
        assert bad == Refused(1, "domain is invalid", None, "VALIDATION_ERROR")

    def test_a_create_that_comes_twice_meets_the_first(self, hubspot: HubSpot, conn: Conn) -> None:
        once = Write(0, "create", key=KEY, values=wire(conn, name="深圳"))
        (first,), (again,) = write(conn, once), write(conn, once)
        assert isinstance(first, Saved) and isinstance(again, Saved) and first.id == again.id
        assert [one.id for one in conn.connector.find(conn.specs["account"], "own_key", [KEY])] == [first.id]

    def test_an_update_tells_what_changed_only(self, hubspot: HubSpot, conn: Conn) -> None:
        id = hubspot.add(name="深圳", phone="1")
        saved, moved = write(
            conn,
            Write(0, "update", id, values=wire(conn, name="新名")),
            Write(1, "update", "1", values=wire(conn, name="x")),
        )
        assert isinstance(saved, Saved) and canonical(conn, saved.record)["name"] == "新名"  # type: ignore[arg-type]
        assert hubspot.rows[id]["properties"]["phone"] == "1"
        assert moved == Moved(1)

    def test_records_by_id_and_gone_ones(self, hubspot: HubSpot, conn: Conn) -> None:
        id = hubspot.add(name="深圳")
        found, missing = got(conn, id, "77")
        assert found.id == id and missing == Missing("77")
        assert write(conn, Write(0, "delete", id)) == [Saved(0, id, None)] and id not in hubspot.rows

    def test_webhooks(self, hubspot: HubSpot, conn: Conn) -> None:
        headers, body = hubspot.event(hubspot.add(name="深圳"))
        (hint,) = conn.connector.hints(Incoming(headers, body, datetime.now(UTC)))
        assert (hint.kind, hint.id, hint.record) == ("account", "9000", None)
        for bad in (
            Incoming(headers, body + b" ", datetime.now(UTC)),
            Incoming({}, body, datetime.now(UTC)),
            Incoming(headers, body, datetime.now(UTC) + timedelta(minutes=10)),
        ):
            with pytest.raises(AccessDenied):
                conn.connector.hints(bad)

    def test_wrong_token(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hubspot: HubSpot) -> None:
        monkeypatch.setattr(hubspot, "TOKEN", "another")
        with (
            serving(hubspot) as url,
            connected("sales", tmp_path, monkeypatch, HUBSPOT_URL=url) as conn,
            pytest.raises(AccessDenied),
        ):
            conn.connector.check()


class TestFrappe:
    @pytest.fixture
    def frappe(self) -> Frappe:
        return Frappe()

    @pytest.fixture
    def conn(self, frappe: Frappe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Conn]:
        with serving(frappe) as url, connected("books", tmp_path, monkeypatch, FRAPPE_URL=url) as conn:
            yield conn

    def test_it_says_what_it_can(self, conn: Conn) -> None:
        spec = conn.specs["account"]
        assert (spec.reads, spec.create, spec.batch, spec.guard) == ("changes", "by_search", 1, True)
        assert conn.connector.check().user == "datong@example.com"

    def test_changes_in_the_time_of_the_site(self, frappe: Frappe, conn: Conn) -> None:
        names = [frappe.add(f"客户 {number:03}", customer_type="Company")["name"] for number in range(250)]
        records, cursor = read_all(conn)
        assert list(dict.fromkeys(one.id for one in records)) == names
        assert cursor is not None and records[-1].changed_at is not None
        assert records[-1].changed_at < datetime.now(UTC)
        assert canonical(conn, records[0])["type"] == "company"
        frappe.edit(names[7], website="new.example")
        later, _ = read_all(conn, cursor)
        assert [one.id for one in later][-1] == names[7] and len(later) == 2  # the last one again, and the edited one

    def test_rows_that_move_while_we_read_hide_no_other(self, frappe: Frappe, conn: Conn) -> None:
        names = [frappe.add(f"客户 {number:03}")["name"] for number in range(250)]
        pages = conn.connector.read(conn.specs["account"], None)
        seen = [one.id for one in next(pages).records]
        for name in names[:30]:  # they go to the end, and all that follow move up by thirty
            frappe.edit(name, website="x.example")
        seen += [one.id for page in pages for one in page.records]
        assert set(seen) == set(names)

    def test_the_lock_refuses_a_stale_write(self, frappe: Frappe, conn: Conn) -> None:
        row = frappe.add("Acme")
        (before,) = got(conn, "Acme")
        assert isinstance(before, WireRecord)
        frappe.edit("Acme", website="theirs.example")
        change = Write(0, "update", "Acme", values=wire(conn, website="ours.example"), version=before.version)
        assert write(conn, change) == [Moved(0)] and row["website"] == "theirs.example"
        (saved,) = write(conn, replace(change, version=row["modified"]))
        assert isinstance(saved, Saved) and saved.record is not None and saved.record.version == row["modified"]
        assert row["website"] == "ours.example"

    def test_a_create_and_its_key(self, frappe: Frappe, conn: Conn) -> None:
        (saved,) = write(conn, Write(0, "create", key=KEY, values=wire(conn, name="Müller & Söhne/Nord")))
        assert isinstance(saved, Saved) and got(conn, saved.id)[0].id == "Müller & Söhne/Nord"
        assert [one.id for one in conn.connector.find(conn.specs["account"], "own_key", [KEY, "no"])] == [saved.id]
        (refused,) = write(conn, Write(0, "create", key="k2", values=wire(conn, name="")))
        assert refused == Refused(0, "customer_name", None, "MandatoryError")

    def test_what_is_gone(self, frappe: Frappe, conn: Conn) -> None:
        frappe.add("Acme")
        assert got(conn, "Nobody") == [Missing("Nobody")]
        assert write(conn, Write(0, "delete", "Acme")) == [Saved(0, "Acme", None)]
        assert write(conn, Write(0, "delete", "Acme")) == [Saved(0, "Acme", None)]
        assert list(conn.connector.ids(conn.specs["account"])) == []


class TestKingDee:
    @pytest.fixture
    def kingdee(self) -> KingDee:
        return KingDee()

    @pytest.fixture
    def conn(self, kingdee: KingDee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Conn]:
        with serving(kingdee) as url, connected("kingdee", tmp_path, monkeypatch, KINGDEE_URL=url) as conn:
            yield conn

    def test_rows_are_lists(self, kingdee: KingDee, conn: Conn) -> None:
        ids = [str(kingdee.add(FName=f"客户 {number}", FTEL="0755-26000000")) for number in range(30)]
        records, cursor = read_all(conn)
        assert [one.id for one in records] == ids and kingdee.logins == 1
        told = canonical(conn, records[0])
        assert told["name"] == "客户 0" and told["phone"] == "+8675526000000" and told["custom.number"] == "CUST0000"
        assert told["tax_id"] is None
        assert [one.id for one in read_all(conn, cursor)[0]][-1] == ids[-1]

    def test_a_lost_session_is_opened_again(self, kingdee: KingDee, conn: Conn) -> None:
        id = kingdee.add(FName="深圳")
        assert got(conn, str(id))[0].id == str(id)
        kingdee.sessions.clear()
        assert got(conn, str(id))[0].id == str(id)
        kingdee.sessions.clear()
        (saved,) = write(conn, Write(0, "update", str(id), values=wire(conn, name="新名")))
        assert isinstance(saved, Saved) and kingdee.rows[id]["FName"] == "新名" and kingdee.logins == 3

    def test_a_refusal_with_status_200(self, kingdee: KingDee, conn: Conn) -> None:
        (refused,) = write(conn, Write(0, "create", key=KEY, values=wire(conn, name="")))
        assert refused == Refused(0, "字段“客户名称”是必填项", "FName", "9")
        assert write(conn, Write(0, "update", "7", values=wire(conn, name="深圳"))) == [Moved(0)]

    def test_a_create_happens_once(self, kingdee: KingDee, conn: Conn) -> None:
        once = Write(0, "create", key=KEY, values=wire(conn, name="深圳"))
        (first,), (again,) = write(conn, once), write(conn, once)
        assert isinstance(first, Saved) and isinstance(again, Saved)
        assert (again.id, again.existed) == (first.id, True) and len(kingdee.rows) == 1
        assert again.record is not None and canonical(conn, again.record)["name"] == "深圳"

    def test_quotes_lead_nowhere(self, kingdee: KingDee, conn: Conn) -> None:
        kingdee.add(FName="深圳", F_DT_KEY="o'neill")
        assert len(list(conn.connector.find(conn.specs["account"], "own_key", ["o'neill"]))) == 1
        assert list(conn.connector.find(conn.specs["account"], "own_key", ["' or '1'='1"])) == []

    def test_wrong_password(self, kingdee: KingDee, conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kingdee, "_login", lambda _: kingdee_refuses())
        with pytest.raises(AccessDenied, match="用户名或密码错误"):
            conn.connector.check()

    def test_a_query_that_is_refused(self, kingdee: KingDee, conn: Conn, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kingdee, "_query", lambda _: kingdee._refused("业务对象不存在", 5, query=True))
        with pytest.raises(RequestRefused, match="业务对象不存在"):
            read_all(conn)


def kingdee_refuses() -> Any:
    from .vendors import Told

    return Told(data={"LoginResultType": 0, "Message": "用户名或密码错误"})
