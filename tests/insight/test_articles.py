"""Articles by question: Chinese by pairs of characters, Latin by beginnings of words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datong.canon import Article
from datong.insight.articles import ranked, terms
from tests.properties.laws import law

BASE = {
    "article:1": Article(number="KB-1", title="轴承异响", symptoms="异响，发热", body="先检查润滑脂，再检查安装面。"),
    "article:2": Article(number="KB-2", title_en="Overheating motors", body_en="The motor runs hot. Check the fan."),
    "article:3": Article(number="KB-3", title="发票抬头怎么改", body="请联系财务。电机也会发热。"),
    "article:4": Article(number="KB-4", title="轴承安装", active=False),
    "article:5": Article(number="KB-5", title="型号 W-100 使用说明"),
}


def found(question: str, most: int = 5) -> list[str | None]:
    return [one.article.number for one in ranked(question, BASE, most)]


def test_a_symptom_finds_its_article_and_a_title_weighs_more_than_a_body() -> None:
    assert found("轴承运转有异响") == ["KB-1"]
    assert found("电机发热") == ["KB-3", "KB-1"]
    assert found("发热")[0] == "KB-1"


def test_latin_words_are_found_by_their_beginning_in_any_case_and_width() -> None:
    assert found("MOTOR is overheat") == ["KB-2"]
    assert found("ｍｏｔｏｒ") == ["KB-2"]
    assert found("otors") == []


def test_numbers_count_and_idle_words_do_not() -> None:
    assert found("W-100") == ["KB-5"]
    assert found("the and for") == [] and found("") == [] and found("？！") == []


def test_at_most_so_many_and_none_that_is_switched_off() -> None:
    assert found("轴承 安装") == ["KB-1"]
    assert len(found("轴承 发热 motor 100", 2)) == 2


def test_terms() -> None:
    assert terms("轴承异响") == {"轴承", "承异", "异响"}
    assert terms("热 Bearing-6204 on") == {"热", " bearing", " 6204"}


@law
@given(st.text(max_size=60), st.integers(1, 9))
def test_whatever_is_asked_scores_fall_and_name_articles(question: str, most: int) -> None:
    told = ranked(question, BASE, most)
    scores = [one.score for one in told]
    assert scores == sorted(scores, reverse=True) and all(score > 0 for score in scores)
    assert len(told) <= most and len({one.key for one in told}) == len(told)


def test_what_names_an_article_whole_finds_it_first() -> None:
    for key, article in BASE.items():
        if article.active is not False:
            assert ranked(" ".join(filter(None, (article.title, article.title_en))), BASE)[0].key == key
