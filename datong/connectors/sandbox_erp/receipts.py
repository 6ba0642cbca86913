"""What we may say of a receipt: whose money it is (认领), and which invoices it settles (核销). No more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from datong.base.errors import RemoteError, RequestRefused
from datong.base.money import decimal
from datong.connectors.sandbox_erp.api import Api
from datong.connectors.sandbox_erp.values import without_index
from datong.kit import Answer, Lost, Missing, Moved, Refused, Saved, WireRecord, Write

Call = tuple[str, dict[str, Any]]
"""Name and body."""


def write_receipts(
    api: Api,
    look: Callable[[str], WireRecord | Missing],
    record: Callable[[Mapping[str, Any]], WireRecord],
    batch: Sequence[Write],
) -> Iterator[Answer]:
    """Once something is done nothing is raised: what follows a broken call is answered as lost."""
    done, broken = False, None
    for one in batch:
        if broken is not None:
            yield Lost(one.ref, f"left alone after a broken call: {broken}")
            continue
        try:
            answer = _written(api, look, record, one)
        except RemoteError as error:
            if not done:
                raise
            broken = error
            answer = Lost(one.ref, f"not every step is known to be done: {error}")
        done = True
        yield answer


def _written(
    api: Api,
    look: Callable[[str], WireRecord | Missing],
    record: Callable[[Mapping[str, Any]], WireRecord],
    write: Write,
) -> Answer:
    now = look(write.id or "")
    if isinstance(now, Missing) or write.version not in (None, now.version):
        return Moved(write.ref)
    row = now.data
    try:
        for name, body in calls(write, row):
            path = f"/v1/receipts/{quote(now.id, safe='')}/{name}"
            row = api.call("POST", path, {**body, "rowVersion": row["rowVersion"]}, patience=3)["row"]
    except RequestRefused as error:
        if error.code == "STALE":
            return Moved(write.ref)
        return Refused(write.ref, error.message, without_index(error.field), error.code)
    return Saved(write.ref, now.id, record(row))


def calls(write: Write, row: Mapping[str, Any]) -> list[Call]:
    """The claim first, then what is settled. What is settled already is not settled twice.

    Raises RequestRefused where more is asked than to claim and to settle."""
    told: list[Call] = []
    if set(write.values) - {"custId"}:
        raise RequestRefused("a receipt is claimed and allocated, nothing else of it is ours", code="POSTED")
    if "custId" in write.values and write.values["custId"] != row["custId"]:
        if write.values["custId"] is None:
            raise RequestRefused("a claim is not taken back here: ask the accountant", field="custId", code="POSTED")
        told.append(("claim", {"custId": write.values["custId"]}))
    held = [(one["invoiceId"], decimal(one["amount"])) for one in row["allocations"]]
    for item in write.items.get("allocations", ()):
        if item.action != "create":
            why = "an allocation stays: the accountant reverses the receipt"
            raise RequestRefused(why, field="allocations", code="POSTED")
        wanted = (item.values.get("invoiceId"), decimal(item.values.get("amount") or 0))
        if wanted in held:
            held.remove(wanted)
        else:
            told.append(("allocate", dict(item.values)))
    return told
