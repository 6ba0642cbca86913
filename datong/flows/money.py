"""The money guard of documents: what a company's rules say of the amounts before they are written, and afterwards."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, PrivateAttr

from datong.canon import Invoice, Order, Quote, TaxCode
from datong.engine.flow import Park
from datong.engine.near import Near
from datong.reckoning import Problem, Rules, Taxes, check, problems

_FOR_THE_TARGET = {"NO_TAX_RATE", "FREE_WITHOUT_WORTH"}
"""What the ERP knows by itself keeps nothing back."""


class MoneySettings(BaseModel):
    """How documents are reckoned."""

    model_config = ConfigDict(extra="forbid")

    _reckoning: Mapping[str, Rules] = PrivateAttr(default_factory=dict)

    def rules(self, company: str | None) -> Rules:
        """How a company's documents are reckoned, as the section `reckoning` of the configuration says."""
        return self._reckoning.get(company or "") or self._reckoning.get("default") or Rules()


def money_guard(document: Quote | Order | Invoice, near: Near, settings: MoneySettings) -> Park | None:
    """What is wrong with the amounts of a document: the line, and the rule that says so. None where nothing is.

    Without a currency the target's own counts, and nothing can be compared.
    """
    currency = near.code(document.currency)
    if currency is None:
        return None
    rules = settings.rules(document.company)
    taxes = Taxes.of(_tax_codes(document, near))
    wrong = next((p for p in problems(document, rules, currency, taxes=taxes) if p.code not in _FOR_THE_TARGET), None)
    if wrong is not None:
        return parked(wrong)
    differences = check(document, rules, currency, taxes=taxes)
    if differences:
        first = differences[0]
        more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
        return Park(
            f"{first.en} ({first.zh}){more}",
            "correct the line, or the company's rules under `reckoning` in the configuration",
            detail={"line": first.line, "field": first.field, "rule": first.rule},
        )
    return None


def parked(problem: Problem) -> Park:
    """What cannot be reckoned waits for a person, told in both languages."""
    return Park(f"{problem.en} ({problem.zh})", f"{problem.remedy} ({problem.remedy_zh})")


def _tax_codes(document: Quote | Order | Invoice, near: Near) -> Mapping[str, TaxCode]:
    """The codes whose rate is known: of the others the target knows."""
    wanted = {line.tax_code for line in document.lines.values() if line.tax_code}
    found = {reference: near.of(reference, TaxCode) for reference in sorted(wanted)}
    return {reference: code for reference, code in found.items() if code is not None and code.rate is not None}
