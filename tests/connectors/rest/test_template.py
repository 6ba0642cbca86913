from __future__ import annotations

from typing import Any

import pytest

from datong.connectors.rest.template import NOTHING, compiled, path, placeholders, wrong_places


@pytest.mark.parametrize(
    ("told", "known", "made"),
    [
        ("plain", {}, "plain"),
        ("{size}", {"size": 500}, 500),
        ("{ids}", {"ids": [1, 2]}, [1, 2]),
        ("n={size}", {"size": 500}, "n=500"),
        ("{since}", {}, NOTHING),
        ("{since}", {"since": None}, NOTHING),
        ({"limit": "{size}", "since": "{since}"}, {"size": 5}, {"limit": 5}),
        ({"a": {"b": "{since}"}}, {}, {"a": {}}),
        ({"filters": [{"value": "{since}"}]}, {}, {}),
        ({"filters": [{"value": "{since}"}, {"value": 1}]}, {}, {"filters": [{"value": 1}]}),
        ({"filters": [["modified", ">", "{since}"]]}, {"since": "x"}, {"filters": [["modified", ">", "x"]]}),
        ("{value:json}", {"value": 'say "hi"'}, '"say \\"hi\\""'),
        ('["in",{values:json}]', {"values": ["深", "圳"]}, '["in",["深","圳"]]'),
        ("name = '{value:sql}'", {"value": "o'neill"}, "name = 'o''neill'"),
        ("in ({ids:comma})", {"ids": [1, 2]}, "in (1,2)"),
        ("{id:number}", {"id": "0042"}, 42),
        ("{record.properties}", {"record": {"properties": {"a": 1}}}, {"a": 1}),
        ("{record.properties}", {"record": {}}, NOTHING),
        ("${env:X}", {}, "${env:X}"),
        ('{"a": 1}', {}, '{"a": 1}'),
        ({"on": True, "none": None}, {}, {"on": True, "none": None}),
    ],
)
def test_a_template_is_filled(told: Any, known: dict[str, Any], made: Any) -> None:
    assert compiled(told)(known) == made


@pytest.mark.parametrize(
    ("id", "made"),
    [
        ("Müller & Co", "/x/M%C3%BCller%20%26%20Co"),
        ("a/../b", "/x/a%2F..%2Fb"),
        ("..", "/x/%2E%2E"),
        ("?q=1#x", "/x/%3Fq%3D1%23x"),
    ],
)
def test_no_value_in_a_path_leads_elsewhere(id: str, made: str) -> None:
    assert path("/x/{id}")({"id": id}) == made


def test_a_path_without_its_value_is_no_path() -> None:
    with pytest.raises(ValueError, match="id is not known"):
        path("/x/{id}")({})


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        compiled("FCUSTID={id:number}")({"id": "1 or 1=1"})


def test_wrong_placeholders_are_told_with_their_place() -> None:
    told = {"a": [{"b": "{sinc}"}], "c": "{size:xml}", "d": "{size}"}
    wrong = [(one.steps, one.cause, one.remedy) for one in wrong_places(told, ("since", "size"))]
    assert wrong == [
        (("a", 0, "b"), "the placeholder {sinc} has no meaning here", "did you mean {since}?"),
        (("c",), "{size:xml}: there is no such form", "known are number, json, sql, comma"),
    ]
    assert placeholders(told) == {"sinc", "size"}
