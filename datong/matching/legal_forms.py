"""Legal forms of companies and the words that mark a branch, as they stand in names.

Each form belongs to a family; names whose families differ are less alike (Acme GmbH and Acme AG are two companies),
names where one has none are not. Forms are written as `normalise.words` leaves them: no dots, no case, no accents.
"""

from __future__ import annotations

_HAN = {
    "ltd": "有限责任公司 责任有限公司 有限公司",
    "stock": "股份有限责任公司 股份有限公司 股份公司",
    "": "总公司 公司",
    "partnership": "有限合伙企业 普通合伙企业 有限合伙 特殊普通合伙 普通合伙 合伙企业",
    "sole": "个人独资企业 个人独资",
    "kk": "株式会社",
    "yk": "有限会社",
    "gk": "合同会社",
}

_LATIN = {
    "ltd": "co ltd|company limited|co limited|company ltd|ltd co|ltd|limited|pte ltd|pte limited|pty ltd|pty limited|"
    "pvt ltd|pvt limited|private limited|sdn bhd|ltee|ltda|limitada",
    "stock": "inc|incorporated|corp|corporation|plc|public limited company|jsc|joint stock company|co inc|pjsc|oao|ao|"
    "bhd",
    "": "co|company|and co|and company|cie|et cie|und co",
    "llc": "llc|limited liability company|ooo",
    "lp": "lp|llp|limited partnership|limited liability partnership",
    "gmbh": "gmbh|mbh|ggmbh|gesellschaft mit beschrankter haftung|gesmbh",
    "ug": "ug|ug haftungsbeschrankt|unternehmergesellschaft",
    "gmbhkg": "gmbh and co kg|gmbh co kg|gmbh und co kg|ag and co kg|gmbh and co ohg|gmbh and co kgaa",
    "kg": "kg|kommanditgesellschaft|and co kg|co kg|kgaa",
    "ohg": "ohg|gbr|vof|snc|partg|partg mbb",
    "ag": "ag|aktiengesellschaft|se",
    "ev": "ev|eg",
    "bv": "bv|besloten vennootschap|bvba|srl bv",
    "nv": "nv|naamloze vennootschap",
    "sarl": "sarl|eurl|societe a responsabilite limitee",
    "sas": "sas|sasu|societe par actions simplifiee",
    "sa": "sa|sau|societe anonyme|sociedad anonima",
    "sci": "sci|scop",
    "spa": "spa|societa per azioni",
    "srl": "srl|srls|sl|slu|societa a responsabilita limitata|sociedad limitada",
    "kk": "kk|kabushiki kaisha|kabushiki gaisha",
    "yk": "yugen kaisha",
    "gk": "godo kaisha",
    "ab": "ab|aktiebolag",
    "as": "as|aps|asa|a s",
    "oy": "oy|oyj",
    "pl": "sp zoo|sp z oo|spolka zoo",
    "ro": "sro|kft|zrt|doo|dd|ood|eood",
}

HAN_FORMS: tuple[tuple[str, str], ...] = tuple(
    sorted(
        ((form, family) for family, forms in _HAN.items() for form in forms.split()),
        key=lambda pair: -len(pair[0]),
    )
)
"""(form, family), longest first."""

LATIN_FORMS: dict[tuple[str, ...], str] = {
    tuple(form.split()): family for family, forms in _LATIN.items() for form in forms.split("|")
}
LONGEST_LATIN = max(map(len, LATIN_FORMS))

LEADING_HAN = ("株式会社", "有限会社", "合同会社")
LEADING_LATIN = frozenset({"sarl", "sas", "eurl", "sci", "ooo", "oao", "ao", "ab", "kk"})
"""Forms that also stand before the name."""

IN_BRACKETS = {
    "株": "kk",
    "有": "yk",
    "合": "gk",
    "特殊普通合伙": "partnership",
    "普通合伙": "partnership",
    "有限合伙": "partnership",
    "个人独资": "sole",
    "pvt": "",
    "private": "",
    "haftungsbeschrankt": "",
}
GROUP_HAN = ("集团", "控股集团")
GROUP_LATIN = frozenset({"group", "gruppe", "groupe", "gruppo", "grupo"})

BRANCH_HAN = (
    "分公司",
    "办事处",
    "代表处",
    "联络处",
    "分店",
    "门店",
    "分行",
    "支行",
    "分厂",
    "营业部",
    "事业部",
    "项目部",
    "分部",
    "分社",
    "分院",
    "支社",
    "支店",
    "营业所",
)
BRANCH_LATIN: dict[tuple[str, ...], str] = {
    ("branch",): "branch",
    ("branch", "office"): "branch",
    ("representative", "office"): "office",
    ("rep", "office"): "office",
    ("liaison", "office"): "office",
    ("sales", "office"): "office",
    ("niederlassung",): "branch",
    ("zweigniederlassung",): "branch",
    ("succursale",): "branch",
    ("sucursal",): "branch",
    ("filiaal",): "branch",
    ("vestiging",): "branch",
}
BRANCH_KINDS = {"分公司": "branch", "办事处": "office", "代表处": "office", "联络处": "office"}
"""What a Chinese marker and an English one have in common; the others stand for themselves."""
