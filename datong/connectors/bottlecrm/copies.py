"""Writes the ERP's invoices into BottleCRM and keeps what is open there in step, by payments.

Nothing is ever sent to a customer: a copy stays a draft there until a payment is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datong.base.clock import Clock
from datong.base.money import decimal, plain
from datong.connectors.bottlecrm.answers import refused
from datong.connectors.bottlecrm.endpoints import ACCOUNTS, INVOICES, Endpoint
from datong.connectors.bottlecrm.invoices import OURS, lines_of, settled
from datong.kit import Answer, Http, Moved, Refused, Saved, WireRecord, Write
from datong.mapping import take

Change = Callable[..., tuple[int, Any]]


class Copies:
    """`change` makes a write and gives status and answer; `read_back` reads what is there now."""

    def __init__(
        self, http: Http, change: Change, read_back: Callable[[Endpoint, str], WireRecord], clock: Clock
    ) -> None:
        self._http, self._change, self._read_back, self._clock = http, change, read_back, clock

    def create(self, write: Write, custom: Mapping[str, Any]) -> Answer:
        values = write.values
        if values.get("type") == "credit_note" or decimal(values["total"]) < 0:
            return Refused(write.ref, "BottleCRM has no credit notes", field="type", code="credit_note")
        contacts = self._http.get(f"{ACCOUNTS.path}{values['account']}/")["contacts"]  # their list ignores `account`
        if not contacts:
            told = "an invoice in BottleCRM needs a contact, and this account has none"
            return Refused(write.ref, told, field="account", code="no_contact")
        lines = [item.values for item in write.items.get("line_items", ()) if item.action != "delete"]
        made, rate = lines_of(lines, decimal(values["tax"]))
        body = {
            **{name: values[name] for name in ("issue_date", "due_date", "currency") if values.get(name)},
            "invoice_title": str(take(values, "custom_fields.erp_number") or "ERP")[:100],
            "account_id": values["account"],
            "contact_id": contacts[0]["id"],
            "tax_rate": rate,
            "line_items": made,
            "custom_fields": dict(custom),
        }
        status, answer = self._change("POST", INVOICES.path, body)
        if status >= 400:
            return refused(write.ref, status, answer)
        return self._settled(write, take(answer, "invoice.id"))

    def update(self, write: Write) -> Answer:
        if any(write.items.values()):
            return Refused(write.ref, "the lines of an invoice are not changed after it was written", code="POSTED")
        body = {name: write.values[name] for name in ("due_date", "custom_fields") if name in write.values}
        if body:
            status, answer = self._change("PUT", f"{INVOICES.path}{write.id}/", body)
            if status == 404:
                return Moved(write.ref)
            if status >= 400:
                return refused(write.ref, status, answer)
        return self._settled(write, str(write.id))

    def _settled(self, write: Write, id: str) -> Answer:
        """Brings what is open there to what is open in the ERP, and cancels what is cancelled there."""
        held = self._read_back(INVOICES, id)
        cancelled = write.values.get("state") == "cancelled"
        fault = None
        if cancelled and held.data["state"] != "cancelled":
            fault = self._post(write, f"{id}/cancel/", None)
        elif not cancelled and write.values.get("open") is not None:
            fault = self._paid(write, id, held)
        return fault or Saved(write.ref, id, self._read_back(INVOICES, id))

    def _paid(self, write: Write, id: str, held: WireRecord) -> Refused | None:
        wanted = decimal(write.values["open"])
        if wanted < 0:
            return Refused(write.ref, "BottleCRM cannot hold an overpayment", field="open", code="overpaid")
        back, amount = settled(held.data, wanted)
        if amount < 0:
            told = "more is open in the ERP than BottleCRM can show: a payment there is not ours"
            return Refused(write.ref, told, field="open", code="foreign_payment")
        for payment in back:
            self._change("DELETE", f"{INVOICES.path}{id}/payments/{payment}/")
        if not amount:
            return None
        today = self._clock.now().date().isoformat()
        paid = {"amount": plain(amount), "payment_date": today, "payment_method": "OTHER", "reference_number": OURS}
        return self._post(write, f"{id}/payments/", paid)

    def _post(self, write: Write, place: str, body: Mapping[str, Any] | None) -> Refused | None:
        status, answer = self._change("POST", f"{INVOICES.path}{place}", body)
        return refused(write.ref, status, answer) if status >= 400 else None
