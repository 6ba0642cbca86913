"""The service with a form: what a customer sends over HTTP becomes a case, and a mail says so, all by itself."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
from ruamel.yaml import YAML

from datong.sandbox import Sandbox
from tests.connectors.letter_servers import post_office
from tests.web.client import hidden
from tests.web.stage import Stage, until

FLOWS = ("orders", "cases", "requests", "request_to_case", "case_notices")


def test_from_the_form_to_the_case_to_the_mail(tmp_path: Path) -> None:
    with Sandbox(seed=1, size=0) as sandbox, post_office() as office:
        stage = Stage(sandbox, tmp_path, {"every": "1s", "sweep": "1h"})
        yaml = YAML()
        told = yaml.load(stage.config.read_text(encoding="utf8"))
        told["connections"]["post"] = {"system": "smtp", "role": "desk", **office.settings()}
        told["connections"]["desk"] = {"system": "inbox", "role": "desk", "form": {}}
        told["service"] = {"public_url": "https://service.datong.example/kunden"}
        for name in FLOWS:
            told["flows"][name] = {"on": True, "trigger": {"every": "1s", "sweep": "1h"}}
        told["flows"]["notices"] = {
            "on": True,
            "trigger": {"every": "1s", "sweep": "1h"},
            "settings": {"tell": {"default": {"case_received": ["mail"]}}},
        }
        with stage.config.open("w", encoding="utf8") as file:
            yaml.dump(told, file)
        with stage.service() as service, httpx2.Client(base_url=service.url, trust_env=False, timeout=30) as client:
            until(lambda: stage.advance(5) or _begun(service), "the first round of all flows")
            stage.advance(60)
            page = client.get("/p/write/desk?lang=zh").text
            assert '<a href="/kunden/p/' in page  # the proxy's own path stands in all links
            fields = {"ticket": hidden(page, "ticket"), "email": "li.na@kunde.example", "text": "轴承有异响"}
            assert client.post("/p/write/desk?lang=zh", data=fields).status_code == 303
            until(lambda: stage.advance(1) or office.mails, "the mail")
            (case,) = stage.crm.rows("cases")
            (mail,) = office.mails
        assert (case["subject"], case["channel"]) == ("轴承有异响", "web")
        assert str(mail["To"]) == "li.na@kunde.example" and "已收到您的来信" in str(mail["Subject"])
        link = re.search(r"https://service\.datong\.example/kunden(/p/see/\S+)", mail.get_content())
        assert link is not None


def _begun(service: object) -> bool:
    """The flows of cases began to tell news."""
    store = service._parts.app.store  # type: ignore[attr-defined]
    with store.read() as tx:
        rows = tx.exec_driver_sql("SELECT name FROM meta WHERE name LIKE 'news case_notices%'").fetchall()
    return bool(rows)
