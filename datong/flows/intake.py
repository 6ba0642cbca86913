"""Intake (受理): what customers write to us becomes one service case (服务工单) for each thread.

Customer, order and product are recognised by what is known exactly. What is not, or not for certain, stays empty, and a
note on the case says why. A further message of the thread is added to its case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from datong.canon import (
    Account,
    CaseFile,
    Contact,
    Message,
    Order,
    Product,
    Request,
    RequestFile,
    Return,
    ServiceCase,
    Shipment,
)
from datong.engine.flow import DESK, GO, Conversion, ConversionSettings, Master, Policies, Skip, Verdict, owned_by, told
from datong.engine.near import Near
from datong.flows.notices import mobile
from datong.insight.recognise import named_numbers, own_domain
from datong.matching import Identity, same

_MOST_NAMES = 5
_SUBJECT, _LONG_SUBJECT = 200, 400

requests = Master(
    name="requests",
    en="Requests",
    zh="客户来信",
    record=Request,
    identity=Identity(link=(same("message_id"),)),
    fields=Policies(
        owned_by(DESK, "channel", "thread", "message_id", "sender", "sender_name", "recipient", "subject", "text"),
        owned_by(DESK, "phone", "about", "score", "received", "automatic", "unread", "attachments", "custom"),
        told("account", "contact", "order", "order_number", "product", "recognition", "case"),
    ),
    first_load=DESK,
    creates_in=(),
    busy=True,
)


# Who writes, and about what ----------------------------------------------------------------------------------------


@requests.tells
def who_and_what(request: Request, near: Near) -> Mapping[str, Any]:
    """Customer, contact, order and product. Once there is a case these are the agent's to correct."""
    if request.case is not None or not request.speaks:
        return {}
    account, contact, who = _proved(request, near) or _sender(request, near)
    numbers = named_numbers(request.subject, request.text)
    order, order_number, which = _order(account, numbers, near)
    product, what = _product(near.of(order, Order), numbers, near)
    return {
        "account": account,
        "contact": contact,
        "order": order,
        "order_number": order_number,
        "product": product,
        "recognition": "; ".join(filter(None, (who, which, what))),
    }


def _proved(request: Request, near: Near) -> tuple[str | None, str | None, str] | None:
    """Who wrote by a signed link, which only the customer of that document was given."""
    how = "customer: by the link that was sent"
    for one in (near.of(request.about, ServiceCase), near.of(request.about, Return), near.of(request.about, Order)):
        if one is not None and one.account is not None:
            return one.account, one.contact, how
    shipment = near.of(request.about, Shipment)
    return (shipment.account, None, how) if shipment is not None and shipment.account is not None else None


def _caller(request: Request, near: Near) -> tuple[str | None, str | None, str]:
    """Customer and contact by the exact telephone number."""
    spellings = {request.phone, mobile(request.phone or "", "CN")}
    people = {
        key: one
        for number in sorted(filter(None, spellings))
        for field in ("mobile", "phone")
        for key, one in near.having(Contact, field, number).items()
        if one.active is not False
    }
    firms = {
        key: one
        for number in sorted(filter(None, spellings))
        for key, one in near.having(Account, "phone", number).items()
    }
    accounts = _customers(people.values(), firms)
    contact = next(iter(people)) if len(people) == 1 else None
    if len(accounts) == 1:
        return accounts[0], contact, "customer: by the telephone number"
    if accounts:
        return None, None, f"customer: left open, several have {request.phone}: {_names(accounts, near)}"
    return None, contact, f"customer: left open, nobody is known by {request.phone}"


def _sender(request: Request, near: Near) -> tuple[str | None, str | None, str]:
    """Customer and contact by the exact address, else the customer by its mail domain; of who has none by telephone."""
    if not request.sender and request.phone:
        return _caller(request, near)
    people = {key: one for key, one in near.having(Contact, "email", request.sender).items() if one.active is not False}
    accounts = _customers(people.values(), near.having(Account, "email", request.sender))
    contact = next(iter(people)) if len(people) == 1 else None
    if len(accounts) == 1:
        return accounts[0], contact, "customer: by the sender's address"
    if accounts:
        return None, None, f"customer: left open, several have {request.sender}: {_names(accounts, near)}"
    domain = own_domain(request.sender)
    if domain is None:
        return None, contact, f"customer: left open, nobody is known by {request.sender or 'no address'}"
    colleagues = near.having(Contact, "email", f"@{domain}").values()
    accounts = _customers(
        colleagues, {**near.having(Account, "email", f"@{domain}"), **near.having(Account, "website", domain)}
    )
    if len(accounts) == 1:
        return accounts[0], contact, f"customer: by the mail domain {domain}"
    if accounts:
        return None, contact, f"customer: left open, several write from {domain}: {_names(accounts, near)}"
    return None, contact, f"customer: left open, nobody is known by {request.sender} or its domain"


def _customers(people: Iterable[Contact], accounts: Mapping[str, Account]) -> list[str]:
    mine = [key for key, one in accounts.items() if one.active is not False]
    return list(dict.fromkeys([*(one.account for one in people if one.account is not None), *mine]))


def _names(references: Sequence[str], near: Near) -> str:
    more = f" and {len(references) - _MOST_NAMES} more" if len(references) > _MOST_NAMES else ""
    return ", ".join(near.name(one) for one in references[:_MOST_NAMES]) + more


def _order(account: str | None, numbers: Sequence[str], near: Near) -> tuple[str | None, str | None, str]:
    """The order that is named by its number here or in the ERP, where it is the customer's own. Anybody may name a
    number: who is not known to be its customer is told nothing of it."""
    named: dict[str, tuple[str, Order]] = {}
    for number in numbers:
        for field in ("erp_number", "number"):
            for key, one in near.having(Order, field, number).items():
                named.setdefault(key, (str(getattr(one, field)), one))
    if not named:
        return None, None, "order: none is named"
    words = ", ".join(number for number, _ in list(named.values())[:_MOST_NAMES])
    mine = {key: number for key, (number, one) in named.items() if account is not None and one.account == account}
    if len(mine) == 1:
        ((key, number),) = mine.items()
        return key, number, f"order: {number}, which is named"
    if mine:
        return None, None, f"order: left open, several are named: {words}"
    why = "the customer is not known" if account is None else "it is another customer's"
    return None, next(iter(named.values()))[0] if len(named) == 1 else None, f"order: left open, {words}: {why}"


def _product(order: Order | None, numbers: Sequence[str], near: Near) -> tuple[str | None, str]:
    """The product whose number is named; of several the one that is in the order."""
    named = {key: one for number in numbers for key, one in near.having(Product, "sku", number).items()}
    ordered = {line.product for line in order.lines.values()} if order is not None else set()
    fit = list(named) if len(named) < 2 else [key for key in named if key in ordered]
    if len(fit) == 1:
        return fit[0], f"product: {named[fit[0]].sku}, which is named"
    if named:
        several = ", ".join(str(one.sku) for one in list(named.values())[:_MOST_NAMES])
        return None, f"product: left open, several are named: {several}"
    return None, "product: none is named"


# One case for each thread ------------------------------------------------------------------------------------------


class IntakeSettings(ConversionSettings):
    """A further message of a thread is added to its case: that needs nobody's consent."""

    changed: Literal["ask", "amend"] = "amend"
    closed: Literal["reopen", "follow_up", "leave"] = "reopen"
    """what a message to a closed case does: opens it again, makes a new case, or is only added to it"""


def opens_a_case(request: Request, near: Near) -> Verdict:
    if not request.speaks:
        return Skip(f"no customer's: {request.automatic}" if request.automatic else "an answer to what we asked")
    if request.recognition is None:
        return Skip("not looked at yet")
    opener = _opener(_thread(request, near), near)[near.reference("request")]
    if opener != near.reference("request"):
        return Skip(f"it belongs to the thread of {opener}")
    return GO


def _thread(request: Request, near: Near) -> dict[str, Request]:
    """What customers wrote in the thread, by reference."""
    found = {near.reference("request"): request, **near.having(Request, "thread", request.thread)}
    return {key: one for key, one in found.items() if one.speaks}


def _opener(thread: Mapping[str, Request], near: Near) -> dict[str, str]:
    """Message -> the one that its case is made of: that which has one, else the first. Mail may come in any order. By
    setting, a message that came after its case was closed begins another."""

    def place(entry: tuple[str, Request]) -> tuple[bool, Any, int]:
        key, one = entry
        return one.case is None, one.received, int(key.partition(":")[2])

    now = min(thread.items(), key=place)[0]
    found = dict.fromkeys(thread, now)
    settings = near.settings_of("request_to_case")
    if settings is None or settings.closed != "follow_up":
        return found
    arrived = {key: near.came_in("thread", key) for key in thread}
    first = arrived[now]
    later = sorted((at, int(key.partition(":")[2]), key) for key, at in arrived.items() if at and first and at > first)
    for at, _, key in later:
        if thread[key].case is not None or _over(thread[now].case, at, near):
            now = key
        found[key] = now
    return found


def _over(case: str | None, at: datetime, near: Near) -> bool:
    """Was the case closed when the message came?"""
    found = near.of(case, ServiceCase)
    since = near.came_in("state", case) if found is not None and found.state in ("closed", "cancelled") else None
    return since is not None and at > since


def case_of(request: Request, company: str, near: Near) -> ServiceCase:
    order = near.of(request.order, Order)
    whole = _thread(request, near)
    opener = _opener(whole, near)
    thread = {key: one for key, one in whole.items() if opener[key] == near.reference("request")}
    note = Message.model_construct(at=request.received, direction="note", text=f"Recognised. {request.recognition}")
    messages = {_key(key, one): _message(one) for key, one in thread.items()}
    return ServiceCase.model_construct(
        account=request.account,
        contact=request.contact,
        company=order.company if order is not None else None,
        channel=request.channel,
        thread=request.thread,
        subject=(request.subject or "(no subject 无主题)")[:_SUBJECT],
        text=request.text,
        state="new",
        order=request.order,
        order_number=request.order_number,
        product=request.product,
        opened=request.received,
        messages={**messages, "recognised": note},
        files={f"{_key(key, one)}-{number}": _file(two) for key, one in thread.items() for number, two in _files(one)},
    )


def _files(request: Request) -> Iterable[tuple[str, RequestFile]]:
    return request.attachments.items()


def _file(came: RequestFile) -> CaseFile:
    return CaseFile.model_construct(name=came.name, media_type=came.media_type, size=came.size, digest=came.digest)


def _key(reference: str, request: Request) -> str:
    told = request.message_id or reference
    return f"m{blake2b(told.encode('utf8', 'surrogatepass'), digest_size=6).hexdigest()}"


def _message(request: Request) -> Message:
    name = request.sender_name
    return Message.model_construct(
        at=request.received,
        direction="in",
        channel=request.channel,
        sender=f"{name} <{request.sender}>" if name and request.sender else request.sender,
        recipient=request.recipient,
        subject=(request.subject or "")[:_LONG_SUBJECT] or None,
        text="\n".join(filter(None, (request.text, request.unread and f"[{request.unread}]"))) or None,
        external_id=request.message_id,
        attachments=[
            f"{one.name or 'unnamed'} ({one.media_type}, {one.size} bytes)" for one in request.attachments.values()
        ]
        or None,
    )


def has_a_case(request: Request, made: Sequence[ServiceCase], near: Near) -> Mapping[str, Any]:
    return {"case": near.reference("service_case") if made else None}


request_to_case = Conversion(
    name="request_to_case",
    en="Request to case",
    zh="来信转工单",
    requires=("requests", "cases"),
    settings=IntakeSettings,
    source=Request,
    target=ServiceCase,
    ready=opens_a_case,
    build=case_of,
    reply=has_a_case,
)
