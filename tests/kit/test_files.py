"""Contents kept by their digest: whole or not at all, and once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datong.kit.files import Files, write_durably


def test_a_content_is_kept_once_and_given_back(tmp_path: Path) -> None:
    files = Files(tmp_path)
    name = files.put(b"\xff\xd8 photo")
    assert files.put(b"\xff\xd8 photo") == name and files.get(name) == b"\xff\xd8 photo"
    assert len([one for one in tmp_path.rglob("*") if one.is_file()]) == 1


def test_what_is_not_what_it_was_is_not_given(tmp_path: Path) -> None:
    files = Files(tmp_path)
    name = files.put(b"photo")
    (place,) = [one for one in tmp_path.rglob("*") if one.is_file()]
    place.write_bytes(b"other")
    assert files.get(name) is None


@pytest.mark.parametrize("name", [None, "", "sha256:", "sha256:../../etc/passwd", "md5:00", f"sha256:{'0' * 64}"])
def test_what_was_not_kept_is_nothing(tmp_path: Path, name: str | None) -> None:
    assert Files(tmp_path).get(name) is None


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails after the bytes, and before they are called by their name."""

    def fails(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no space"):
        write_durably(tmp_path / "file", b"x" * 100)
    assert list(tmp_path.iterdir()) == []
