"""The lab itself: both real systems start, answer, keep their data over a restart, and go away."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random

import pytest

import lab
from lab import environments, taxnumbers
from lab.cache import build_once, cache_folder
from lab.server import alive, free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def real() -> Iterator[lab.Real]:
    try:
        with lab.running() as both:
            yield both
    except lab.LabUnavailable as reason:
        pytest.skip(str(reason))


def test_tryton_creates_and_reads(real: lab.Real) -> None:
    (party,) = real.tryton.call("model.party.party.create", [{"name": "上海瑞丰贸易有限公司"}])
    (row,) = real.tryton.call("model.party.party.read", [party], ["name", "code"])
    assert row["name"] == "上海瑞丰贸易有限公司" and row["code"]


def test_tryton_keeps_the_credit_limit_per_company_but_the_terms_for_all(real: lab.Real) -> None:
    """What lab/README.md says about customers of two companies."""
    erp, terms = real.tryton, real.tryton.ids["payment_terms"]
    asia, europe = ({"company": erp.companies[key]} for key in ("asia", "europe"))
    (party,) = erp.call("model.party.party.create", [{"name": "Two companies"}], context=asia)
    first = {"credit_limit_amount": Decimal("1000.00"), "customer_payment_term": terms["Net 30"]}
    second = {"credit_limit_amount": Decimal("50.00"), "customer_payment_term": terms["Net 60"]}
    erp.call("model.party.party.write", [party], first, context=asia)
    erp.call("model.party.party.write", [party], second, context=europe)

    def read(context: dict[str, int]) -> tuple[Decimal, int]:
        (row,) = erp.call("model.party.party.read", [party], list(first), context=context)
        return row["credit_limit_amount"], row["customer_payment_term"]

    assert read(asia) == (Decimal("1000.00"), terms["Net 60"])
    assert read(europe) == (Decimal("50.00"), terms["Net 60"])


def test_tryton_works_in_both_companies(real: lab.Real) -> None:
    erp = real.tryton
    fields = ["party.name", "currency.code", "timezone"]
    rows = erp.call("model.company.company.read", list(erp.companies.values()), fields)
    found = {(row["party."]["name"], row["currency."]["code"], row["timezone"]) for row in rows}
    assert found == {("达通亚洲贸易有限公司", "CNY", "Asia/Shanghai"), ("Datong Europe BV", "EUR", "Europe/Paris")}


def test_tryton_checks_chinese_tax_numbers(real: lab.Real) -> None:
    number = taxnumbers.uscc(Random(7), "310115")
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")

    def create(code: str) -> list[int]:
        identifiers = [["create", [{"type": "cn_vat", "code": code}]]]
        made: list[int] = real.tryton.call("model.party.party.create", [{"name": code, "identifiers": identifiers}])
        return made

    assert create(number)
    with pytest.raises(lab.CallRefused, match="is not valid"):
        create(wrong)


def test_bottlecrm_creates_and_reads(real: lab.Real) -> None:
    lab.ensure_custom_fields(real.bottlecrm)
    lab.ensure_custom_fields(real.bottlecrm)
    body = {"name": "深圳联创电子有限公司", "custom_fields": {"number_asia": "C-1", "credit_limit_asia": "10.00"}}
    made = real.bottlecrm.call("POST", "/api/accounts/", body)
    account = real.bottlecrm.call("GET", f"/api/accounts/{made['id']}/")["account_obj"]
    assert (account["name"], account["custom_fields"]) == (body["name"], body["custom_fields"])


def test_bottlecrm_posts_signed_webhooks_to_loopback(real: lab.Real) -> None:
    got: list[tuple[str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["X-BottleCRM-Signature"], body))
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hook = real.bottlecrm.create_webhook(f"http://127.0.0.1:{server.server_port}/", ["account.created"])
        real.bottlecrm.call("POST", "/api/accounts/", {"name": "Webhook BV"})
        server.shutdown()
    ((signature, body),) = got
    stamp, given = (part.split("=", 1)[1] for part in signature.split(","))
    assert given == hmac.new(hook.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["data"]["name"] == "Webhook BV"


@pytest.mark.parametrize("which", ["tryton", "bottlecrm"])
def test_a_system_comes_back_with_its_address_and_data(real: lab.Real, which: str) -> None:
    system: lab.Tryton | lab.BottleCrm = getattr(real, which)
    before = (system.url, count(real, which))
    pid = system.pid
    system.stop()
    assert pid and not alive(pid)
    with pytest.raises(ConnectionError):
        count(real, which)
    system.start()
    assert (system.url, count(real, which)) == before


def count(real: lab.Real, which: str) -> int:
    """How many customers the system knows."""
    if which == "tryton":
        return int(real.tryton.call("model.party.party.search_count", []))
    return len(real.bottlecrm.call("GET", "/api/accounts/?limit=1000")["active_accounts"]["open_accounts"])


def test_the_seed_is_what_it_says(real: lab.Real) -> None:
    parties, accounts = count(real, "tryton"), count(real, "bottlecrm")
    seeded = lab.seed_customers(real.tryton, real.bottlecrm, total=30, shared=12, seed=3)
    assert [len(part) for part in (seeded.strong, seeded.lookalikes, seeded.only_erp, seeded.only_crm)] == [8, 4, 9, 9]
    assert count(real, "tryton") == parties + 21
    assert count(real, "bottlecrm") == accounts + 21
    for pair in seeded.strong:
        (row,) = real.tryton.call("model.party.party.read", [pair.erp_id], ["name", "tax_identifier.code"])
        account = real.bottlecrm.call("GET", f"/api/accounts/{pair.crm_id}/")["account_obj"]
        assert (row["name"], row["tax_identifier."]["code"]) == (pair.erp_name, pair.tax_id)
        assert account["name"] == pair.crm_name and account["custom_fields"]["tax_id"]
    for pair in seeded.lookalikes:
        account = real.bottlecrm.call("GET", f"/api/accounts/{pair.crm_id}/")["account_obj"]
        assert account["name"] == pair.crm_name and not account["custom_fields"].get("tax_id")


def test_an_interrupted_build_is_done_again(tmp_path: Path) -> None:
    half = tmp_path / "thing.part"
    half.mkdir()
    (half / "rubbish").touch()

    def build(part: Path) -> None:
        part.mkdir()
        (part / "whole").touch()

    assert [path.name for path in build_once(tmp_path / "thing", build).iterdir()] == ["whole"]
    assert not half.exists()


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATONG_LAB", str(tmp_path / "from-env"))
    assert cache_folder() == tmp_path / "from-env"
    assert cache_folder(tmp_path / "given") == tmp_path / "given"


def test_a_missing_python_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "candidates", lambda minimum: iter(["no-such-python"]))
    with pytest.raises(lab.LabUnavailable, match=r"bottlecrm needs Python 3\.12 or newer"):
        environments.find_python((3, 12), "bottlecrm")


def test_packages_that_cannot_be_installed_are_said_plainly(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{tmp_path}/there-is-no-such-package-1.0.tar.gz\n")
    with pytest.raises(lab.LabUnavailable, match="installing the packages of thing failed"):
        environments.environment(tmp_path, "thing", requirements, (3, 10))
    assert not [path for path in tmp_path.glob("thing-python-*") if path.suffix not in {".part", ".lock"}]


def test_ports_are_free() -> None:
    assert free_port() > 0 and not alive(os.getpid())
