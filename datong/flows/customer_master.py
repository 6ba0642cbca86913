"""Customer master: the CRM finds the customer, the ERP decides what they may owe."""

from datong.canon import Account
from datong.engine.flow import ASK, CRM, ERP, GO, OWNER, Master, Park, Policies, Skip, Verdict, owned_by, shared
from datong.matching import Identity, same, similar, tax_id

customer_master = Master(
    name="customer_master",
    en="Customer master",
    zh="客户主数据",
    record=Account,
    identity=Identity(
        link=(same("number"), same("tax_id", "country")),
        review=(same("email"), same("phone"), similar("name", at_least=0.92)),
    ),
    fields=Policies(
        owned_by(CRM, "name", "name_en", "short_name", "type", "stage", "parent", "owner", "region", "custom"),
        owned_by(CRM, "industry", "dealer_level", "invoice_title", "addresses", "country"),
        owned_by(ERP, "company.*.number", "company.*.terms", "company.*.credit_limit", "company.*.blocked", "currency"),
        owned_by(ERP, "company.*.price_list"),
        owned_by(CRM, "company.*.credit_raise", "company.*.raise_until", "company.*.raise_by"),
        shared("company.*.open", clash=OWNER, owner=ERP),
        shared("tax_id", "phone", "email", "website", "active", clash=ASK),
    ),
    first_load=CRM,
    left_behind="keep_in_step",
    followers=("name", "tax_id", "active"),
)


@customer_master.into(ERP)
def ready_for_the_books(account: Account) -> Verdict:
    """Only customers enter the books, and a tax id that cannot be right stops at the door (校验位)."""
    if account.stage is not None and account.stage != "customer":
        return Skip(f"it is a {account.stage}, not a customer yet")
    told = tax_id(account.tax_id, account.country)
    if told is not None and not told.valid:
        return Park(
            f"the tax id {account.tax_id} cannot be right: {told.reason}",
            f"correct the tax id of {account.name} in the CRM",
        )
    return GO
