"""The business records: what a customer, a contact, a product *is*, in words that belong to no vendor.

A record is held as a flat document: field name -> JSON scalar (see `fields`). The classes here give the same
document types and attributes, for flows and for people who read; their annotations are the field catalogue.
"""

from datong.canon.catalogue import KINDS, FieldSpec, catalogue, field_names, spec
from datong.canon.fields import Value, check, is_empty
from datong.canon.records import (
    REFERENCE_KINDS,
    Account,
    AccountCompany,
    Address,
    Company,
    Contact,
    Currency,
    PaymentMethod,
    PaymentTerm,
    Product,
    Record,
    ReferenceRecord,
    Region,
    TaxCode,
    Unit,
    User,
    Warehouse,
)

__all__ = [
    "KINDS",
    "REFERENCE_KINDS",
    "Account",
    "AccountCompany",
    "Address",
    "Company",
    "Contact",
    "Currency",
    "FieldSpec",
    "PaymentMethod",
    "PaymentTerm",
    "Product",
    "Record",
    "ReferenceRecord",
    "Region",
    "TaxCode",
    "Unit",
    "User",
    "Value",
    "Warehouse",
    "catalogue",
    "check",
    "field_names",
    "is_empty",
    "spec",
]
