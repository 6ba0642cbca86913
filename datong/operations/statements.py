"""Customer statements: made from the ERP's documents, written to files, and what the customer answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from datong.base.clock import from_text, local_date, to_text
from datong.base.errors import DatongError, NotFound, UsageError
from datong.base.money import Money
from datong.canon import Invoice, Payment
from datong.engine.cycle import Engine
from datong.insight.span import Span
from datong.insight.statement import Statement, Undated, ledger, statement
from datong.insight.statement_paper import Language, Paper, excel, html
from datong.operations.actor import Actor, require
from datong.operations.documents import Shelf, opened
from datong.operations.pdf import pdf
from datong.operations.work import acting
from datong.store import journal
from datong.store.bulk import run
from datong.store.unit import Rec

ANSWERED = "statement answered"
_POINTING = "SELECT from_id FROM ties WHERE field = 'account' AND to_id IN ?"
_MERGED = "SELECT id FROM records WHERE kind = 'account' AND state = 'merged' AND merged_into IN ?"
Place = tuple[int, str, str]
"""Customer, company, currency."""


class Issuer(Protocol):
    """A letterhead, as the configuration has it."""

    @property
    def name(self) -> str: ...

    @property
    def name_en(self) -> str: ...

    @property
    def lines(self) -> list[str]: ...


@dataclass(frozen=True)
class Answer:
    """What a customer said to a statement. `stands`: the statement still has the figures of then."""

    by: str
    on: str
    agreed: bool
    amount: str
    remark: str
    recorded_by: str
    at: datetime
    stands: bool

    @property
    def told(self) -> dict[str, Any]:
        return {**self.__dict__, "at": to_text(self.at)}


@dataclass(frozen=True)
class Made:
    """One statement, and what was answered to it, the last answer last."""

    paper: Paper
    account: int
    answers: tuple[Answer, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        one = self.paper.statement
        lines = [
            {
                "date": str(line.entry.day),
                "kind": line.entry.kind,
                "number": line.entry.number,
                "remark": line.entry.remark,
                "due": str(line.entry.due) if line.entry.due else None,
                "amount": f"{line.entry.amount:f}",
                "balance": f"{line.balance:f}",
            }
            for line in one.lines
        ]
        return {
            "account": one.account,
            "customer": self.paper.customer,
            "number": self.paper.number,
            "company": one.company,
            "currency": one.currency,
            "period": str(one.span),
            "as_of": to_text(self.paper.as_of) if self.paper.as_of else None,
            "opening": f"{one.opening:f}",
            "lines": lines,
            "closing": f"{one.closing:f}",
            "ageing": {
                **{name: f"{amount:f}" for name, amount in one.buckets.items()},
                "unallocated": f"{one.credit:f}",
            },
            "answers": [answer.told for answer in self.answers],
        }


def statements_of(
    engine: Engine,
    actor: Actor,
    account: str,
    span: Span,
    language: Language,
    issuers: Mapping[str, Issuer],
    *,
    company: str | None = None,
    currency: str | None = None,
) -> list[Made]:
    """The statements of one customer, by company and currency; those without movement and balance are left out.

    `account`: its number in the ERP, its name, or CONNECTION:ID. Raises NotFound, and UsageError where several are
    called so, or nothing is known of the books.
    """
    require(actor, "viewer", "see statements")
    with opened(engine, read=False) as (shelf, _):
        record = customer(shelf, account)
        mine = [record.id, *(row[0] for row in run(shelf.unit.tx, _MERGED, [record.id]))]
        ids = sorted({row[0] for row in run(shelf.unit.tx, _POINTING, mine)})
        maker = _Maker(engine, shelf, span, language, issuers)
        found = list(maker.made(ids))
    return [
        one
        for one in found
        if company in (None, one.paper.statement.company) and currency in (None, one.paper.statement.currency)
    ]


def all_statements(
    engine: Engine,
    actor: Actor,
    span: Span,
    language: Language,
    issuers: Mapping[str, Issuer],
    company: str | None = None,
) -> list[Made]:
    """Those of every customer with a movement or a balance."""
    require(actor, "viewer", "see statements")
    with opened(engine, read=False) as (shelf, _):
        found = _Maker(engine, shelf, span, language, issuers).made(None)
        return [one for one in found if company in (None, one.paper.statement.company)]


class _Maker:
    """Makes statements of the documents on a shelf."""

    def __init__(
        self, engine: Engine, shelf: Shelf, span: Span, language: Language, issuers: Mapping[str, Issuer]
    ) -> None:
        self.engine, self.shelf, self.span, self.language, self.issuers = engine, shelf, span, language, issuers
        missing = {"invoice", "payment"} - shelf.systems().facts
        if missing:
            raise UsageError(
                "a statement needs the invoices and payments of the ERP",
                remedy="switch the flows `invoices` and `payments` on in datong.yaml, where the ERP has them",
            )
        self.currencies = shelf.currencies()
        reads = [
            one.at for one in shelf.as_of() if one.at and engine.landscape.connections[one.connection].role == "erp"
        ]
        self.as_of = min(reads, default=None)

    def made(self, ids: Sequence[int] | None) -> Iterator[Made]:
        """By customer, company and currency."""
        invoices = self._by_place(Invoice, ids)
        payments = self._by_place(Payment, ids)
        for place in sorted(invoices.keys() | payments.keys()):
            account, company, currency = place
            try:
                books = ledger(invoices.get(place, {}), payments.get(place, {}))
            except Undated as error:
                raise DatongError(f"no statement: {error}", remedy="enter it in the ERP, then `datong sync`") from error
            made = statement(f"account:{account}", company, currency, books, self.span)
            if made.moved:
                yield Made(self._paper(account, made), account, tuple(self._answers(account, made)))

    def _by_place(self, kind: Any, ids: Sequence[int] | None) -> dict[Place, dict[str, Any]]:
        """What the ERP has of a kind; what belongs to nobody yet is on no statement."""
        found: dict[Place, dict[str, Any]] = {}
        for one in self.shelf.documents(kind, ids=ids, roles=("erp",)):
            account = self.shelf.survivor(one.erp.account) if one.erp is not None else None
            if one.erp is not None and account is not None:
                place = (account, one.erp.company or "", self.currencies.get(one.erp.currency or "", ""))
                found.setdefault(place, {})[one.reference] = self._dated(one.reference, one.erp)
        return found

    def _dated(self, reference: str, told: Any) -> Any:
        """A reversed receipt of which the ERP says no day: reversed when that was seen. One that was never seen
        otherwise stays without a day."""
        if not isinstance(told, Payment) or told.state != "reversed" or told.reversed_on is not None:
            return told
        number = int(reference.partition(":")[2])
        seen = self.shelf.unit.load([number])[number].origin.get("state")
        if seen is None:
            return told
        zone = self.engine.landscape.zones.get(told.company or "", "UTC")
        return told.model_copy(update={"reversed_on": local_date(from_text(seen[1]), zone)})

    def _paper(self, account: int, made: Statement) -> Paper:
        agreed = self.shelf.unit.load([account])[account].agreed
        issuer = self.issuers.get(made.company)
        names = (issuer.name, issuer.name_en) if issuer is not None else ("", "")
        ours = (names[1] or names[0]) if self.language == "en" else names[0]
        name = agreed.get("name_en") if self.language == "en" else agreed.get("invoice_title")
        return Paper(
            made,
            str(name or agreed.get("name") or made.account),
            str(agreed.get(f"company.{made.company}.number") or ""),
            str(agreed.get("tax_id") or ""),
            ours or made.company,
            issuer.lines if issuer is not None else (),
            self.as_of,
            self.engine.landscape.zones.get(made.company, "UTC"),
        )

    def _answers(self, account: int, made: Statement) -> Iterator[Answer]:
        for row in journal.entries(self.shelf.unit.tx, record_id=account, limit=100_000):
            told = row["body"] or {}
            if row["event"] == ANSWERED and (told.get("period"), told.get("company"), told.get("currency")) == (
                str(made.span),
                made.company,
                made.currency,
            ):
                stands = told["figures"] == made.stands_for
                said = (told["by"], told["on"], told["agreed"], told["amount"], told["remark"])
                yield Answer(*said, row["actor"], row["at"], stands)


def customer(shelf: Shelf, text: str) -> Rec:
    """The customer that `text` means. Raises NotFound, and UsageError where several are called so."""
    connection, _, native = text.partition(":")
    if connection in shelf.engine.landscape.connections and native:
        link = shelf.unit.load_native(connection, "account", [native]).get(native)
        found = [shelf.unit.records[link.record_id]] if link is not None else []
    else:
        found = [one for one in shelf.records("account") if _is_called(one, text.strip().casefold())]
    if not found:
        raise NotFound(f"there is no customer {text}", remedy="give its number in the ERP, its name, or CONNECTION:ID")
    if len(found) > 1:
        links = [k for one in found[:10] for k in shelf.unit.links_of(one.id)]
        named = ", ".join(f"{k.connection}:{k.native_id}" for k in links)
        raise UsageError(f"{len(found)} customers are called {text}", remedy=f"say which, as one of: {named}")
    return found[0]


def _is_called(one: Rec, text: str) -> bool:
    numbers = (value for name, value in one.agreed.items() if name.startswith("company.") and name.endswith(".number"))
    names = (one.agreed.get(name) for name in ("name", "short_name", "name_en", "invoice_title"))
    return text in {str(told).casefold() for told in (*numbers, *names) if told}


# files


def write(made: Sequence[Made], language: Language, *, pdf_file: Path | None, excel_file: Path | None) -> None:
    """Statements of one customer into files. Raises UsageError where there are none, or no PDF can be made."""
    if not made:
        raise UsageError("there is nothing to state: no movement and no balance", remedy="choose another period")
    papers = [one.paper for one in made]
    if pdf_file is not None:
        pdf_file.write_bytes(pdf(html(papers, language)))
    if excel_file is not None:
        excel_file.write_bytes(excel(papers, language))


def write_all(
    made: Iterable[Made], language: Language, folder: Path, step: Callable[[str, int], None] | None = None
) -> list[Path]:
    """A PDF and a workbook for each customer; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    by_account: dict[int, list[Made]] = {}
    for one in made:
        by_account.setdefault(one.account, []).append(one)
    written = []
    for account, some in by_account.items():
        first = some[0].paper
        stem = file_name(f"{first.customer} {first.statement.span}", account)
        files = [folder / f"{stem}.pdf", folder / f"{stem}.xlsx"]
        write(some, language, pdf_file=files[0], excel_file=files[1])
        written += files
        if step is not None:
            step("statements", 1)
    return written


_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]+')


def file_name(name: str, number: int) -> str:
    """A name that every file system takes, and that is this customer's alone."""
    plain = _UNSAFE.sub(" ", name).strip(" .")
    while len(plain.encode()) > 150:
        plain = plain[:-1]
    return f"{' '.join(plain.split()) or 'customer'} ({number})".lstrip("-=+@")


# the customer's answer


def answer(
    engine: Engine,
    actor: Actor,
    made: Sequence[Made],
    *,
    by: str,
    on: Day | None,
    amount: Decimal | None,
    remark: str,
) -> dict[str, Any]:
    """Record what the customer said to a statement: it agrees (`amount` None), or they have another `amount`.

    Raises UsageError where it is not clear which statement is meant, or who said it.
    """
    require(actor, "operator", "record a customer's confirmation")
    if not by.strip():
        raise UsageError("who at the customer said so?", remedy="--by NAME")
    if len(made) != 1:
        places = ", ".join(f"{one.paper.statement.company} {one.paper.statement.currency}" for one in made) or "none"
        raise UsageError(f"which statement? There are: {places}", remedy="say it with --company and --currency")
    one = made[0].paper.statement
    held = one.closing if amount is None else amount
    day = on or local_date(engine.store.clock.now(), made[0].paper.zone)
    told = {
        "period": str(one.span),
        "company": one.company,
        "currency": one.currency,
        "figures": one.stands_for,
        "closing": f"{one.closing:f}",
        "by": by,
        "on": str(day),
        "agreed": held == one.closing,
        "amount": f"{held:f}",
        "remark": remark,
    }
    said = "agrees" if told["agreed"] else f"has {Money(held, one.currency)} instead"
    why = f"{one.span}: {by} {said} ({Money(one.closing, one.currency)})"
    with acting(engine, actor) as unit:
        unit.note(ANSWERED, record_id=made[0].account, kind="account", why=why, body=told)
    return told
