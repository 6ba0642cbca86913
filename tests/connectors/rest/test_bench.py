"""The neutral bench as it is described in bench/datong.yaml gives exactly what its reference mapping gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import dataset
from bench.mapping import map_customer
from datong.base.clock import SystemClock
from datong.bootstrap.build import connect
from datong.bootstrap.config import load
from datong.engine.landscape import Conn
from datong.kit import Answer, Refused, Saved, Write
from datong.mapping import put

from .vendors import Asked, Told, serving

FILE = Path(__file__).parents[3] / "bench" / "datong.yaml"


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> tuple[Conn, Conn]:
    return joined(monkeypatch, "http://127.0.0.1:1", "http://127.0.0.1:1")


def joined(monkeypatch: pytest.MonkeyPatch, source: str, sink: str) -> tuple[Conn, Conn]:
    told = {"BENCH_SOURCE": source, "BENCH_SINK": sink, "BENCH_STORE": "sqlite:///datong.db", "BENCH_HEADER": "X-Token"}
    for name, value in {**told, "BENCH_TOKEN": "bench"}.items():
        monkeypatch.setenv(name, value)
    config = load(FILE)
    erp, crm = (connect(config, name, config.connections[name], SystemClock()) for name in ("erp", "crm"))
    return erp, crm


def account(erp: Conn, crm: Conn, customer: dict[str, object]) -> Write:
    reading = erp.specs["account"].map.read(customer)
    assert reading.bad == {}
    values: dict[str, object] = {}
    for one in crm.specs["account"].map.fields:
        told = reading.values.get(one.name)
        if told is not None:
            put(values, one.path, one.convert.to_wire(told))
    return Write(0, "create", key="dt-1", values=values)


def test_every_customer_becomes_the_account_of_the_reference(pair: tuple[Conn, Conn]) -> None:
    erp, crm = pair
    writing = crm.connector._writing["account"]  # type: ignore[attr-defined]
    for number in range(3000):
        customer = dataset.record(number)
        assert writing._data(account(erp, crm, customer)) == map_customer(customer)


def test_what_is_sent_is_what_is_held(pair: tuple[Conn, Conn]) -> None:
    _, crm = pair
    spec = crm.specs["account"]
    assert (spec.reads, spec.whole, spec.create, spec.batch) == ("never", True, "by_key", 200)


def test_answers_go_to_the_right_records(monkeypatch: pytest.MonkeyPatch) -> None:
    def sink(asked: Asked) -> Told:
        refused = {"status": "rejected", "error": "no such currency"}
        told = [refused if one["currency"] == "SEK" else {"status": "created"} for one in asked.body["accounts"]]
        return Told(data={"results": told})

    with serving(sink) as url:
        erp, crm = joined(monkeypatch, url, url)
        customers = [dataset.record(number) for number in range(450)]
        writes = [account(erp, crm, one) for one in customers]
        answers: list[Answer] = []
        for at in range(0, 450, 200):
            some = [Write(n, "create", None, "k", one.values) for n, one in enumerate(writes[at : at + 200])]
            told = list(crm.connector.write(crm.specs["account"], some))
            assert [one.ref for one in told] == list(range(len(some)))
            answers += told
        crm.connector.close()
    for customer, answer in zip(customers, answers, strict=True):
        if customer["currency"] == "SEK":
            assert answer == Refused(answer.ref, "no such currency", None, "")
        else:
            assert answer == Saved(answer.ref, str(customer["customer_no"]), None)
