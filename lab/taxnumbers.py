"""Tax numbers with valid check digits, for customers that do not exist."""

from __future__ import annotations

from random import Random

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def uscc(random: Random, region: str) -> str:
    """统一社会信用代码 (GB 32100): 91 = enterprise, region, organisation code with its own check digit, check digit."""
    organisation = f"MA{random.choice('1234567')}{random.randrange(100_000):05d}"
    body = "91" + region + organisation + organisation_check(organisation)
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return body + USCC_ALPHABET[-total % 31]


def organisation_check(code: str) -> str:
    """The check digit of GB 11714 inside a 统一社会信用代码; letters count from A = 10."""
    rest = -sum(int(character, 36) * weight for character, weight in zip(code, ORGANISATION_WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def vat(random: Random, country: str) -> str:
    """A VAT number of one of four countries of the European Union."""
    return country + {"BE": _be, "DE": _de, "FR": _fr, "NL": _nl}[country](random)


def _be(random: Random) -> str:
    base = random.randrange(2_000_000, 7_999_999)
    return f"0{base}{97 - base % 97:02d}"


def _de(random: Random) -> str:
    digits = f"{random.randrange(11_000_000, 40_000_000)}"
    rest = 10
    for digit in digits:
        rest = ((int(digit) + rest) % 10 or 10) * 2 % 11
    return f"{digits}{(11 - rest) % 10}"


def _fr(random: Random) -> str:
    digits = f"{random.randrange(30_000_000, 89_000_000)}"
    doubled = sum(sum(divmod(int(digit) * (2 if place % 2 else 1), 10)) for place, digit in enumerate(digits))
    siren = int(f"{digits}{-doubled % 10}")
    return f"{(12 + 3 * (siren % 97)) % 97:02d}{siren}"


def _nl(random: Random) -> str:
    while True:
        digits = f"{random.randrange(10_000_000, 89_000_000)}"
        check = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 1, -1), strict=True)) % 11
        if check < 10:
            return f"{digits}{check}B01"
