"""Which articles of the knowledge base fit a question, in Chinese and English. Pure; nothing is kept between calls.

A Chinese text is looked at by its pairs of characters, which need no dictionary, a Latin one by its words, of which
the beginning counts (`bearing` finds `bearings`). A rare term weighs more than a common one, a title or symptom more
than the body, and what is found often in a long text does not weigh without end (BM25, Robertson and Walker 1994).
Only the terms of the question are counted, so that some thousand articles take a fraction of a second.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from datong.canon import Article

TITLE, BODY = 3.0, 1.0
"""How much a term weighs there."""
_K, _B = 1.2, 0.75
_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PARTS = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
_IDLE = frozenset(
    ("the", "and", "for", "with", "was", "not", "are", "has", "had", "have", "this", "that", "our", "your")
)


@dataclass(frozen=True)
class Found:
    """An article that fits, and how well; the scores of one answer may be compared with each other only."""

    key: str
    article: Article
    score: float


def terms(text: str) -> frozenset[str]:
    """What is looked for: pairs of Chinese characters (a lone one as it is), Latin words of three letters or more,
    and whatever holds a digit."""
    found: set[str] = set()
    for part in _PARTS.findall(_plain(text)):
        if re.match(f"[{_HAN}]", part):
            found.update({part[i : i + 2] for i in range(len(part) - 1)} or {part})
        elif (len(part) > 2 and part not in _IDLE) or any(sign.isdigit() for sign in part):
            found.add(f" {part}")
    return frozenset(found)


def ranked(question: str, articles: Mapping[str, Article], most: int = 5) -> list[Found]:
    """The articles that share a term with the question, best first; equal ones in the order of their keys."""
    wanted = sorted(terms(question))
    texts = {key: _texts(article) for key, article in articles.items() if article.active is not False}
    if not wanted or not texts:
        return []
    usual = sum(len(body) for _, body in texts.values()) / len(texts)
    counts = {
        key: [TITLE * title.count(one) + BODY * body.count(one) for one in wanted]
        for key, (title, body) in texts.items()
    }
    weights = [_weight(sum(1 for found in counts.values() if found[i]), len(texts)) for i in range(len(wanted))]
    found = [
        Found(key, articles[key], _score(counts[key], weights, len(body) / usual if usual else 1.0))
        for key, (_, body) in texts.items()
    ]
    fit = sorted((one for one in found if one.score > 0), key=lambda one: (-one.score, one.key))
    return fit[:most]


def _weight(holding: int, all_of_them: int) -> float:
    return log(1 + (all_of_them - holding + 0.5) / (holding + 0.5))


def _score(counts: Sequence[float], weights: Sequence[float], length: float) -> float:
    long = _K * (1 - _B + _B * length)
    return sum(
        weight * count * (_K + 1) / (count + long) for count, weight in zip(counts, weights, strict=True) if count
    )


def _texts(article: Article) -> tuple[str, str]:
    """Title and symptoms; the body. Words are parted by one space, and begin with it."""
    heads = (article.number, article.title, article.title_en, article.symptoms, article.symptoms_en)
    return _spaced(heads), _spaced((article.body, article.body_en))


def _spaced(texts: Sequence[str | None]) -> str:
    return " " + " ".join(_PARTS.findall(_plain(" ".join(filter(None, texts)))))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
