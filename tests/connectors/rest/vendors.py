"""Three small systems with the manners of real ones, over real HTTP: what docs/rest.md describes is tried on them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

from datong.base import json


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes = b""
    target: str = ""


@dataclass
class Told:
    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


Answer = Callable[[Asked], Told]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """The address under which `answer` answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = None
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            asked = Asked(self.command, parts.path, query, headers, body, raw, self.path)
            told = answer(asked)
            content = told.raw if told.raw is not None else b"" if told.data is None else json.encode(told.data)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Ticking:
    """Change times that never repeat."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC) - timedelta(hours=1)

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=7)
        return self._now


class Frappe:
    """Customers of ERPNext: site time without an offset, a lock by `modified`, doubles renamed in silence."""

    TOKEN = "token key:secret"
    ZONE = ZoneInfo("America/New_York")

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.calls: list[Asked] = []
        self._tick = Ticking()

    def stamp(self) -> str:
        return self._tick().astimezone(self.ZONE).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")

    def add(self, customer_name: str, **more: Any) -> dict[str, Any]:
        name, number = customer_name, 0
        while name in self.rows:
            number += 1
            name = f"{customer_name} - {number}"
        self.rows[name] = {
            "name": name,
            "customer_name": customer_name,
            "disabled": 0,
            **more,
            "modified": self.stamp(),
        }
        return self.rows[name]

    def edit(self, name: str, **more: Any) -> None:
        self.rows[name] |= {**more, "modified": self.stamp()}

    def __call__(self, asked: Asked) -> Told:
        self.calls.append(asked)
        if asked.headers.get("authorization") != self.TOKEN:
            return Told(401, {"exc_type": "AuthenticationError"})
        if asked.path == "/api/method/frappe.auth.get_logged_user":
            return Told(data={"message": "datong@example.com"})
        head, _, name = asked.path.removeprefix("/api/resource/Customer").partition("/")
        assert head == ""
        if not name:
            return self._create(asked.body) if asked.method == "POST" else self._list(asked.query)
        row = self.rows.get(unquote(name))
        if row is None:
            return Told(404, {"exc_type": "DoesNotExistError"})
        if asked.method == "GET":
            return Told(data={"data": row})
        if asked.method == "DELETE":
            del self.rows[row["name"]]
            return Told(202, {"data": "ok"})
        if asked.body.get("modified", row["modified"]) != row["modified"]:
            return Told(417, {"exc_type": "TimestampMismatchError", "exception": "Document has been modified"})
        if asked.body.get("customer_name") == "":
            return Told(417, {"exc_type": "MandatoryError", "exception": "customer_name"})
        self.edit(row["name"], **{k: v for k, v in asked.body.items() if k != "modified"})
        return Told(data={"data": row})

    def _create(self, body: dict[str, Any]) -> Told:
        if not body.get("customer_name"):
            return Told(417, {"exc_type": "MandatoryError", "exception": "customer_name"})
        return Told(data={"data": self.add(**body)})

    def _list(self, query: dict[str, str]) -> Told:
        rows = sorted(self.rows.values(), key=lambda row: (row["modified"], row["name"]))
        for place, sign, value in json.loads(query.get("filters", "[]")):
            rows = [row for row in rows if self._fits(row.get(place), sign, value)]
        start, size = int(query.get("limit_start", 0)), int(query.get("limit_page_length", 20)) or len(rows)
        names = json.loads(query.get("fields", '["name"]'))
        shown = [{name: row.get(name) for name in names} for row in rows[start : start + size]]
        return Told(data={"data": shown})

    @staticmethod
    def _fits(held: Any, sign: str, value: Any) -> bool:
        return {">=": lambda: held >= value, "in": lambda: held in value, "=": lambda: held == value}[sign]()


class HubSpot:
    """Companies of HubSpot: a search by change time with a cursor, batches with a list of errors beside the results."""

    TOKEN = "pat-123"
    SECRET = "hub-secret"
    CALLED = "POSThttps://datong.example/hooks/sales"

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.calls: list[Asked] = []
        self._tick = Ticking()

    def add(self, **properties: Any) -> str:
        id = str(9000 + len(self.rows))
        self.rows[id] = {"id": id, "properties": {}, "archived": False}
        self.edit(id, **properties)
        return id

    def edit(self, id: str, **properties: Any) -> None:
        row = self.rows[id]
        stamp = self._tick().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row["properties"] |= {**properties, "hs_lastmodifieddate": stamp}
        row["updatedAt"] = stamp

    def event(self, id: str) -> tuple[dict[str, str], bytes]:
        """A webhook as it comes in: headers in lower case, body."""
        body = json.encode([{"objectId": int(id), "subscriptionType": "company.propertyChange"}])
        stamp = str(int(datetime.now(UTC).timestamp() * 1000))
        made = hmac.new(self.SECRET.encode(), self.CALLED.encode() + body + stamp.encode(), hashlib.sha256).digest()
        signature = base64.b64encode(made).decode()
        return {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}, body

    def __call__(self, asked: Asked) -> Told:
        self.calls.append(asked)
        if asked.headers.get("authorization") != f"Bearer {self.TOKEN}":
            return Told(401, {"category": "INVALID_AUTHENTICATION"})
        if asked.path == "/account-info/v3/details":
            return Told(data={"portalId": 4711})
        tail = asked.path.removeprefix("/crm/objects/2026-09/companies/")
        if tail == "search":
            return self._search(asked.body)
        if tail == "batch/read":
            found = [self.rows[one["id"]] for one in asked.body["inputs"] if one["id"] in self.rows]
            return Told(data={"results": found})
        if asked.method == "DELETE":
            self.rows.pop(tail, None)
            return Told(204)
        return self._batch(tail, asked.body["inputs"])

    def _search(self, body: dict[str, Any]) -> Told:
        rows = sorted(self.rows.values(), key=lambda row: (row["updatedAt"], row["id"]))
        for group in body.get("filterGroups", ()):
            for one in group["filters"]:
                rows = [row for row in rows if self._fits(row["properties"].get(one["propertyName"]), one)]
        start = int(body.get("after", 0))
        page = rows[start : start + body["limit"]]
        more = start + len(page) < len(rows)
        paging = {"paging": {"next": {"after": str(start + len(page))}}} if more else {}
        return Told(data={"total": len(rows), "results": page, **paging})

    @staticmethod
    def _fits(value: str | None, told: dict[str, Any]) -> bool:
        if told["operator"] == "IN":
            return value in told["values"]
        moment = datetime.fromisoformat(value or "1970-01-01T00:00:00Z")
        return moment >= datetime.fromtimestamp(int(told["value"]) / 1000, UTC)

    def _batch(self, what: str, inputs: list[dict[str, Any]]) -> Told:
        results, errors = [], []
        for one in inputs:
            trace, properties = one["objectWriteTraceId"], one["properties"]
            if "@" in properties.get("domain", ""):
                error = {"category": "VALIDATION_ERROR", "message": "domain is invalid"}
                errors.append({**error, "context": {"objectWriteTraceId": [trace]}})
                continue
            row = self._row(what, one)
            if row is None:
                error = {"category": "OBJECT_NOT_FOUND", "message": "no such company"}
                errors.append({**error, "context": {"objectWriteTraceId": [trace]}})
                continue
            self.edit(row["id"], **properties)
            results.append({**row, "objectWriteTraceId": trace})
        return Told(207 if errors else 200, {"results": results[::-1], "errors": errors, "numErrors": len(errors)})

    def _row(self, what: str, one: dict[str, Any]) -> dict[str, Any] | None:
        if what == "batch/update":
            return self.rows.get(one["id"])
        place = one["idProperty"]
        known = (row for row in self.rows.values() if row["properties"].get(place) == one["id"])
        found = next(known, None)
        return found or self.rows[self.add(**{place: one["id"]})]


class KingDee:
    """Customers of K3Cloud: a session by cookie, rows as lists, status 200 for every refusal."""

    ZONE = ZoneInfo("Asia/Shanghai")
    HEAD = "/Kingdee.BOS.WebApi.ServicesStub."

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.calls: list[Asked] = []
        self.sessions: set[str] = set()
        self.logins = 0
        self._tick = Ticking()

    def add(self, **more: Any) -> int:
        id = 100000 + len(self.rows)
        self.rows[id] = {"FCUSTID": id, "FNumber": f"CUST{len(self.rows):04d}", "FForbidStatus": "A"}
        self.edit(id, **more)
        return id

    def edit(self, id: int, **more: Any) -> None:
        stamp = self._tick().astimezone(self.ZONE).replace(tzinfo=None).isoformat(timespec="milliseconds")
        self.rows[id] |= {**more, "FModifyDate": stamp}

    def __call__(self, asked: Asked) -> Told:
        self.calls.append(asked)
        service = asked.path.removeprefix(self.HEAD).removesuffix(".common.kdsvc")
        if service == "AuthService.ValidateUser":
            return self._login(asked.body["parameters"])
        cookie = asked.headers.get("cookie", "")
        if cookie.removeprefix("kdservice-sessionid=") not in self.sessions:
            return self._refused("会话信息已丢失，请重新登录", 1, query=service.endswith("Query"))
        data = asked.body["data"]
        if service.endswith("ExecuteBillQuery"):
            return self._query(data)
        if service.endswith("Save"):
            return self._save(data["Model"])
        for id in str(data["Ids"]).split(","):
            self.rows.pop(int(id), None)
        return self._done(None)

    def _login(self, parameters: list[Any]) -> Told:
        if parameters[1:3] != ["datong", "secret"]:
            return Told(data={"LoginResultType": 0, "Message": "用户名或密码错误"})
        self.logins += 1
        session = f"s{self.logins}"
        self.sessions.add(session)
        headers = {"Set-Cookie": f"kdservice-sessionid={session}; path=/; HttpOnly"}
        return Told(data={"LoginResultType": 1, "KDSVCSessionId": session}, headers=headers)

    def _query(self, data: dict[str, Any]) -> Told:
        rows = sorted(self.rows.values(), key=lambda row: (row["FModifyDate"], row["FCUSTID"]))
        for part in filter(None, data.get("FilterString", "").split(" and ")):
            place, sign, value = part.split(" ", 2)
            rows = [row for row in rows if self._fits(row, place, sign, value)]
        start, limit = data["StartRow"], data["Limit"]
        names = data["FieldKeys"].split(",")
        return Told(data=[[row.get(name, " ") for name in names] for row in rows[start : start + limit]])

    @staticmethod
    def _fits(row: dict[str, Any], place: str, sign: str, value: str) -> bool:
        held = row.get(place)
        if sign == "in":
            return str(held) in value.strip("()").split(",")
        told = value[1:-1].replace("''", "'")
        return str(held).replace("T", " ") >= told if sign == ">=" else held == told

    def _save(self, model: dict[str, Any]) -> Told:
        id = model.get("FCUSTID", 0)
        if id and id not in self.rows:
            return self._refused("数据不存在", 10)
        if not id and any(row.get("F_DT_KEY") == model.get("F_DT_KEY") for row in self.rows.values()):
            return self._refused("违反字段唯一性要求：F_DT_KEY", 11, "F_DT_KEY")
        if len(model.get("FName", "x")) == 0:
            return self._refused("字段“客户名称”是必填项", 9, "FName")
        id = id or self.add()
        self.edit(id, **{name: value for name, value in model.items() if name != "FCUSTID"})
        return self._done(id)

    def _done(self, id: int | None) -> Told:
        status = {"IsSuccess": True, "Errors": [], "SuccessEntitys": [], "MsgCode": 0}
        return Told(data={"Result": {"ResponseStatus": status, "Id": id}})

    def _refused(self, message: str, code: int, name: str = "", *, query: bool = False) -> Told:
        errors = [{"FieldName": name, "Message": message, "DIndex": 0}]
        told = {"Result": {"ResponseStatus": {"IsSuccess": False, "ErrorCode": 500, "Errors": errors, "MsgCode": code}}}
        return Told(data=[[told]] if query else told)
