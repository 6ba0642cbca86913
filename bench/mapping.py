"""The reference mapping: one ERP customer -> one CRM account (22 fields).

The bounds call it; Datong is told the same rules in datong.yaml. The sink's fingerprints show that both come to the
same accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from operator import itemgetter
from typing import Any

COUNTRY = {
    "Germany": ("DE", "49", "0"),
    "Austria": ("AT", "43", "0"),
    "Switzerland": ("CH", "41", "0"),
    "France": ("FR", "33", "0"),
    "Italy": ("IT", "39", ""),
    "Spain": ("ES", "34", ""),
    "Netherlands": ("NL", "31", "0"),
    "Poland": ("PL", "48", ""),
    "United Kingdom": ("GB", "44", "0"),
    "Sweden": ("SE", "46", "0"),
    "United States": ("US", "1", ""),
    "Japan": ("JP", "81", "0"),
}
STATUS = {"A": "active", "I": "inactive", "P": "prospect", "B": "blocked"}
TYPE = {"COMPANY": "business", "PERSON": "individual"}
TERMS = {"N00": "immediate", "N14": "net_14", "N30": "net_30", "N60": "net_60", "CIA": "prepaid"}
_CENT = Decimal("0.01")
_NOT_PHONE = dict.fromkeys(c for c in range(256) if chr(c) not in "+0123456789")

FIELDS = (
    "external_id",
    "name",
    "legal_type",
    "status",
    "vat_number",
    "phone",
    "mobile",
    "email",
    "website",
    "billing_street",
    "billing_postal_code",
    "billing_city",
    "billing_country",
    "billing_address",
    "currency",
    "credit_limit",
    "balance",
    "payment_terms",
    "owner_code",
    "language",
    "tags",
    "source_updated_at",
)


def e164(raw: str, code: str, trunk: str) -> str:
    digits = raw.translate(_NOT_PHONE)
    if not digits:
        return ""
    if digits[0] == "+":
        return digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    if trunk and digits.startswith(trunk):
        digits = digits[len(trunk) :]
    return "+" + code + digits


def map_customer(c: dict[str, Any]) -> dict[str, str]:
    iso, code, trunk = COUNTRY[c["country_name"].strip()]
    street = f"{c['street']} {c['house_no']}".strip()
    city = c["city"].strip()
    return {
        "external_id": c["customer_no"],
        "name": " ".join(f"{c['name1']} {c['name2']}".split()),
        "legal_type": TYPE[c["customer_type"]],
        "status": STATUS[c["status"]],
        "vat_number": c["vat_no"].replace(" ", "").upper(),
        "phone": e164(c["phone"], code, trunk),
        "mobile": e164(c["mobile"], code, trunk),
        "email": c["email"].strip().lower(),
        "website": "https://" + c["website"].strip().lower(),
        "billing_street": street,
        "billing_postal_code": c["postal_code"],
        "billing_city": city,
        "billing_country": iso,
        "billing_address": f"{street}, {c['postal_code']} {city}, {iso}",
        "currency": c["currency"],
        "credit_limit": str(Decimal(c["credit_limit"]).quantize(_CENT)),
        "balance": str(Decimal(c["balance_cents"]).scaleb(-2).quantize(_CENT)),
        "payment_terms": TERMS[c["payment_terms"]],
        "owner_code": c["sales_rep"],
        "language": c["language"],
        "tags": ",".join(sorted({t.strip().lower() for t in c["tags"].split(";") if t.strip()})),
        "source_updated_at": c["updated_at"],
    }


MASK = 0xFFFFFFFFFFFFFFFF
"""Sums of fingerprints are kept to 64 bits."""

values: Callable[[dict[str, str]], tuple[str, ...]] = itemgetter(*FIELDS)
"""An account's values in FIELDS order."""


def fingerprint(values: tuple[str, ...]) -> int:
    """64-bit hash of one account's values in FIELDS order; sums are compared, so order of arrival is free."""
    return int.from_bytes(blake2b("\x1f".join(values).encode(), digest_size=8).digest(), "little")
