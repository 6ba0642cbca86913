"""The people in SimCRM: what a salesperson does to quotes, orders, opportunities, contracts and receipts.

The same edits can be made by hand on the pages; here they have names, and the rules that a screen would keep.
A refused act raises Refusal and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from datong.sandbox.control import answer
from datong.sandbox.fields import Row
from datong.sandbox.refusals import BadRequest, NotFound
from datong.sandbox.system import System

_OPEN = ("draft", "sent")
_TAKEN = ("accepted", "part_accepted")
_PRICED = ("price", "tax_code")
"""What a line of a return does not say of its product."""


class Desk:
    """A salesperson's desk. Ids are SimCRM's; values are those of the wire, lines with a `product_id` or a `sku`."""

    def __init__(self, crm: System) -> None:
        self._crm = crm

    # Opportunities

    def make_opportunity(self, account: str, lines: Sequence[Row] = (), **values: Any) -> Row:
        """Open, with a name of its own accord."""
        named = {"name": f"{self._row('accounts', account)['name'][:100]} 采购", **values}
        return self._make("opportunities", account, lines, named)

    def win(self, opportunity: str) -> Row:
        return self._opportunity(opportunity, "won", "100")

    def lose(self, opportunity: str, reason: str | None = None, competitor: str | None = None) -> Row:
        return self._opportunity(opportunity, "lost", "0", lost_reason=reason, competitor=competitor)

    def make_campaign(self, name: str, accounts: Sequence[str] = (), skus: Sequence[str] = (), **values: Any) -> Row:
        """In the currency of the Chinese company; `prices` by SKU are campaign prices, `discounts` per cent off."""
        prices, discounts = values.pop("prices", {}), values.pop("discounts", {})
        every = dict.fromkeys((*skus, *prices, *discounts))
        products = [
            {
                "product_id": (self._product({"sku": one}) or {}).get("id"),
                "price": prices.get(one),
                "discount": discounts.get(one),
            }
            for one in every
        ]
        told = {"accounts": [{"account_id": one} for one in accounts], "products": products}
        return self._crm.create("campaigns", {"name": name, "company": "asia", "currency": "CNY", **told, **values})

    def change_campaign(self, campaign: str, **changes: Any) -> Row:
        return self._crm.edit("campaigns", campaign, changes)

    # Quotes

    def make_quote(self, account: str, lines: Sequence[Row], **values: Any) -> Row:
        """A draft, at list prices where a line names none."""
        return self._make("quotes", account, lines, values)

    def change_quote(self, quote: str, **changes: Any) -> Row:
        """Any change; `lines` speaks of lines one by one: {id: {field: value}}, with None the line goes; `more` are new
        lines. What the customer was already shown becomes a new version."""
        return self._change("quotes", quote, changes)

    def send_quote(self, quote: str) -> Row:
        return self._step("quotes", quote, ("draft",), {"state": "sent"})

    def accept_quote(self, quote: str, clicks: int = 1) -> Row:
        """The customer takes all of it. Each click is a save of its own, as of an impatient finger."""
        for _ in range(max(clicks, 1)):
            found = self._step("quotes", quote, ("sent", "accepted"), {"state": "accepted"})
        return found

    def part_accept_quote(self, quote: str, quantities: Mapping[str, Any]) -> Row:
        """The customer takes these quantities, by line id; of lines not named nothing."""
        lines = [one["id"] for one in self._row("quotes", quote)["lines"]]
        if unknown := set(quantities) - set(lines):
            raise BadRequest(f"no such line: {', '.join(sorted(unknown))}")
        taken = [{"id": id, "accepted_quantity": str(quantities.get(id, 0))} for id in lines]
        state = {"state": "part_accepted", "lines_changes": {"update": taken}}
        return self._step("quotes", quote, ("sent", "part_accepted"), state)

    def reject_quote(self, quote: str) -> Row:
        return self._step("quotes", quote, ("sent",), {"state": "rejected"})

    def cancel_quote(self, quote: str) -> Row:
        return self._step("quotes", quote, (*_OPEN, *_TAKEN), {"state": "cancelled"})

    def expire_quotes(self) -> list[Row]:
        """What was sent and is valid no longer, by the clock of the sandbox."""
        today = self._crm.clock.now().date().isoformat()
        with self._crm.transaction():
            late = [one for one in self._crm.rows("quotes") if one["state"] == "sent" and one["valid_to"]]
            return [
                self._crm.edit("quotes", one["id"], {"state": "expired"}) for one in late if one["valid_to"] < today
            ]

    # Orders

    def make_order(self, account: str, lines: Sequence[Row], **values: Any) -> Row:
        return self._make("orders", account, lines, values)

    def change_order(self, order: str, **changes: Any) -> Row:
        """As `change_quote`, without versions: what it leads to is for others to decide."""
        return self._change("orders", order, changes)

    def release_order(self, order: str, clicks: int = 1) -> Row:
        for _ in range(max(clicks, 1)):
            found = self._wish(order, ("draft", "released"), "released")
        return found

    def cancel_order(self, order: str) -> Row:
        return self._wish(order, ("draft", "released", "cancelled"), "cancelled")

    # Contracts and money

    def make_contract(self, account: str, lines: Sequence[Row], instalments: Sequence[Row] = (), **values: Any) -> Row:
        named = {"name": f"{self._row('accounts', account)['name'][:100]} 合同", **values}
        return self._make("contracts", account, lines, {**named, "instalments": list(instalments)})

    def sign_contract(self, contract: str) -> Row:
        return self._step("contracts", contract, ("draft", "signed"), {"state": "signed"})

    def terminate_contract(self, contract: str) -> Row:
        return self._step("contracts", contract, ("signed", "active", "terminated"), {"state": "terminated"})

    def ask_for_invoice(self, amount: Any, order: str | None = None, contract: str | None = None, **values: Any) -> Row:
        """For an order, or an instalment (`instalment`: its id) of a contract; title and tax id are the customer's."""
        source = self._row("orders", order) if order else self._row("contracts", contract or "")
        account = self._row("accounts", source["account_id"])
        asked = {
            "account_id": account["id"],
            "company": source["company"],
            "currency": source["currency"],
            "title": account["invoice_title"] or account["name"],
            "tax_id": (account["tax_id"] or "").strip() or None,
            "fapiao_kind": "special" if account["tax_id"] else "ordinary",
            "state": "requested",
        }
        return self._crm.create(
            "invoice_requests", {**asked, "order_id": order, "contract_id": contract, "amount": str(amount), **values}
        )

    def claim_receipt(
        self,
        payment: str,
        account: str,
        by: str | None = None,
        contract: str | None = None,
        instalment: str | None = None,
    ) -> Row:
        """认领: says whose money it is, and for which instalment."""
        with self._crm.transaction():
            found = self._row("payments", payment)
            if found["account_id"] not in (None, account):
                raise BadRequest(f"the receipt belongs to {found['account_id']} already")
            changes: Row = {"account_id": account, "claimed_by_id": by}
            if contract:
                rest = found["unallocated"] or found["amount"]
                share = {"contract_id": contract, "instalment": instalment, "amount": rest}
                changes |= {"allocations_changes": {"create": [share]}, "unallocated": "0"}
            return self._crm.edit("payments", payment, changes)

    # Service

    def make_case(self, account: str, subject: str, **values: Any) -> Row:
        """What a customer asks or complains of; `sku` names the product."""
        product = self._product({"sku": values.pop("sku", None)})
        owner = self._row("accounts", account)["owner_id"]
        given = {"account_id": account, "owner_id": owner, "company": "asia", "subject": subject}
        return self._crm.create("cases", {**given, **({"product_id": product["id"]} if product else {}), **values})

    def change_case(self, case: str, **changes: Any) -> Row:
        return self._crm.edit("cases", case, changes)

    def add_message(self, case: str, text: str, direction: str = "in", **values: Any) -> Row:
        message = {"text": text, "direction": direction, **values}
        return self._crm.edit("cases", case, {"messages_changes": {"create": [message]}})

    def accept_return(self, case: str, wish: str, **changes: Any) -> Row:
        """The customer may send it back; `variant` names how, where it is not what `wish` says."""
        return self._step("cases", case, ("new", "open", "waiting"), {"request": "accepted", "wish": wish, **changes})

    def refuse_return(self, case: str) -> Row:
        return self._step("cases", case, ("new", "open", "waiting"), {"request": "refused"})

    def resolve_case(self, case: str, resolution: str) -> Row:
        changes = {"state": "resolved", "resolution": resolution}
        return self._step("cases", case, ("new", "open", "waiting", "resolved"), changes)

    def close_case(self, case: str) -> Row:
        return self._step("cases", case, ("new", "open", "waiting", "resolved", "closed"), {"state": "closed"})

    def reopen_case(self, case: str) -> Row:
        return self._step("cases", case, ("resolved", "closed"), {"state": "open", "closed_at": None})

    def rate_case(self, case: str, score: Any, remark: str = "") -> Row:
        """What the customer says of it."""
        return self._step("cases", case, ("closed",), {"score": str(score), "remark": remark or None})

    def make_return(self, account: str, order: str, lines: Sequence[Row], **values: Any) -> Row:
        """Typed by the agent, without a case; `lines` speak of an order's lines by `order_line`."""
        told = [self._line(number, line, None) for number, line in enumerate(lines, 1)]
        kept = [{name: value for name, value in line.items() if name not in _PRICED} for line in told]
        given = {"account_id": account, "order_id": order, "company": "asia", "variant": "refund", **values}
        return self._crm.create("returns", {**given, "lines": kept})

    def release_return(self, rma: str) -> Row:
        return self._crm.edit("returns", rma, {"wish": "released"})

    def withdraw_return(self, rma: str) -> Row:
        """The customer keeps it after all."""
        return self._crm.edit("returns", rma, {"wish": "cancelled"})

    def make_article(self, title: str, skus: Sequence[str] = (), **values: Any) -> Row:
        products = [{"product_id": (self._product({"sku": one}) or {}).get("id")} for one in skus]
        return self._crm.create("articles", {"title": title, "products": products, **values})

    # Inside.

    def _opportunity(self, key: str, stage: str, probability: str, **why: str | None) -> Row:
        changes = {"stage": stage, "probability": probability, **why}
        with self._crm.transaction():
            if self._row("opportunities", key)["stage"] not in ("open", stage):
                raise BadRequest("the opportunity is closed already")
            return self._crm.edit("opportunities", key, changes)

    def _wish(self, order: str, allowed: Sequence[str], wish: str) -> Row:
        with self._crm.transaction():
            held = self._row("orders", order)["wish"]
            if held not in allowed:
                raise BadRequest(f"the order is {held}")
            return self._crm.edit("orders", order, {"wish": wish})

    def _step(self, object: str, key: str, allowed: Sequence[str], changes: Row) -> Row:
        with self._crm.transaction():
            state = self._row(object, key)["state"]
            if state not in allowed:
                raise BadRequest(f"{key} is {state}, not {' or '.join(allowed)}")
            return self._crm.edit(object, key, changes)

    def _make(self, object: str, account: str, lines: Sequence[Row], values: Mapping[str, Any]) -> Row:
        with self._crm.transaction():
            owner = self._row("accounts", account)["owner_id"]
            given = {"account_id": account, "owner_id": owner, "company": "asia", "currency": "CNY", **values}
            told = [self._line(number, line, given["currency"]) for number, line in enumerate(lines, 1)]
            return self._crm.create(object, {**given, "lines": told})

    def _change(self, object: str, key: str, changes: Mapping[str, Any]) -> Row:
        with self._crm.transaction():
            rest = {name: value for name, value in changes.items() if name not in ("lines", "more")}
            told, more = changes.get("lines") or {}, changes.get("more") or []
            if told or more:
                held = self._row(object, key)
                count, currency = len(held["lines"]), changes.get("currency", held["currency"])
                rest["lines_changes"] = {
                    "update": [{"id": id, **change} for id, change in told.items() if change is not None],
                    "delete": [id for id, change in told.items() if change is None],
                    "create": [self._line(count + number, line, currency) for number, line in enumerate(more, 1)],
                }
            return self._crm.edit(object, key, rest)

    def _line(self, number: int, line: Mapping[str, Any], currency: str | None) -> Row:
        """With what the product says of itself, where the line is silent; its price only in its own currency."""
        rest = {name: value for name, value in line.items() if name != "sku"}
        product = self._product(line)
        if product is None:
            return {"position": 10 * number, **rest}
        own = {
            "product_id": product["id"],
            "description": product["name"],
            "unit": product["unit"],
            "price": product["list_price"] if product["currency"] == currency else None,
            "tax_code": product["tax_code"],
        }
        return {"position": 10 * number, **own, **rest}

    def _product(self, line: Mapping[str, Any]) -> Row | None:
        if sku := line.get("sku"):
            found = self._crm.table("products").live.find("sku", sku)
            if not found:
                raise NotFound(sku)
            return found[0].data
        return self._row("products", line["product_id"]) if line.get("product_id") else None

    def _row(self, object: str, key: str) -> Row:
        row = self._crm.get(object, key)
        if row is None:
            raise NotFound(key)
        return row


ACTS = tuple(name for name in vars(Desk) if not name.startswith("_"))


def desk(crm: System, at: Desk) -> APIRouter:
    """The acts over HTTP: `POST /_control/desk/{act}` with the arguments as an object."""
    router = APIRouter(prefix="/_control/desk", tags=["control"])

    @router.post("/{act}")
    async def play(act: str, arguments: Annotated[dict[str, Any], Body()]) -> Response:
        if act not in ACTS:
            raise BadRequest(f"no such act; there are: {', '.join(ACTS)}")
        try:
            with crm.lock:
                return answer(getattr(at, act)(**arguments))
        except TypeError as error:
            raise BadRequest(str(error)) from error

    return router
