"""The arithmetic of order to cash: values in, values out. It knows the canonical records and nothing above them.

exact, amounts: what lines and documents amount to · paper, guard: does a document agree with that · rates: of tax and
between currencies, by day · terms, words, spoken: payment terms · instalments: payment plans and receipts · prices:
which one counts · bundles: kept or taken apart · periods: closed ones · fapiao: Chinese e-invoices.
"""

from datong.reckoning.amounts import (
    Amounts,
    Discount,
    Item,
    Reckoned,
    Rules,
    price_with_tax,
    price_without_tax,
    reckon,
)
from datong.reckoning.bundles import Component, explode
from datong.reckoning.fapiao import check_facts, check_red, file_kind
from datong.reckoning.guard import Difference, Outcome, check, outcome
from datong.reckoning.instalments import (
    Bill,
    Due,
    Gate,
    Receipt,
    Rest,
    Standing,
    State,
    frame_rest,
    may_ship,
    plan_of,
    plan_problems,
    receipt_of,
    settle,
    to_tell,
)
from datong.reckoning.paper import problems
from datong.reckoning.periods import Period, Posting, posting
from datong.reckoning.prices import Asked, Chosen, choose
from datong.reckoning.problem import CannotReckon, Problem
from datong.reckoning.rates import CHINA, Exchange, Rates, Taxes, TaxRate, Used, converted
from datong.reckoning.spoken import parse, spoken
from datong.reckoning.terms import EarlyDiscount, Planned, Share, Terms, due_dates, early_discount, planned, split
from datong.reckoning.words import Habits

__all__ = [
    "CHINA",
    "Amounts",
    "Asked",
    "Bill",
    "CannotReckon",
    "Chosen",
    "Component",
    "Difference",
    "Discount",
    "Due",
    "EarlyDiscount",
    "Exchange",
    "Gate",
    "Habits",
    "Item",
    "Outcome",
    "Period",
    "Planned",
    "Posting",
    "Problem",
    "Rates",
    "Receipt",
    "Reckoned",
    "Rest",
    "Rules",
    "Share",
    "Standing",
    "State",
    "TaxRate",
    "Taxes",
    "Terms",
    "Used",
    "check",
    "check_facts",
    "check_red",
    "choose",
    "converted",
    "due_dates",
    "early_discount",
    "explode",
    "file_kind",
    "frame_rest",
    "may_ship",
    "outcome",
    "parse",
    "plan_of",
    "plan_problems",
    "planned",
    "posting",
    "price_with_tax",
    "price_without_tax",
    "problems",
    "receipt_of",
    "reckon",
    "settle",
    "split",
    "spoken",
    "to_tell",
]
