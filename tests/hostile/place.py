"""Two described systems with Datong between them, used by its command line as a person would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.conftest import Answer, datong
from tests.connectors.rest.vendors import serving

from .vendor import KINDS, Vendor

MAIN = """
store: {{url: "sqlite:///datong.db"}}
connections:
  sales:
    system: rest
    role: crm
    url: {crm}
    companies: {{asia: {{currency: CNY}}}}
{kinds}
  books:
    system: rest
    role: erp
    url: {erp}
    companies: {{asia: {{currency: CNY}}}}
{kinds}
flows:
  customer_master:
    first_load: crm
custom:
  account:
    stock: {{label_en: Stock, label_zh: 库存, type: number}}
    founded: {{label_en: Founded, label_zh: 成立日期, type: date}}
"""
UNEXPECTED = re.compile(r"Traceback|unexpected |unknown error|report this|KeyError|TypeError|AttributeError")


@dataclass
class Place:
    folder: Path
    crm: Vendor = field(default_factory=Vendor)
    erp: Vendor = field(default_factory=Vendor)

    def datong(self, *words: object) -> Answer:
        """Run a command; however it ends, it ends as promised: with a status, and words that a person understands."""
        answer = datong("--config", self.folder / "datong.yaml", *words)
        assert answer.status in (0, 1, 2), answer
        assert not UNEXPECTED.search(answer.err), answer.err
        return answer

    def sync(self) -> Answer:
        return self.datong("sync", "--json")

    def items(self) -> list[dict[str, Any]]:
        lists = [self.datong(kind, "list", "--json").json["items"] for kind in ("parked", "review", "conflict")]
        found = [dict(one) for some in lists for one in some]
        for one in found:
            assert not UNEXPECTED.search(f"{one['cause']} {one['reason']}"), one
        return found

    def wake(self) -> None:
        """A person has mended the cause and says so."""
        for one in self.datong("parked", "list", "--json").json["items"]:
            assert self.datong("parked", "retry", one["id"]).status == 0

    def agreed(self) -> None:
        """Every customer is on both sides once, and nothing more is to be written."""
        names = [sorted(str(row.get("name")) for row in side.rows.values()) for side in (self.crm, self.erp)]
        assert names[0] == names[1]
        before = self.crm.writes(), self.erp.writes()
        answer = self.sync()
        assert answer.json["problems"] == []
        assert (self.crm.writes(), self.erp.writes()) == before


@contextmanager
def placed(folder: Path) -> Iterator[Place]:
    place = Place(folder)
    with serving(place.crm) as crm, serving(place.erp) as erp:
        text = MAIN.format(crm=crm, erp=erp, kinds=KINDS)
        (folder / "datong.yaml").write_text(text, encoding="utf8")
        yield place
