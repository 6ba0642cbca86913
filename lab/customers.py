"""Seed: the customers of a company before its two systems were ever connected.

Some customers are in both systems. A part of these carries the same tax number on both sides, so they may be linked
without asking. The others only look alike, each in one of the ways in which that happens, and a person must decide.
All text is made up; the same arguments always give the same customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any

from lab import taxnumbers
from lab.bottlecrm import BottleCrm, ensure_custom_fields
from lab.tryton import Tryton

REGIONS = (  # city, GB/T 2260 code, ISO 3166-2 code, postal code, street, area code
    ("上海", "310115", "CN-SH", "200120", "张江路{}号", "21"),
    ("深圳", "440305", "CN-GD", "518057", "科技南路{}号", "755"),
    ("北京", "110108", "CN-BJ", "100080", "中关村大街{}号", "10"),
    ("苏州", "320506", "CN-JS", "215128", "东吴北路{}号", "512"),
    ("杭州", "330106", "CN-ZJ", "310012", "文三路{}号", "571"),
    ("武汉", "420106", "CN-HB", "430070", "中南路{}号", "27"),
    ("青岛", "370212", "CN-SD", "266061", "海尔路{}号", "532"),
    ("厦门", "350203", "CN-FJ", "361001", "湖滨南路{}号", "592"),
    ("重庆", "500112", "CN-CQ", "401120", "金开大道{}号", "23"),
    ("成都", "510107", "CN-SC", "610041", "人民南路{}号", "28"),
)
CITIES = (  # city, country, postal code, street, dialling prefix, legal form
    ("Rotterdam", "NL", "3011 AA", "Coolsingel {}", "+31 10 4{:06d}", "BV"),
    ("Antwerpen", "BE", "2000", "Meir {}", "+32 3 2{:06d}", "NV"),
    ("Hamburg", "DE", "20095", "Mönckebergstraße {}", "+49 40 3{:06d}", "GmbH"),
    ("Lyon", "FR", "69002", "Rue Victor Hugo {}", "+33 4 72{:06d}", "SARL"),
)
FIRST, SECOND = "华鑫瑞恒泰宏博嘉凯顺丰联远飞龙东", "腾达兴创源信诚盛隆昌通捷峰宇润和"
INDUSTRIES = ("机械设备", "电子科技", "国际贸易", "精密仪器", "汽车零部件", "纺织", "医药", "实业")
FAMILY, GIVEN = "王李张刘陈杨赵黄周吴", ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "志强", "晓燕")
WORDS = ("Baltic", "Delta", "Harbour", "Meridian", "North", "Orion", "Polder", "Rhine", "Tulip", "Vulcan", "Zenith")
TRADES = ("Bearings", "Controls", "Logistics", "Marine", "Pumps", "Sensors", "Tools", "Valves")
PEOPLE = ("Anna de Vries", "Jan Peeters", "Marie Dubois", "Lukas Weber", "Sofia Janssen", "Paul Martin", "Eva Schmidt")
TRADITIONAL = str.maketrans(
    "华凯顺丰联远飞龙东腾达兴创诚润机械设备电国际贸精仪汽车纺织医药实业限苏庆门岛汉",
    "華凱順豐聯遠飛龍東騰達興創誠潤機械設備電國際貿精儀汽車紡織醫藥實業限蘇慶門島漢",
)
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@dataclass(frozen=True)
class Customer:
    """One customer as one system knows it."""

    name: str
    country: str
    city: str
    region_code: str
    subdivision: str
    postal_code: str
    street: str
    phone: str
    person: str
    email: str
    tax_id: str

    @property
    def chinese(self) -> bool:
        return self.country == "CN"

    @property
    def home(self) -> str:
        """The company of ours that sells to it."""
        return "asia" if self.chinese else "europe"


@dataclass(frozen=True)
class Pair:
    """The same customer in both systems. `why` says what they share, `tax_id` is the bare number of a strong pair."""

    erp_id: int
    crm_id: str
    erp_name: str
    crm_name: str
    why: str
    tax_id: str = ""


@dataclass(frozen=True)
class Alone:
    """A customer that only one system knows; `id` is a number in the ERP and a UUID in the CRM."""

    id: int | str
    name: str
    tax_id: str


@dataclass(frozen=True)
class SeededCustomers:
    """What was put in, and so what a first sync must find."""

    strong: tuple[Pair, ...]
    lookalikes: tuple[Pair, ...]
    only_erp: tuple[Alone, ...]
    only_crm: tuple[Alone, ...]


def seed_customers(
    tryton: Tryton, bottle: BottleCrm, total: int = 200, shared: int = 60, seed: int = 1
) -> SeededCustomers:
    """Enter `total` customers, `shared` of them in both systems and the others half here, half there.

    Two thirds of the shared ones have a tax number on both sides. Takes about ten seconds; the CRM is the slow side.
    """
    customers = make_customers(Random(seed), total)
    split = shared * 2 // 3
    strong = [as_strong_pair(customer, place) for place, customer in enumerate(customers[:split])]
    alike = [as_lookalike(customer, place) for place, customer in enumerate(customers[split:shared])]
    erp_only = customers[shared : shared + (total - shared) // 2]
    crm_only = customers[shared + (total - shared) // 2 :]
    ensure_custom_fields(bottle)
    both = [pair[:2] for pair in strong] + [pair[:2] for pair in alike]
    erp_ids = put_into_tryton(tryton, [erp for erp, _ in both] + erp_only)
    crm_ids = put_into_bottle(bottle, [crm for _, crm in both] + crm_only)
    pairs = [
        Pair(erp_id, crm_id, erp.name, crm.name, why, erp.tax_id if place < split else "")
        for place, (erp_id, crm_id, (erp, crm, why)) in enumerate(zip(erp_ids, crm_ids, strong + alike, strict=False))
    ]
    return SeededCustomers(
        strong=tuple(pairs[:split]),
        lookalikes=tuple(pairs[split:]),
        only_erp=tuple(Alone(i, c.name, c.tax_id) for i, c in zip(erp_ids[shared:], erp_only, strict=True)),
        only_crm=tuple(Alone(i, c.name, c.tax_id) for i, c in zip(crm_ids[shared:], crm_only, strict=True)),
    )


def make_customers(random: Random, total: int) -> list[Customer]:
    """Two Chinese customers for each European one; names and phone numbers never repeat."""
    chinese = [(a, b) for a in FIRST for b in SECOND]
    european = [(a, b) for a in WORDS for b in TRADES]
    random.shuffle(chinese)
    random.shuffle(european)
    if total // 3 > len(european) or total - total // 3 > len(chinese):
        raise ValueError(f"no more than {3 * len(european)} customers with names of their own")
    return [
        make_european(random, *european[number // 3], number)
        if number % 3 == 2
        else make_chinese(random, *chinese[number - (number + 1) // 3], number)
        for number in range(total)
    ]


def make_chinese(random: Random, first: str, second: str, number: int) -> Customer:
    """A limited company somewhere in China; every sixth has Latin letters in its name."""
    city, region, subdivision, postal, street, area = random.choice(REGIONS)
    latin = f"{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}{number % 10}" if number % 6 == 0 else ""
    return Customer(
        name=f"{city}{first}{second}{latin}{random.choice(INDUSTRIES)}有限公司",
        country="CN", city=city, region_code=region, subdivision=subdivision, postal_code=postal,
        street=street.format(random.randrange(1, 999)),
        phone=f"+86 {area} {5000 + number} {random.randrange(10_000):04d}",
        person=random.choice(FAMILY) + random.choice(GIVEN),
        email=f"contact@customer{number:03d}.example.cn",
        tax_id=taxnumbers.uscc(random, region),
    )  # fmt: skip


def make_european(random: Random, word: str, trade: str, number: int) -> Customer:
    """A company in one of four countries."""
    city, country, postal, street, phone, form = random.choice(CITIES)
    return Customer(
        name=f"{word} {trade} {form}",
        country=country, city=city, region_code="", subdivision="", postal_code=postal,
        street=street.format(random.randrange(1, 300)),
        phone=phone.format(number * 1000 + random.randrange(1000)),
        person=random.choice(PEOPLE),
        email=f"office@customer{number:03d}.example.eu",
        tax_id=taxnumbers.vat(random, country),
    )  # fmt: skip


def as_strong_pair(customer: Customer, place: int) -> tuple[Customer, Customer, str]:
    """The CRM writes the number as salespeople type it: plain, in groups, in lower case, in full width."""
    notation: Callable[[str], str] = (str, grouped, str.lower, full_width)[place % 4]
    why = ("tax number", "tax number in groups", "tax number in lower case", "tax number in full width")[place % 4]
    return customer, replace(customer, tax_id=notation(customer.tax_id)), why


def grouped(number: str) -> str:
    """`9131 0115 MA1K …`"""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def full_width(text: str) -> str:
    """`９１３１…`, as Chinese input methods write it."""
    return text.translate(FULL_WIDTH)


def as_lookalike(customer: Customer, place: int) -> tuple[Customer, Customer, str]:
    """The ERP knows the tax number, the CRM does not; name, phone and mail agree only as far as `why` says."""
    kinds = CHINESE_KINDS if customer.chinese else EUROPEAN_KINDS
    why, rename, same_phone = kinds[place % len(kinds)]
    name = rename(customer.name)
    if name == customer.name:  # nothing in it to write differently, so use what every name has
        why, name = "trailing space", customer.name + "\u3000"
    phone = customer.phone if same_phone else other_phone(customer.phone)
    crm = replace(customer, name=name.strip(), phone=phone, tax_id="", email="sales-" + customer.email)
    # only the ERP keeps spaces at the end, the CRM would strip them
    return replace(customer, name=name) if name != crm.name else customer, crm, why


def other_phone(phone: str) -> str:
    """Another extension of the same house, which nobody else has."""
    return phone[:-4] + f"{(int(phone[-4:]) + 5001) % 10_000:04d}"


Kind = tuple[str, Callable[[str], str], bool]
CHINESE_KINDS: tuple[Kind, ...] = (
    ("legal form", lambda name: name.replace("有限公司", "有限责任公司"), False),
    ("traditional characters", lambda name: name.translate(TRADITIONAL), False),
    ("trailing space", lambda name: name + " ", False),
    ("same phone, short name", lambda name: name[2:4], True),
    ("full width", full_width, False),
)
EUROPEAN_KINDS: tuple[Kind, ...] = (
    ("legal form", lambda name: name.rsplit(" ", 1)[0], False),
    ("capitals", str.upper, False),
    ("trailing space", lambda name: name + "  ", False),
    ("same phone, short name", lambda name: name.split()[0] + " Group", True),
    ("full width", full_width, False),
)


def put_into_tryton(tryton: Tryton, customers: list[Customer]) -> list[int]:
    """Create parties in batches; each in its home company, since the credit limit counts per company."""
    ids: dict[Customer, int] = {}
    for home, company in tryton.companies.items():
        ours = [customer for customer in customers if customer.home == home]
        for start in range(0, len(ours), 100):
            batch = ours[start : start + 100]
            values = [as_party(customer, tryton.ids, place) for place, customer in enumerate(batch)]
            made = tryton.call("model.party.party.create", values, context={"company": company})
            ids.update(zip(batch, made, strict=True))
    return [ids[customer] for customer in customers]


def as_party(customer: Customer, ids: dict[str, Any], place: int) -> dict[str, Any]:
    """Tryton calls the 统一社会信用代码 `cn_vat` and checks its check digit."""
    term = ("Net 30", "Net 60", "Direct")[place % 3]
    return {
        "name": customer.name,
        "customer_payment_term": ids["payment_terms"][term],
        "credit_limit_amount": Decimal(10_000 * (1 + place % 20)),
        "identifiers": created([{"type": "cn_vat" if customer.chinese else "eu_vat", "code": customer.tax_id}]),
        "addresses": created(
            [
                {
                    "street_unstructured": customer.street,
                    "city": customer.city,
                    "postal_code": customer.postal_code,
                    "country": ids["countries"][customer.country],
                    "subdivision": ids["subdivisions"].get(customer.subdivision),
                }
            ]
        ),
        "contact_mechanisms": created(
            [
                {"type": "phone", "value": customer.phone},
                {"type": "email", "value": customer.email, "name": customer.person},
            ]
        ),
    }


def created(values: list[dict[str, Any]]) -> list[list[Any]]:
    """How Tryton takes new rows of a one2many field."""
    return [["create", values]]


def put_into_bottle(bottle: BottleCrm, customers: Iterable[Customer]) -> list[str]:
    """One account each, and a contact for every other; this API has no batches."""
    ids = []
    for customer, with_contact in zip(customers, cycle((True, False)), strict=False):
        account: str = bottle.call("POST", "/api/accounts/", as_account(customer))["id"]
        if with_contact:
            bottle.call("POST", "/api/contacts/", {**as_contact(customer), "account": account})
        ids.append(account)
    return ids


def as_account(customer: Customer) -> dict[str, Any]:
    """Number, terms and credit limit stay empty: they are for the ERP to decide."""
    return {
        "name": customer.name, "email": customer.email, "phone": customer.phone, "address_line": customer.street,
        "city": customer.city, "postcode": customer.postal_code, "country": customer.country,
        "currency": "CNY" if customer.chinese else "EUR",
        "custom_fields": {"tax_id": customer.tax_id, "region_code": customer.region_code},
    }  # fmt: skip


def as_contact(customer: Customer) -> dict[str, Any]:
    """Chinese names have the family name first and no space."""
    first, last = (customer.person[1:], customer.person[:1]) if customer.chinese else customer.person.split(" ", 1)
    return {"first_name": first, "last_name": last, "email": customer.email, "phone": customer.phone}
