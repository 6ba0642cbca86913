"""BottleCRM (django-crm 1.35) as the CRM: one organisation, its administrator and a token with every scope."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.cache import HERE, INSIDE, build_once, key_of, run
from lab.client import Http
from lab.environments import clean_environ, environment
from lab.errors import CallRefused
from lab.server import Server, free_port

REQUIREMENTS = HERE / "bottlecrm-requirements.txt"
SEED = INSIDE / "bottlecrm_seed.py"
SETTINGS = INSIDE / "bottlecrm_settings"
DATABASE = "db.sqlite3"
SECRET = "a lab key that signs nothing of value and is part of each snapshot"


@dataclass(frozen=True)
class CustomField:
    """A field that an administrator adds to a kind of record; money is text, because numbers here are floats."""

    key: str
    label: str
    field_type: str = "text"
    target_model: str = "Account"


COMPANY_FIELDS = (("number", "客户编号"), ("terms", "付款条件"), ("credit_limit", "信用额度"), ("blocked", "冻结"))
CUSTOMER_FIELDS = (
    CustomField("tax_id", "统一社会信用代码 / VAT"),
    CustomField("region_code", "行政区划代码"),
    CustomField("erp_key", "ERP key"),
    *(
        CustomField(f"{key}_{company}", f"{label} ({company})")
        for company in ("asia", "europe")
        for key, label in COMPANY_FIELDS
    ),
)


@dataclass(frozen=True)
class Webhook:
    """A webhook and the secret that the CRM shows once."""

    id: str
    secret: str


class BottleCrm:
    """A running BottleCRM and a client for its REST API."""

    def __init__(self, server: Server, credentials: dict[str, str]) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.port}"
        self.org = credentials["org"]
        self.token = credentials["token"]
        self.jwt = credentials["jwt"]
        self.refresh = credentials["refresh"]
        self._http = Http(self.url)

    @property
    def pid(self) -> int | None:
        return self.server.pid

    def start(self) -> None:
        """Start again on the same port with the same data."""
        self.server.start()

    def stop(self) -> None:
        """Take the CRM down; its data stay."""
        self.server.stop()

    def call(self, method: str, path: str, body: Any = None, jwt: bool = False) -> Any:
        """Call the API with the personal token, or with the session token that webhook management needs."""
        text = None if body is None else json.dumps(body, ensure_ascii=False)
        headers = {"Authorization": f"Bearer {self.jwt if jwt else self.token}"}
        status, answer = self._http.send(method, path, text, headers)
        if status >= 400:
            raise CallRefused(f"BottleCRM {method} {path}", status, answer)
        return json.loads(answer) if answer else None

    def create_webhook(self, url: str, events: Sequence[str]) -> Webhook:
        """Have changes posted to `url`; events are `account.created`, `contact.updated` and so on."""
        made = self.call("POST", "/api/webhooks/", {"url": url, "events": list(events), "format": "json"}, jwt=True)
        return Webhook(id=made["id"], secret=made["secret"])


def ensure_custom_fields(bottle: BottleCrm, wanted: Iterable[CustomField] = CUSTOMER_FIELDS) -> None:
    """Create the custom fields that are missing. Values for unknown fields would be dropped without a word."""
    answer = bottle.call("GET", "/api/custom-fields/")
    have = {(field["target_model"], field["key"]) for field in answer["definitions"]}
    for field in wanted:
        if (field.target_model, field.key) not in have:
            bottle.call("POST", "/api/custom-fields/", asdict(field))


def install(cache: Path) -> tuple[Path, Path]:
    """Python and database snapshot, built if needed."""
    python = environment(cache, "bottlecrm", REQUIREMENTS, (3, 12))
    key = key_of(REQUIREMENTS, SEED, *sorted(SETTINGS.rglob("*.py")), SECRET)
    return python, build_once(cache / f"bottlecrm-database-{key}", lambda part: initialise(python, part))


def initialise(python: Path, folder: Path) -> None:
    """Tables, organisation and tokens; the write-ahead log is folded in when the process ends."""
    folder.mkdir(parents=True)
    command = [python, SEED, folder / "credentials.json"]
    run(command, "initialising the BottleCRM database", server_environ(folder), folder)


def server_environ(folder: Path) -> dict[str, str]:
    return {
        **clean_environ(),
        "PYTHONPATH": str(INSIDE),
        "DJANGO_SETTINGS_MODULE": "bottlecrm_settings",
        "LAB_FOLDER": str(folder),
        "SECRET_KEY": SECRET,
        "ENV_TYPE": "dev",
        "PYTHONUNBUFFERED": "1",
    }


def prepare(cache: Path, folder: Path, port: int | None = None, attached: bool = True) -> BottleCrm:
    """A fresh copy of the snapshot in `folder`, ready to be started."""
    python, snapshot = install(cache)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (DATABASE, "credentials.json"):
        shutil.copyfile(snapshot / name, folder / name)
    return attach(python, folder, port or free_port(), attached=attached)


def attach(python: Path, folder: Path, port: int, pid: int | None = None, attached: bool = True) -> BottleCrm:
    """The BottleCRM that lives in `folder`, running or not."""
    probe = Http(f"http://127.0.0.1:{port}", timeout=30)
    server = Server(
        name="BottleCRM",
        python=python,
        application="crm.wsgi:application",
        folder=folder,
        port=port,
        env=server_environ(folder),
        ready=lambda: probe.answers("GET", "/healthz/"),
        attached=attached,
        pid=pid,
    )
    return BottleCrm(server, json.loads((folder / "credentials.json").read_text(encoding="utf-8")))
