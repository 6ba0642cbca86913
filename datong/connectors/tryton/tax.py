"""Which of Tryton's identifier types a tax number belongs to. Tryton checks the number by the same library."""

from __future__ import annotations


def identifier_type(code: str, country: str | None) -> str | None:
    """`cn_vat` for a 统一社会信用代码, `eu_vat` for a VAT number with its prefix, else by the customer's country."""
    from stdnum.cn import uscc
    from stdnum.eu import vat

    if uscc.is_valid(code):
        return "cn_vat"
    if vat.is_valid(code):
        return "eu_vat"
    return _national(code, country.lower()) if country else None


def _national(code: str, country: str) -> str | None:
    from stdnum import get_cc_module

    for name in ("vat", *(_OTHER.get(country, ()))):
        module = get_cc_module(country, name)
        if module is not None and module.is_valid(code):
            return f"{country}_{name}"
    return None


_OTHER = {"us": ("ein", "tin"), "au": ("abn",), "ar": ("cuit",), "th": ("tin",), "za": ("tin",), "ua": ("edrpou",)}
"""Countries whose tax number the library does not (only) call VAT, as Tryton's TAX_IDENTIFIER_TYPES has them."""
