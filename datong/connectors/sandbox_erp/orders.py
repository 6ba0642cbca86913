"""An order is written in steps: saved, submitted, approved; changed by an amendment once approved; cancelled.

What the steps reached stays reached. A refused step is answered as refused, with SimERP's reason, and the order stands
where it got to: saved, or submitted. The same write again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from datong.base.errors import RemoteError, RequestRefused
from datong.connectors.sandbox_erp.api import Api
from datong.connectors.sandbox_erp.customers import line_changes
from datong.connectors.sandbox_erp.documents import HOLD, WISH
from datong.connectors.sandbox_erp.values import without_index
from datong.kit import Answer, Lost, Missing, Moved, Refused, Saved, WireRecord, Write

Row = Mapping[str, Any]
_ORDERS = "/v1/salesOrders"
_AGAIN = 3
"""How often a rate limit is waited out in the middle of an order."""


class Orders:
    """The calls of one batch. `look` reads an order, `record` makes a wire record of a row, `unsaved` answers a row
    that a save refused. `accept` are codes of warnings that are gone past."""

    def __init__(
        self,
        api: Api,
        look: Callable[[str], WireRecord | Missing],
        record: Callable[[Row], WireRecord],
        unsaved: Callable[[Write, Row], Answer],
        accept: Sequence[str],
    ) -> None:
        self._api = api
        self._look = look
        self._record = record
        self._unsaved = unsaved
        self._accept = list(accept)

    def write(self, batch: Sequence[Write], created: Mapping[int, Row]) -> Iterator[Answer]:
        """`created`: what became of the creates, by `ref`. Once something is done nothing is raised: what follows a
        broken call is answered as lost, and looked at again."""
        done, broken = bool(created), None
        for one in batch:
            if broken is not None:
                yield Lost(one.ref, f"left alone after a broken call: {broken}")
                continue
            try:
                answer = self._made(one, created[one.ref]) if one.action == "create" else self._changed(one)
            except RemoteError as error:
                if not done:
                    raise
                broken = error
                answer = Lost(one.ref, f"not every step is known to be done: {error}")
            done = True
            yield answer

    def _made(self, write: Write, result: Row) -> Answer:
        existed = False
        if result["ok"]:
            row = result["row"]
        else:
            answer = self._unsaved(write, result)
            if not isinstance(answer, Saved) or answer.record is None:
                return answer
            row, existed = answer.record.data, True
        return self._carried_out(write, row, existed)

    def _changed(self, write: Write) -> Answer:
        now = self._look(write.id or "")
        if isinstance(now, Missing) or write.version not in (None, now.version):
            return Moved(write.ref)
        row, refused = now.data, None
        changes = changed_row(write)
        wish = write.values.get(WISH)
        if changes:
            try:
                row, taken_back = self._change(row, changes)
            except RequestRefused as error:
                if error.code == "STALE":
                    return Moved(write.ref)
                if wish != "cancelled":
                    return _refused(write, error)
                refused = _refused(write, error)
            else:
                wish = wish or ("released" if taken_back else None)
        if HOLD in write.values and wish != "cancelled":
            try:
                row = self._step(row, "hold", {"reason": write.values[HOLD]})
            except RequestRefused as error:
                return Moved(write.ref) if error.code == "STALE" else _refused(write, error)
        answer = self._carried_out(write, row, False, wish)
        return refused or answer

    def _change(self, row: Row, changes: dict[str, Any]) -> tuple[Row, bool]:
        """The changed row, and whether it was taken back to be changed. Raises RequestRefused."""
        if row["status"] == "approved":
            names = ", ".join(sorted(name for name in changes if name != "lineChanges")) or "lines"
            return self._step(row, "amend", {"row": changes, "reason": f"changed in the CRM: {names}"}), False
        taken_back = row["status"] == "submitted"
        if taken_back:
            row = self._step(row, "unapprove", {})
        sent = {**changes, "id": row["id"], "rowVersion": row["rowVersion"]}
        told = self._api.call("POST", f"{_ORDERS}/save", {"rows": [sent], "mode": "each"}, patience=_AGAIN)
        result = told["results"][0]
        if not result["ok"]:
            error = result["error"]
            raise RequestRefused(error["message"], field=error.get("field"), code=error["code"])
        return result["row"], taken_back

    def _carried_out(self, write: Write, row: Row, existed: bool, wish: Any = None) -> Answer:
        try:
            for name in steps(row["status"], wish or write.values.get(WISH)):
                row = self._step(row, name, self._told(name))
        except RequestRefused as error:
            return Moved(write.ref) if error.code == "STALE" and not existed else _refused(write, error)
        return Saved(write.ref, str(row["id"]), self._record(row), existed=existed)

    def _told(self, name: str) -> dict[str, Any]:
        if name == "approve":
            return {"acceptWarnings": self._accept}
        return {"reason": "cancelled in the CRM"} if name == "cancel" else {}

    def _step(self, row: Row, name: str, body: dict[str, Any]) -> Row:
        path = f"{_ORDERS}/{quote(str(row['id']), safe='')}/{name}"
        told = self._api.call("POST", path, {**body, "rowVersion": row["rowVersion"]}, patience=_AGAIN)
        found: Row = told["row"]
        return found


def steps(status: str, wish: Any) -> tuple[str, ...]:
    """The calls that bring an order from where it is to what is wished. A wish that cannot come true is left to SimERP
    to refuse, with its reason."""
    if wish == "released":
        return {"draft": ("submit", "approve"), "approved": (), "closed": ()}.get(status, ("approve",))
    if wish == "cancelled":
        return () if status == "cancelled" else ("cancel",)
    if wish == "draft":
        return () if status == "draft" else ("unapprove",)
    return ()


def new_row(write: Write, own_key: str) -> dict[str, Any]:
    """An order as it is first saved: its lines with it, its wish not."""
    values = {name: value for name, value in write.values.items() if name != WISH}
    lines = {path: [dict(item.values) for item in items] for path, items in write.items.items()}
    return {**values, **lines, **({own_key: write.key} if write.key else {})}


def changed_row(write: Write) -> dict[str, Any]:
    """What of an order's row changes: fields, and lines by their ids."""
    changes = {name: value for name, value in write.values.items() if name not in (WISH, HOLD)}
    items = [item for some in write.items.values() for item in some]
    if items:
        changes["lineChanges"] = line_changes(items)
    return changes


REMEDIES = {
    "NO_RATE": "enter the exchange rate in the ERP",
    "CLOSED_PERIOD": "have the period opened in the ERP, or give the document a date in an open one",
    "CUSTOMER_BLOCKED": "have the books release the customer, or cancel the order",
    "CREDIT_LIMIT": "have the credit limit raised, or wait for a payment",
    "POSTED": "it is too late for a change: what is still wanted is a new order, or a return",
    "CANCELLED": "it is cancelled in the ERP: make a new order",
}
"""What a person does where the fault lies in no field of the document."""


def _refused(write: Write, error: RequestRefused) -> Refused:
    return Refused(write.ref, error.message, without_index(error.field), error.code, REMEDIES.get(error.code, ""))
