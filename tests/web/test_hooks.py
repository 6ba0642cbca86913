"""What comes to the door: who is let in, and that nothing is thanked for before it is kept."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from datong.store.schema import inbox
from datong.web.app import LARGEST_BODY
from datong.web.service import Service

from .stage import TOKEN, Stage, event, get, post, signed, until

ROW = {"id": "A-000001", "name": "Acme"}


def _waiting(service: Service) -> int:
    with service.worker.engine.store.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(inbox)).scalar_one())


def _now(stage: Stage) -> float:
    return stage.sandbox.clock.now().timestamp()


def test_only_a_fresh_true_signature_is_let_in(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        url, body = f"{service.url}/hooks/crm", event(ROW)
        assert post(url, body).status_code == 401
        assert post(url, body, signed(body, _now(stage), "another")).status_code == 401
        assert post(url, body + b" ", signed(body, _now(stage))).status_code == 401
        assert post(url, body, signed(body, _now(stage) - 600)).status_code == 401
        assert post(url, body, signed(body, _now(stage) + 600)).status_code == 401
        answer = post(url, body, signed(body, _now(stage)))
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
        erp = f"{service.url}/hooks/erp"
        note = b'{"object": "customers", "id": 12}'
        assert post(erp, note, {"X-SimERP-Token": "wrong"}).status_code == 401
        assert post(erp, note, {"X-SimERP-Token": TOKEN}).status_code == 202
        told = get(f"{service.url}/metrics").text
        assert 'datong_webhooks_refused_total{connection="crm",status="401"} 5.0' in told
        assert 'datong_hints_total{connection="crm"} 1.0' in told


def test_what_makes_no_sense(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        url = f"{service.url}/hooks/crm"
        assert post(f"{service.url}/hooks/nobody", b"{}").status_code == 404
        assert get(url).status_code == 405
        for body in (b"", b"{", b"[1]", b'{"object": "accounts"}', b"\xff\xfe"):
            assert post(url, body, signed(body, _now(stage))).status_code == 400
        other = b'{"object": "invoices", "object_id": "1", "data": {}, "complete": false}'
        assert post(url, other, signed(other, _now(stage))).json() == {"accepted": 0}


def test_a_body_too_large_is_refused_announced_or_not(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        url = f"{service.url}/hooks/crm"
        large = b" " * (LARGEST_BODY + 1)
        assert post(url, large, signed(large, _now(stage))).status_code == 413
        pieces = (b" " * 100_000 for _ in range(11))
        assert post(url, pieces).status_code == 413  # type: ignore[arg-type]
        assert post(url, b" " * LARGEST_BODY).status_code == 401


def test_a_flow_without_webhooks_takes_no_hints(stage: Stage) -> None:
    app = stage.app()
    app.landscape.flows["customer_master"].webhook = False
    with Service(app, tick=0.02) as service:
        body = event(ROW)
        assert post(f"{service.url}/hooks/crm", body, signed(body, _now(stage))).json() == {"accepted": 0}
    app.close()


def test_while_the_store_is_locked_the_vendor_is_put_off_and_nothing_is_lost(stage: Stage) -> None:
    with stage.service(patience=0.2) as service:
        account = stage.customer("Acme")
        until(lambda: stage.in_erp("Acme"), "Acme in the ERP")
        with service.worker.engine.store.write():
            body = event(ROW)
            answer = post(f"{service.url}/hooks/crm", body, signed(body, _now(stage)))
            assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
            stage.crm.edit("accounts", account, {"short_name": "A"})
            until(lambda: 'status="503"} 2.0' in get(f"{service.url}/metrics").text, "the vendor is put off")
            assert get(f"{service.url}/readyz").status_code == 200  # busy just now is well
        stage.advance(5)
        until(lambda: (stage.in_erp("Acme") or {})["shortName"], "the short name in the ERP")


def test_many_at_once_are_all_kept(stage: Stage) -> None:
    with stage.service(subscribe=False) as service:
        held, go = threading.Event(), threading.Event()

        def hold(engine: object) -> None:
            held.set()
            go.wait(60)

        service.worker.submit(hold)
        assert held.wait(30)
        codes: list[int] = []

        def send(number: int) -> None:
            for one in range(20):
                body = event({"id": f"A-{number}-{one}"}, complete=False)
                codes.append(post(f"{service.url}/hooks/crm", body, signed(body, _now(stage))).status_code)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [202] * 160 and _waiting(service) == 160
        go.set()
        until(lambda: not _waiting(service), "the hints followed")


def test_a_connector_that_fails_is_our_fault(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage.service(subscribe=False) as service:
        connector = service.worker.engine.landscape.connections["crm"].connector
        monkeypatch.setattr(connector, "hints", lambda incoming: 1 / 0)
        assert post(f"{service.url}/hooks/crm", b"{}").status_code == 500
        assert service.worker.alive
