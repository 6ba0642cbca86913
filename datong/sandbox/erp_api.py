"""SimERP over HTTP: a classic interface; business errors come with status 200. docs/sandbox.md shows the shapes."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from datong.sandbox import erp_receipts, erp_returns, erp_sales
from datong.sandbox.clock import parse_time
from datong.sandbox.control import answer, control
from datong.sandbox.erp import WITH_COMPANIES, Erp, write_time
from datong.sandbox.erp_acts import acting
from datong.sandbox.erp_ageing import aged_balances
from datong.sandbox.fields import Field, Row, inner_paths
from datong.sandbox.pages import pages
from datong.sandbox.refusals import (
    BadRequest,
    Breach,
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
from datong.sandbox.system import known_field

SAVE_LIMIT = 200
_Json = Annotated[dict[str, Any], Body()]
_With = Annotated[str, Query(alias="with")]


class _BadKey(Refusal):
    pass


class _NoRight(Refusal):
    pass


class _RolledBack(Exception):
    pass


def erp_app(erp: Erp) -> FastAPI:
    app = FastAPI(title="SimERP", version="1", description="A simulated ERP. Everything is in memory.")

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        return answer({"ok": False, "error": _error(refusal)}, 401 if isinstance(refusal, _BadKey) else 200)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return answer({"ok": False, "error": {"code": "BAD_REQUEST", "message": error.errors()[0]["msg"]}})

    async def guard(x_api_key: Annotated[str, Header()] = "") -> bool:
        """Whether the caller may write."""
        if x_api_key not in (erp.token, erp.read_token):
            raise _BadKey("wrong key")
        return x_api_key == erp.token

    async def writer(may_write: Annotated[bool, Depends(guard)]) -> None:
        if not may_write:
            raise _NoRight("this key may only read")

    app.include_router(control(erp))
    app.include_router(acting(erp))
    app.include_router(pages(erp))
    app.include_router(_about(erp), prefix="/v1", dependencies=[Depends(guard)])
    app.include_router(_subscriptions(erp), prefix="/v1/subscriptions", dependencies=[Depends(writer)])
    app.include_router(_reports(erp), prefix="/v1/reports", dependencies=[Depends(guard)])
    app.include_router(_reading(erp), prefix="/v1", dependencies=[Depends(guard)])
    app.include_router(_orders(erp), prefix="/v1/salesOrders", dependencies=[Depends(writer)])
    app.include_router(_receipts(erp), prefix="/v1/receipts", dependencies=[Depends(writer)])
    app.include_router(_returns(erp), prefix="/v1/returnOrders", dependencies=[Depends(writer)])
    app.include_router(_customers(erp), prefix="/v1/customers", dependencies=[Depends(writer)])
    app.include_router(_writing(erp), prefix="/v1", dependencies=[Depends(writer)])
    return app


def _about(erp: Erp) -> APIRouter:
    router = APIRouter(tags=["about"])

    @router.get("/info")
    async def info(x_api_key: Annotated[str, Header()]) -> Response:
        return answer(
            {
                "ok": True,
                "databaseId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"simerp:{erp.seed}")),
                "product": "SimERP",
                "version": "9.2",
                "serverTime": write_time(erp.clock.micros()),
                "user": "integration",
                "rights": ["read", "write"] if x_api_key == erp.token else ["read"],
            }
        )

    @router.get("/metadata")
    async def metadata() -> Response:
        objects = {}
        for name, spec in erp.specs.items():
            hidden = erp.faults.hidden(name, schema=True)
            objects[name] = {
                "label": spec.label,
                "labelZh": spec.label_zh,
                "idField": spec.id_field,
                "fields": _describe(spec.fields, hidden),
            }
        return answer({"ok": True, "objects": objects})

    return router


def _subscriptions(erp: Erp) -> APIRouter:
    router = APIRouter(tags=["subscriptions"])

    @router.post("")
    async def subscribe(body: _Json) -> Response:
        made = erp.webhooks.subscribe(lambda number: number, body.get("url"), body.get("token"))
        return answer({"ok": True, "row": made.wire()})

    @router.get("")
    async def subscriptions() -> Response:
        return answer({"ok": True, "rows": erp.webhooks.subscriptions()})

    @router.post("/delete")
    async def unsubscribe(body: _Json) -> Response:
        results = [
            {"index": index, "ok": erp.webhooks.unsubscribe(id), "id": id}
            for index, id in enumerate(_list(body, "ids"))
            if isinstance(id, str | int)
        ]
        return answer({"ok": True, "results": results})

    return router


def _reports(erp: Erp) -> APIRouter:
    """What SimERP computes of its ledger when it is asked."""
    router = APIRouter(tags=["reports"])

    @router.get("/agedBalance")
    async def aged_balance(company: str = "") -> Response:
        with erp.lock:
            rows = aged_balances(erp, filter(None, company.split(",")))
            return answer({"ok": True, "rows": rows, "at": write_time(erp.clock.micros())})

    return router


def _reading(erp: Erp) -> APIRouter:
    router = APIRouter(tags=["read"])

    @router.get("/{object}")
    async def list_rows(
        object: str,
        page: Annotated[int, Query(ge=1)] = 1,
        pageSize: Annotated[int, Query(ge=1, le=500)] = 50,
        modifiedFrom: str = "",
        company: str = "",
        variant: _With = "",
    ) -> Response:
        try:
            start = parse_time(modifiedFrom) if modifiedFrom else 0
        except ValueError:
            raise BadRequest("modifiedFrom is not a time") from None
        with erp.lock:
            states = list(_of(company, erp.view(object, "stale_read").after(start, None, inclusive=True)))
            return _page(erp, object, states, page, pageSize, variant)

    @router.get("/{object}/ids")
    async def ids(object: str, company: str = "") -> Response:
        with erp.lock:
            view = erp.view(object, "stale_read")
            found = _of(company, view.states.values()) if company else ()
            return answer({"ok": True, "ids": sorted(one.key for one in found) if company else view.ids()})

    @router.get("/{object}/{id}")
    async def read(object: str, id: int, variant: _With = "") -> Response:
        with erp.lock:
            state = erp.table(object).get_from(erp.view(object, "stale_read"), id)
            return answer({"ok": True, "row": erp.wire(object, state, variant)})

    @router.post("/{object}/query")
    async def query(object: str, body: _Json, variant: _With = "") -> Response:
        field, page, size = body.get("field"), body.get("page", 1), body.get("pageSize", 50)
        if not isinstance(page, int) or not isinstance(size, int) or page < 1 or not 1 <= size <= 500:
            raise BadRequest("page must be 1 or more, pageSize 1 to 500")
        with erp.lock:
            view = erp.view(object, "stale_read", "search_lag")
            if not isinstance(field, str) or not known_field(erp, object, field):
                raise Invalid({"field": Problem("INVALID", f"no field {field}")})
            found = {state.key: state for value in _list(body, "values") for state in view.find(field, value)}
            states = sorted(found.values(), key=lambda state: (state.updated, state.key))
            return _page(erp, object, states, page, size, variant)

    return router


def _orders(erp: Erp) -> APIRouter:
    """The steps of an order, one call each. `rowVersion` guards, as in a save."""
    router = APIRouter(tags=["orders"])

    @router.post("/{id}/submit")
    async def submit(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_sales.submit(erp, id))

    @router.post("/{id}/approve")
    async def approve(id: int, body: _Json) -> Response:
        accepted = [str(one) for one in _list(body, "acceptWarnings")] if "acceptWarnings" in body else []
        return _step(erp, id, body, lambda: erp_sales.approve(erp, id, accepted))

    @router.post("/{id}/unapprove")
    async def unapprove(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_sales.unapprove(erp, id))

    @router.post("/{id}/close")
    async def close(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_sales.close(erp, id))

    @router.post("/{id}/cancel")
    async def cancel(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_sales.cancel(erp, id, str(body.get("reason") or "")))

    @router.post("/{id}/hold")
    async def hold(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_sales.hold(erp, id, str(body.get("reason") or "")))

    @router.post("/{id}/amend")
    async def amend(id: int, body: _Json) -> Response:
        row, reason = body.get("row"), body.get("reason")
        if not isinstance(row, dict) or not isinstance(reason, str) or not reason.strip():
            raise Invalid({"reason": Problem("REQUIRED", "row and reason are required")})
        ext_ref = str(body.get("extRef") or "")
        return _step(erp, id, body, lambda: erp_sales.amend(erp, id, row, reason, ext_ref))

    return router


def _receipts(erp: Erp) -> APIRouter:
    """What sales may say of money that came in: whose it is, and what it is for."""
    router = APIRouter(tags=["receipts"])

    @router.post("/{id}/claim")
    async def claim(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_receipts.claim(erp, id, body.get("custId") or 0), "receipts")

    @router.post("/{id}/allocate")
    async def allocate(id: int, body: _Json) -> Response:
        invoice, amount = body.get("invoiceId") or 0, body.get("amount")
        return _step(erp, id, body, lambda: erp_receipts.allocate(erp, id, invoice, amount), "receipts")

    return router


def _returns(erp: Erp) -> APIRouter:
    """What another system may ask of a return."""
    router = APIRouter(tags=["returns"])

    @router.post("/{id}/refund")
    async def refund(id: int, body: _Json) -> Response:
        return _step(erp, id, body, lambda: erp_returns.ask_refund(erp, id), "returnOrders")

    return router


def _step(erp: Erp, id: int, body: Row, act: Callable[[], Row], object: str = "salesOrders") -> Response:
    with erp.transaction():
        state, version = erp.table(object).get(id), body.get("rowVersion")
        if version is not None and version != state.version:
            raise Stale(state.version)
        act()
        return answer({"ok": True, "row": erp.wire(object, erp.table(object).get(id))})


def _customers(erp: Erp) -> APIRouter:
    router = APIRouter(tags=["customers"])

    @router.post("/{id}/sites/save")
    async def save_sites(id: int, body: _Json) -> Response:
        written, ids = erp.save_sites(id, _list(body, "sites"))
        return answer({"ok": True, "row": erp.wire("customers", written.state), "siteIds": ids})

    @router.post("/{id}/sites/delete")
    async def delete_sites(id: int, body: _Json) -> Response:
        written = erp.delete_sites(id, _list(body, "siteIds"))
        return answer({"ok": True, "row": erp.wire("customers", written.state)})

    @router.post("/{id}/company/{code}")
    async def save_company(id: int, code: str, body: _Json) -> Response:
        state = erp.save_company(id, code, body).state
        company = erp.wire("customers", state, WITH_COMPANIES).get(WITH_COMPANIES, {}).get(code)
        return answer({"ok": True, "company": company, "rowVersion": state.version})

    @router.post("/{keep}/merge")
    async def merge(keep: int, body: _Json) -> Response:
        erp.merge("customers", keep, body.get("loser") or 0)
        return answer({"ok": True, "row": erp.wire("customers", erp.table("customers").get(keep))})

    return router


def _writing(erp: Erp) -> APIRouter:
    router = APIRouter(tags=["write"])

    @router.post("/{object}/save")
    async def save(object: str, body: _Json, variant: _With = "") -> Response:
        rows, mode = _list(body, "rows"), body.get("mode", "each")
        erp.table(object)
        if mode not in ("each", "all") or len(rows) > SAVE_LIMIT:
            raise BadRequest(f"mode must be each or all; at most {SAVE_LIMIT} rows")
        return answer(_save(erp, object, rows, mode == "all", variant))

    @router.post("/{object}/delete")
    async def delete(object: str, body: _Json) -> Response:
        erp.table(object)
        results = [_delete(erp, object, index, id) for index, id in enumerate(_list(body, "ids"))]
        return answer({"ok": True, "results": results})

    return router


def _save(erp: Erp, object: str, rows: list[Any], together: bool, variant: str) -> Row:
    results: list[Row] = []
    try:
        with erp.transaction():
            results = [_save_row(erp, object, index, row, variant) for index, row in enumerate(rows)]
            if together and not all(result["ok"] for result in results):
                raise _RolledBack
    except _RolledBack:
        undone = {"ok": False, "error": {"code": "ROLLED_BACK", "message": "another row was refused"}}
        results = [{"index": one["index"], **undone} if one["ok"] else one for one in results]
        error = {"code": "BATCH_REFUSED", "message": "nothing was saved"}
        return {"ok": False, "error": error, "results": results}
    return {"ok": True, "results": results}


def _save_row(erp: Erp, object: str, index: int, row: Any, variant: str) -> Row:
    try:
        if not isinstance(row, dict):
            raise BadRequest("a row must be an object")
        key, version = row.get(erp.specs[object].id_field), row.get("rowVersion")
        if key is not None and not isinstance(key, int):
            raise BadRequest("the id must be a number")
        _refuse_made_here(erp, object)
        _refuse_parts(object, key, row)
        state = erp.write(object, key, row, version).state
    except Refusal as refusal:
        return {"index": index, "ok": False, "error": _error(refusal)}
    stored = erp.wire(object, state, variant)
    return {"index": index, "ok": True, "id": state.key, "rowVersion": state.version, "row": stored}


def _refuse_parts(object: str, key: int | None, row: Row) -> None:
    """Sites and company parts of a customer have calls of their own."""
    if object != "customers":
        return
    for name, call in (("sites", "sites/save"), (WITH_COMPANIES, "company/{code}")):
        if name in row and not (name == "sites" and key is None):
            raise Invalid({name: Problem("READ_ONLY", f"use {call}")})


def _refuse_made_here(erp: Erp, object: str) -> None:
    if erp.specs[object].made_here:
        raise Breach("READ_ONLY", f"{object} are made in SimERP itself")


def _delete(erp: Erp, object: str, index: int, id: Any) -> Row:
    try:
        _refuse_made_here(erp, object)
        erp.delete(object, id if isinstance(id, int) else 0)
    except Refusal as refusal:
        return {"index": index, "ok": False, "id": id, "error": _error(refusal)}
    return {"index": index, "ok": True, "id": id}


def _of(companies: str, states: Iterable[State]) -> Iterable[State]:
    """Those of the companies named, parted by commas; all where none is, or where the object has no company."""
    if not companies:
        return states
    wanted = {*companies.split(","), None}
    return (state for state in states if state.data.get("companyCode") in wanted)


def _page(erp: Erp, object: str, states: Sequence[State], page: int, size: int, variant: str) -> Response:
    chosen = states[(page - 1) * size : page * size]
    body = b'{"ok":true,"rows":[' + b",".join(erp.encode(object, chosen, variant))
    return Response(body + f'],"total":{len(states)},"page":{page}}}'.encode(), media_type="application/json")


def _list(body: Row, name: str) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list):
        raise BadRequest(f"{name} must be a list")
    return value


def _error(refusal: Refusal) -> Row:
    message = str(refusal)
    match refusal:
        case NoSuchObject():
            return {"code": "NO_SUCH_OBJECT", "message": message}
        case NotFound():
            return {"code": "NOT_FOUND", "message": message}
        case Merged():
            return {"code": "MERGED", "message": message, "mergedInto": refusal.into}
        case Duplicate():
            return {"code": "DUPLICATE", "message": message, "field": refusal.field, "id": refusal.key}
        case Stale():
            return {"code": "STALE", "message": message, "rowVersion": refusal.version}
        case Breach():
            told: Row = {"code": refusal.code, "message": message, "warning": refusal.warning}
            return {**told, "field": refusal.field} if refusal.field else told
        case Invalid():
            at, problem = next(iter(refusal.problems.items()))
            return {"code": problem.code, "message": f"{at}: {problem.message}", "field": at}
        case _NoRight():
            return {"code": "NO_RIGHT", "message": message}
        case _BadKey():
            return {"code": "BAD_KEY", "message": message}
        case _:
            return {"code": "BAD_REQUEST", "message": message}


def _describe(fields: Sequence[Field], hidden: Sequence[str] = ()) -> list[Row]:
    return [
        {
            "name": one.name,
            "type": one.type,
            "label": one.label,
            "labelZh": one.label_zh,
            "maxLength": one.max_length,
            "decimals": one.decimals,
            "required": one.required,
            "unique": one.unique,
            "readOnly": one.read_only,
            "custom": one.custom,
            "options": list(one.options),
            "ref": f"{one.ref}.{one.ref_by}" if one.ref else None,
            "fields": _describe(one.fields, inner_paths(one.name, hidden)),
        }
        for one in fields
        if one.name not in hidden
    ]
