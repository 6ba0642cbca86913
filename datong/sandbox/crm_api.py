"""SimCRM over HTTP: a modern REST interface. docs/sandbox.md shows the shapes."""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from datong.sandbox.clock import parse_time
from datong.sandbox.control import answer, control
from datong.sandbox.crm import Crm, write_time
from datong.sandbox.crm_desk import desk
from datong.sandbox.fields import Field, Row, inner_paths
from datong.sandbox.pages import pages
from datong.sandbox.refusals import (
    BadRequest,
    Duplicate,
    Invalid,
    Merged,
    NoSuchObject,
    NotFound,
    Problem,
    Refusal,
    Stale,
)
from datong.sandbox.rows import State
from datong.sandbox.system import Written, known_field

BATCH_LIMIT = 200
_Json = Annotated[dict[str, Any], Body()]


class _NotAllowed(Refusal):
    """A missing or wrong token (401), or one without the right (403)."""

    def __init__(self, status: int, body: Row) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def crm_app(crm: Crm) -> FastAPI:
    app = FastAPI(title="SimCRM", version="1", description="A simulated CRM. Everything is in memory.")

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        status, body = _refusal(refusal)
        return answer(body, status)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return answer({"error": "bad_request", "message": error.errors()[0]["msg"]}, 400)

    async def guard(authorization: Annotated[str, Header()] = "") -> bool:
        """Whether the caller may write."""
        if authorization not in (f"Bearer {crm.token}", f"Bearer {crm.read_token}"):
            raise _NotAllowed(401, {"error": "unauthorized"})
        return authorization == f"Bearer {crm.token}"

    async def writer(may_write: Annotated[bool, Depends(guard)]) -> None:
        if not may_write:
            raise _NotAllowed(403, {"error": "forbidden", "scope": "write"})

    app.include_router(control(crm))
    app.include_router(desk(crm, crm.desk))
    app.include_router(pages(crm))
    app.include_router(_about(crm), prefix="/api", dependencies=[Depends(guard)])
    app.include_router(_webhooks(crm), prefix="/api/webhooks", dependencies=[Depends(writer)])
    app.include_router(_kept_files(crm, writer), prefix="/api/files", dependencies=[Depends(guard)])
    app.include_router(_reading(crm), prefix="/api", dependencies=[Depends(guard)])
    app.include_router(_writing(crm), prefix="/api", dependencies=[Depends(writer)])
    return app


def _about(crm: Crm) -> APIRouter:
    router = APIRouter(tags=["about"])

    @router.get("/whoami")
    async def whoami(authorization: Annotated[str, Header()]) -> Response:
        may_write = authorization == f"Bearer {crm.token}"
        return answer(
            {
                "organisation_id": f"org-{crm.seed}",
                "organisation": "Simulated Trading",
                "user": {"id": "U-000001", "name": "Integration"},
                "server_time": write_time(crm.clock.micros()),
                "scopes": ["read", "write"] if may_write else ["read"],
            }
        )

    @router.get("/schema")
    async def schema() -> Response:
        objects = {}
        for name, spec in crm.specs.items():
            hidden = crm.faults.hidden(name, schema=True)
            objects[name] = {"label": spec.label, "label_zh": spec.label_zh, "fields": _describe(spec.fields, hidden)}
        return answer({"objects": objects})

    return router


def _webhooks(crm: Crm) -> APIRouter:
    router = APIRouter(tags=["webhooks"])

    @router.post("")
    async def subscribe(body: _Json) -> Response:
        made = crm.webhooks.subscribe(lambda number: f"WH-{number:06d}", body.get("url"), body.get("secret"))
        return answer(made.wire(), 201)

    @router.get("")
    async def subscriptions() -> Response:
        return answer({"items": crm.webhooks.subscriptions()})

    @router.delete("/{id}")
    async def unsubscribe(id: str) -> Response:
        if not crm.webhooks.unsubscribe(id):
            raise NotFound(id)
        return Response(status_code=204)

    return router


def _kept_files(crm: Crm, writer: Any) -> APIRouter:
    """Contents of files, by `sha256:` and their digest; the lines of a case name them."""
    router = APIRouter(tags=["files"])

    @router.put("/{name}", dependencies=[Depends(writer)])
    async def keep(name: str, request: Request) -> Response:
        content = await request.body()
        if name != f"sha256:{sha256(content).hexdigest()}":
            raise BadRequest("the name is not the digest of the content")
        crm.files[name] = content
        return Response(status_code=204)

    @router.get("/{name}")
    async def content(name: str) -> Response:
        if name not in crm.files:
            raise NotFound(name)
        return Response(crm.files[name], media_type="application/octet-stream")

    return router


def _reading(crm: Crm) -> APIRouter:
    router = APIRouter(tags=["read"])

    @router.get("/{object}")
    async def list_rows(
        object: str,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: str = "",
        updated_since: str = "",
        include_inactive: bool = False,
    ) -> Response:
        start = _start(cursor, updated_since)
        with crm.lock:
            page: list[State] = []
            for state in crm.view(object, "stale_read").after(*start, inclusive=False):
                if len(page) == limit:
                    return _page(crm, object, page, _cursor(page[-1]))
                if state.active or include_inactive:
                    page.append(state)
            return _page(crm, object, page, None)

    @router.get("/{object}/ids")
    async def ids(object: str, limit: Annotated[int, Query(ge=1, le=5000)] = 1000, cursor: str = "") -> Response:
        with crm.lock:
            rest = [key for key in crm.view(object, "stale_read").ids() if key > cursor]
        return answer({"ids": rest[:limit], "next": rest[limit - 1] if len(rest) > limit else None})

    @router.get("/{object}/search")
    async def search(
        object: str, field: str, value: Annotated[list[str], Query()], limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> Response:
        with crm.lock:
            view = crm.view(object, "stale_read", "search_lag")
            if not known_field(crm, object, field):
                raise Invalid({"field": Problem("INVALID", f"no field {field}")})
            found = {state.key: state for one in value for state in view.find(field, one)[:limit]}
            return _page(crm, object, list(found.values()), None)

    @router.get("/{object}/{id}")
    async def read(object: str, id: str) -> Response:
        with crm.lock:
            state = crm.table(object).get_from(crm.view(object, "stale_read"), id)
            return Response(crm.encode(object, [state])[0], media_type="application/json")

    return router


def _writing(crm: Crm) -> APIRouter:
    router = APIRouter(tags=["write"])

    @router.post("/{object}")
    async def create(object: str, body: _Json) -> Response:
        return _written(crm, object, crm.write(object, None, body), 201)

    @router.post("/{object}/batch")
    async def batch(object: str, body: _Json) -> Response:
        items = body.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadRequest("items must be a list of objects")
        if len(items) > BATCH_LIMIT:
            return answer({"error": "too_many", "limit": BATCH_LIMIT}, 413)
        return answer(_batch(crm, object, items, bool(body.get("all_or_nothing"))), 207)

    @router.post("/accounts/{keep}/merge")
    async def merge(keep: str, body: _Json) -> Response:
        crm.merge("accounts", keep, str(body.get("loser", "")))
        return answer(crm.wire("accounts", crm.table("accounts").get(keep)))

    @router.patch("/{object}/{id}")
    async def change(object: str, id: str, body: _Json, if_match: Annotated[str | None, Header()] = None) -> Response:
        return _written(crm, object, crm.write(object, id, body, _version(if_match)), 200)

    @router.delete("/{object}/{id}")
    async def delete(object: str, id: str) -> Response:
        crm.delete(object, id)
        return Response(status_code=204)

    return router


def _batch(crm: Crm, object: str, items: list[Row], all_or_nothing: bool) -> Row:
    results: list[Row] = []
    try:
        with crm.transaction():
            results = [_batch_item(crm, object, index, item) for index, item in enumerate(items)]
            if all_or_nothing and any(result["status"] >= 400 for result in results):
                raise _NothingApplied
    except _NothingApplied:
        undone = {"status": 424, "error": "not_applied"}
        results = [one if one["status"] >= 400 else {"index": one["index"], **undone} for one in results]
        return {"applied": False, "results": results}
    return {"applied": True, "results": results}


class _NothingApplied(Exception):
    pass


def _batch_item(crm: Crm, object: str, index: int, item: Row) -> Row:
    try:
        op, id, data, version = item.get("op"), item.get("id"), item.get("data"), item.get("version")
        if op not in ("create", "update") or not isinstance(data, dict) or (op == "update") != isinstance(id, str):
            raise BadRequest("op must be create or update, data an object, id a text for an update only")
        written = crm.write(object, id, data, version)
    except Refusal as refusal:
        status, body = _refusal(refusal)
        return {"index": index, "status": status, **body}
    return {
        "index": index,
        "status": 201 if op == "create" else 200,
        "id": written.state.key,
        "version": written.state.version,
        "item": crm.wire(object, written.state),
        "ignored": written.ignored,
    }


def _written(crm: Crm, object: str, written: Written, status: int) -> Response:
    ignored = ",".join(quote(name, safe="._[]", errors="replace") for name in written.ignored)
    headers = {"X-Ignored-Fields": ignored} if ignored else None
    return Response(crm.encode(object, [written.state])[0], status, headers, "application/json")


def _page(crm: Crm, object: str, states: Sequence[State], cursor: str | None) -> Response:
    tail = b"null" if cursor is None else b'"' + cursor.encode() + b'"'
    body = b'{"items":[' + b",".join(crm.encode(object, states)) + b'],"next":' + tail + b"}"
    return Response(body, media_type="application/json")


def _cursor(state: State) -> str:
    return base64.urlsafe_b64encode(f"{state.updated}|{state.key}".encode()).decode()


def _start(cursor: str, updated_since: str) -> tuple[int, str | None]:
    """Where a list begins: after the cursor's row, or at a time."""
    try:
        if not cursor:
            return parse_time(updated_since) if updated_since else 0, None
        updated, _, key = base64.urlsafe_b64decode(cursor).decode().partition("|")
        return int(updated), key
    except (ValueError, binascii.Error) as error:
        raise BadRequest("cursor or updated_since is malformed") from error


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    text = if_match.removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise BadRequest("If-Match must hold a version")
    return int(text)


def _refusal(refusal: Refusal) -> tuple[int, Row]:
    match refusal:
        case _NotAllowed():
            return refusal.status, refusal.body
        case NoSuchObject():
            return 404, {"error": "no_such_object"}
        case NotFound():
            return 404, {"error": "not_found", "id": refusal.key}
        case Merged():
            return 410, {"error": "merged", "merged_into": refusal.into}
        case Duplicate():
            return 409, {"error": f"duplicate {refusal.field}", "id": refusal.key}
        case Stale():
            return 412, {"error": "version_mismatch", "version": refusal.version}
        case Invalid():
            return 422, {"error": "validation", "fields": {at: one.message for at, one in refusal.problems.items()}}
        case _:
            return 400, {"error": "bad_request", "message": str(refusal)}


def _describe(fields: Sequence[Field], hidden: Sequence[str] = ()) -> list[Row]:
    return [
        {
            "name": one.name,
            "type": one.type,
            "label": one.label,
            "label_zh": one.label_zh,
            "max_length": one.max_length,
            "decimals": one.decimals,
            "required": one.required,
            "unique": one.unique,
            "read_only": one.read_only,
            "custom": one.custom,
            "options": list(one.options),
            "ref": f"{one.ref}.{one.ref_by}" if one.ref else None,
            "fields": _describe(one.fields, inner_paths(one.name, hidden)),
        }
        for one in fields
        if one.name not in hidden
    ]
