"""Notices (客户通知): what a customer is told of a shipment, a case or a return, once for each event.

An event is told when it happens after it was switched on for the company and the channel; what happened before counts
as told. Where it goes to and in which words is computed until it is sent. `notices` carries the record to the
connections that send; the conversions say of what there are notices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from datong.base.clock import local_date
from datong.base.money import plain
from datong.base.tickets import Ticket, written
from datong.canon import (
    Account,
    Contact,
    Notice,
    NoticeEvent,
    Order,
    Product,
    Record,
    Return,
    ReturnLine,
    ServiceCase,
    Shipment,
    ShipmentLine,
)
from datong.engine.flow import (
    DESK,
    GO,
    Conversion,
    ConversionSettings,
    Master,
    Park,
    Policies,
    Skip,
    Verdict,
    owned_by,
    told,
)
from datong.engine.near import Near
from datong.flows.wording import Said, Wording, ours
from datong.matching import Identity

Channel = Literal["mail", "sms", "wecom", "group"]
SEE, RATE = "see", "rate"
"""What a link may be used for: to see how a document stands, to say whether one was content."""
_ADDRESS: Mapping[str, tuple[str, str]] = {
    "mail": ("email", "e-mail address"),
    "sms": ("phone", "mobile number"),
    "wecom": ("wecom", "WeCom user (custom.wecom)"),
}
ADDRESSES: Mapping[str, str] = {**{channel: name for channel, (name, _) in _ADDRESS.items()}, "group": "group"}
"""Channel -> the field that says where to; a connection that needs it sends there."""
_SENT = {"mail": "mail_sent", "sms": "sms_sent", "wecom": "wecom_sent", "group": "group_sent"}
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_OUTCOMES = {
    "repaired": ("repaired", "已修复"),
    "replaced": ("replaced", "已换新"),
    "exchanged": ("exchanged", "已换货"),
    "refunded": ("refunded", "已退款"),
}
_CHINESE_IN = frozenset(("CN", "HK", "MO", "TW"))
_HAN = re.compile(r"[\u3400-\u9fff]")
_MOST_GOODS = 20


@dataclass(frozen=True)
class Links:
    """Writes signed links. Without an address of our own there are none."""

    url: str = ""
    key: bytes = field(default=b"", repr=False)

    def to(self, purpose: str, of: str, issued: datetime, expires: datetime) -> str | None:
        if not self.url:
            return None
        return f"{self.url.rstrip('/')}/p/{purpose}/{written(self.key, Ticket(purpose, of, issued, expires))}"


class NoticeSettings(BaseModel):
    """What customers are told, how, and who they are."""

    model_config = ConfigDict(extra="forbid")

    tell: dict[str, dict[NoticeEvent, list[Channel]]] = Field(default_factory=dict)
    """company (`default`: those that are not named) -> event -> channels: mail, sms, wecom, group"""
    only: list[str] = Field(default_factory=list)
    """a pilot: e-mail addresses, @domains, mobile numbers and WeCom users that are told; nobody else is, ever"""
    quiet: str | None = None
    """hours in which nobody is told, in the company's time zone, such as 21:00-08:00"""
    within_days: int = Field(3, ge=1, le=60)
    """what could not be told in so many days is not told any more"""
    language: Literal["zh", "en"] = "zh"
    """language of those of whom nothing says it"""
    wording: Path | None = None
    """folder with zh.yaml and en.yaml, whose words replace ours"""
    link_days: int = Field(90, ge=1, le=730)
    """days that a link in a notice holds"""

    _words: Wording | None = PrivateAttr(None)
    _links: Links = PrivateAttr(default_factory=Links)
    _senders: Mapping[str, Mapping[str, str]] = PrivateAttr(default_factory=dict)

    @field_validator("quiet")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None and not _QUIET.fullmatch(value):
            raise ValueError("write the hours as 21:00-08:00")
        return value

    def channels(self, company: str | None, event: str) -> list[tuple[str, str]]:
        """(channel, name of the switch) of those switched on for an event of a company."""
        whose = company if company in self.tell else "default"
        return [
            (channel, f"{whose} {event} {channel}")
            for name, channels in self.tell.get(whose or "", {}).items()
            if name == event
            for channel in channels
        ]

    def switches(self) -> set[str]:
        told = ((who, event, one) for who, events in self.tell.items() for event in events for one in events[event])
        return {" ".join(switch) for switch in told}

    def words(self) -> Wording:
        return self._words or ours()

    def sender(self, company: str | None, language: str) -> str:
        """How the company signs."""
        names = self._senders.get(company or "") or self._senders.get("default") or {}
        return names.get(language) or names.get("zh") or ""


def quiet_until(hours: str | None, now: datetime, zone: str) -> datetime | None:
    """The end of the quiet hours in which `now` lies; None outside them."""
    match = _QUIET.fullmatch(hours or "")
    if match is None:
        return None
    begin, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    here = now.astimezone(ZoneInfo(zone))
    clock = here.time()
    if not (begin <= clock < end if begin <= end else clock >= begin or clock < end):
        return None
    later = begin > end and clock >= begin
    return datetime.combine(here.date() + timedelta(days=later), end, ZoneInfo(zone)).astimezone(now.tzinfo)


notices = Master(
    name="notices",
    en="Notices to customers",
    zh="客户通知",
    settings=NoticeSettings,
    record=Notice,
    identity=Identity(link=()),
    fields=Policies(
        told("event", "company", "account", "contact", "shipment", "case", "rma", "channels", "at", "expires"),
        told("language", "email", "phone", "wecom", "group", "left_out", "number", "subject", "text", "short"),
        told("link", "thread", "custom"),
        owned_by(DESK, "mail_sent", "sms_sent", "wecom_sent", "group_sent"),
    ),
    first_load=DESK,
    creates_in=(DESK,),
    busy=True,
)


# Where it goes to, and what it says --------------------------------------------------------------------------------


@notices.into(DESK)
def may_be_told(notice: Notice, near: Near) -> Verdict:
    if notice.company and near.keeps and notice.company not in near.keeps:
        return Skip("it is another company's")
    if notice.left_out:
        return Skip(notice.left_out)
    if notice.expires is None or near.now >= notice.expires:
        return Skip("too long ago to be told")
    until = quiet_until(near.settings.quiet, near.now, near.zone(notice.company))
    return Skip("quiet hours", until=until) if until is not None else GO


@notices.tells
def to_whom(notice: Notice, near: Near) -> Mapping[str, Any]:
    """The addresses of the channels switched on; those outside a pilot are left out for good."""
    if notice.left_out:
        return {}
    wanted = [one for one in notice.channels or () if getattr(notice, _SENT[one]) is None]
    known = _addresses(notice, near)
    found = {_ADDRESS[one][0]: known[one] for one in wanted if one in _ADDRESS and known[one]}
    only = near.settings.only
    let_in = {name: value for name, value in found.items() if not only or allowed(str(value), only)}
    if found and not let_in and not any(getattr(notice, name) for name in _SENT.values()):
        return {"left_out": "not in the pilot", **dict.fromkeys(found)}
    empty = {_ADDRESS[one][0]: None for one in wanted if one in _ADDRESS}
    return {**empty, **let_in, **({"group": True} if "group" in wanted and not only else {})}


def allowed(address: str, only: Iterable[str]) -> bool:
    """Is an address named, or its domain?"""
    told = address.casefold()
    return any(told == one.casefold() or (one.startswith("@") and told.endswith(one.casefold())) for one in only)


def _addresses(notice: Notice, near: Near) -> dict[str, str | None]:
    """The contact's, else who wrote to us, else the customer's."""
    contact, account = near.of(notice.contact, Contact), near.of(notice.account, Account)
    case = near.of(notice.case, ServiceCase)
    custom = [(one.custom or {}).get("wecom") for one in (contact, account) if one is not None]
    mails = (contact and contact.email, case and _writer(case), account and account.email)
    phones = (contact and contact.mobile, contact and contact.phone, account and account.phone)
    country = (account.country if account is not None else None) or "CN"
    mobiles = (mobile(one, country) for one in phones if one)
    return {
        "mail": next((one for one in mails if one), None),
        "sms": next((one for one in mobiles if one), None),
        "wecom": next((str(one) for one in custom if one), None),
    }


def _writer(case: ServiceCase) -> str | None:
    """Who wrote the first message of a case that came by mail or by the form."""
    came = [one for one in case.messages.values() if one.direction == "in" and one.channel in ("mail", "web")]
    first = min(came, key=lambda one: (one.at is None, one.at, one.external_id or ""), default=None)
    match = re.search(r"[^\s<>]+@[^\s<>]+", (first.sender if first is not None else None) or "")
    return match[0] if match else None


def mobile(number: str, country: str) -> str | None:
    """A number as +8613800138000, where it may receive text messages."""
    import phonenumbers

    try:
        told = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    may = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if phonenumbers.number_type(told) not in may:
        return None
    return phonenumbers.format_number(told, phonenumbers.PhoneNumberFormat.E164)


@notices.tells
def what_it_says(notice: Notice, near: Near) -> Mapping[str, Any]:
    """As the document is now; once a channel has told it, as that did."""
    if notice.left_out or notice.event is None or any(getattr(notice, name) for name in _SENT.values()):
        return {}
    language = _language(notice, near)
    facts = _facts(notice, language, near)
    said: Said = near.settings.words().say(language, notice.event, {**facts, "link": notice.link})
    return {
        "language": language,
        "number": facts.get("number") or None,
        "subject": said.subject,
        "text": said.text,
        "short": said.short,
    }


def _language(notice: Notice, near: Near) -> str:
    """The contact's own, else that in which he wrote, else that of the customer's country."""
    contact, account, case = (
        near.of(notice.contact, Contact),
        near.of(notice.account, Account),
        near.of(notice.case, ServiceCase),
    )
    if contact is not None and contact.language:
        return "zh" if contact.language.casefold().startswith(("zh", "cn", "中")) else "en"
    if case is not None and case.channel in ("mail", "web", "chat") and (case.text or case.subject):
        return "zh" if _HAN.search(f"{case.subject} {case.text}") else "en"
    if account is not None and account.country:
        return "zh" if account.country in _CHINESE_IN else "en"
    return str(near.settings.language)


def _facts(notice: Notice, language: str, near: Near) -> dict[str, Any]:
    contact = near.of(notice.contact, Contact)
    facts: dict[str, Any] = {
        "name": contact.name if contact is not None else near.name(notice.account),
        "sender": near.settings.sender(notice.company, language),
    }
    shipment, case, rma = (
        near.of(notice.shipment, Shipment),
        near.of(notice.case, ServiceCase),
        near.of(notice.rma, Return),
    )
    if shipment is not None:
        facts.update(
            number=shipment.erp_number,
            order=_order_number(shipment.order, near),
            date=shipment.date,
            carrier=shipment.carrier,
            tracking=shipment.tracking,
            goods=_goods(list(shipment.lines.values()), near),
        )
    elif rma is not None:
        facts.update(
            number=rma.erp_number or rma.number,
            order=_order_number(rma.order, near),
            date=rma.received_on,
            goods=_goods(list(rma.lines.values()), near),
            outcome=_OUTCOMES.get(rma.state or "", ("", ""))[language == "zh"],
            reason=rma.decision_reason,
        )
    elif case is not None:
        facts.update(
            number=case.number,
            order=_order_number(case.order, near),
            subject=case.subject,
            resolution=case.resolution,
        )
    return facts


def _order_number(reference: str | None, near: Near) -> str | None:
    """The number that the customer knows: his own, else the CRM's, else the ERP's."""
    order = near.of(reference, Order)
    return (order.customer_reference or order.number or order.erp_number) if order is not None else None


def _goods(lines: Sequence[ShipmentLine | ReturnLine], near: Near) -> list[str]:
    shown = [f"{_product(one.product, near)} × {plain(one.quantity)}" for one in lines if one.quantity is not None]
    more = len(shown) - _MOST_GOODS
    return [*shown[:_MOST_GOODS], *([f"… +{more}"] if more > 0 else [])]


def _product(reference: str | None, near: Near) -> str:
    product = near.of(reference, Product)
    return " ".join(filter(None, (product.sku, product.name))) if product is not None else "?"


@notices.checks("no address")
def nobody_to_tell(notice: Notice, near: Near) -> Park | None:
    """A channel is switched on, and nobody knows where to."""
    if notice.left_out or notice.expires is None:
        return None
    zone = near.zone(notice.company)
    last = local_date(notice.expires, zone)
    wanted = [one for one in notice.channels or () if one in _ADDRESS and getattr(notice, _SENT[one]) is None]
    known = _addresses(notice, near)
    lacking = [_ADDRESS[one][1] for one in wanted if not known[one]]
    if not lacking or near.today(notice.company) > last:
        return None
    who = near.name(notice.contact) or near.name(notice.account) or "the customer"
    return Park(
        f"{who} is to be told of {str(notice.event).replace('_', ' ')}, and has no {' and no '.join(lacking)}",
        f"enter it at the contact or the customer in the CRM: then the notice is sent, until {last}; "
        "or `datong parked dismiss`",
    )


# Of what there are notices -----------------------------------------------------------------------------------------

S = TypeVar("S", bound=Record)


def _switched_on(*events: str) -> Callable[[Callable[[str], Any]], Iterable[str]]:
    """The switches of these events, for the engine: each begins by itself."""

    def switches(settings_of: Callable[[str], Any]) -> Iterable[str]:
        settings = settings_of("notices")
        return () if settings is None else {one for one in settings.switches() if one.split()[1] in events}

    return switches


def _to_be_told(
    event: str | None, company: str | None, moved: str, day: date | None, near: Near
) -> tuple[list[str], Skip | None]:
    """The channels on which an event is news. `moved`: the field that tells of it; `day`: the document's own date."""
    settings = near.settings_of("notices")
    if event is None or settings is None:
        return [], Skip("nothing that a customer is told of")
    channels = [one for one, switch in settings.channels(company, event) if near.news(moved, switch)]
    if not channels:
        return [], Skip(f"{event.replace('_', ' ')} is not told, or happened before it was switched on")
    at, limit = near.came_in(moved), timedelta(days=settings.within_days)
    if at is None or near.now - at > limit or (day is not None and near.today(company) - day > limit):
        return [], Skip("too long ago to be told")
    return channels, None


def _notice(event: NoticeEvent | None, moved: str, channels: Sequence[str], near: Near, **about: Any) -> Notice:
    settings = near.settings_of("notices")
    at = near.came_in(moved)
    assert at is not None and event is not None
    kind = next(iter(name for name in ("shipment", "rma", "case") if about.get(name)))
    purpose = RATE if event == "survey" else SEE
    link = settings._links.to(purpose, about[kind], at, at + timedelta(days=settings.link_days))
    return Notice.model_construct(
        event=event,
        channels=list(channels),
        at=at,
        expires=at + timedelta(days=settings.within_days),
        link=link,
        **about,
    )


def of_shipment(shipment: Shipment) -> NoticeEvent | None:
    return shipment.state if shipment.state in ("shipped", "delivered") else None


def _of_shipment(shipment: Shipment, near: Near) -> tuple[list[str], Skip | None]:
    day = shipment.date if shipment.state == "shipped" else None
    return _to_be_told(of_shipment(shipment), shipment.company, "state", day, near)


def notice_of_shipment(shipment: Shipment, company: str, near: Near) -> Notice | None:
    channels, _ = _of_shipment(shipment, near)
    order = near.of(shipment.order, Order)
    return _notice(
        of_shipment(shipment),
        "state",
        channels,
        near,
        shipment=near.reference("shipment"),
        company=shipment.company,
        account=shipment.account or (order.account if order is not None else None),
        contact=order.contact if order is not None else None,
    )


_OF_CASE: Mapping[str, NoticeEvent] = {
    "new": "case_received",
    "open": "case_received",
    "waiting": "case_waiting",
    "resolved": "case_resolved",
    "closed": "case_closed",
}


def of_case(case: ServiceCase) -> NoticeEvent | None:
    return _OF_CASE.get(case.state or "")


def _case_moved(case: ServiceCase) -> str:
    """That a case was received is not told when an agent takes up an old one."""
    return "opened" if of_case(case) == "case_received" else "state"


def _of_case(case: ServiceCase, near: Near) -> tuple[list[str], Skip | None]:
    return _to_be_told(of_case(case), case.company, _case_moved(case), None, near)


def _notice_of_case(
    case: ServiceCase, event: NoticeEvent | None, moved: str, channels: Sequence[str], near: Near
) -> Notice:
    thread = case.thread or ""
    return _notice(
        event,
        moved,
        channels,
        near,
        case=near.reference("service_case"),
        company=case.company,
        account=case.account,
        contact=case.contact,
        thread=thread.removeprefix("mail:") if thread.startswith("mail:") else None,
    )


def notice_of_case(case: ServiceCase, company: str, near: Near) -> Notice | None:
    channels, _ = _of_case(case, near)
    return _notice_of_case(case, of_case(case), _case_moved(case), channels, near)


_OF_RETURN: Mapping[str, NoticeEvent] = {
    "authorised": "return_authorised",
    "refused": "return_refused",
    "received": "return_received",
    "inspected": "return_received",
    **dict.fromkeys(_OUTCOMES, "return_done"),
}


def of_return(rma: Return) -> NoticeEvent | None:
    return _OF_RETURN.get(rma.state or "")


def _of_return(rma: Return, near: Near) -> tuple[list[str], Skip | None]:
    return _to_be_told(of_return(rma), rma.company, "state", None, near)


def notice_of_return(rma: Return, company: str, near: Near) -> Notice | None:
    channels, _ = _of_return(rma, near)
    return _notice(
        of_return(rma),
        "state",
        channels,
        near,
        rma=near.reference("return"),
        company=rma.company,
        account=rma.account,
        contact=rma.contact,
    )


def _of_survey(case: ServiceCase, near: Near) -> tuple[list[str], Skip | None]:
    settings = near.settings_of("notices")
    if settings is not None and not settings._links.url:
        return [], Skip("without service.public_url there is no page for the answer")
    return _to_be_told("survey" if case.survey == "due" else None, case.company, "survey", None, near)


def question(case: ServiceCase, company: str, near: Near) -> Notice | None:
    channels, _ = _of_survey(case, near)
    return _notice_of_case(case, "survey", "survey", channels, near)


def was_asked(case: ServiceCase, made: Sequence[Notice], near: Near) -> Mapping[str, Any]:
    """When the question was sent."""
    sent = [moment for one in made for name in _SENT.values() if (moment := getattr(one, name))]
    return {"survey_asked": min(sent)} if sent and case.survey_asked is None else {}


def _made_of(
    name: str,
    en: str,
    zh: str,
    source: type[S],
    carried: str,
    event: Callable[[S], str | None],
    judge: Callable[[S, Near], tuple[list[str], Skip | None]],
    build: Callable[[S, str, Near], Notice | None],
    events: Sequence[str],
    reply: Callable[[S, Sequence[Notice], Near], Mapping[str, Any]] = lambda source, made, near: {},
) -> Conversion[S, Notice]:
    return Conversion(
        name=name,
        en=en,
        zh=zh,
        requires=("notices", carried),
        source=source,
        target=Notice,
        ready=lambda record, near: judge(record, near)[1] or GO,
        version=lambda record: event(record) or "",
        build=build,
        live=lambda notice: False,  # what was told stands for itself: another event is another notice
        reply=reply,
        news=_switched_on(*events),
        settings=ConversionSettings,
    )


shipment_notices = _made_of(
    "shipment_notices",
    "Shipment to notice",
    "发货通知",
    Shipment,
    "shipments",
    of_shipment,
    _of_shipment,
    notice_of_shipment,
    ("shipped", "delivered"),
)
case_notices = _made_of(
    "case_notices",
    "Case to notice",
    "工单通知",
    ServiceCase,
    "cases",
    of_case,
    _of_case,
    notice_of_case,
    ("case_received", "case_waiting", "case_resolved", "case_closed"),
)
return_notices = _made_of(
    "return_notices",
    "Return to notice",
    "退货通知",
    Return,
    "returns",
    of_return,
    _of_return,
    notice_of_return,
    ("return_authorised", "return_refused", "return_received", "return_done"),
)
survey_notices = _made_of(
    "survey_notices",
    "Survey to notice",
    "满意度调查通知",
    ServiceCase,
    "cases",
    lambda case: "survey",
    _of_survey,
    question,
    ("survey",),
    was_asked,
)
