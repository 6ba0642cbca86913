"""Pages as PDF: the one place that needs the extra `reports` and the fonts of the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

from datong.base.errors import UsageError

_CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_LIBRARIES = "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_FONTS = "Debian and Ubuntu: apt install fonts-noto-cjk (or fonts-wqy-microhei, which is small)"


def pdf(html: str) -> bytes:
    """Raises UsageError where the libraries or the fonts are missing: a page of boxes helps nobody."""
    if _CHINESE.search(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)) and not has_chinese_font():
        raise UsageError("no font with Chinese characters is installed, so they would be boxes", remedy=_FONTS)
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise UsageError(
            f"PDF cannot be made here: {error}",
            remedy=f"install `datong[reports]`; Debian and Ubuntu: {_LIBRARIES}",
        ) from error
    made: bytes = HTML(string=html, url_fetcher=_nothing).write_pdf()
    return made


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a page loads nothing: {url}")


def has_chinese_font() -> bool:
    """As fontconfig tells, by which PDF are set."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    return bool(subprocess.run([program, ":lang=zh"], capture_output=True, text=True, timeout=60).stdout.strip())
