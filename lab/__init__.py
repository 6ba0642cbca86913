"""The lab: two real systems on this machine, Tryton as ERP and BottleCRM as CRM.

    with lab.running() as real:
        real.tryton.call("model.party.party.search_count", [])
        real.bottlecrm.call("GET", "/api/accounts/?limit=10")

See README.md in this folder.
"""

from lab.bottlecrm import BottleCrm, CustomField, Webhook, ensure_custom_fields
from lab.customers import Alone, Pair, SeededCustomers, seed_customers
from lab.errors import CallRefused, LabError, LabUnavailable
from lab.real import Real, down, install, running, status, up
from lab.tryton import Tryton

__all__ = [
    "Alone",
    "BottleCrm",
    "CallRefused",
    "CustomField",
    "LabError",
    "LabUnavailable",
    "Pair",
    "Real",
    "SeededCustomers",
    "Tryton",
    "Webhook",
    "down",
    "ensure_custom_fields",
    "install",
    "running",
    "seed_customers",
    "status",
    "up",
]
