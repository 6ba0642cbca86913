"""Two described systems kept in agreement by the whole of Datong, from their examples in docs/rest.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.store.schema import work

from .examples import SECRETS, example
from .vendors import HubSpot, KingDee, serving

MAIN = """
include: [sales.yaml, books.yaml]
store: {url: "sqlite:///datong.db"}
flows: {customer_master: {trigger: {webhook: false}}}
"""


@pytest.fixture
def hubspot() -> HubSpot:
    return HubSpot()


@pytest.fixture
def kingdee() -> KingDee:
    return KingDee()


@pytest.fixture
def app(hubspot: HubSpot, kingdee: KingDee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "sales.yaml").write_text(example("sales"), encoding="utf8")
    (tmp_path / "books.yaml").write_text(example("kingdee"), encoding="utf8")
    (tmp_path / "datong.yaml").write_text(MAIN, encoding="utf8")
    with serving(hubspot) as sales, serving(kingdee) as books:
        monkeypatch.setenv("HUBSPOT_URL", sales)
        monkeypatch.setenv("KINGDEE_URL", books)
        app = build(load(tmp_path / "datong.yaml"))
        yield app
        app.close()


def test_customers_are_kept_in_agreement(app: App, hubspot: HubSpot, kingdee: KingDee) -> None:
    customer = hubspot.add(name="深圳市大同科技有限公司", phone="0755-26000000", lifecyclestage="customer")
    hubspot.add(name="线索公司", lifecyclestage="lead")
    first = app.engine().sync()
    assert (first.created, first.problems) == (1, [])
    ((id, row),) = kingdee.rows.items()
    assert (row["FName"], row["FTEL"]) == ("深圳市大同科技有限公司", "+8675526000000")

    again = app.engine().sync()
    assert (again.created, again.updated, again.problems) == (0, 0, [])

    kingdee.edit(id, FTEL="0755-26999999")
    back = app.engine().sync()
    assert (back.created, back.updated, back.problems) == (0, 1, [])
    assert hubspot.rows[customer]["properties"]["phone"] == "+8675526999999"
    assert len(kingdee.rows) == 1 and len(hubspot.rows) == 2


def test_a_refusal_is_shown_in_the_words_of_the_system(app: App, hubspot: HubSpot, kingdee: KingDee) -> None:
    hubspot.add(name="深圳市大同科技有限公司", lifecyclestage="customer")
    kingdee._save = lambda model: kingdee._refused("客户已被锁定", 12)  # type: ignore[method-assign]
    result = app.engine().sync()
    assert (result.created, result.failed, kingdee.rows) == (0, 1, {})
    with app.store.read() as tx:
        (told,) = tx.execute(sa.select(work.c.reason)).scalars()
    assert "客户已被锁定" in told
