"""The touchpoints: one file each, business rules on canonical records. They name roles, never products."""

from datong.engine.flow import Flow
from datong.flows.contact import contact
from datong.flows.customer_master import customer_master
from datong.flows.product_catalogue import product_catalogue
from datong.flows.reference_data import reference_data

FLOWS: tuple[Flow, ...] = (reference_data, customer_master, contact, product_catalogue)

__all__ = ["FLOWS", "contact", "customer_master", "product_catalogue", "reference_data"]
