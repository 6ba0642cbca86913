"""The Tryton connector against a real Tryton: each trap of the vendor is a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lab
from datong.base.clock import SystemClock, to_text
from datong.base.errors import AccessDenied, OutcomeUnknown, RequestRefused, TryLater
from datong.connectors.tryton import Tryton, TrytonSettings, remarks, sales
from datong.connectors.tryton.rpc import Stale, busy, consequence, decode, encode
from datong.kit import Answer, Context, ItemWrite, KindSpec, Missing, Moved, Refused, Saved, WireRecord, Write
from datong.kit.budget import Budget
from datong.mapping import Foreign

COMPANIES: dict[str, dict[str, Any]] = {
    "asia": {"id": 1, "currency": "CNY", "time_zone": "Asia/Shanghai"},
    "europe": {"id": 2, "currency": "EUR", "time_zone": "Europe/Paris"},
}
USCC = "91350100M000100Y43"
_numbers = count(1)


@pytest.fixture(scope="module")
def erp() -> Iterator[lab.Tryton]:
    try:
        with lab.running() as real:
            yield real.tryton
    except lab.LabUnavailable as reason:
        pytest.skip(str(reason))


def connect(erp: lab.Tryton, **settings: Any) -> Tryton:
    clock = SystemClock()
    companies = settings.pop("companies", COMPANIES)
    told = {"url": erp.url, "database": erp.database, "login": erp.login, "password": erp.password, **settings}
    return Tryton(TrytonSettings(**told), Context("books", clock, Budget(clock), companies))


@pytest.fixture(scope="module")
def books(erp: lab.Tryton) -> Iterator[Tryton]:
    connector = connect(erp, overlap_seconds=0)
    yield connector
    connector.close()


@pytest.fixture(scope="module")
def account(books: Tryton) -> KindSpec:
    return books.kinds["account"]


def fresh(name: str = "客户") -> str:
    return f"{name} {next(_numbers)}"


def create(ref: int = 1, key: str | None = None, items: Any = None, **values: Any) -> Write:
    return Write(ref, "create", key=key, values={"name": fresh(), **values}, items=items or {})


def update(record: WireRecord, items: Any = None, guarded: bool = True, **values: Any) -> Write:
    return Write(1, "update", record.id, values=values, items=items or {}, version=record.version if guarded else None)


def one(books: Tryton, spec: KindSpec, write: Write) -> Answer:
    (answer,) = books.write(spec, [write])
    return answer


def saved(books: Tryton, spec: KindSpec, write: Write) -> WireRecord:
    answer = one(books, spec, write)
    assert isinstance(answer, Saved), answer
    assert answer.record is not None
    return answer.record


def held(books: Tryton, spec: KindSpec, native: str) -> WireRecord:
    (found,) = books.get(spec, [native])
    assert isinstance(found, WireRecord), found
    return found


def now_in(books: Tryton, spec: KindSpec) -> str:
    """A cursor behind everything that has happened."""
    newest = [r.changed_at for page in books.read(spec, None) for r in page.records if r.changed_at]
    return to_text(max(newest) + timedelta(microseconds=1)) if newest else to_text(datetime.now(UTC))


def changed(books: Tryton, spec: KindSpec, since: str) -> list[str]:
    return [r.id for page in books.read(spec, since) for r in page.records]


def address(**values: Any) -> dict[str, list[ItemWrite]]:
    return {"addresses": [ItemWrite("create", None, values)]}


SHENZHEN = {"use": "invoice", "country": "CN", "province": "广东省", "city": "深圳市", "street": "科技园路1号\n2楼"}


class TestWithoutAServer:
    def test_typed_json_goes_and_comes_back(self) -> None:
        values = {"a": Decimal("1.20"), "b": [datetime(2026, 11, 21, 8, 0, 0, 5, tzinfo=UTC), None, {"c": True}]}
        assert decode(encode(values)) == values
        assert encode(Decimal("1.20")) == {"__class__": "Decimal", "decimal": "1.20"}

    @pytest.mark.parametrize(
        ("error", "expected", "code"),
        [
            (["UserError", ["no", "because", None]], RequestRefused, "UserError"),
            (["UserWarning", ["name.1", "sure?", ""]], RequestRefused, "warning"),
            (["ConcurrencyException", "Records were modified in the meanwhile"], Stale, None),
            (["LoginException", ["totp", "Code", "char"]], AccessDenied, None),
            (["'bogus'", ""], RequestRefused, "server_error"),
            (["database is locked", ""], TryLater, None),
        ],
    )
    def test_errors_in_the_body_have_consequences(self, error: Any, expected: type[Exception], code: Any) -> None:
        found = consequence("model.party.party.write", error)
        assert type(found) is expected
        assert getattr(found, "code", None) == code

    def test_a_warning_is_not_accepted_but_told_with_a_remedy(self) -> None:
        found = consequence("x", ["UserWarning", ["credit.5", "the limit is exceeded", "by 5"]])
        assert "the limit is exceeded by 5" in found.message
        assert found.remedy

    def test_a_lost_race_is_told_from_other_503s(self) -> None:
        assert isinstance(busy(503, b"<p>could not serialize access due to concurrent update</p>"), TryLater)
        assert busy(503, b"upstream gone") is None

    def test_two_way_fields_survive_the_way_through_tryton(self) -> None:
        spec = Tryton(
            TrytonSettings(url="http://127.0.0.1:1", database="x", login="x", password="secret"),
            Context("books", SystemClock(), Budget(SystemClock()), COMPANIES),
        )
        assert "secret" not in repr(spec.settings)
        for kind in spec.kinds.values():
            for field in kind.map.fields:
                for example in field.convert.examples:
                    back = field.convert.from_wire(field.convert.to_wire(example))
                    assert back == example, (kind.kind, field.name)


_words = st.text("深圳abc \n-:¶[]dt", max_size=30)


class TestTextsOfASale:
    @given(st.fixed_dictionaries({name: _words | st.none() for name in remarks.TEXTS}))
    def test_what_is_put_into_a_comment_comes_out_again(self, texts: dict[str, str | None]) -> None:
        told = {name: tidy(value) for name, value in texts.items()}
        held = remarks.comment(told)
        assert remarks.taken_apart(held) == told
        assert remarks.comment(remarks.taken_apart(held)) == held

    def test_a_persons_comment_is_a_remark(self) -> None:
        text = "先打电话\n--\n李娜"
        assert remarks.taken_apart(text) == {**dict.fromkeys(remarks.TEXTS), "remarks": text}

    @pytest.mark.parametrize(
        ("text", "number", "key"),
        [
            ("SO-1 [dt-4f-57]", "SO-1", "dt-4f-57"),
            ("[dt-4f-57]", None, "dt-4f-57"),
            ("Frame contract [2026]", None, None),
            (None, None, None),
        ],
    )
    def test_a_description_that_is_not_ours_tells_nothing(self, text: str | None, number: Any, key: Any) -> None:
        assert remarks.told_by_description(text) == (number, key)
        if key:
            assert remarks.described(number, key) == text


def tidy(text: str | None) -> str | None:
    """As a converter gives it: no space around it or its lines, no empty text."""
    return "\n".join(line.strip() for line in (text or "").replace("¶", "").strip().splitlines()).strip() or None


class TestMoneyOfASale:
    @pytest.mark.parametrize(
        ("base", "charged", "told"),
        [
            ("12.5", "11.875", ("12.5", "0.05")),
            ("12.5", "12.5", ("12.5", None)),
            (None, "9.99", ("9.99", None)),
            ("10", "12", ("12", None)),  # a surcharge is a price
            ("3", "1", ("1", None)),  # two thirds off is no number of four decimals that gives 1 again
            ("100", "0", ("100", "1")),
        ],
    )
    def test_price_and_discount_give_what_is_charged(self, base: str | None, charged: str, told: Any) -> None:
        row = {"base_price": base and Decimal(base), "unit_price": Decimal(charged)}
        price, share = sales.price_of(row)
        assert (price, share) == told
        assert sales.discounted(Decimal(price), Decimal(share or 0)) == Decimal(charged)

    @given(st.lists(st.sampled_from(["none", "part", "full", "over"])))
    def test_a_document_is_done_when_its_lines_are(self, parts: list[str]) -> None:
        told = sales.whole(parts)
        assert (told is None) == (not parts)
        assert (told == "full") == (bool(parts) and set(parts) == {"full"})
        assert (told == "none") == (bool(parts) and set(parts) == {"none"})
        assert (told == "over") == ("over" in parts and not {"none", "part"} & set(parts))


@pytest.mark.real
class TestConnection:
    def test_check_tells_database_user_time_and_rights(self, books: Tryton) -> None:
        checked = books.check()
        assert checked.identity.startswith("tryton erp 20")
        assert checked.user == "connector"
        assert "8.2" in checked.detail
        assert checked.missing_scopes == ()
        assert checked.server_time is not None
        assert abs(checked.server_time - datetime.now(UTC)) < timedelta(seconds=30)
        assert books.check().identity == checked.identity

    def test_a_narrow_user_is_told_what_is_missing(self, erp: lab.Tryton, books: Tryton) -> None:
        erp.call("model.res.user.set_preferences", {"company_filter": "one"})
        try:
            assert any("company filter" in scope for scope in books.check().missing_scopes)
        finally:
            erp.call("model.res.user.set_preferences", {"company_filter": "all"})

    def test_a_company_with_another_currency_is_refused(self, erp: lab.Tryton) -> None:
        wrong = connect(erp, companies={"asia": {**COMPANIES["asia"], "currency": "USD"}})
        with pytest.raises(RequestRefused, match="keeps its books in CNY"):
            wrong.check()
        with pytest.raises(RequestRefused, match="no company 7"):
            connect(erp, companies={"asia": {"id": 7, "currency": "CNY"}}).check()

    def test_a_bad_login_is_denied(self, erp: lab.Tryton) -> None:
        with pytest.raises(AccessDenied) as caught:
            connect(erp, password="wrong").check()
        assert caught.value.remedy

    def test_an_unknown_database_is_denied(self, erp: lab.Tryton) -> None:
        with pytest.raises(AccessDenied, match="no database"):
            connect(erp, database="nowhere").check()

    def test_an_expired_session_is_opened_again_once(self, books: Tryton, account: KindSpec) -> None:
        books._session._authorization = "Session Y29ubmVjdG9yOjI6Z29uZQ=="  # connector:2:gone
        assert held(books, account, saved(books, account, create()).id)

    def test_a_server_that_is_down_is_tried_later(self, erp: lab.Tryton, account: KindSpec) -> None:
        other = connect(erp)
        assert list(other.ids(account)) is not None
        erp.stop()
        try:
            with pytest.raises(TryLater):
                list(other.ids(account))
            with pytest.raises(TryLater):
                list(other.write(account, [create()]))
        finally:
            erp.start()
        assert list(other.ids(account)) is not None

    def test_an_answer_that_does_not_come_leaves_a_create_unknown(self, erp: lab.Tryton, account: KindSpec) -> None:
        impatient = connect(erp)
        list(impatient.ids(account))
        impatient._session._http._client.timeout = 0.001
        with pytest.raises((OutcomeUnknown, TryLater)):
            list(impatient.write(account, [create()]))


@pytest.mark.real
class TestAccount:
    def test_everything_goes_in_one_transaction_and_comes_back(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        terms = erp.ids["payment_terms"]["Net 30"]
        values = {
            "name": fresh("大同 𠮷野家😀"),
            "phone": "+8675526000000",
            "email": "sales@example.com",
            "website": "https://example.com",
            "tax_identifier": {"code": USCC},
            "company": {
                "asia": {"terms": terms, "credit_limit": "50000.1"},
                "europe": {"terms": terms, "credit_limit": "7000"},
            },
        }
        record = saved(books, account, Write(1, "create", key="k-all", values=values, items=address(**SHENZHEN)))
        reading = account.map.read(record.data)
        number = record.data["code"]
        assert not reading.bad
        assert reading.values == {
            "name": values["name"],
            "tax_id": USCC,
            "country": "CN",
            "phone": "+8675526000000",
            "email": "sales@example.com",
            "website": "https://example.com",
            "active": True,
            "company.asia.number": number,
            "company.asia.terms": Foreign("payment_term", str(terms)),
            "company.asia.credit_limit": "50000.1 CNY",
            "company.asia.price_list": None,
            "company.europe.number": number,
            "company.europe.terms": Foreign("payment_term", str(terms)),
            "company.europe.credit_limit": "7000 EUR",
            "company.europe.price_list": None,
        }
        (line,) = reading.items["addresses"]
        assert line.values == {
            "use": "billing", "country": "CN", "province": "广东省", "city": "深圳市",
            "street": "科技园路1号\n2楼", "postcode": None,
        }  # fmt: skip
        assert record.data["tax_identifier"]["type"] == "cn_vat"
        assert record == held(books, account, record.id)
        assert (record.changed_at, record.active) == (held(books, account, record.id).changed_at, True)

    def test_a_party_without_anything_gets_no_empty_address(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create())
        assert record.data["addresses"] == []
        assert "country" not in record.data  # absent, not null: Tryton has no country of a party

    def test_our_key_finds_the_first_create(self, books: Tryton, account: KindSpec) -> None:
        first = saved(books, account, create(key="k-once"))
        again = one(books, account, create(key="k-once"))
        assert isinstance(again, Saved)
        assert (again.id, again.existed) == (first.id, True)
        assert [r.id for r in books.find(account, "own_key", ["k-once", "k-none"])] == [first.id]
        assert first.data["own_key"] == "k-once"

    def test_a_key_can_be_put_on_a_party_that_was_there(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create())
        marked = saved(books, account, replace(update(record), key="k-later"))
        assert marked.data["own_key"] == "k-later"
        assert saved(books, account, replace(update(marked), key="k-later2")).data["own_key"] == "k-later2"

    def test_identifiers_without_type_of_others_are_not_our_key(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        record = saved(books, account, create())
        erp.call("model.party.identifier.create", [{"party": int(record.id), "type": None, "code": "k-legacy"}])
        assert held(books, account, record.id).data["own_key"] is None
        assert list(books.find(account, "own_key", ["k-legacy"])) == []

    def test_find_by_the_exact_keys(self, books: Tryton, account: KindSpec) -> None:
        name = fresh("Société Exemple")
        vat = {"code": "FR40303265045"}
        record = saved(books, account, create(name=name, email="Anna@example.fr", tax_identifier=vat))
        for by, value in (
            ("tax_id", "FR40303265045"),
            ("tax_id", "FR 40 303 265 045"),
            ("company.europe.number", record.data["code"]),
            ("email", "Anna@example.fr"),
            ("name", name),
        ):
            assert [r.id for r in books.find(account, by, [value])] == [record.id], by
        assert record.data["tax_identifier"] == {"code": "FR40303265045", "type": "eu_vat"}
        assert record.data["country"] == "FR"

    def test_each_field_is_changed_and_cleared(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create(phone="+31101234567", tax_identifier={"code": USCC}))
        record = saved(
            books, account, update(record, name="新名", phone="+31107654321", email="new@example.com",
                                   tax_identifier={"code": "BE0403019261"}),
        )  # fmt: skip
        assert record.data["tax_identifier"] == {"code": "BE0403019261", "type": "eu_vat"}
        assert (record.data["name"], record.data["phone"], record.data["email"]) == (
            "新名",
            "+31107654321",
            "new@example.com",
        )
        record = saved(books, account, update(record, phone=None, email=None, tax_identifier={"code": None}))
        assert record.data["tax_identifier"] == {"code": None, "type": None}
        assert (record.data["phone"], record.data["email"]) == (None, None)

    def test_addresses_are_kept_line_by_line(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create(items=address(**SHENZHEN)))
        first = record.data["addresses"][0]["id"]
        items = {
            "addresses": [
                ItemWrite("update", first, {"city": "东莞市", "use": "both"}),
                ItemWrite("create", None, {"country": "NL", "city": "Rotterdam", "use": "delivery"}),
            ]
        }
        record = saved(books, account, update(record, items))
        assert [(a["city"], a["use"], a["province"]) for a in record.data["addresses"]] == [
            ("东莞市", "both", "广东省"),
            ("Rotterdam", "delivery", None),
        ]
        gone = {"addresses": [ItemWrite("delete", first)]}
        record = saved(books, account, update(record, gone))
        assert [a["city"] for a in record.data["addresses"]] == ["Rotterdam"]
        moved = {"addresses": [ItemWrite("update", record.data["addresses"][0]["id"], {"country": "BE"})]}
        assert saved(books, account, update(record, moved)).data["addresses"][0]["country"] == "BE"

    def test_an_unknown_place_is_refused_by_name(self, books: Tryton, account: KindSpec) -> None:
        answer = one(books, account, create(items=address(country="CN", province="Atlantis")))
        assert isinstance(answer, Refused)
        assert (answer.field, answer.code) == ("addresses.province", "unknown_place")
        answer = one(books, account, create(items=address(country="XX")))
        assert isinstance(answer, Refused)
        assert answer.field == "addresses.country"

    def test_limits_of_two_companies_are_kept_apart(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        record = saved(books, account, create(company={"europe": {"credit_limit": "0.01"}}))
        assert limits(record) == (None, "0.01")
        record = saved(books, account, update(record, company={"asia": {"credit_limit": "12345678901234.56"}}))
        assert limits(record) == ("12345678901234.56", "0.01")
        record = saved(books, account, update(record, company={"europe": {"credit_limit": "99"}}))
        assert limits(record) == ("12345678901234.56", "99")
        ours = {"company": COMPANIES["europe"]["id"]}
        (row,) = erp.call("model.party.party.read", [int(record.id)], ["credit_limit_amount"], context=ours)
        assert row["credit_limit_amount"] == Decimal("99")
        record = saved(books, account, update(record, company={"asia": {"credit_limit": None}}))
        assert limits(record) == (None, "99")

    def test_a_limit_changed_in_tryton_is_a_change_of_the_party(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        record = saved(books, account, create())
        since = now_in(books, account)
        europe = {"company": COMPANIES["europe"]["id"]}
        erp.call("model.party.party.write", [int(record.id)], {"credit_limit_amount": Decimal("5")}, context=europe)
        assert changed(books, account, since) == [record.id]

    def test_more_decimals_than_the_currency_has_are_refused(self, books: Tryton, account: KindSpec) -> None:
        answer = one(books, account, create(company={"asia": {"credit_limit": "1.005"}}))
        assert isinstance(answer, Refused)
        assert answer.field == "company.asia.credit_limit"

    def test_terms_are_one_for_all_companies_and_never_changed_in_silence(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        net30, net60 = erp.ids["payment_terms"]["Net 30"], erp.ids["payment_terms"]["Net 60"]
        record = saved(books, account, create(company={"asia": {"terms": net30}}))
        assert terms(record) == (net30, net30)
        apart = {"asia": {"terms": net30}, "europe": {"terms": net60}}
        answer = one(books, account, update(record, company=apart))
        assert isinstance(answer, Refused)
        assert (answer.code, answer.field) == ("shared_terms", "company.asia.terms")
        assert isinstance(one(books, account, update(record, company={"europe": {"terms": net60}})), Refused)
        both = {"asia": {"terms": net60}, "europe": {"terms": net60}}
        assert terms(saved(books, account, update(record, company=both))) == (net60, net60)

    def test_one_company_may_carry_the_terms_for_all(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        kept = tuple(f for f in account.map.fields if f.name != "company.europe.terms")
        spec = replace(account, map=replace(account.map, fields=kept))
        record = saved(books, spec, create())
        net60 = erp.ids["payment_terms"]["Net 60"]
        assert terms(saved(books, spec, update(record, company={"asia": {"terms": net60}})))[0] == net60

    def test_a_tax_number_typed_in_groups_or_full_width_is_the_same_number(
        self, books: Tryton, account: KindSpec
    ) -> None:
        told = account.map.named("tax_id")
        assert told is not None
        for typed in (USCC.lower(), "9135 0100 M000 100Y43", "".join(chr(ord(c) + 0xFEE0) for c in USCC)):
            assert told.convert.to_wire(typed) == USCC == told.convert.from_wire(told.convert.to_wire(typed))

    def test_named_mails_belong_to_contacts(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        record = saved(books, account, create())
        mails = [{"party": int(record.id), "type": "email", "name": "Li Na", "value": "li.na@example.com"}]
        erp.call("model.party.contact_mechanism.create", mails)
        assert held(books, account, record.id).data["email"] is None
        assert list(books.find(account, "email", ["li.na@example.com"])) == []

    def test_a_mobile_stands_in_for_a_missing_phone(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        record = saved(books, account, create())
        mobile = [{"party": int(record.id), "type": "mobile", "value": "+8613800138000"}]
        erp.call("model.party.contact_mechanism.create", mobile)
        record = held(books, account, record.id)
        assert record.data["phone"] == "+8613800138000"
        assert saved(books, account, update(record, phone="+8613800138001")).data["phone"] == "+8613800138001"

    def test_a_field_that_only_the_configuration_knows_is_read(self, books: Tryton, account: KindSpec) -> None:
        from datong.mapping import Field

        spec = replace(
            account, map=replace(account.map, fields=(*account.map.fields, Field("custom.full", "full_name")))
        )
        record = saved(books, spec, create(name="Extra"))
        assert record.data["full_name"] == "Extra"


def limits(record: WireRecord) -> tuple[Any, Any]:
    return tuple(record.data["company"][c]["credit_limit"] for c in ("asia", "europe"))  # type: ignore[return-value]


def terms(record: WireRecord) -> tuple[Any, Any]:
    return tuple(record.data["company"][c]["terms"] for c in ("asia", "europe"))  # type: ignore[return-value]


@pytest.mark.real
class TestInactive:
    def test_a_customer_can_be_created_and_found_switched_off(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create(key="k-off", active=False))
        assert (record.active, record.data["active"]) == (False, False)
        assert record.id in list(books.ids(account))
        assert [r.id for r in books.find(account, "own_key", ["k-off"])] == [record.id]
        everything = [r for page in books.read(account, None) for r in page.records]
        assert [r.active for r in everything if r.id == record.id] == [False]

    def test_switching_off_and_on(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create(phone="+31101234567"))
        off = saved(books, account, update(record, active=False, name="going"))
        assert (off.active, off.data["name"], off.data["phone"]) == (False, "going", "+31101234567")
        answer = one(books, account, update(off, name="sleeping"))
        assert isinstance(answer, Refused)  # Tryton lets nobody edit what is switched off
        back = saved(books, account, update(off, active=True, name="awake"))
        assert (back.active, back.data["name"]) == (True, "awake")

    def test_switched_off_parts_are_left_out(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        record = saved(books, account, create(phone="+31101234567", items=address(**SHENZHEN)))
        line = int(record.data["addresses"][0]["id"])
        since = now_in(books, account)
        erp.call("model.party.address.write", [line], {"active": False})
        assert changed(books, account, since) == [record.id]
        assert held(books, account, record.id).data["addresses"] == []


@pytest.mark.real
class TestReading:
    def test_a_change_of_a_part_alone_is_a_change_of_the_customer(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        record = saved(
            books, account, create(phone="+31101234567", tax_identifier={"code": USCC}, items=address(**SHENZHEN))
        )
        native = [["party", "=", int(record.id)]]
        for model, values in (
            ("party.address", {"city": "珠海市"}),
            ("party.contact_mechanism", {"value": "+31101111111"}),
            ("party.identifier", {"code": "91110000600037341L"}),
        ):
            since = now_in(books, account)
            ids = erp.call(f"model.{model}.search", native, 0, 1, None)
            erp.call(f"model.{model}.write", ids, values)
            assert changed(books, account, since) == [record.id], model
            later = held(books, account, record.id)
            assert later.version != record.version
            assert later.changed_at and record.changed_at and later.changed_at > record.changed_at
            record = later

    def test_an_idle_read_is_one_request(self, books: Tryton, account: KindSpec) -> None:
        for spec in (account, books.kinds["contact"], books.kinds["product"]):
            since = now_in(books, spec)
            before = books.context.budget.spent
            (page,) = books.read(spec, since)
            assert books.context.budget.spent - before == spec.idle_requests
            assert (list(page.records), page.last) == ([], True)
            assert page.cursor is not None and page.cursor >= since[:19]

    def test_pages_are_oldest_first_and_each_is_a_place_to_resume(self, erp: lab.Tryton, books: Tryton) -> None:
        small = connect(erp, page_size=2, overlap_seconds=0)
        account = small.kinds["account"]
        since = now_in(small, account)
        made = [saved(books, account, create()).id for _ in range(5)]
        saved(books, account, update(held(books, account, made[0]), phone="+31101234567"))  # now the newest
        pages = list(small.read(account, since))
        order = [*made[1:], made[0]]
        assert [r.id for p in pages for r in p.records] == order
        assert [p.last for p in pages] == [False, False, False, True]
        resumed = changed(small, account, str(pages[1].cursor))
        assert resumed == order[3:]  # inclusive: the last of the page before comes once more
        times = [r.changed_at for p in pages for r in p.records]
        assert times == sorted(t for t in times if t)

    def test_the_overlap_reads_again_what_may_have_come_late(self, erp: lab.Tryton, books: Tryton) -> None:
        record = saved(books, books.kinds["account"], create())
        careful = connect(erp)  # 60 s
        spec = careful.kinds["account"]
        assert spec.overlap == timedelta(seconds=60)
        assert record.changed_at
        assert record.id in changed(careful, spec, to_text(record.changed_at + timedelta(seconds=50)))
        assert record.id not in changed(careful, spec, to_text(record.changed_at + timedelta(seconds=70)))

    def test_own_companies_and_employees_are_no_customers(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton
    ) -> None:
        ours = {"1", "2", "3"}
        assert not ours & set(books.ids(account))
        assert not ours & set(changed(books, account, "2020-01-01T00:00:00Z"))
        assert {type(m) for m in books.get(account, sorted(ours))} == {Missing}
        assert [m.why for m in books.get(account, ["1"]) if isinstance(m, Missing)] == ["out_of_scope"]
        everyone = connect(erp, staff_are_customers=True)
        assert ours <= set(everyone.ids(everyone.kinds["account"]))

    def test_a_domain_narrows_what_a_customer_is(self, erp: lab.Tryton, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create(name=fresh("狭")))
        other = saved(books, account, create())
        narrow = connect(erp, customers_domain=[["name", "like", "狭%"]])
        spec = narrow.kinds["account"]
        assert list(narrow.ids(spec)) == [record.id]
        assert [type(m) for m in narrow.get(spec, [other.id])] == [Missing]

    def test_absent_ids_do_not_spoil_the_others(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create())
        found = {getattr(f, "id", ""): f for f in books.get(account, ["999999", record.id, "abc"])}
        assert isinstance(found[record.id], WireRecord)
        assert found["999999"] == Missing("999999", "gone")
        assert found["abc"] == Missing("abc", "gone")

    def test_a_merged_customer_tells_into_which(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        old, new = (saved(books, account, create(name="双")) for _ in range(2))  # other names: Tryton warns
        session, *_ = erp.call("wizard.party.replace.create")
        where = {"active_model": "party.party", "active_id": int(old.id), "active_ids": [int(old.id)]}
        ask = {"ask": {"source": int(old.id), "destination": int(new.id)}}
        erp.call("wizard.party.replace.execute", session, ask, "replace", context=where)
        assert list(books.get(account, [old.id])) == [Missing(old.id, "merged", new.id)]
        assert old.id not in list(books.ids(account))

    def test_a_large_answer_is_understood(self, books: Tryton, account: KindSpec) -> None:
        """Bodies above 1400 bytes are labelled gzip, whether they are or not."""
        record = saved(books, account, create(name="长" * 4000))
        assert held(books, account, record.id).data["name"] == "长" * 4000


@pytest.mark.real
class TestWriting:
    def test_the_guard_tells_a_record_that_moved(self, books: Tryton, account: KindSpec, erp: lab.Tryton) -> None:
        record = saved(books, account, create(items=address(**SHENZHEN)))
        erp.call("model.party.address.write", [int(record.data["addresses"][0]["id"])], {"city": "X"})
        assert one(books, account, update(record, name="late")) == Moved(1)
        assert held(books, account, record.id).data["name"] == record.data["name"]
        assert saved(books, account, update(record, guarded=False, name="blind")).data["name"] == "blind"

    def test_tryton_itself_compares_what_changed_after_our_look(
        self, books: Tryton, account: KindSpec, erp: lab.Tryton, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record, other = saved(books, account, create()), saved(books, account, create())
        look = books._writer._current

        def then_someone_writes(spec: KindSpec, ids: list[int]) -> dict[int, dict[str, Any]]:
            rows = look(spec, ids)
            erp.call("model.party.party.write", [int(record.id)], {"name": "someone"})
            return rows

        monkeypatch.setattr(books._writer, "_current", then_someone_writes)
        answers = list(books.write(account, [update(record, name="us"), replace(update(other, name="fine"), ref=2)]))
        assert [type(a) for a in answers] == [Moved, Saved]
        assert held(books, account, record.id).data["name"] == "someone"

    def test_a_record_that_is_gone_has_moved(self, books: Tryton, account: KindSpec) -> None:
        record = saved(books, account, create())
        assert one(books, account, Write(1, "delete", record.id)) == Saved(1, record.id, None)
        assert one(books, account, update(record, name="x")) == Moved(1)
        assert one(books, account, Write(1, "delete", record.id)) == Saved(1, record.id, None)
        assert list(books.get(account, [record.id])) == [Missing(record.id, "gone")]

    def test_a_party_in_use_cannot_be_deleted(self, books: Tryton, account: KindSpec) -> None:
        answer = one(books, account, Write(1, "delete", "1"))
        assert isinstance(answer, Refused)
        assert "could not be deleted" in answer.reason

    def test_a_wrong_tax_number_is_refused_with_its_field(self, books: Tryton, account: KindSpec) -> None:
        answer = one(books, account, create(tax_identifier={"code": "123"}))
        assert isinstance(answer, Refused)
        assert (answer.field, answer.code) == ("tax_identifier.code", "tax_number")

    def test_tax_numbers_go_by_their_own_form_or_the_country(self, books: Tryton, account: KindSpec) -> None:
        for code, where, expected in (
            ("NL123456782B90", None, "eu_vat"),
            ("980780684", "GB", "gb_vat"),
            ("200801016D", "SG", None),
        ):
            items = address(country=where) if where else {}
            answer = one(books, account, create(tax_identifier={"code": code}, items=items))
            if isinstance(answer, Saved) and answer.record:
                assert answer.record.data["tax_identifier"]["type"].startswith(expected or "sg_")
            else:
                assert expected is None and isinstance(answer, Refused)

    def test_a_refused_batch_is_raised_whole_and_halves_find_the_guilty(self, books: Tryton, account: KindSpec) -> None:
        batch = [create(ref) for ref in range(4)]
        batch[2] = create(2, company={"asia": {"credit_limit": "1.234"}})
        before = set(books.ids(account))
        with pytest.raises(RequestRefused):
            list(books.write(account, batch))
        assert set(books.ids(account)) == before  # nothing was done
        assert [type(a) for a in books.write(account, batch[:2])] == [Saved, Saved]
        with pytest.raises(RequestRefused):
            list(books.write(account, batch[2:]))
        assert [type(a) for a in books.write(account, batch[2:3])] == [Refused]
        assert [type(a) for a in books.write(account, batch[3:])] == [Saved]

    def test_a_mixed_batch_keeps_what_is_done(self, books: Tryton, account: KindSpec) -> None:
        """Creates, updates and deletes are three transactions: the later ones look for the guilty themselves."""
        some = [saved(books, account, create()) for _ in range(3)]
        answers = {
            a.ref: a
            for a in books.write(
                account,
                [
                    create(1),
                    Write(2, "update", some[0].id, values={"company": {"asia": {"credit_limit": "1.234"}}}),
                    Write(3, "update", some[1].id, values={"name": "改"}),
                    Write(4, "delete", some[2].id),
                    Write(5, "delete", "1"),
                ],
            )
        }
        kinds = {ref: type(a) for ref, a in answers.items()}
        assert kinds == {1: Saved, 2: Refused, 3: Saved, 4: Saved, 5: Refused}

    def test_a_create_stays_done_when_reading_it_back_fails(
        self, books: Tryton, account: KindSpec, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(spec: KindSpec, ids: Any) -> list[WireRecord]:
            raise TryLater("down")

        monkeypatch.setattr(books._writer, "_records", down)
        answer = one(books, account, create(key="k-kept"))
        assert isinstance(answer, Saved)
        assert answer.record is None
        monkeypatch.undo()
        assert [r.id for r in books.find(account, "own_key", ["k-kept"])] == [answer.id]

    def test_a_hundred_at_once(self, books: Tryton, account: KindSpec) -> None:
        batch = [create(ref, key=f"bulk-{ref}", items=address(**SHENZHEN)) for ref in range(account.batch)]
        before = books.context.budget.spent
        answers = list(books.write(account, batch))
        assert books.context.budget.spent - before < 10
        assert [a.ref for a in answers] == list(range(account.batch))
        assert len({a.id for a in answers if isinstance(a, Saved)}) == account.batch
        assert [a.existed for a in books.write(account, batch) if isinstance(a, Saved)] == [True] * account.batch

    def test_code_lists_and_products_are_not_written(self, books: Tryton) -> None:
        for kind in ("product", "currency", "user"):
            with pytest.raises(RequestRefused):
                list(books.write(books.kinds[kind], [create()]))


@pytest.mark.real
class TestContact:
    def test_a_person_is_a_mail_address_with_a_name(self, books: Tryton, account: KindSpec) -> None:
        contact = books.kinds["contact"]
        customer = saved(books, account, create())
        values = {"party": int(customer.id), "name": "李娜", "value": "Li_na@Example.com", "active": True}
        record = saved(books, contact, Write(1, "create", values=values))
        assert contact.map.read(record.data).values == {
            "account": Foreign("account", customer.id),
            "name": "李娜",
            "email": "Li_na@example.com",
            "active": True,
        }
        assert [r.id for r in books.find(contact, "email", ["li_na@example.com", "lixna@%"])] == [record.id]
        since = now_in(books, contact)
        later = saved(books, contact, update(record, name="李 娜", value="na@example.com"))
        assert changed(books, contact, since) == [record.id]
        assert one(books, contact, update(record, name="late")) == Moved(1)
        off = saved(books, contact, update(later, active=False))
        assert (off.active, record.id in list(books.ids(contact))) == (False, True)
        assert one(books, contact, Write(1, "delete", record.id)) == Saved(1, record.id, None)
        assert list(books.get(contact, [record.id])) == [Missing(record.id)]

    def test_a_person_cannot_change_to_another_customer(self, books: Tryton, account: KindSpec) -> None:
        contact = books.kinds["contact"]
        first, second = saved(books, account, create()), saved(books, account, create())
        values = {"party": int(first.id), "name": "A", "value": "a@example.com"}
        record = saved(books, contact, Write(1, "create", values=values))
        assert isinstance(one(books, contact, update(record, party=int(second.id))), Refused)

    def test_a_contact_without_a_name_would_be_the_customers_own_address(
        self, books: Tryton, account: KindSpec
    ) -> None:
        party = int(saved(books, account, create()).id)
        answer = one(books, books.kinds["contact"], Write(1, "create", values={"party": party, "value": "a@x.example"}))
        assert isinstance(answer, Refused) and answer.field == "name"

    def test_people_of_our_own_companies_are_no_contacts(self, books: Tryton, erp: lab.Tryton) -> None:
        mails = [{"party": 1, "type": "email", "name": "Boss", "value": "boss@example.com"}]
        (boss,) = erp.call("model.party.contact_mechanism.create", mails)
        contact = books.kinds["contact"]
        assert str(boss) not in list(books.ids(contact))
        assert [m.why for m in books.get(contact, [str(boss)]) if isinstance(m, Missing)] == ["out_of_scope"]


@pytest.mark.real
class TestOtherKinds:
    def test_products_have_the_price_that_is_used(self, books: Tryton) -> None:
        product = books.kinds["product"]
        (record,) = books.find(product, "sku", ["W-100"])
        values = product.map.read(record.data).values
        assert (values["name"], values["list_price"], values["active"]) == ("轴承 Bearing", "12.5", True)
        assert (values["unit"], values["currency"]) == (Foreign("unit", "1"), Foreign("currency", "CNY", "code"))

    def test_a_change_of_the_template_is_a_change_of_the_product(self, books: Tryton, erp: lab.Tryton) -> None:
        product = books.kinds["product"]
        (record,) = books.find(product, "sku", ["G-200"])
        since = now_in(books, product)
        (row,) = erp.call("model.product.product.read", [int(record.id)], ["template"])
        erp.call("model.product.template.write", [row["template"]], {"list_price": Decimal("101.005")})
        assert changed(books, product, since) == [record.id]
        later = held(books, product, record.id)
        assert later.version != record.version
        assert product.map.read(later.data).values["list_price"] == "101.005"

    @pytest.mark.parametrize(
        ("kind", "by", "value", "expected"),
        [
            ("currency", "code", "CNY", {"code": "CNY", "name": "人民币"}),
            ("payment_term", "name", "Net 30", {"name": "Net 30"}),
            ("warehouse", "code", "SHA", {"code": "SHA", "name": "上海仓"}),
            ("region", "code", "CN-GD", {"code": "CN-GD", "name": "广东省"}),
            ("unit", "code", "u", {"code": "u", "name": "Unit"}),
            ("user", "code", "connector", {"code": "connector", "name": "Datong connector", "email": None}),
        ],
    )
    def test_code_lists(self, books: Tryton, kind: str, by: str, value: str, expected: Mapping[str, Any]) -> None:
        spec = books.kinds[kind]
        (record,) = books.find(spec, by, [value])
        assert spec.map.read(record.data).values == {**expected, "active": True}
        (page,) = books.read(spec, None)
        assert page.last
        assert record.id in {r.id for r in page.records} == set(books.ids(spec))

    def test_taxes_and_payment_methods_of_every_company(self, books: Tryton) -> None:
        rates = [books.kinds["tax_code"].map.read(r.data).values["rate"] for r in whole(books, "tax_code")]
        assert sorted(map(str, rates)) == ["13", "21"]
        assert len(whole(books, "payment_method")) == 2

    def test_only_warehouses_are_warehouses_and_root_is_no_user(self, books: Tryton) -> None:
        assert {r.data["code"] for r in whole(books, "warehouse")} == {"SHA", "RTM"}
        assert {r.data["login"] for r in whole(books, "user")} == {"admin", "connector"}

    def test_a_kind_describes_its_fields(self, books: Tryton, account: KindSpec) -> None:
        described = {field.path: field for field in books.describe(account)}
        assert described["name"].type == "char"
        assert described["code"].required


def whole(books: Tryton, kind: str) -> list[WireRecord]:
    return [r for page in books.read(books.kinds[kind], None) for r in page.records]
