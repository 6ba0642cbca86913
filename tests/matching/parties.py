"""Made-up parties, many of them: two systems that hold mostly the same customers, each in its own spelling."""

from __future__ import annotations

import random

from stdnum.cn import uscc

from datong.matching import Candidate, Identity, same, similar

ACCOUNT = Identity(
    link=(same("number"), same("tax_id", "country")),
    review=(same("email"), same("phone"), similar("name", at_least=0.92)),
    region="CN",
)

_SYLLABLES = "启明华瑞恒通远东海天宏达鼎盛金泰永安嘉和新光博雅中科德润凯利万丰卓越信诚同方创维联想康美佳宁顺兴隆福源"
_TRADES = [
    "电子科技",
    "机械设备",
    "精密仪器",
    "食品",
    "国际贸易",
    "供应链管理",
    "生物医药",
    "新材料",
    "建筑工程",
    "信息技术",
    "自动化",
    "包装制品",
    "汽车零部件",
]
_PLACES = ["上海", "北京", "深圳市", "苏州", "广州市", "杭州", "宁波", "青岛", "成都", "武汉", "无锡"]
_LATIN = [
    "acme",
    "nova",
    "orion",
    "delta",
    "kestrel",
    "lumen",
    "vertex",
    "solar",
    "atlas",
    "quartz",
    "ember",
    "falcon",
    "harbor",
    "indigo",
    "juniper",
    "krypton",
]
_NOUNS = [
    "Trading",
    "Instruments",
    "Logistics",
    "Foods",
    "Precision",
    "Pharma",
    "Materials",
    "Software",
    "Packaging",
    "Automation",
    "Marine",
]
_LATIN_FORMS = ["Ltd", "GmbH", "S.A.", "S.p.A.", "B.V.", "Inc."]


def tax_number(rng: random.Random) -> str:
    """A unified social credit code with a right check digit."""
    body = "91310115MA1" + "".join(rng.choice("0123456789ABCDEFGH") for _ in range(6))
    return body + uscc.calc_check_digit(body)


def company(rng: random.Random, number: int) -> dict[str, object]:
    if rng.random() < 0.7:
        core = "".join(rng.choice(_SYLLABLES) for _ in range(rng.choice((2, 3, 4))))
        name, country = f"{rng.choice(_PLACES)}{core}{rng.choice(_TRADES)}有限公司", "CN"
        phone, tax = f"1{rng.randint(30, 99)}{rng.randint(0, 99999999):08d}", tax_number(rng)
    else:
        stem = f"{rng.choice(_LATIN)}{rng.choice(_LATIN)} {rng.choice(_NOUNS)} {rng.choice(_NOUNS)}".title()
        name, country = f"{stem} {rng.choice(_LATIN_FORMS)}", "DE"
        phone, tax = f"+49 30 {rng.randint(100000, 9999999)}", f"{rng.randint(10**9, 10**10)}"
    return {
        "name": name,
        "country": country,
        "tax_id": tax,
        "phone": phone,
        "email": f"info{number}@firm{number}.cn",
        "type": "company",
    }


def respell(rng: random.Random, fields: dict[str, object]) -> dict[str, object]:
    """The same party as somebody else typed it: some keys missing, the name in another form."""
    other = {key: value for key, value in fields.items() if key in ("name", "type", "country") or rng.random() < 0.6}
    name = str(other["name"])
    draw = rng.random()
    if draw < 0.2:
        name = name.replace("有限公司", "有限责任公司").replace("GmbH", "gmbh")
    elif draw < 0.35:
        name = name.replace("上海", "").replace("有限公司", "（上海）有限公司") if "上海" in name else name.upper()
    elif draw < 0.45 and len(name) > 12:
        cut = rng.randrange(3, len(name) - 6)
        name = name[:cut] + name[cut + 1 :]
    return {**other, "name": name}


def two_systems(size: int, seed: int = 1) -> tuple[list[Candidate], list[Candidate]]:
    """`size` records on each side, nine in ten of them the same parties (with the same id)."""
    rng = random.Random(seed)
    left = [company(rng, number) for number in range(size)]
    same_parties = size * 9 // 10
    right = [respell(rng, fields) for fields in left[:same_parties]]
    right += [company(rng, number) for number in range(size, size * 2 - same_parties)]
    return [Candidate(n, f) for n, f in enumerate(left)], [Candidate(n, f) for n, f in enumerate(right)]
