from __future__ import annotations

from pathlib import Path

import pytest

from datong.base.secrets import is_reference, resolve


def test_by_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", " 令牌-1 ")
    (tmp_path / "密码.txt").write_text("geheim 密码\n", encoding="utf8")
    assert resolve("${env:CRM_TOKEN}", tmp_path) == " 令牌-1 "
    assert resolve("${file:密码.txt}", tmp_path) == "geheim 密码"
    assert resolve(f"${{file:{tmp_path}/密码.txt}}", Path("/")) == "geheim 密码"
    assert resolve("plain text", tmp_path) == "plain text"


@pytest.mark.parametrize("text", ["${env:X}", "${file:/run/secrets/erp}"])
def test_references(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text", ["", "x", "${env:}", "${ENV:X}", "a${env:X}", "${env:X}b", "${env:X}\n", "$env:X", "${vault:X}"]
)
def test_what_is_none(text: str, tmp_path: Path) -> None:
    assert not is_reference(text)
    assert resolve(text, tmp_path) == text


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(ValueError, match="NOT_THERE is not set"):
        resolve("${env:NOT_THERE}", tmp_path)
    with pytest.raises(ValueError, match=r"gone\.txt cannot be read"):
        resolve("${file:gone.txt}", tmp_path)
    with pytest.raises(ValueError, match="cannot be read"):
        resolve("${file:.}", tmp_path)


def test_an_unreadable_secret_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "bin").write_bytes(b"secret\xff")
    with pytest.raises(ValueError, match="bin cannot be read: it is not UTF-8") as raised:
        resolve("${file:bin}", tmp_path)
    assert raised.value.__suppress_context__
    assert "secret\\xff" not in str(raised.value)
