"""Shipments, invoices, payments: the ERP's documents, shown in the CRM as they are. The CRM changes none of them."""

from decimal import Decimal

from datong.canon import Invoice, Line, Order, Payment, Shipment
from datong.engine.flow import CRM, ERP, OWNER, Master, Park, Policies, owned_by, shared
from datong.engine.lifecycle import LifeCycle
from datong.engine.near import Near
from datong.flows.money import MoneySettings, money_guard, parked
from datong.matching import Identity, same
from datong.reckoning import check_facts, check_red

HALF_OF_THE_LAST_PLACE = Decimal("0.00005")
"""Systems keep four places of a discounted price, some more."""

shipments = Master(
    name="shipments",
    en="Shipments",
    zh="发货",
    record=Shipment,
    identity=Identity(link=(same("erp_number"),)),
    fields=Policies(
        owned_by(ERP, "erp_number", "company", "account", "order", "state", "date", "planned", "warehouse", "carrier"),
        owned_by(ERP, "tracking", "lines", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("account", "lines.*.order"),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "ready", "shipped", "delivered"),
            ends={"cancelled": ("draft", "ready", "shipped")},
            back={("ready", "draft"): "unpacked again", ("shipped", "ready"): "came back before it arrived"},
        ),
    ),
)

invoices = Master(
    name="invoices",
    en="Invoices",
    zh="发票",
    settings=MoneySettings,
    record=Invoice,
    identity=Identity(link=(same("erp_number"),)),
    fields=Policies(
        owned_by(ERP, "type", "erp_number", "company", "account", "order", "reverses", "state", "date", "due"),
        owned_by(ERP, "currency", "rate", "rate_date", "tax_included", "net", "tax", "total", "open", "lines"),
        owned_by(ERP, "instalments"),
        owned_by(ERP, "fapiao_number", "fapiao_kind", "buyer_name", "buyer_tax_id", "seller_name", "seller_tax_id"),
        owned_by(ERP, "tax_category", "red_letter", "document_url", "custom"),
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("account", "lines.*.order"),
    whole=True,
    busy=True,
    lives=(
        LifeCycle(
            "state",
            ("draft", "posted", "paid"),
            ends={"cancelled": ("draft", "posted", "paid")},
            back={("paid", "posted"): "a payment was reversed"},
        ),
    ),
)


@invoices.checks("money difference")
def invoiced_as_ordered(invoice: Invoice, near: Near) -> Park | None:
    """A posted invoice agrees with itself, and charges what was ordered."""
    if invoice.state not in ("posted", "paid") or invoice.type == "credit_note":
        return None
    wrong = money_guard(invoice, near, near.settings)
    if wrong is not None:
        return wrong
    for line in invoice.lines.values():
        order = near.of(line.order or invoice.order, Order)
        ordered = order.lines.values() if order is not None else ()
        of_it = [one for one in ordered if one.position is not None and f"{one.position:f}" == line.order_line]
        charged, agreed = charged_price(line), charged_price(of_it[0]) if of_it else None
        if charged is not None and agreed is not None and abs(charged - agreed) > HALF_OF_THE_LAST_PLACE:
            return Park(
                f"line {line.order_line} is invoiced at {charged:f}, and was ordered at {agreed:f}",
                "have the books issue a credit note and a right invoice, or tell the customer why",
            )
    return None


@invoices.checks("e-invoice")
def e_invoice_is_right(invoice: Invoice, near: Near) -> Park | None:
    """Facts of a Chinese e-invoice (数电票) that cannot be right; a red one (红字发票) against what it reverses."""
    found = check_facts(invoice)
    original = near.of(invoice.reverses, Invoice)
    if not found and original is not None and invoice.fapiao_number:
        notes = near.with_reference(Invoice, "reverses", invoice.reverses)
        earlier = [one for key, one in notes.items() if key != near.reference("invoice") and one.state != "cancelled"]
        found = check_red(invoice, original, earlier)
    return parked(found[0]) if found else None


def charged_price(line: Line) -> Decimal | None:
    """Of one unit, less discount: some systems tell the two apart, some only what is left."""
    if line.price is None:
        return None
    return line.price * (100 - (line.discount or 0)) / 100


payments = Master(
    name="payments",
    en="Payments",
    zh="收款",
    record=Payment,
    identity=Identity(link=(same("erp_number"),)),
    fields=Policies(
        owned_by(ERP, "erp_number", "company", "state", "date", "currency", "amount", "unallocated", "custom"),
        owned_by(ERP, "rate", "rate_date", "reversed_on"),
        owned_by(ERP, "method", "reference", "payer", "bill_number", "bill_due", "bill_state"),
        shared("account", "allocations", clash=OWNER, owner=ERP),  # a receipt may be claimed in the CRM (回款认领)
    ),
    first_load=ERP,
    creates_in=(CRM,),
    needs=("allocations.*.invoice",),
    whole=True,
    busy=True,
    lives=(
        LifeCycle("state", ("draft", "posted", "cleared"), ends={"reversed": ("posted", "cleared")}),
        LifeCycle(
            "bill_state",
            ("held", "endorsed", "discounted", "cleared"),
            ends={"refused": ("held", "endorsed", "discounted")},
        ),
    ),
)
