"""What a message names: numbers of documents and products, and whose mail domain it came from. Pure.

Nothing is guessed: what is given here is looked up exactly, and counts only where it is known.
"""

from __future__ import annotations

import re

MOST = 60
"""Numbers of one message that are looked up; a longer list is no question about an order."""
_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._/-]{0,38}[0-9A-Za-z])?")
_SHORTEST, _SHORTEST_DIGITS = 3, 5

PUBLIC_DOMAINS = frozenset(
    (
        "126.com",
        "139.com",
        "163.com",
        "188.com",
        "189.cn",
        "21cn.com",
        "aliyun.com",
        "aol.com",
        "fastmail.com",
        "foxmail.com",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.cn",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "sina.cn",
        "sina.com",
        "sohu.com",
        "t-online.de",
        "tom.com",
        "vip.163.com",
        "vip.qq.com",
        "vip.sina.com",
        "wo.cn",
        "web.de",
        "yahoo.co.jp",
        "yahoo.com",
        "yandex.ru",
        "yeah.net",
    )
)
"""Mail domains in which anybody may have an address: they say nothing of whom somebody works for."""


def named_numbers(*texts: str | None) -> list[str]:
    """What may be the number of something, in the order in which it is named: at least three characters with a digit
    among them; of digits alone at least five, for a short one is rather a quantity. `A/B` is offered whole and in
    parts.
    """
    found: dict[str, None] = {}
    for text in texts:
        for whole in _NUMBER.findall(text or ""):
            for one in dict.fromkeys((whole, *whole.split("/"))):
                if _may_be(one):
                    found.setdefault(one.casefold())
                if len(found) >= MOST:
                    return list(found)
    return list(found)


def _may_be(token: str) -> bool:
    if token.isdigit():
        return len(token) >= _SHORTEST_DIGITS
    return len(token) >= _SHORTEST and any(one.isdigit() for one in token)


def own_domain(address: str | None) -> str | None:
    """The mail domain of an address, where it is a company's own; None where anybody may have an address in it."""
    domain = (address or "").rpartition("@")[2].strip().casefold()
    return domain if "@" in (address or "") and domain and domain not in PUBLIC_DOMAINS else None
