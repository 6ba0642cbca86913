"""Numbers people decide by, from documents: what a customer owes and since when, buys, pays, and may still buy.

Values in, values out: it knows the canonical records and the arithmetic below them, and nothing else. ageing: open
items by age · summary: turnover by fiscal year, habits · credit: what counts as used, groups, temporary raises ·
documents: from records to what is computed with · span: the days that are looked at · month_end, goods_and_money:
ordered, shipped, invoiced and received side by side · mismatches: what may not agree, and what a person does about it ·
statement, statement_paper: customer statements · sheets: workbooks · articles: which may help · complaints: what is
complained of.
"""

from datong.insight.ageing import BUCKETS, Aged, AgeingRules, Charge, OpenItem, Received, aged, bucket, open_items
from datong.insight.credit import Credit, CreditRules, Sold, Standing, Used, used
from datong.insight.documents import charge_of, received_of, sale_of, sold_of, worth_of
from datong.insight.summary import (
    Habits,
    Sale,
    SummaryRules,
    Turnover,
    Worth,
    fiscal_month,
    fiscal_year,
    habits_of,
    said,
    turnover,
)

__all__ = [
    "BUCKETS",
    "Aged",
    "AgeingRules",
    "Charge",
    "Credit",
    "CreditRules",
    "Habits",
    "OpenItem",
    "Received",
    "Sale",
    "Sold",
    "Standing",
    "SummaryRules",
    "Turnover",
    "Used",
    "Worth",
    "aged",
    "bucket",
    "charge_of",
    "fiscal_month",
    "fiscal_year",
    "habits_of",
    "open_items",
    "received_of",
    "said",
    "sale_of",
    "sold_of",
    "turnover",
    "used",
    "worth_of",
]
