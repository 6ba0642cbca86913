"""The touchpoints: one file each, business rules on canonical records. They name roles, never products."""

from datong.engine.flow import Flow
from datong.flows.aged_balances import aged_balances
from datong.flows.campaign_prices import campaign_prices
from datong.flows.cases import articles, assets, case_to_return, cases
from datong.flows.contact import contact
from datong.flows.contracts import contracts, invoice_requests
from datong.flows.customer_master import customer_master
from datong.flows.demand import campaigns, demand
from datong.flows.financial_summary import financial_summary
from datong.flows.forecasts import forecasts
from datong.flows.fulfilment import invoices, payments, shipments
from datong.flows.goods import accounting_periods, exchange_rates, price_lists, prices, recipes, stock, supply
from datong.flows.intake import request_to_case, requests
from datong.flows.notices import case_notices, notices, return_notices, shipment_notices, survey_notices
from datong.flows.opportunity_to_order import opportunities, opportunity_to_order
from datong.flows.orders import orders
from datong.flows.product_catalogue import product_catalogue
from datong.flows.quote_to_order import quote_to_order
from datong.flows.quotes import quotes
from datong.flows.reference_data import reference_data
from datong.flows.returns import returns

FLOWS: tuple[Flow, ...] = (
    reference_data,
    customer_master,
    contact,
    product_catalogue,
    price_lists,
    prices,
    stock,
    exchange_rates,
    accounting_periods,
    campaigns,
    campaign_prices,
    opportunities,
    quotes,
    quote_to_order,
    opportunity_to_order,
    orders,
    contracts,
    invoice_requests,
    supply,
    recipes,
    shipments,
    invoices,
    payments,
    assets,
    articles,
    cases,
    returns,
    case_to_return,
    requests,
    request_to_case,
    notices,
    shipment_notices,
    case_notices,
    return_notices,
    survey_notices,
    aged_balances,
    financial_summary,
    demand,
    forecasts,
)

__all__ = ["FLOWS", *(flow.name for flow in FLOWS)]
