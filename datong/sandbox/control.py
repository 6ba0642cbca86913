"""`/_control`: faults, clock, stats, reset and the whole state over HTTP. No key; the sandbox listens on loopback."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body
from fastapi.responses import Response

from datong.sandbox.refusals import BadRequest
from datong.sandbox.system import System

_RULE = {"method": str, "path": str, "object": str, "times": int, "probability": float | int}


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, headers, "application/json")


def control(system: System) -> APIRouter:
    router = APIRouter(prefix="/_control", tags=["control"])

    @router.get("/faults")
    async def list_faults() -> Response:
        return answer({"items": system.faults.rules()})

    @router.post("/faults")
    async def add_fault(rule: Annotated[dict[str, Any], Body()]) -> Response:
        return answer({"id": _add(system, rule)}, 201)

    @router.delete("/faults")
    async def clear_faults(id: int | None = None) -> Response:
        system.faults.clear(id)
        return answer({"items": system.faults.rules()})

    @router.get("/clock")
    async def show_clock() -> Response:
        return answer({"now": system.clock.now(), "offset": system.clock.offset()})

    @router.post("/clock")
    async def move_clock(move: Annotated[dict[str, Any], Body()]) -> Response:
        if move.get("reset"):
            system.clock.reset()
        advance = move.get("advance", 0)
        if not isinstance(advance, int | float):
            raise BadRequest("advance must be seconds")
        system.clock.advance(advance)
        return await show_clock()

    @router.get("/stats")
    async def stats() -> Response:
        return answer(system.stats())

    @router.post("/reset")
    async def reset() -> Response:
        system.reset()
        return answer({"reset": system.name})

    @router.get("/state")
    async def state() -> Response:
        return answer(system.state())

    return router


def _add(system: System, rule: dict[str, Any]) -> int:
    unknown = set(rule) - {"action", "params", *_RULE}
    if unknown:
        raise BadRequest(f"unknown: {', '.join(sorted(unknown))}; parameters of the action go into params")
    params = rule.get("params") or {}
    if not isinstance(params, dict) or set(params) & {"action", *_RULE}:
        raise BadRequest("params must be an object with parameters of the action")
    if not all(isinstance(rule.get(name), kind | None) for name, kind in _RULE.items()):
        raise BadRequest("method, path and object are texts, times a whole number, probability a number")
    chosen = {name: rule[name] for name in _RULE if rule.get(name) is not None}
    return system.faults.add(str(rule.get("action", "")), **chosen, **params)
