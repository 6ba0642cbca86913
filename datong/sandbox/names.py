"""Made-up parties for the seed, and the ways in which two systems come to spell one name differently."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from datong.sandbox.identifiers import french_vat, german_vat, japanese_number, uscc


@dataclass(frozen=True, slots=True)
class Party:
    """A company or person of the real world, before any system spells it in its own way."""

    name: str
    name_en: str
    country: str
    province: str
    city: str
    street: str
    postcode: str
    tax_id: str
    phone: str
    domain: str
    is_person: bool = False


_CITIES = (
    ("上海", "上海", "浦东新区世纪大道", "200120", "021", "Shanghai"),
    ("北京", "北京", "朝阳区建国路", "100022", "010", "Beijing"),
    ("江苏", "苏州", "工业园区星湖街", "215021", "0512", "Suzhou"),
    ("浙江", "杭州", "西湖区文三路", "310012", "0571", "Hangzhou"),
    ("广东", "深圳", "南山区科技路", "518057", "0755", "Shenzhen"),
    ("四川", "成都", "高新区天府大道", "610041", "028", "Chengdu"),
    ("湖北", "武汉", "东湖高新区光谷大道", "430074", "027", "Wuhan"),
    ("辽宁", "大连", "中山区人民路", "116001", "0411", "Dalian"),
)
_ZH_FIRST = {
    "东": "dong",
    "华": "hua",
    "国": "guo",
    "云": "yun",
    "龙": "long",
    "广": "guang",
    "汉": "han",
    "兴": "xing",
}
_ZH_SECOND = {
    "达": "da",
    "际": "ji",
    "业": "ye",
    "门": "men",
    "庆": "qing",
    "方": "fang",
    "泰": "tai",
    "和": "he",
    "源": "yuan",
}
_ZH_TRADES = {
    "贸易": "Trading",
    "电子": "Electronics",
    "机械": "Machinery",
    "物流": "Logistics",
    "医疗器械": "Medical Devices",
    "新材料": "Materials",
    "国际贸易": "International Trade",
    "进出口": "Import Export",
}
_TRADITIONAL = str.maketrans("东华国云龙广汉兴达际业门庆贸电机医疗进", "東華國雲龍廣漢興達際業門慶貿電機醫療進")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_DE_NAMES = ("Müller", "Schäfer", "Groß", "Krüger", "Weiß", "Jäger", "Köhler", "Brandt", "Vogel", "Lindner")
_DE_TRADES = ("Maschinenbau", "Elektrotechnik", "Logistik", "Werkzeuge", "Feinmechanik", "Kunststofftechnik")
_DE_CITIES = (("Bayern", "München", "80331"), ("Hessen", "Frankfurt am Main", "60311"), ("Sachsen", "Leipzig", "04109"))
_FR_NAMES = ("Lefèvre", "Béranger", "François", "Côté", "Noël", "Desprès", "Gérard", "Moreau", "Chauvin", "Rivière")
_FR_TRADES = ("Équipements", "Emballages", "Électronique", "Transports", "Outillage", "Chimie Fine")
_FR_CITIES = (("Île-de-France", "Paris", "75008"), ("Rhône-Alpes", "Lyon", "69002"), ("Bretagne", "Rennes", "35000"))
_JP_NAMES = ("山田", "佐々木", "高橋", "渡邊", "齋藤", "𠮷田", "中村", "小林", "髙島", "伊藤")
_JP_TRADES = ("製作所", "商事", "電機", "精密", "物産", "化学工業")
_JP_CITIES = (("東京都", "千代田区", "100-0005"), ("大阪府", "大阪市", "530-0001"), ("愛知県", "名古屋市", "450-0002"))
_EN_NAMES = ("Harbour", "Oakfield", "Northgate", "Silverline", "Redwood", "Kingsley", "Westbrook", "Ashford")
_EN_TRADES = ("Instruments", "Trading", "Components", "Supplies", "Engineering", "Freight")
SURNAMES = {
    "王": "Wang",
    "李": "Li",
    "张": "Zhang",
    "刘": "Liu",
    "陈": "Chen",
    "杨": "Yang",
    "赵": "Zhao",
    "𠮷": "Yoshi",
}
GIVEN = {
    "伟": "Wei",
    "芳": "Fang",
    "娜": "Na",
    "敏": "Min",
    "静": "Jing",
    "强": "Qiang",
    "磊": "Lei",
    "洋": "Yang",
    "㐂": "Xi",
}


class People:
    """Makes parties; a name is never made twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def company(self) -> Party:
        maker = self._rng.choices(
            (self._chinese, self._german, self._french, self._japanese, self._english), (12, 2, 2, 2, 2)
        )
        return self._unique(maker[0])

    def chinese(self) -> Party:
        return self._unique(self._chinese)

    def person(self, name: str, name_en: str) -> Party:
        province, city, street, postcode, _, _ = self._rng.choice(_CITIES)
        phone = f"13{self._rng.randint(10**8, 10**9 - 1)}"
        domain = f"mail{self._rng.randint(100, 999)}.example"
        return Party(name, name_en, "CN", province, city, f"{street}8号", postcode, "", phone, domain, True)

    def _unique(self, maker: Callable[[str], Party]) -> Party:
        for attempt in range(200):
            party = maker("" if attempt < 20 else str(self._rng.randint(2, 9999)))
            if party.name not in self._taken:
                self._taken.add(party.name)
                return party
        raise ValueError("no more names; make the sandbox smaller")

    def _chinese(self, suffix: str) -> Party:
        rng = self._rng
        province, city, street, postcode, area, city_en = rng.choice(_CITIES)
        first, second, trade = rng.choice(list(_ZH_FIRST)), rng.choice(list(_ZH_SECOND)), rng.choice(list(_ZH_TRADES))
        latin = rng.choice(("", "", "", "", "ABC", "E-Link", "3T"))
        brand_en = latin or (_ZH_FIRST[first] + _ZH_SECOND[second]).title()
        brand = latin or first + second
        name = (
            f"{brand}{trade}{suffix}（{city}）有限公司"
            if rng.random() < 0.3
            else f"{city}{brand}{trade}{suffix}有限公司"
        )
        return Party(
            name,
            f"{city_en} {brand_en} {_ZH_TRADES[trade]}{suffix and ' ' + suffix} Co., Ltd.",
            "CN",
            province,
            city,
            f"{street}{rng.randint(1, 999)}号",
            postcode,
            uscc(rng),
            f"{area}-{rng.randint(50000000, 89999999)}",
            f"{brand_en.lower()}{rng.randint(10, 9999)}.example",
        )

    def _german(self, suffix: str) -> Party:
        form = self._rng.choice(("GmbH", "AG", "GmbH & Co. KG"))
        name = f"{self._rng.choice(_DE_NAMES)} {self._rng.choice(_DE_TRADES)}{suffix and ' ' + suffix} {form}"
        return self._european(
            name, "DE", _DE_CITIES, f"Hauptstraße {self._rng.randint(1, 99)}", german_vat(self._rng), "+49 89 "
        )

    def _french(self, suffix: str) -> Party:
        form = self._rng.choice(("SARL", "SAS", "SA"))
        name = f"{self._rng.choice(_FR_TRADES)} {self._rng.choice(_FR_NAMES)}{suffix and ' ' + suffix} {form}"
        street = f"{self._rng.randint(1, 99)} rue de l'Église"
        return self._european(name, "FR", _FR_CITIES, street, french_vat(self._rng), "+33 1 ")

    def _japanese(self, suffix: str) -> Party:
        name = f"株式会社{self._rng.choice(_JP_NAMES)}{self._rng.choice(_JP_TRADES)}{suffix}"
        street = f"丸の内{self._rng.randint(1, 9)}-{self._rng.randint(1, 30)}"
        return self._european(name, "JP", _JP_CITIES, street, japanese_number(self._rng), "+81 3 ")

    def _english(self, suffix: str) -> Party:
        form = self._rng.choice(("Ltd", "Inc.", "LLC"))
        name = f"{self._rng.choice(_EN_NAMES)} {self._rng.choice(_EN_TRADES)}{suffix and ' ' + suffix} {form}"
        return self._european(
            name, "US", (("NY", "New York", "10001"),), f"{self._rng.randint(1, 900)} Main Street", "", "+1 212 "
        )

    def _european(
        self, name: str, country: str, cities: tuple[tuple[str, str, str], ...], street: str, tax_id: str, dial: str
    ) -> Party:
        province, city, postcode = self._rng.choice(cities)
        phone = f"{dial}{self._rng.randint(1000, 9999)} {self._rng.randint(1000, 9999)}"
        domain = f"{country.lower()}{self._rng.randint(10000, 99999)}.example"
        return Party(
            name, name if name.isascii() else "", country, province, city, street, postcode, tax_id, phone, domain
        )


def respell(name: str, rng: random.Random) -> str:
    """Another spelling of one name, such as a second clerk would enter; never the same."""
    changed = [other for other in (way(name) for way in _WAYS) if other != name]
    return rng.choice(changed)


_WAYS: tuple[Callable[[str], str], ...] = (
    lambda name: name.replace("有限公司", "有限责任公司"),
    lambda name: name.replace("（", "(").replace("）", ")"),
    lambda name: name.translate(_TRADITIONAL) if "有限" in name else name,
    lambda name: name.translate(_FULL_WIDTH) if "有限" in name else name,
    lambda name: name.replace("GmbH", "G.m.b.H."),
    lambda name: name.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss"),
    lambda name: name.replace("É", "E").replace("é", "e").replace("è", "e"),
    lambda name: f"{name.removeprefix('株式会社')}（株）" if name.startswith("株式会社") else name,
    lambda name: name.upper() if name.isascii() else name,
    lambda name: f"{name} ",
)
