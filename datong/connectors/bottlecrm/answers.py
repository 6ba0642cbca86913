"""What BottleCRM means by its refusals: several shapes of error, one reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datong.base import json
from datong.base.errors import AccessDenied, BadAnswer, RemoteError
from datong.kit import Refused


def not_its_404(status: int, body: bytes) -> RemoteError | None:
    """Only BottleCRM's own 404, in JSON, says that a record is gone.

    One in HTML is a wrong address or a proxy; one with the code `module_off` hides every record of a kind.
    """
    if status != 404:
        return None
    try:
        told = json.loads(body)
    except ValueError:
        return BadAnswer("404, but not BottleCRM's own", remedy="is the address in the configuration right?")
    if isinstance(told, Mapping) and told.get("code") == "module_off":
        return AccessDenied(str(told.get("detail")), remedy="switch the module on in the organisation's settings")
    return None


def refused(ref: int, status: int, answer: Any) -> Refused:
    """A refused write as a value. Raises AccessDenied where the token is at fault, not the record."""
    if status == 403 and isinstance(answer, Mapping) and "detail" in answer:
        raise AccessDenied(f"403: {answer['detail']}", remedy="check the token, its scopes and the rights of its owner")
    faults = list(_faults(answer, ""))
    told = "; ".join(f"{path}: {text}" if path else text for path, text in faults) or f"answered {status}"
    code = {403: "not_allowed", 409: "in_use"}.get(status, "duplicate" if "already exists" in told else "invalid")
    return Refused(ref, told, field=next((path for path, _ in faults if path), None), code=code)


def _faults(answer: Any, path: str) -> Iterator[tuple[str, str]]:
    """(wire path, text) for each fault, out of whichever envelope."""
    if isinstance(answer, Mapping):
        if not path and answer.get("error") is True:
            answer = answer.get("errors") or answer.get("message") or {}
            yield from _faults(answer, "")
            return
        for name, inner in answer.items():
            place = path if name in ("non_field_errors", "detail") else f"{path}.{name}" if path else str(name)
            yield from _faults(inner, place)
    elif isinstance(answer, list):
        for inner in answer:
            yield from _faults(inner, path)
    elif answer is not None:
        yield path, str(answer)
