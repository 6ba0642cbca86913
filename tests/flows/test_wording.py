"""What customers are told in words: every event in both languages, and words of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from datong.canon import NoticeEvent
from datong.flows.notices import NoticeSettings, allowed, mobile, quiet_until
from datong.flows.wording import FACTS, LANGUAGES, ours, overridden

FULL = {**dict.fromkeys(FACTS, "值"), "goods": ["W-100 × 2"], "link": "https://s.example/p/see/x"}


@pytest.mark.parametrize("event", get_args(NoticeEvent))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_its_words(event: str, language: str) -> None:
    for facts in (FULL, {}):
        said = ours().say(language, event, facts)
        assert said.subject and "\n" not in said.subject and said.text and "\n" not in said.short
        assert "{{" not in said.text and "None" not in said.text and "\n\n\n\n" not in said.text
    assert "https://s.example/p/see/x" in ours().say(language, event, FULL).text


def test_words_of_ones_own_replace_ours(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("shipped: {subject: 'Off it goes: {{ number }}'}", encoding="utf8")
    said = overridden(tmp_path).say("en", "shipped", {"number": "SH-1\nBcc: x"})
    assert said.subject == "Off it goes: SH-1 Bcc: x"
    assert said.text == ours().say("en", "shipped", {"number": "SH-1\nBcc: x"}).text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gone: {subject: x}", "no event gone"),
        ("shipped: {title: x}", "title is none of"),
        ("shipped: {text: '{{ nmber }}'}", "'nmber' is undefined"),
        ("shipped: {text: '{% if %}'}", "en.yaml"),
        ("[", "en.yaml"),
    ],
)
def test_a_mistake_in_them_is_told(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "en.yaml").write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=why):
        overridden(tmp_path)


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ("21:00-08:00", "2026-11-22T13:30", "2026-11-23T00:00"),  # 21:30 in Shanghai: until 8 next morning
        ("21:00-08:00", "2026-11-22T23:59", "2026-11-23T00:00"),  # 7:59
        ("21:00-08:00", "2026-11-23T00:00", None),
        ("12:00-14:00", "2026-11-22T04:00", "2026-11-22T06:00"),
        ("12:00-14:00", "2026-11-22T06:00", None),
        (None, "2026-11-22T13:30", None),
    ],
)
def test_quiet_hours_are_those_of_the_company(hours: str | None, at: str, until: str | None) -> None:
    now = datetime.fromisoformat(f"{at}:00+00:00")
    expected = datetime.fromisoformat(f"{until}:00+00:00").astimezone(UTC) if until else None
    assert quiet_until(hours, now, "Asia/Shanghai") == expected


def test_a_pilot_names_addresses_or_domains() -> None:
    only = ["li.na@kunde.example", "@pilot.example", "+8613800138000"]
    assert [allowed(one, only) for one in ("Li.Na@Kunde.example", "x@pilot.example", "+8613800138000")] == [True] * 3
    assert [allowed(one, only) for one in ("x@notpilot.example", "na@kunde.example", "+861380013800")] == [False] * 3


def test_a_company_that_is_named_has_its_own_table() -> None:
    told = NoticeSettings(tell={"default": {"shipped": ["mail", "sms"]}, "europe": {"delivered": ["mail"]}})
    assert told.channels("asia", "shipped") == told.channels(None, "shipped")
    assert told.channels(None, "shipped") == [("mail", "default shipped mail"), ("sms", "default shipped sms")]
    assert told.channels("europe", "shipped") == []
    assert told.channels("europe", "delivered") == [("mail", "europe delivered mail")]
    assert told.switches() == {"default shipped mail", "default shipped sms", "europe delivered mail"}


def test_a_landline_receives_no_text_messages() -> None:
    assert mobile("13800138001", "CN") == mobile("+86 138 0013 8001", "FR") == "+8613800138001"
    assert [mobile(one, "CN") for one in ("0755-2600 0000", "12", "")] == [None] * 3
