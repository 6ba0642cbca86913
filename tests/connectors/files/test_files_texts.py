"""Which encoding and which delimiter a file has: certain, or said aloud that it is not."""

from __future__ import annotations

import pytest

from datong.connectors.files.csvs import rows_of, safe, shown, sniffed, written
from datong.connectors.files.texts import decoded
from datong.connectors.files.trouble import Unfinished, WrongFile

CHINESE = "客户编号,客户名称\r\nC1,深圳市大同科技有限公司\r\nC2,上海第二有限公司\r\n"
RARE = "客户编号,客户名称\r\nC1,朱镕堃有限公司\r\nC2,北京𠮷野家餐饮🏭有限公司\r\nC3,广州第三有限公司\r\n"
GERMAN = "Kundennr.;Name\r\nK1;Müller & Söhne\r\nK2;Bäckerei Größe\r\nK3;Über Äpfel\r\n"


@pytest.mark.parametrize("text", [CHINESE, RARE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_the_encoding_of_a_chinese_list_is_found(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-16", "cp1252", "big5"])
def test_a_declared_encoding_is_taken(encoding: str) -> None:
    text = GERMAN if encoding == "cp1252" else "客戶,大同\n" if encoding == "big5" else CHINESE
    assert decoded(text.encode(encoding), encoding)[0] == text


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1250"])
def test_a_western_list_is_not_taken_for_chinese(encoding: str) -> None:
    """`Müller` decodes as GB18030 without an error, to other letters."""
    assert "M\u9eeeler" in GERMAN.encode(encoding).decode("gb18030", "replace")
    with pytest.raises(WrongFile, match="not certain: byte 0xFC at 21 in line 2 is not UTF-8") as caught:
        decoded(GERMAN.encode(encoding))
    assert "encoding:" in caught.value.remedy


def test_too_little_to_tell_is_not_guessed() -> None:
    with pytest.raises(WrongFile, match="not certain"):
        decoded("no,name\r\n1,张三\r\n".encode("gb18030"))


def test_a_wrong_declaration_names_the_byte_and_the_line() -> None:
    with pytest.raises(WrongFile, match=r"it is not utf-8: byte 0xBF at 1 in line 1"):
        decoded(CHINESE.encode("gb18030"), "utf-8")
    with pytest.raises(WrongFile, match=r"it is not utf-8: byte 0xC9 at 28 in line 2"):
        decoded("客户编号,名称\r\nC1,大".encode() + "上海第二有限公司\r\n".encode("gb18030"), "utf-8")
    with pytest.raises(WrongFile, match="marked as utf-8-sig, but declared as gb18030"):
        decoded(CHINESE.encode("utf-8-sig"), "gb18030")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_cut_within_a_character_is_unfinished(encoding: str) -> None:
    data = CHINESE.strip().encode(encoding)[:-1]
    for declared in (encoding, "auto"):
        with pytest.raises(Unfinished):
            decoded(data, declared)


def test_zeros_in_a_text_are_damage() -> None:
    """A power cut leaves a file as long as it was to be, with nothing in it."""
    with pytest.raises(WrongFile, match="line 4 holds a NUL"):
        decoded(CHINESE.encode() + b"\x00" * 512)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_under_which_the_columns_are_found(delimiter: str) -> None:
    text = f'"客户编号"{delimiter}名称{delimiter}备注\r\nC1{delimiter}大同{delimiter}"a,b;c|d\te ""f"""\r\n'
    found, rows = sniffed(text, lambda header: sum(cell in ("客户编号", "名称") for cell in header), 1)
    assert found == delimiter
    assert rows == [["客户编号", "名称", "备注"], ["C1", "大同", 'a,b;c|d\te "f"']]


def test_two_delimiters_that_fit_are_not_guessed() -> None:
    with pytest.raises(WrongFile, match="delimiter is not certain"):
        sniffed("no,x;no\r\n1,2;3\r\n", lambda header: sum(cell == "no" for cell in header), 1)


def test_quotes_line_breaks_and_empty_rows_are_kept() -> None:
    text = 'a,b\r\n"two\r\nlines","say ""hi"""\r\n\r\n5" pipe,x\r\n'
    assert rows_of(text, ",") == [["a", "b"], ["two\r\nlines", 'say "hi"'], [], ['5" pipe', "x"]]


def test_a_quote_that_never_ends_is_unfinished() -> None:
    with pytest.raises(Unfinished, match="line 2"):
        rows_of('a,b\r\n1,"open\r\n2,b\r\n', ",")


def test_a_quote_in_the_wrong_place_names_the_line() -> None:
    with pytest.raises(WrongFile, match="line 2 and following"):
        rows_of('a,b\r\n"1"x,2\r\n', ",")


def test_a_cell_of_ten_megabytes_is_refused() -> None:
    with pytest.raises(WrongFile, match="line 2 and following: field larger"):
        rows_of(f"a,b\r\n1,{'x' * 10_000_000}\r\n", ",")


@pytest.mark.parametrize("text", ["a,b,c\r\n1,2,3\r\n4,5", "a,b,c", "a,b,c\r\n1,2"])
def test_a_last_line_that_is_short_and_has_no_end_is_unfinished(text: str) -> None:
    with pytest.raises(Unfinished):
        rows_of(text, ",")


def test_a_last_line_without_its_end_is_taken_when_it_is_whole() -> None:
    assert rows_of("a,b\r\n1,2", ",") == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    ("cell", "stands"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("'=1", "''=1"),
        ("-12.5", "-12.5"),
        ("+8675526000000", "+8675526000000"),
        ("-1.234,56", "-1.234,56"),
        ("O'Brien", "O'Brien"),
        ("'quoted'", "'quoted'"),
        ("大同", "大同"),
    ],
)
def test_no_cell_becomes_a_formula(cell: str, stands: str) -> None:
    assert safe(cell) == stands
    assert shown(stands) == cell
    assert rows_of(written([["a", "b"], [cell, "x"]], ";"), ";")[1] == [cell, "x"]
