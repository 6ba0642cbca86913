"""What may not agree at the end of a month: its name, its figures, and what a person does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from datong.base.json import digest


@dataclass(frozen=True)
class Sort:
    """A sort of mismatch. The texts take the figures of a mismatch by name."""

    title: str
    title_zh: str
    en: str
    zh: str
    remedy: str
    remedy_zh: str


@dataclass(frozen=True)
class Mismatch:
    """One thing that does not agree. `document` is a reference, `line` the key of a line of it.

    `amount` is the money at stake in `currency` (with tax, never negative), `worth` the same in the currency of the
    company where the document tells the rate: by it mismatches are ranked.
    """

    code: str
    document: str
    number: str
    amount: Decimal
    worth: Decimal
    currency: str
    company: str | None = None
    account: str | None = None
    line: str | None = None
    position: str = ""
    product: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    """Why it is so, where that is known."""

    @property
    def sort(self) -> Sort:
        return SORTS[self.code]

    @property
    def en(self) -> str:
        return self.sort.en.format_map(self.figures)

    @property
    def zh(self) -> str:
        return self.sort.zh.format_map(self.figures)

    @cached_property
    def key(self) -> str:
        """Names it as long as it lasts, whatever its figures."""
        return digest([self.code, self.document, self.line, self.figures.get("what"), self.figures.get("where")])[:10]

    @property
    def stands_for(self) -> str:
        """Its figures in one text: what a person accepts."""
        return f"{self.code} {self.en}; {self.amount:f} {self.currency}"


SORTS: Mapping[str, Sort] = {
    "SHIPPED_NOT_INVOICED": Sort(
        "shipped, not invoiced",
        "已发货未开票",
        "shipped {shipped}, invoiced {invoiced}: {left} to invoice",
        "已发 {shipped}，已开票 {invoiced}，应补开 {left}",
        "invoice the rest in the ERP, or book the goods that came back",
        "在 ERP 中补开发票，或登记退货",
    ),
    "INVOICED_NOT_SHIPPED": Sort(
        "invoiced, not shipped",
        "已开票未发货",
        "invoiced {invoiced}, shipped {shipped}: {left} to ship",
        "已开票 {invoiced}，已发 {shipped}，应补发 {left}",
        "ship the rest, book the shipment that was forgotten, or issue a credit note",
        "补发货物、补录发货单，或开具红字发票",
    ),
    "OVER_SHIPPED": Sort(
        "shipped more than ordered",
        "超订单发货",
        "ordered {ordered}, shipped {shipped}: {left} too many",
        "订购 {ordered}，已发 {shipped}，多发 {left}",
        "have the customer order the rest (change the order), or take it back",
        "请客户补订（变更订单），或收回多发货物",
    ),
    "OVER_INVOICED": Sort(
        "invoiced more than ordered",
        "超订单开票",
        "ordered {ordered}, invoiced {invoiced}: {left} too many",
        "订购 {ordered}，已开票 {invoiced}，多开 {left}",
        "issue a credit note for the rest, or change the order",
        "就多开部分开具红字发票，或变更订单",
    ),
    "QUANTITY_DIFFERS": Sort(
        "quantity differs",
        "数量不一致",
        "the CRM has {crm}, the ERP {erp}",
        "CRM 为 {crm}，ERP 为 {erp}",
        "correct the side that is wrong, then `datong sync`; `datong explain` tells who changed it",
        "更正有误的一方后运行 `datong sync`；`datong explain` 可查是谁改的",
    ),
    "PRICE_DIFFERS": Sort(
        "price differs",
        "价格不一致",
        "the CRM has {crm}, the ERP {erp} (after discount)",
        "CRM 为 {crm}，ERP 为 {erp}（折后）",
        "correct the side that is wrong, then `datong sync`; `datong explain` tells who changed it",
        "更正有误的一方后运行 `datong sync`；`datong explain` 可查是谁改的",
    ),
    "PRODUCT_DIFFERS": Sort(
        "product differs",
        "产品不一致",
        "CRM and ERP name different products",
        "CRM 与 ERP 的产品不同",
        "find out what was ordered, and correct the other side",
        "核实所订产品，并更正另一方",
    ),
    "INVOICED_PRICE_DIFFERS": Sort(
        "invoiced at another price",
        "开票价格与订单不符",
        "ordered at {ordered}, {invoice} charges {invoiced} (after discount)",
        "订单价 {ordered}，{invoice} 开票价 {invoiced}（折后）",
        "issue a credit note and a right invoice, or change the order's price with the customer's consent",
        "红冲后重开发票，或经客户同意变更订单价格",
    ),
    "AMOUNT_DIFFERS": Sort(
        "amount differs",
        "金额不一致",
        "{what}: the CRM has {crm}, the ERP {erp}",
        "{what_zh}：CRM 为 {crm}，ERP 为 {erp}",
        "the ERP is right: `datong sync` puts the CRM right; where it does not, `datong explain` tells why",
        "以 ERP 为准：运行 `datong sync` 更正 CRM；如未更正，`datong explain` 说明原因",
    ),
    "COUNT_DIFFERS": Sort(
        "the order's count is not that of its documents",
        "订单累计数与单据不符",
        "{what}: the order says {said} in the {where}, the documents come to {documents}",
        "{what_zh}：{where} 订单累计 {said}，单据合计 {documents}",
        "`datong sync`; where it stays, look for a document that was changed or deleted in the ERP",
        "运行 `datong sync`；如仍存在，请在 ERP 中查找被修改或删除的单据",
    ),
    "CUSTOMER_DIFFERS": Sort(
        "customer differs",
        "客户不一致",
        "CRM and ERP name different customers",
        "CRM 与 ERP 的客户不同",
        "find out whose document it is; if the two are one customer, link them",
        "核实单据属于哪个客户；如两者为同一客户，请建立对应",
    ),
    "CURRENCY_DIFFERS": Sort(
        "currency differs",
        "币种不一致",
        "the CRM has {crm}, the ERP {erp}",
        "CRM 为 {crm}，ERP 为 {erp}",
        "correct the side that is wrong",
        "更正有误的一方",
    ),
    "ONE_SYSTEM_ONLY": Sort(
        "in one system only",
        "仅一方有",
        "the {what} is in the {where} only",
        "{what_zh}仅在 {where} 中",
        "`datong explain` tells what keeps it from the other side; what was typed by mistake is cancelled where it is",
        "`datong explain` 说明为何未到另一方；误录的请在所在系统作废",
    ),
    "LINE_IN_ONE_SYSTEM": Sort(
        "line in one system only",
        "明细行仅一方有",
        "the line is in the {where} only",
        "该行仅在 {where} 中",
        "add or cancel the line, then `datong sync`",
        "补录或取消该行后运行 `datong sync`",
    ),
    "NO_ORDER": Sort(
        "names no order",
        "未指明订单",
        "{quantity} without an order line",
        "{quantity} 未对应订单行",
        "give the line its order in the ERP, or accept it with its reason (samples, repairs)",
        "在 ERP 中补填订单，或注明原因后认可（样品、维修等）",
    ),
    "NOT_POSTED": Sort(
        "draft left behind",
        "发票未过账",
        "still a draft, dated {date}",
        "仍为草稿，日期 {date}",
        "post it in the ERP, or delete it",
        "在 ERP 中过账或删除",
    ),
    "OVERPAID": Sort(
        "paid more than invoiced",
        "多收款",
        "{left} more was settled than is owed",
        "多核销 {left}",
        "pay it back, or set it against another invoice",
        "退款，或核销其他发票",
    ),
    "RECEIPT_UNALLOCATED": Sort(
        "receipt not allocated",
        "收款未核销",
        "{left} of {whole} settles nothing yet",
        "{whole} 中有 {left} 未核销",
        "allocate it to the invoices that it pays; `datong statement` shows what is open",
        "核销到所付发票；`datong statement` 显示未清项",
    ),
    "RECEIPT_UNCLAIMED": Sort(
        "receipt of nobody",
        "收款待认领",
        "{left} of {payer} belongs to no customer yet",
        "{payer} 付来 {left}，尚未认领",
        "claim it for its customer in the CRM or the ERP",
        "在 CRM 或 ERP 中认领到客户",
    ),
}
"""Code -> what it means."""
