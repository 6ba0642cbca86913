"""Names of companies and persons, taken apart so that they can be compared.

A company name is a core, a legal form and perhaps a branch: 上海启明电子有限公司北京分公司 is 上海启明电子 + ltd +
beijing branch. Two names speak for one party when the cores are alike and nothing that tells siblings apart (branch,
place, number) differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from datong.matching.legal_forms import (
    BRANCH_HAN,
    BRANCH_KINDS,
    BRANCH_LATIN,
    GROUP_HAN,
    GROUP_LATIN,
    HAN_FORMS,
    IN_BRACKETS,
    LATIN_FORMS,
    LEADING_HAN,
    LEADING_LATIN,
    LONGEST_LATIN,
)
from datong.matching.normalise import HAN, fold, plain, words
from datong.matching.places import HAN_PLACES, LATIN_PLACES

_IS_HAN = re.compile(f"[{HAN}]")
_BRACKET = re.compile(r"[(\[{【〔《「『<]\s*([^()\[\]{}【】〔〕《》「」『』<>]*?)\s*[)\]}】〕》」』>]")
_BRANCH_WORD = re.compile("|".join(words[0] for words in BRANCH_LATIN))
_HAN_ENDINGS = tuple(form for form, _ in HAN_FORMS)
_LEGAL_HAN = re.compile("|".join(form for form, _ in HAN_FORMS) + "|集团")
_NUMBER = re.compile(
    r"\d+|第[一二三四五六七八九十百零〇]+|[一二三四五六七八九十百]+(?=[局厂店院所处号队部冶建中小]|分公司|公司|$)"
)
_ORDINALS = {
    "first": "1",
    "second": "2",
    "third": "3",
    "fourth": "4",
    "fifth": "5",
    "sixth": "6",
    "seventh": "7",
    "eighth": "8",
    "ninth": "9",
    "tenth": "10",
    "no1": "1",
    "no2": "2",
    "no3": "3",
}
_PLACE_AT_START = re.compile(rf"^({'|'.join(sorted(HAN_PLACES, key=len, reverse=True))})(?:省|市)?")
_PLACE_AT_END = re.compile(rf"({'|'.join(sorted(HAN_PLACES, key=len, reverse=True))})(?:省|市)?$")
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "mme", "mlle", "ing", "dipl"])
_HAN_TITLE = re.compile(r"(?<=..)(?:先生|女士|小姐|太太|様|さん)$")


class Name(NamedTuple):
    """A name taken apart. `core` keeps the order of the words; `letters` is the core without places, words sorted,
    no spaces: what is compared. `legal` is the family of the legal form, `branch` "" for a head office."""

    core: str
    letters: str = ""
    running: str = ""
    places: frozenset[str] = frozenset()
    numbers: tuple[str, ...] = ()
    legal: str = ""
    branch: str = ""
    group: bool = False
    person: bool = False


# --- companies -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32768)
def company_name(text: str) -> Name:
    """The name of an organisation. Brackets go, their content (mostly a place) stays; the core is never empty.

    >>> company_name("Acme (Shanghai) Trading Co., Ltd.").core
    'acme shanghai trading'
    """
    name = _bracket_form(fold(plain(text)))
    while (after := _strip_one(name)) is not name:
        name = after
    return _analysed(name)


def _bracket_form(text: str) -> Name:
    """The words of a name, without the legal forms that stand in brackets: (株), (普通合伙)."""
    families: list[str] = []

    def take(found: re.Match[str]) -> str:
        form = words(found[1])
        if form not in IN_BRACKETS:
            return found[0]
        families.append(IN_BRACKETS[form])
        return " "

    rest = words(_BRACKET.sub(take, text))
    return Name(rest, legal=next(filter(None, families), "")) if rest else Name(words(text))


def _strip_one(name: Name) -> Name:
    """The name with one more outer part (branch, legal form, 集团) taken off its core; the same name if there is
    none."""
    for part in (_branch, _legal_han, _legal_latin, _group):
        after = part(name)
        if after is not name:
            return after._replace(core=after.core.strip())
    core = words(name.core)
    return name if core == name.core else name._replace(core=core)


def _branch(name: Name) -> Name:
    if name.core.endswith(BRANCH_HAN):
        marker = next(marker for marker in BRANCH_HAN if name.core.endswith(marker))
        return _han_branch(name, name.core.removesuffix(marker), marker)
    if not _BRANCH_WORD.search(name.core):
        return name
    tokens = name.core.split()
    for start in range(1, len(tokens)):
        kind, length = _branch_kind(tokens, start)
        if not kind:
            continue
        label = tokens[start + length :]
        if label[:1] == ["of"]:  # shanghai branch of acme
            return _with_branch(name, " ".join(label[1:]), " ".join(tokens[:start]), kind)
        cut = _label_start(tokens, start)
        if label and _ends_in_form(tokens[:start]):  # acme gmbh niederlassung shanghai
            return _with_branch(name, " ".join(tokens[:start]), " ".join(label), kind)
        if not label and cut < start:  # acme ltd shanghai branch
            return _with_branch(name, " ".join(tokens[:cut]), " ".join(tokens[cut:start]), kind)
    return name


def _han_branch(name: Name, before: str, marker: str) -> Name:
    """`before` ends with the branch's own name, which starts after the legal form or else is a known place."""
    forms = list(_LEGAL_HAN.finditer(before))
    place = _PLACE_AT_END.search(before)
    cut = forms[-1].end() if forms else place.start() if place and place.start() > 1 else len(before)
    if not forms and (latin := _after_latin_form(before)):
        cut = latin
    return _with_branch(name, before[:cut], before[cut:], BRANCH_KINDS.get(marker, marker))


def _after_latin_form(text: str) -> int:
    """Where the branch's label starts in `acme ltd 上海` (spaces beside Han characters are gone by now)."""
    latin = re.match(r"^[a-z0-9 ]+", text)
    return latin.end() if latin and _ends_in_form(latin[0].split()) else 0


def _with_branch(name: Name, core: str, label: str, kind: str) -> Name:
    if not core.strip():
        return name
    label = words(label)
    label = re.sub("(?<=..)市$", "", label)
    branch = f"{HAN_PLACES.get(label) or LATIN_PLACES.get(label) or label} {kind}".strip()
    return name._replace(core=core, branch=f"{branch}, {name.branch}" if name.branch else branch)


def _branch_kind(tokens: list[str], start: int) -> tuple[str, int]:
    for length in (2, 1):
        if kind := BRANCH_LATIN.get(tuple(tokens[start : start + length])):
            return kind, length
    return "", 0


def _label_start(tokens: list[str], end: int) -> int:
    """Where the label before a branch word starts: at a known place, or after a legal form; `end` if neither (Olive
    Branch)."""
    for length in (2, 1):
        if end - length > 0 and " ".join(tokens[end - length : end]) in LATIN_PLACES:
            return end - length
    for cut in range(end - 1, max(0, end - 4), -1):
        if _ends_in_form(tokens[:cut]):
            return cut
    return end


def _ends_in_form(tokens: list[str]) -> bool:
    return any(tuple(tokens[-length:]) in LATIN_FORMS for length in range(1, min(LONGEST_LATIN, len(tokens) - 1) + 1))


def _legal_han(name: Name) -> Name:
    for form in LEADING_HAN:
        if name.core.startswith(form):
            return _without(name, name.core[len(form) :], dict(HAN_FORMS)[form])
    if name.core.endswith(_HAN_ENDINGS):
        form, family = next(pair for pair in HAN_FORMS if name.core.endswith(pair[0]))
        return _without(name, name.core.removesuffix(form), family)
    return name


def _legal_latin(name: Name) -> Name:
    tokens = name.core.split()
    if len(tokens) > 1 and tokens[0] == "the":
        return _without(name, " ".join(tokens[1:]), "")
    if len(tokens) > 1 and tokens[0] in LEADING_LATIN:
        return _without(name, " ".join(tokens[1:]), LATIN_FORMS[tokens[0],])
    for length in range(min(LONGEST_LATIN, len(tokens)), 0, -1):
        family = LATIN_FORMS.get(tuple(tokens[-length:]))
        if family is not None and len(tokens) > length:
            return _without(name, " ".join(tokens[:-length]), family)
        if family is not None and length == len(tokens):
            break
    mixed = re.match(rf"^(.*[{HAN}])([a-z ]+)$", name.core)
    if mixed and (family := LATIN_FORMS.get(tuple(mixed[2].split()))) is not None:
        return _without(name, mixed[1], family)
    return name


def _without(name: Name, core: str, family: str) -> Name:
    return name._replace(core=core, legal=name.legal or family) if core.strip() else name


def _group(name: Name) -> Name:
    for word in GROUP_HAN:
        if name.core.endswith(word) and len(name.core) > len(word):
            return name._replace(core=name.core[: -len(word)], group=True)
    tokens = name.core.split()
    if len(tokens) > 1 and tokens[-1] in GROUP_LATIN:
        return name._replace(core=" ".join(tokens[:-1]), group=True)
    return name


def _analysed(name: Name) -> Name:
    if not plain(name.core):
        return Name("")
    rest, places = _without_places(name.core)
    numbers = [_ORDINALS[word] for word in rest.split() if word in _ORDINALS]
    numbers += map(_arabic, _NUMBER.findall(rest))
    rest = _NUMBER.sub(lambda found: _arabic(found[0]), rest)
    return name._replace(
        letters=_sorted_letters(rest),
        running=rest.replace(" ", ""),
        places=places,
        numbers=tuple(sorted(numbers)),
    )


def _without_places(core: str) -> tuple[str, frozenset[str]]:
    """The core without the places it names; where nothing would remain, the place is the name."""
    places: set[str] = set()
    rest = core
    for pattern in (_PLACE_AT_START, _PLACE_AT_START, _PLACE_AT_END):
        found = pattern.search(rest)
        if found and len(rest) - len(found[0]) >= 2:
            places.add(HAN_PLACES[found[1]])
            rest = rest[: found.start()] + rest[found.end() :]
    tokens, kept = rest.split(), list[str]()
    while tokens:
        length = 2 if " ".join(tokens[:2]) in LATIN_PLACES and len(tokens) > 1 else 1
        place = LATIN_PLACES.get(" ".join(tokens[:length]))
        if place:
            places.add(place)
        else:
            kept += tokens[:length]
        tokens = tokens[length:]
    return (" ".join(kept), frozenset(places)) if kept else (core, frozenset())


def _arabic(number: str) -> str:
    """第十八 -> 18, so that it meets `18th` and 18; other digits to ASCII without leading zeros."""
    number = number.removeprefix("第")
    if number.isdecimal():
        return str(int(number))
    total = ones = 0
    for char in number:
        if char in "十百":
            total += (ones or 1) * (10 if char == "十" else 100)
            ones = 0
        else:
            ones = "零一二三四五六七八九".find(char) if char != "〇" else 0
    return str(total + ones)


def _sorted_letters(text: str) -> str:
    return "".join(sorted(text.split()))


# --- persons ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32768)
def person_name(text: str) -> Name:
    """The name of a person: titles and the order of the words do not matter (`Zhang, San` is `San Zhang`)."""
    core = words(plain(text))
    core = _HAN_TITLE.sub("", core)
    tokens = core.split()
    while len(tokens) > 1 and tokens[0] in _TITLES:
        tokens = tokens[1:]
    core = plain(" ".join(tokens))
    return Name(core, letters=_sorted_letters(core), running=core.replace(" ", ""), person=True)


# --- likeness --------------------------------------------------------------------------------------------------------


def similarity(left: Name, right: Name, at_least: float = 0.0) -> float:
    """How alike two names are, 0 to 1; 0 where they name different branches, places or numbers, or are below
    `at_least`.

    A place that only one of them names costs little (深圳市腾讯 and 腾讯), except where so little is left that it is
    the name."""
    if not left.letters or not right.letters or left.branch != right.branch or left.numbers != right.numbers:
        return 0.0
    if left.person != right.person:
        return 0.0
    factor = 1.0
    if left.places != right.places:
        if not (left.places <= right.places or right.places <= left.places) or _is_short(left, right):
            return 0.0
        factor = 0.97
    if left.legal and right.legal and left.legal != right.legal:
        factor *= 0.98
    if left.group != right.group:
        factor *= 0.98
    size, other = len(left.letters), len(right.letters)
    if min(size, other) * 2 < at_least * (size + other):
        return 0.0
    score = factor * _likeness(left, right)
    return score if score >= at_least else 0.0


def _likeness(left: Name, right: Name) -> float:
    if left.letters == right.letters or left.running == right.running:
        return 1.0
    if left.person and (_IS_HAN.search(left.core) or _IS_HAN.search(right.core)):
        return 0.0  # 李娜 and 李娟 are two people; one character is half a name
    likeness = _indel()
    score = likeness(left.letters, right.letters)
    if left.letters == left.running and right.letters == right.running:
        return score
    return max(score, likeness(left.running, right.running))


@cache
def _indel() -> Callable[[str, str], float]:
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity


def _is_short(left: Name, right: Name) -> bool:
    least = 3 if _IS_HAN.search(left.letters + right.letters) else 4
    return min(len(left.letters), len(right.letters)) < least


# --- blocks ----------------------------------------------------------------------------------------------------------

_LENGTHS = (2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64)


def blocks(name: Name, at_least: float) -> Iterable[str]:
    """Keys of which two names as alike as `at_least` nearly always share one; they only say where to look.

    `=` is the name itself. A name with a typing error still has its first or its last half whole, so halves in two
    lengths stand for the rest; they are left out where the name is too short for any difference to pass."""
    if not name.letters:
        return
    yield "=" + name.letters
    if name.running != name.letters:
        yield "=" + name.running
    text = name.letters
    if at_least < 1 and 1 - 1 / (2 * len(text) + 1) >= at_least:
        for length in [size for size in _LENGTHS if size <= max(2, len(text) // 2)][-2:]:
            yield "<" + text[:length]
            yield ">" + text[-length:]


def same_branch(names: Iterable[Name], others: Iterable[Name]) -> bool:
    """False where one side is named as a branch and the other is not, or as another. A side without a name says
    nothing; a branch whose English name leaves the branch out is still one."""
    left, right = ({name.branch for name in side} for side in (names, others))
    if not left or not right:
        return True
    left, right = left - {""}, right - {""}
    return bool(left & right) if left and right else left == right
