"""A change told by a webhook reaches the other side, whatever happens on the way."""

import sqlalchemy as sa

from datong.engine.cycle import Engine
from datong.store.schema import inbox
from datong.web.service import Service

from .stage import SECRET, Stage, event, get, post, signed, until


def test_a_webhook_brings_a_change_without_a_poll(stage: Stage) -> None:
    with stage.service():
        account = stage.customer("Acme")
        row = until(lambda: stage.in_erp("Acme"), "Acme in the ERP")
        stage.crm.edit("accounts", account, {"phone": "+86 21 5555 0100"})
        until(lambda: stage.erp.get("customers", row["id"])["tel"], "the phone in the ERP")
        stage.erp.edit("customers", row["id"], {"web": "https://acme.example"})
        until(lambda: (stage.in_crm(account) or {}).get("website"), "the website in the CRM")
        assert stage.writes("erp", "customers", row["id"]) == 2
        lists = [what for what in stage.crm.stats()["requests"] if what == "GET accounts"]
        assert stage.crm.stats()["requests"][lists[0]] <= 10


def test_lost_doubled_and_overtaken_webhooks_converge(stage: Stage) -> None:
    with stage.service() as service:
        ids = [stage.customer(f"Customer {n}") for n in range(10)]
        until(lambda: all(stage.in_erp(f"Customer {n}") for n in range(10)), "all in the ERP")
        stage.crm.faults.add("duplicate_webhooks", probability=0.4)
        stage.crm.faults.add("reorder_webhooks", probability=0.4, seconds=0.3)
        stage.crm.faults.add("lose_webhooks", probability=0.2)
        for turn in range(5):
            for n, native_id in enumerate(ids):
                stage.crm.edit("accounts", native_id, {"short_name": f"S{n}-{turn}"})
        stage.crm.faults.clear()
        assert stage.crm.settle(30)
        _drained(service)
        stage.advance(31 * 86400)  # the sweep finds what was lost
        for n in range(10):
            until(lambda n=n: _short(stage, n) == f"S{n}-4", f"customer {n} as it is in the CRM")  # type: ignore[misc]


def _short(stage: Stage, number: int) -> str:
    return str((stage.in_erp(f"Customer {number}") or {}).get("shortName"))


def test_a_thousand_hints_for_one_record_are_a_few_writes(stage: Stage) -> None:
    with stage.service() as service:
        account = stage.customer("Busy")
        row = until(lambda: stage.in_erp("Busy"), "Busy in the ERP")
        before = stage.writes("erp", "customers", row["id"])

        def edits(engine: Engine) -> None:
            for n in range(1000):
                stage.crm.edit("accounts", account, {"short_name": f"B{n}"})
            assert stage.crm.settle(120)

        service.worker.submit(edits).result(150)
        until(lambda: stage.erp.get("customers", row["id"])["shortName"] == "B999", "the last edit in the ERP")
        _drained(service)
        assert stage.writes("erp", "customers", row["id"]) - before <= 3


def test_a_backlog_is_answered_by_one_read_of_the_list(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        ids = [stage.customer(f"Many {n}") for n in range(600)]
        bodies = [event({"id": native_id}, "account.created", complete=False) for native_id in ids]
        service.worker.submit(_holding(service, stage, bodies)).result(120)
        until(lambda: len(stage.erp.rows("customers")) == 600, "all in the ERP", 120)
        _drained(service)


def _holding(service: Service, stage: Stage, bodies: list[bytes]):  # type: ignore[no-untyped-def]
    """While the worker is busy with this, hints pile up."""

    def act(engine: Engine) -> None:
        for body in bodies:
            answer = post(f"{service.url}/hooks/crm", body, signed(body, stage.sandbox.clock.now().timestamp()))
            assert answer.status_code == 202

    return act


def test_a_late_webhook_does_not_raise_the_dead(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        account = stage.customer("Ghost")
        old = event(stage.crm.get("accounts", account), "account.created")
        stage.crm.delete("accounts", account)
        now = stage.sandbox.clock.now().timestamp()
        assert post(f"{service.url}/hooks/crm", old, signed(old, now, SECRET)).status_code == 202
        _drained(service)
        assert stage.in_erp("Ghost") is None


def test_an_older_webhook_does_not_overwrite_a_newer_one_that_waits(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        account = stage.customer("First")
        stage.advance(31 * 86400)
        until(lambda: stage.in_erp("First"), "First in the ERP")

        def both(engine: Engine) -> None:
            bodies = [event(stage.crm.edit("accounts", account, {"name": name})) for name in ("Second", "Third")]
            now = stage.sandbox.clock.now().timestamp()
            for body in reversed(bodies):
                assert post(f"{service.url}/hooks/crm", body, signed(body, now)).status_code == 202

        service.worker.submit(both).result(30)
        until(lambda: stage.in_erp("Third"), "the newer name in the ERP")


def test_the_other_system_down_for_ten_minutes(stage: Stage) -> None:
    with stage.service() as service:
        ids = [stage.customer(f"Patient {n}") for n in range(5)]
        rows = [until(lambda n=n: stage.in_erp(f"Patient {n}"), f"{n} in the ERP") for n in range(5)]  # type: ignore[misc]
        before = [stage.writes("erp", "customers", row["id"]) for row in rows]
        stage.erp.down()
        for turn in range(4):
            for native_id in ids:
                stage.crm.edit("accounts", native_id, {"short_name": f"P{turn}"})
            assert stage.crm.settle(30)
            _drained(service)
            stage.advance(150)
        assert service.worker.alive and get(f"{service.url}/readyz").status_code == 200
        assert 'datong_connection_state{connection="erp",state="unreachable"} 1.0' in get(f"{service.url}/metrics").text
        stage.erp.up()

        def caught_up() -> bool:
            stage.advance(100)  # a look that began before may still fail, and puts the next probe off
            return all(stage.erp.get("customers", row["id"])["shortName"] == "P3" for row in rows)

        until(caught_up, "all caught up")
        after = [stage.writes("erp", "customers", row["id"]) for row in rows]
        assert [b - a for a, b in zip(before, after, strict=True)] == [1] * 5


def _drained(service: Service, connection: str = "crm") -> None:
    store = service.worker.engine.store

    def empty() -> bool:
        with store.read() as tx:
            return not tx.execute(sa.select(sa.func.count()).where(inbox.c.connection == connection)).scalar()

    until(empty, f"no hints of {connection} left")
