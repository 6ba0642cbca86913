"""Tryton 8.2 as the ERP: one SQLite database with two companies, `asia` and `europe`."""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from lab.cache import HERE, INSIDE, build_once, key_of, run
from lab.client import Http
from lab.environments import clean_environ, environment
from lab.errors import CallRefused
from lab.server import Server, free_port

DATABASE = "erp"
LOGIN, PASSWORD = "connector", "Conn3ctor-pass"
ADMIN_PASSWORD = "admin-Secret-1"
REQUIREMENTS = HERE / "tryton-requirements.txt"
SEED = INSIDE / "tryton_seed.py"
INIT = INSIDE / "tryton_init.py"
MODULES = (
    "party", "country", "currency", "company", "product", "product_price_list", "account", "account_product",
    "account_invoice", "account_invoice_stock", "account_credit_limit", "stock", "sale", "sale_price_list",
    "sale_credit_limit", "sale_opportunity", "sale_complaint", "sale_amendment", "sale_shipment_grouping",
    "sale_invoice_grouping", "sale_discount", "purchase", "production", "sale_supply", "sale_supply_production",
    "stock_supply", "stock_supply_production", "carrier", "stock_package", "stock_package_shipping", "stock_forecast",
    "product_price_list_dates",
)  # fmt: skip
CONFIG = """\
[database]
uri = sqlite://
path = {folder}
list = True

[web]
root = {folder}/www

[request]
timeout = 120

[session]
authentications = password
max_attempt = 1000000
max_attempt_ip_network = 1000000
timeout = 2592000

[email]
uri = file:///{folder}/mail
from = tryton@example.com
"""


class Tryton:
    """A running Tryton, and a JSON-RPC client that works in it as the connector user."""

    def __init__(self, server: Server, ids: dict[str, Any]) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.port}"
        self.database = DATABASE
        self.login, self.password = LOGIN, PASSWORD
        self.ids = ids
        self.companies: dict[str, int] = ids["companies"]
        self._http = Http(self.url)
        self._session: str | None = None

    @property
    def pid(self) -> int | None:
        return self.server.pid

    def start(self) -> None:
        """Start again on the same port with the same data."""
        self.server.start()

    def stop(self) -> None:
        """Take the ERP down; its data stay."""
        self.server.stop()

    def call(self, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """Call `model.party.party.read` and the like; `context` names the company, as `{"company": 1}`."""
        arguments = [*params, {"company": self.companies["asia"], **(context or {})}]
        if self._session is None:
            self._session = self._log_in()
        try:
            return self._rpc(method, arguments, self._session)
        except CallRefused as refused:
            if refused.status != 401:
                raise
        self._session = self._log_in()
        return self._rpc(method, arguments, self._session)

    def _log_in(self) -> str:
        user, key, *_ = self._rpc("common.db.login", [self.login, {"password": self.password}, "en"], None)
        return "Session " + base64.b64encode(f"{self.login}:{user}:{key}".encode()).decode()

    def _rpc(self, method: str, params: list[Any], session: str | None) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=encode, ensure_ascii=False)
        headers = {"Authorization": session} if session else {}
        status, text = self._http.send("POST", f"/{self.database}/rpc/", body, headers)
        if status != 200:
            raise CallRefused(f"Tryton {method}", status, text)
        answer = json.loads(text, object_hook=decode)
        if "error" in answer:
            raise CallRefused(f"Tryton {method}", status, answer["error"])
        return answer["result"]


def encode(value: object) -> dict[str, Any]:
    """Tryton's typed JSON, outwards."""
    match value:
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case dt.datetime():
            fields = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return {"__class__": "datetime", **{name: getattr(value, name) for name in fields}}
        case dt.date():
            return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
        case dt.timedelta():
            return {"__class__": "timedelta", "seconds": value.total_seconds()}
        case bytes():
            return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}
    raise TypeError(f"Tryton's JSON has no {type(value).__name__}")


def decode(value: dict[str, Any]) -> Any:
    """Tryton's typed JSON, inwards."""
    known: dict[str, Callable[..., Any]] = {
        "Decimal": lambda decimal: Decimal(decimal),
        "datetime": dt.datetime,
        "date": dt.date,
        "time": dt.time,
        "timedelta": lambda seconds: dt.timedelta(seconds=seconds),
        "bytes": lambda **parts: base64.b64decode(parts["base64"]),
    }
    kind = value.get("__class__")
    if not isinstance(kind, str) or kind not in known:
        return value
    return known[kind](**{name: part for name, part in value.items() if name != "__class__"})


def install(cache: Path) -> tuple[Path, Path]:
    """Python and database snapshot, built if needed."""
    python = environment(cache, "tryton", REQUIREMENTS, (3, 10))
    # fiscal years are made for this year and its neighbours, hence the year in the key
    key = key_of(REQUIREMENTS, SEED, INIT, CONFIG, " ".join(MODULES), ADMIN_PASSWORD, str(dt.date.today().year))
    return python, build_once(cache / f"tryton-database-{key}", lambda part: initialise(python, part))


def initialise(python: Path, folder: Path) -> None:
    """Create the database, activate the modules and enter the master data, in one process."""
    write_config(folder)
    (folder / f"{DATABASE}.sqlite").touch()
    (folder / "password").write_text(ADMIN_PASSWORD + "\n")
    command: list[str | Path] = [python, INIT, folder / "trytond.conf", DATABASE, folder / "ids.json", *MODULES]
    run(command, "initialising the Tryton database", server_environ(folder), folder)


def write_config(folder: Path) -> None:
    """The configuration holds its own folder, so every run gets its own."""
    (folder / "www").mkdir(parents=True, exist_ok=True)
    (folder / "trytond.conf").write_text(CONFIG.format(folder=folder), encoding="utf-8")


def server_environ(folder: Path) -> dict[str, str]:
    return {
        **clean_environ(),
        "TRYTOND_CONFIG": str(folder / "trytond.conf"),
        "TRYTOND_DATABASE_NAMES": DATABASE,
        "TRYTONPASSFILE": str(folder / "password"),
        "PYTHONUNBUFFERED": "1",
    }


def prepare(cache: Path, folder: Path, port: int | None = None, attached: bool = True) -> Tryton:
    """A fresh copy of the snapshot in `folder`, ready to be started."""
    python, snapshot = install(cache)
    shutil.rmtree(folder, ignore_errors=True)
    write_config(folder)
    shutil.copyfile(snapshot / f"{DATABASE}.sqlite", folder / f"{DATABASE}.sqlite")
    shutil.copyfile(snapshot / "ids.json", folder / "ids.json")
    return attach(python, folder, port or free_port(), attached=attached)


def attach(python: Path, folder: Path, port: int, pid: int | None = None, attached: bool = True) -> Tryton:
    """The Tryton that lives in `folder`, running or not."""
    probe = Http(f"http://127.0.0.1:{port}", timeout=30)
    version = '{"id":0,"method":"common.server.version","params":[]}'
    server = Server(
        name="Tryton",
        python=python,
        application="trytond.application:app",
        folder=folder,
        port=port,
        env=server_environ(folder),
        ready=lambda: probe.answers("POST", "/rpc/", version),
        attached=attached,
        pid=pid,
    )
    return Tryton(server, json.loads((folder / "ids.json").read_text(encoding="utf-8")))
