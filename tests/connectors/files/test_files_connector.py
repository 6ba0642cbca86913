"""Lists as a connector: what counts as held, what is no evidence, and what is written."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lists import FIELDS, ID, connected, read_list, stamp, write_list

from datong.base.clock import ManualClock
from datong.base.errors import BadAnswer, RequestRefused, TryLater
from datong.connectors.files import Files
from datong.kit import ItemWrite, Missing, Moved, Refused, Saved, WireRecord, Write

HEADER = ["客户编号", "客户名称", "电话"]
DATONG = {"客户编号": "C1", "客户名称": "深圳市大同科技有限公司", "电话": "0755-26000000"}
SHANGHAI = {"客户编号": "C2", "客户名称": "上海第二有限公司", "电话": ""}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    return tmp_path / "lists"


def listed(path: Path, clock: ManualClock, *rows: dict[str, str], headers: list[str] | None = None) -> Path:
    """A list written at this moment."""
    write_list(path, rows, headers or HEADER)
    stamp(path, clock.now())
    clock.advance(10)
    return path


def held(files: Files) -> dict[str, Any]:
    spec = files.kinds["account"]
    return {one.id: one.data for page in files.read(spec, None) for one in page.records}


def got(files: Files, id: str) -> WireRecord | Missing:
    (answer,) = files.get(files.kinds["account"], [id])
    return answer


def written(files: Files, *batch: Write) -> list[Any]:
    return list(files.write(files.kinds["account"], batch))


def values(**told: Any) -> dict[str, Any]:
    number = told.pop("number", None)
    return {**told, **({"company": {"asia": {"number": number}}} if number is not None else {})}


# reading -------------------------------------------------------------------------------------------------------------


def test_a_column_may_have_another_name_in_each_file(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    listed(
        folder / "b.csv",
        clock,
        {"KUNDENNR. *": "K1", "Customer\nname": "Müller GmbH"},
        headers=["KUNDENNR. *", "Customer\nname"],
    )
    files = connected(folder, clock, {"files": "*.csv", "whole": False})
    assert {id: data["name"] for id, data in held(files).items()} == {
        "C1": "深圳市大同科技有限公司",
        "K1": "Müller GmbH",
    }
    assert "phone" not in held(files)["K1"], "a column that is not there says nothing"


def test_the_newest_whole_list_is_the_list(folder: Path, clock: ManualClock) -> None:
    listed(folder / "list-2.csv", clock, DATONG, SHANGHAI)
    listed(folder / "list-1.csv", clock, DATONG)
    files = connected(folder, clock, {"files": "list-*.csv"})
    assert set(held(files)) == {"C1"}
    assert got(files, "C2") == Missing("C2", "gone")


def test_changes_are_laid_over_one_another_by_time(folder: Path, clock: ManualClock) -> None:
    listed(folder / "z.csv", clock, DATONG, SHANGHAI)
    listed(folder / "a.csv", clock, {"客户编号": "C1", "电话": "111"}, headers=["客户编号", "电话"])
    files = connected(folder, clock, {"files": "*.csv", "whole": False})
    assert held(files)["C1"]["name"] == "深圳市大同科技有限公司"
    assert held(files)["C1"]["phone"] == "111"
    (folder / "z.csv").unlink()
    assert got(files, "C2") == Missing("C2", "out_of_scope"), "a set of changes proves nothing about what is absent"


def test_a_row_may_carry_its_own_change_time(folder: Path, clock: ManualClock) -> None:
    headers = ["客户编号", "客户名称", "更新时间"]
    old = {"客户编号": "C1", "客户名称": "旧", "更新时间": "2026-11-20 08:00:00"}
    new = {"客户编号": "C1", "客户名称": "新", "更新时间": "2026/11/21 08:00:00"}
    listed(folder / "a.csv", clock, new, headers=headers)
    listed(folder / "b.csv", clock, old, headers=headers)
    files = connected(folder, clock, {"files": "*.csv", "whole": False, "changed": {"column": "更新时间"}})
    record = got(files, "C1")
    assert isinstance(record, WireRecord)
    assert record.data["name"] == "新"
    assert record.changed_at == datetime(2026, 11, 21, 0, 0, tzinfo=UTC), "08:00 in Shanghai"
    assert files.kinds["account"].change_time


def test_the_version_is_what_the_row_says(folder: Path, clock: ManualClock) -> None:
    files = connected(folder, clock, {"files": "a.csv"})
    listed(folder / "a.csv", clock, DATONG, SHANGHAI)
    before = got(files, "C1")
    listed(folder / "a.csv", clock, SHANGHAI, DATONG)
    assert got(files, "C1") == before, "moved within the file, written at another time: the same"
    listed(folder / "a.csv", clock, {**DATONG, "电话": "1"})
    assert got(files, "C1") != before


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("C9,有逗号,的名称,1\r\n", "it has 4 cells, the header 3"),
        ("C9,短\r\n", "it has 2 cells, the header 3"),
        (",没有编号,1\r\n", f"{ID} is empty"),
        (f"{'C' * 201},x,1\r\n", "longer than 200 characters"),
        ("C9\ufffd,x,1\r\n", "characters were lost"),
    ],
)
def test_a_row_that_is_no_record_stops_no_other_and_proves_nothing_gone(
    folder: Path, clock: ManualClock, body: str, problem: str
) -> None:
    (folder / "a.csv").write_text("客户编号,客户名称,电话\r\nC1,大同,1\r\n" + body, "utf8")
    files = connected(folder, clock, {"files": "a.csv"})
    assert set(held(files)) == {"C1"}
    assert got(files, "C9") == Missing("C9", "out_of_scope")
    (line,) = [one for one in _results(files) if one["result"] == "not taken"]
    assert problem in line["reason"] and line["remedy"]


def test_a_row_given_twice_with_different_values_is_not_taken(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, SHANGHAI, DATONG, {**DATONG, "电话": "1"}, SHANGHAI)
    files = connected(folder, clock, {"files": "a.csv"})
    assert set(held(files)) == {"C2"}
    assert got(files, "C1") == Missing("C1", "no_access"), "it is there, only nobody knows how"
    assert "C1" in set(files.ids(files.kinds["account"]))
    told = {one["row"]: one["reason"] for one in _results(files) if one["result"] == "not taken"}
    assert told == {
        "3": "C1 stands in rows 3, 4 with different values: none of them was taken",
        "4": "C1 stands in rows 3, 4 with different values: none of them was taken",
        "5": "the same as row 2",
    }


def test_empty_rows_and_repeated_headers_say_nothing(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG, {}, {h: h for h in HEADER}, {"客户编号": " "}, SHANGHAI)
    files = connected(folder, clock, {"files": "a.csv"})
    assert set(held(files)) == {"C1", "C2"}
    assert [one["row"] for one in _results(files)] == ["2", "6"]


def test_ids_are_compared_without_what_nobody_sees(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, {**DATONG, "客户编号": "\u200eＣ０００１７\u202c "})
    files = connected(folder, clock, {"files": "a.csv"})
    assert set(held(files)) == {"C00017"}


def test_several_columns_may_make_the_id(folder: Path, clock: ManualClock) -> None:
    rows = [{"客户编号": "A|B", "客户名称": "C"}, {"客户编号": "A", "客户名称": "B|C"}]
    listed(folder / "a.csv", clock, *rows)
    files = connected(folder, clock, {"files": "a.csv", "id": [ID, "name"]})
    assert set(held(files)) == {"A\\|B|C", "A|B\\|C"}


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        ("", "it is empty", "written again"),
        ("\r\n\r\n", "it is empty", "written again"),
        (
            "编号,名称\r\n1,x\r\n",
            "there is no column for company.asia.number (called 客户编号 or Customer no",
            "编号, 名称",
        ),
        ("大同公司客户清单,\r\n客户编号,客户名称\r\n1,x\r\n", "row 1 is no header", "header_row: 2"),
        (
            "客户编号,Kundennr.,客户名称\r\n1,2,x\r\n",
            "has several columns: column 1 (客户编号) and column 2",
            "remove or rename",
        ),
        ("<html><body>sign in</body></html>\r\n", "a web page", "sign in"),
    ],
)
def test_a_wrong_file_is_a_bad_answer_with_a_remedy(
    folder: Path, clock: ManualClock, text: str, says: str, remedy: str
) -> None:
    (folder / "a.csv").write_text(text, "utf8")
    files = connected(folder, clock, {"files": "a.csv"})
    with pytest.raises(BadAnswer) as caught:
        held(files)
    assert str(caught.value).startswith("a.csv: ")
    assert says in str(caught.value) and remedy in caught.value.remedy
    (line,) = _results(files)
    assert (line["row"], line["result"]) == ("", "not read") and says in line["reason"]


def test_only_a_header_is_a_list_of_nobody_that_proves_nothing(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock)
    files = connected(folder, clock, {"files": "a.csv"})
    assert held(files) == {}
    assert got(files, "C1") == Missing("C1", "out_of_scope")


def test_a_header_may_stand_further_down(folder: Path, clock: ManualClock) -> None:
    (folder / "a.csv").write_text("大同公司,,\r\n,,\r\n客户编号,客户名称,电话\r\nC1,大同,1\r\n", "utf8")
    assert set(held(connected(folder, clock, {"files": "a.csv", "header_row": 3}))) == {"C1"}


def test_of_several_sheets_the_one_with_the_columns_is_read(folder: Path, clock: ManualClock) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(folder / "a.xlsx") as book:
        book.add_worksheet("说明").write_row(0, 0, ["说明", "x"])
        sheet = book.add_worksheet("清单")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, [17, "大同", "1"])
    files = connected(folder, clock, {"files": "a.xlsx"})
    assert set(held(files)) == {"17"}
    with xlsxwriter.Workbook(folder / "a.xlsx") as book:
        for name in ("一月", "二月"):
            book.add_worksheet(name).write_row(0, 0, HEADER)
    with pytest.raises(BadAnswer, match="not certain: 一月, 二月"):
        held(files)


def test_a_cell_that_cannot_be_read_holds_its_field_only(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, {**DATONG, "客户名称": "锟斤拷锟斤拷"})
    files = connected(folder, clock, {"files": "a.csv"})
    told = files.kinds["account"].map.read(held(files)["C1"])
    assert "characters were lost" in told.bad["name"]
    assert told.values["phone"] == "+8675526000000"


# files that are not finished -----------------------------------------------------------------------------------------


def test_a_file_that_just_changed_is_left_alone(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    files = connected(folder, clock, {"files": "a.csv"}, settled=60)
    with pytest.raises(TryLater, match=r"a\.csv: it changed 10 s ago"):
        held(files)
    clock.advance(50)
    assert set(held(files)) == {"C1"}


def test_copies_under_way_and_locks_are_no_lists(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    for name in ("a.csv.part", ".a.csv", "~$a.csv", "b.csv.filepart", "a.csv.result.csv", "c.csv.tmp"):
        (folder / name).write_text("half", "utf8")
    (folder / "folder.csv").mkdir()
    assert set(held(connected(folder, clock, {"files": ["*.csv"], "whole": False}))) == {"C1"}


def test_a_closing_row_says_that_a_file_is_finished(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    files = connected(folder, clock, {"files": "a.csv", "ends_with": "#完"})
    with pytest.raises(TryLater, match="'#完', is not there yet"):
        held(files)
    listed(folder / "a.csv", clock, DATONG, {"客户编号": "#完"}, {"客户编号": "C9"})
    assert set(held(files)) == {"C1"}


def test_half_a_file_is_tried_later_and_in_the_end_a_bad_answer(folder: Path, clock: ManualClock) -> None:
    (folder / "a.csv").write_text("客户编号,客户名称,电话\r\nC1,大同,1\r\nC2,上", "utf8")
    stamp(folder / "a.csv", clock.now())
    files = connected(folder, clock, {"files": "a.csv"})
    with pytest.raises(TryLater, match="its last line is cut"):
        held(files)
    clock.advance(3600)
    with pytest.raises(BadAnswer, match="has not changed since"):
        held(files)


def test_a_list_that_is_not_there_is_not_an_empty_one(folder: Path, clock: ManualClock) -> None:
    files = connected(folder, clock, {"files": "a.csv"})
    with pytest.raises(TryLater, match=r"no file called a\.csv"):
        held(files)
    folder.rmdir()
    with pytest.raises(TryLater, match="is not there"):
        held(files)
    with pytest.raises(TryLater, match="is not there"):
        files.check()


def test_a_file_that_is_too_large_is_not_read(folder: Path, clock: ManualClock) -> None:
    with open(folder / "a.csv", "wb") as file:
        file.truncate(1_000_001)
    with pytest.raises(BadAnswer, match="more than 1"):
        held(connected(folder, clock, {"files": "a.csv"}, most_mb=1))


# writing -------------------------------------------------------------------------------------------------------------


def both(folder: Path, clock: ManualClock, **more: Any) -> Files:
    return connected(folder, clock, {"files": "a.csv", "out": "a.csv", **more})


def test_what_people_keep_in_the_list_stays(folder: Path, clock: ManualClock) -> None:
    """Encoding, delimiter, order, further columns and rows above the header are theirs."""
    text = (
        '大同公司;;\r\n客户编号;备忘;客户名称\r\nC1;"a;b";深圳市大同科技有限公司\r\n;;\r\nC2;手写;上海第二有限公司\r\n'
    )
    (folder / "a.csv").write_bytes(text.encode("gb18030"))
    files = both(folder, clock, header_row=2)
    (answer,) = written(files, Write(1, "update", "C2", values={"name": "上海𠮷野有限公司", "phone": "+8675526000000"}))
    assert isinstance(answer, Saved) and answer.record == got(files, "C2")
    lines = (folder / "a.csv").read_bytes().decode("gb18030").splitlines()
    assert lines == [
        "大同公司;;",
        "客户编号;备忘;客户名称;电话",
        'C1;"a;b";深圳市大同科技有限公司;',
        ";;;",
        "C2;手写;上海𠮷野有限公司;+8675526000000",
    ]


def test_writing_the_same_again_leaves_the_file_alone(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    files = both(folder, clock)
    write = Write(1, "create", key="dt-1", values=values(number="C5", name="北京第五有限公司"))
    (first,) = written(files, write)
    before = os.stat(folder / "a.csv")
    (again,) = written(files, write)
    (same,) = written(files, Write(2, "update", "C5", values={"name": "北京第五有限公司"}))
    after = os.stat(folder / "a.csv")
    assert (first.existed, again.existed, again.id, same.id) == (False, True, "C5", "C5")
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_one_batch_knows_what_it_made(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    answers = written(
        both(folder, clock),
        Write(1, "create", key="dt-1", values=values(number="C5", name="北")),
        Write(2, "create", key="dt-1", values=values(number="C5", name="北")),
        Write(3, "create", key="dt-3", values=values(number="C5", name="另")),
        Write(4, "create", key="dt-4", values=values(number="C1", name="另")),
        Write(5, "create", key="dt-5", values={"name": "没有编号"}),
        Write(6, "update", "C1", values={"phone": "1"}),
        Write(7, "update", "C1", values={"name": "新"}),
    )
    assert [type(one).__name__ for one in answers] == [
        "Saved",
        "Saved",
        "Refused",
        "Refused",
        "Refused",
        "Saved",
        "Saved",
    ]
    assert answers[1].existed and answers[3].code == "duplicate" and answers[4].code == "no id"
    rows = {row["客户编号"]: (row["客户名称"], row["电话"], row["Datong"]) for row in read_list(folder / "a.csv")}
    assert rows == {"C1": ("新", "1", ""), "C5": ("北", "", "dt-1")}


def test_a_failed_write_leaves_the_old_file_whole(
    folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(folder / "a.csv", clock, DATONG)
    before = (folder / "a.csv").read_bytes()
    files = both(folder, clock)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TryLater, match="No space left"):
        written(files, Write(1, "update", "C1", values={"name": "新"}))
    assert (folder / "a.csv").read_bytes() == before
    assert [one.name for one in folder.iterdir() if one.name.endswith(".tmp")] == []


def test_a_person_who_saves_at_the_same_moment_wins(
    folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(folder / "a.csv", clock, DATONG)
    files, real = both(folder, clock), os.fsync

    def edited(handle: int) -> None:
        listed(folder / "a.csv", clock, {**DATONG, "电话": "999"})
        real(handle)

    monkeypatch.setattr(os, "fsync", edited)
    with pytest.raises(TryLater, match="changed by somebody else"):
        written(files, Write(1, "update", "C1", values={"name": "新"}))
    assert read_list(folder / "a.csv")[0]["电话"] == "999"


@pytest.mark.parametrize("lock", ["~$a.csv", ".~lock.a.csv#"])
def test_a_list_that_is_open_in_a_spreadsheet_waits(folder: Path, clock: ManualClock, lock: str) -> None:
    listed(folder / "a.csv", clock, DATONG)
    (folder / lock).touch()
    with pytest.raises(TryLater, match="open in a spreadsheet"):
        written(both(folder, clock), Write(1, "update", "C1", values={"name": "新"}))


def test_one_process_writes_at_a_time(folder: Path, clock: ManualClock) -> None:
    from datong.connectors.files.folder import sole_writer

    listed(folder / "a.csv", clock, DATONG)
    with sole_writer(folder), pytest.raises(TryLater, match="another process"):
        written(both(folder, clock), Write(1, "update", "C1", values={"name": "新"}))


def test_a_workbook_of_somebody_else_is_never_written(folder: Path, clock: ManualClock) -> None:
    path = listed(folder / "a.xlsx", clock, DATONG)
    before = path.read_bytes()
    with pytest.raises(RequestRefused, match="is not a workbook of ours"):
        written(
            connected(folder, clock, {"files": "a.xlsx", "out": "a.xlsx"}),
            Write(1, "update", "C1", values={"name": "新"}),
        )
    assert path.read_bytes() == before


def test_what_the_file_cannot_hold_is_refused_alone(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock)
    (folder / "a.csv").write_bytes("Kundennr.;Customer name\r\nK1;Müller\r\n".encode("cp1252"))
    answers = written(
        both(
            folder,
            clock,
            encoding="cp1252",
            delimiter="semicolon",
            fields={k: FIELDS[k] for k in (ID, "name")},
            ours="Datong",
        ),
        Write(1, "update", "K1", values={"name": "大同"}),
        Write(2, "create", key="dt-2", values=values(number="K2", name="Größe\x00")),
        Write(3, "create", key="dt-3", values=values(number="K3", name="Größe")),
    )
    assert answers[0] == Refused(1, "the encoding of the file, cp1252, has no '大'", "name")
    assert isinstance(answers[1], Refused) and "NUL" in answers[1].reason
    assert isinstance(answers[2], Saved)
    assert (folder / "a.csv").read_bytes().decode("cp1252").splitlines() == [
        "Kundennr.;Customer name;Datong",
        "K1;Müller;",
        "K3;Größe;dt-3",
    ]


def test_a_cell_longer_than_a_workbook_holds_is_refused(folder: Path, clock: ManualClock) -> None:
    files = connected(folder, clock, {"out": "a.xlsx"})
    answers = written(
        files,
        Write(1, "create", key="dt-1", values=values(number="C1", name="大" * 32_768)),
        Write(2, "create", key="dt-2", values=values(number="C2", name="大" * 32_767)),
    )
    assert isinstance(answers[0], Refused) and answers[0].field == "name"
    assert isinstance(answers[1], Saved)


def test_the_id_of_a_row_stays(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    (answer,) = written(both(folder, clock), Write(1, "update", "C1", values=values(number="C7")))
    assert answer == Refused(1, "a row keeps the value by which it is known", ID)


def test_rows_that_cannot_be_read_are_not_written(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG, {**DATONG, "电话": "1"})
    answers = written(both(folder, clock), Write(1, "update", "C1", values={"name": "新"}), Write(2, "delete", "C1"))
    assert [type(one).__name__ for one in answers] == ["Refused", "Refused"]
    (create,) = written(both(folder, clock), Write(1, "create", key="dt-1", values=values(number="C1", name="新")))
    assert isinstance(create, Refused)


def test_formulas_are_written_as_text_and_read_back(folder: Path, clock: ManualClock) -> None:
    listed(folder / "a.csv", clock, DATONG)
    files = both(folder, clock)
    (answer,) = written(files, Write(1, "update", "C1", values={"notes": "=1+1", "phone": "+8675526000000"}))
    assert answer.record.data["notes"] == "=1+1"
    row = read_list(folder / "a.csv")[0]
    assert (row["备注"], row["电话"]) == ("'=1+1", "+8675526000000")


def test_addresses_stand_in_columns_of_their_own(folder: Path, clock: ManualClock) -> None:
    places = {"billing": {"city": "开票城市"}, "shipping": {"city": "收货城市"}}
    listed(folder / "a.csv", clock, {**DATONG, "开票城市": "深圳"}, headers=[*HEADER, "开票城市", "收货城市"])
    files = both(folder, clock, addresses=places)

    def changed(*items: ItemWrite) -> Any:
        (answer,) = written(files, Write(1, "update", "C1", items={"addresses": items}))
        return answer

    billing = {"id": "billing", "use": "billing", "city": "深圳"}
    assert got(files, "C1").data["addresses"] == [billing]
    made = changed(ItemWrite("create", None, {"use": "shipping", "city": "上海"}))
    assert made.record.data["addresses"] == [billing, {"id": "shipping", "use": "shipping", "city": "上海"}]
    assert "no free columns" in changed(ItemWrite("create", None, {"city": "北京"})).reason
    assert "no column for street" in changed(ItemWrite("update", "billing", {"street": "1"})).reason
    assert "no columns for the address office" in changed(ItemWrite("update", "office", {"city": "1"})).reason
    assert changed(ItemWrite("delete", "billing")).record.data["addresses"][0]["id"] == "shipping"


def test_a_list_that_is_only_written_begins_empty(folder: Path, clock: ManualClock) -> None:
    """Without an id column our own key is the id."""
    fields = {"name": "客户名称", "tax_id": {"column": "税号", "convert": "trimmed"}}
    files = connected(
        folder, clock, {"out": "new.csv", "id": [], "fields": fields, "ours": "大同编号", "ends_with": "#END"}
    )
    assert held(files) == {}
    (answer,) = written(files, Write(1, "create", key="dt-1", values={"name": "大同", "tax_id": "9135"}))
    assert answer.id == "dt-1"
    text = (folder / "new.csv").read_bytes()
    assert text.decode("utf-8-sig") == "客户名称,税号,大同编号\r\n大同,9135,dt-1\r\n#END,,\r\n"
    assert text.startswith(b"\xef\xbb\xbf"), "so that Excel reads it as UTF-8"
    (second,) = written(files, Write(1, "create", key="dt-2", values={"name": "第二"}))
    assert second.id == "dt-2" and set(held(files)) == {"dt-1", "dt-2"}
    (gone,) = written(files, Write(1, "delete", "dt-1"))
    assert isinstance(gone, Saved) and set(held(files)) == {"dt-2"}


def test_what_is_written_apart_holds_until_a_younger_list(folder: Path, clock: ManualClock) -> None:
    """An old system that takes our file in late does not undo what we wrote, for as long as was said."""
    listed(folder / "list.csv", clock, DATONG, SHANGHAI)
    files = connected(folder, clock, {"files": "list.csv", "out": "out.csv"}, out=folder.parent, answers_within=3600)
    assert files.kinds["account"].read_lag == timedelta(hours=1)
    (changed, made) = written(
        files,
        Write(1, "update", "C1", values={"name": "新"}),
        Write(2, "create", key="dt-1", values=values(number="C3", name="第三")),
    )
    assert (changed.record.data["name"], made.id) == ("新", "C3")
    assert got(files, "C1").data["phone"] == "0755-26000000"
    clock.advance(60)
    listed(folder / "list.csv", clock, DATONG, SHANGHAI)
    assert got(files, "C3") == made.record, "it may not have been taken in yet"
    clock.advance(3600)
    listed(folder / "list.csv", clock, DATONG, SHANGHAI)
    assert got(files, "C3") == Missing("C3", "gone")
    assert got(files, "C1").data["name"] == DATONG["客户名称"]
    assert written(files, Write(1, "update", "C3", values={"name": "x"})) == [Moved(1)]
    (refused,) = written(files, Write(1, "delete", "C1"))
    assert isinstance(refused, Refused) and not files.kinds["account"].delete


# results -------------------------------------------------------------------------------------------------------------


def _results(files: Files) -> list[dict[str, str]]:
    (path,) = files.report("account", lambda ids, since: {})
    return read_list(path)


def test_the_result_of_each_row_stands_beside_the_list(folder: Path, clock: ManualClock) -> None:
    path = listed(folder / "a.csv", clock, DATONG, SHANGHAI)
    asked: list[Any] = []

    def fates(ids: Any, since: datetime) -> dict[str, tuple[str, str, str]]:
        asked.append((list(ids), since))
        return {"C1": ("parked", "=cmd|x", "correct it")}

    files = both(folder, clock)
    assert files.report("account", fates) == [folder / "a.csv.result.csv"]
    assert asked == [(["C1", "C2"], datetime.fromtimestamp(path.stat().st_mtime, UTC))]
    assert (folder / "a.csv.result.csv").read_bytes().decode("utf-8-sig") == (
        "row,record,result,reason,remedy\r\n2,C1,parked,'=cmd|x,correct it\r\n3,C2,waiting,it was not taken in yet,\r\n"
    )
    assert files.report("account", fates) == [], "nothing new, nothing written"
    assert connected(folder, clock, {"files": "a.csv"}, results=False).report("account", fates) == []
