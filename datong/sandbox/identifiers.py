"""Tax numbers that are made up, with the right check digits."""

import random

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(rng: random.Random) -> str:
    """统一社会信用代码, GB 32100-2015; the organisation code inside has its own check character (GB 11714)."""
    region = rng.choice(("110000", "310000", "320500", "330100", "440300", "510100", "420100", "210200"))
    body = "".join(rng.choice("0123456789") for _ in range(8))
    total = sum(int(digit) * weight for digit, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    organisation = body + "0123456789X0"[(11 - total % 11) % 11]
    first = f"91{region}{organisation}"
    weighted = sum(_USCC.index(sign) * pow(3, i, 31) for i, sign in enumerate(first))
    return first + _USCC[(31 - weighted % 31) % 31]


def german_vat(rng: random.Random) -> str:
    """DE and nine digits, the last by ISO 7064 mod 11, 10."""
    digits = [rng.randint(1, 9), *(rng.randint(0, 9) for _ in range(7))]
    product = 10
    for digit in digits:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return "DE" + "".join(map(str, digits)) + str((11 - product) % 10)


def french_vat(rng: random.Random) -> str:
    """FR, a key and a SIREN, whose last digit is Luhn's."""
    digits = [rng.randint(1, 9), *(rng.randint(0, 9) for _ in range(7))]
    total = sum(sum(divmod(digit * 2, 10)) if i % 2 else digit for i, digit in enumerate(digits))
    siren = int("".join(map(str, digits)) + str(-total % 10))
    return f"FR{(12 + 3 * (siren % 97)) % 97:02d}{siren:09d}"


def japanese_number(rng: random.Random) -> str:
    """法人番号: a check digit and twelve digits."""
    digits = [rng.randint(0, 9) for _ in range(12)]
    total = sum(digit * (2 if i % 2 else 1) for i, digit in enumerate(reversed(digits)))
    return str(9 - total % 9) + "".join(map(str, digits))
