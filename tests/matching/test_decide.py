"""What is linked silently, what a person is asked, and what neither: the traps of two real customer lists."""

from typing import Any

import pytest

from datong.matching import Candidate, Decision, Identity, Matches, decide, evidence_digest, keys, same, similar

ACCOUNT = Identity(
    link=(same("number"), same("tax_id", "country")),
    review=(same("email"), same("phone", "mobile", any_of=True), same("website"), same("address"), similar("name")),
    region="CN",
)
CONTACT = Identity(
    link=(same("email", within="account"),),
    review=(same("email"), same("mobile"), similar("name", person=True)),
)
USCC, OTHER = "91110000600037341L", "91310115MA1H70000R"
OLD = "110108600037341"
NAME = "上海启明电子科技有限公司"


def match(
    left: list[dict[str, Any]], right: list[dict[str, Any]], identity: Identity = ACCOUNT, **more: Any
) -> Matches:
    """Records get the ids 1, 2, ...; a record that says `linked` is."""
    sides = [
        [
            Candidate(n, {k: v for k, v in one.items() if k != "linked"}, "linked" in one)
            for n, one in enumerate(side, 1)
        ]
        for side in (left, right)
    ]
    return decide(*sides, identity, **more)


def linked(found: Matches) -> list[tuple[int, int]]:
    return [link[:2] for link in found.links]


def asked(found: Matches) -> list[tuple[int, int]]:
    return [(review.left_id, review.right_id) for review in found.reviews]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"number": "C1001"}, {"number": " c1001 "}),
        ({"number": 1001}, {"number": "1001"}),
        ({"company.asia.number": "7"}, {"company.asia.number": "7", "company.europe.number": "9"}),
        ({"tax_id": USCC}, {"tax_id": USCC.lower(), "country": "CN"}),
        ({"tax_id": "DE136695976"}, {"tax_id": "136695976", "country": "DE"}),
        ({"tax_id": USCC, "name": NAME}, {"tax_id": USCC, "name": "Qiming Electronics Ltd"}),
        ({"number": "1", "tax_id": OLD, "country": "CN"}, {"number": "1", "tax_id": USCC}),
    ],
)
def test_linked_silently(left: dict[str, Any], right: dict[str, Any]) -> None:
    found = match([left], [right])
    assert (linked(found), asked(found)) == ([(1, 1)], [])
    assert found.links[0].reasons


@pytest.mark.parametrize(
    ("left", "right", "held"),
    [
        ({"number": "1", "tax_id": USCC}, {"number": "1", "tax_id": OTHER}, "tax_id+country differs"),
        ({"number": "1", "tax_id": USCC}, {"number": "2", "tax_id": USCC}, "number differs"),
        (
            {"company.asia.number": "1", "company.europe.number": "2"},
            {"company.asia.number": "1", "company.europe.number": "3"},
            "number differs",
        ),
        ({"tax_id": USCC, "name": NAME}, {"tax_id": USCC, "name": NAME + "北京分公司"}, "branch differs"),
        (
            {"tax_id": USCC, "name": NAME + "北京分公司", "name_en": "Qiming Ltd"},
            {"tax_id": USCC, "name": NAME},
            "branch differs",
        ),
        ({"tax_id": USCC, "country": "CN"}, {"tax_id": USCC, "country": "SG"}, "tax_id+country differs"),
        ({"tax_id": OLD, "country": "CN"}, {"tax_id": USCC}, "not verified"),
        ({"tax_id": USCC[:-1] + "M", "country": "CN"}, {"tax_id": USCC[:-1] + "M"}, "not verified"),
        ({"number": "1", "type": "person"}, {"number": "1", "type": "company"}, "type differs"),
        ({"number": "1"}, {"number": "1", "linked": True}, "already linked"),
        ({"number": "1", "linked": True}, {"number": "1"}, "already linked"),
    ],
)
def test_a_strong_key_alone_is_not_enough(left: dict[str, Any], right: dict[str, Any], held: str) -> None:
    found = match([left], [right])
    assert (linked(found), asked(found)) == ([], [(1, 1)])
    assert held in found.reviews[0].held


@pytest.mark.parametrize(
    ("left", "right", "rule"),
    [
        ({"email": "Li@A.cn"}, {"email": "li@a.CN"}, "email"),
        ({"phone": "021-62345678"}, {"phone": "+86 21 6234 5678 转 8"}, "phone|mobile"),
        ({"mobile": "13912345678"}, {"phone": "86 139 1234 5678"}, "phone|mobile"),
        ({"website": "http://www.acme.cn/"}, {"website": "acme.cn"}, "website"),
        ({"name": NAME}, {"name": "启明电子科技（上海）有限责任公司"}, "similar name"),
        ({"name": NAME, "name_en": "Qiming Electronics Ltd"}, {"name": "QIMING ELECTRONICS CO., LTD."}, "similar name"),
        (
            {"addresses.main.city": "上海市", "addresses.main.street": "张江路1号"},
            {"addresses.x.street": "上海市张江路1号"},
            "address",
        ),
    ],
)
def test_weak_evidence_nominates(left: dict[str, Any], right: dict[str, Any], rule: str) -> None:
    found = match([left], [right])
    assert (linked(found), asked(found)) == ([], [(1, 1)])
    assert [reason.rule for reason in found.reviews[0].reasons if reason.weight > 0] == [rule]
    assert 0 < found.reviews[0].score < 1
    assert found.reviews[0].held == ()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {}),
        ({"number": ""}, {"number": ""}),
        ({"number": "无", "tax_id": "000000000000000"}, {"number": "无", "tax_id": "000000000000000"}),
        ({"company.asia.number": "1"}, {"company.europe.number": "1"}),
        ({"phone": "021-62345678-801"}, {"phone": "021-62345678-802"}),
        ({"phone": "13800138000", "email": "no@no.com"}, {"phone": "13800138000", "email": "no@no.com"}),
        ({"name": NAME}, {"name": NAME + "北京分公司"}),
        ({"name": NAME, "phone": "021-62345678"}, {"name": NAME + "北京分公司", "phone": "021-62345678"}),
        ({"name": "华为技术（上海）有限公司"}, {"name": "华为技术（北京）有限公司"}),
        ({"email": "li@a.cn", "linked": True}, {"email": "li@a.cn", "linked": True}),
    ],
)
def test_nothing_speaks_for_the_pair(left: dict[str, Any], right: dict[str, Any]) -> None:
    found = match([left], [right])
    assert (linked(found), asked(found)) == ([], [])


def test_twins_in_one_system_are_all_asked() -> None:
    found = match([{"tax_id": USCC}, {"tax_id": USCC}], [{"tax_id": USCC}])
    assert (linked(found), asked(found)) == ([], [(1, 1), (2, 1)])
    assert all("several candidates" in review.held for review in found.reviews)


def test_two_strong_keys_that_point_to_two_records() -> None:
    found = match([{"number": "1", "tax_id": USCC}], [{"number": "1"}, {"tax_id": USCC}])
    assert (linked(found), asked(found)) == ([], [(1, 1), (1, 2)])


def test_the_same_digits_in_another_country_are_another_number() -> None:
    there = [{"tax_id": "98765432", "country": "US"}, {"tax_id": "98765432", "country": "AU"}]
    assert linked(match([{"tax_id": "98765432", "country": "US"}], there)) == [(1, 1)]


def test_a_newcomer_that_resembles_a_linked_record_is_asked_before_it_is_created() -> None:
    found = match([{"name": NAME, "number": "1"}, {"name": NAME}], [{"name": NAME, "number": "1"}])
    assert (linked(found), asked(found)) == ([(1, 1)], [(2, 1)])


def test_a_switchboard_of_many_nominates_nobody_but_supports() -> None:
    many = [{"phone": "021-62345678", "name": f"租户{n:02d}号贸易{'甲乙丙丁戊己庚'[n]}有限公司"} for n in range(7)]
    assert asked(match([{"phone": "021-62345678"}], many)) == []
    assert asked(match(many, [{"phone": "021-62345678"}])) == []
    found = match([many[3]], many)
    assert asked(found) == [(1, 4)]
    weights = {reason.rule: reason.weight for reason in found.reviews[0].reasons}
    assert weights["phone|mobile"] == 0.3


def test_a_tax_number_held_by_a_crowd_identifies_nobody() -> None:
    crowd = [{"tax_id": USCC} for _ in range(21)]
    found = match([{"tax_id": USCC}, {"tax_id": USCC, "number": "1"}], [*crowd, {"number": "1"}])
    assert (linked(found), asked(found)) == ([], [(2, 22)])
    assert found.reviews[0].held == ("crowded",)
    assert [(key.rule, left, right) for key, left, right in found.crowded if "org" not in key.value] == [
        ("tax_id+country", 2, 21)
    ]


def test_contacts_by_email_inside_a_linked_account() -> None:
    left = [{"email": "li@a.cn", "account": 5, "name": "李娜"}, {"email": "wang@b.cn", "name": "王伟"}]
    right = [
        {"email": "LI@a.cn", "account": "5", "name": "Li Na"},
        {"email": "wang@b.cn", "account": 6, "name": "王伟"},
    ]
    found = match(left, right, CONTACT)
    assert (linked(found), asked(found)) == ([(1, 1)], [(2, 2)])


def test_the_same_email_in_two_accounts_is_only_asked() -> None:
    found = match([{"email": "li@a.cn", "account": 5}], [{"email": "li@a.cn", "account": 6}], CONTACT)
    assert (linked(found), asked(found)) == ([], [(1, 1)])


@pytest.mark.parametrize("kind", ["separate", "unlink", "dismiss"])
def test_a_decision_holds_until_its_values_change(kind: Any) -> None:
    left, right = {"number": "1", "name": NAME}, {"number": "1", "name": NAME}
    decisions = {(1, 1): Decision(kind, evidence_digest(left, right, ACCOUNT))}
    standing = match([left], [right], decisions=decisions)
    assert (linked(standing), asked(standing), standing.standing) == ([], [], ((1, 1),))
    respelt = match(
        [{**left, "name": NAME.replace("上海", "上海 ")}], [{**right, "credit_limit": 5}], decisions=decisions
    )
    assert respelt.standing == ((1, 1),)
    changed = match([{**left, "email": "li@a.cn"}], [{**right, "tax_id": USCC}], decisions=decisions)
    assert linked(changed) == [] and asked(changed) == [(1, 1)]
    assert changed.reviews[0].reopened and changed.reviews[0].held == ("decided before",)


def test_a_decision_on_one_candidate_does_not_link_the_other_silently() -> None:
    left, right = {"number": "1"}, {"number": "1"}
    decisions = {(1, 1): Decision("separate", evidence_digest(left, right, ACCOUNT))}
    found = match([left], [right, {"number": "1"}], decisions=decisions)
    assert (linked(found), asked(found)) == ([], [(1, 2)])


def test_a_digest_is_the_same_either_way_round_and_sees_branch_and_type() -> None:
    left, right = {"name": NAME, "number": 1}, {"name": NAME + "\ud800", "email": "li@a.cn"}
    digest = evidence_digest(left, right, ACCOUNT)
    assert digest == evidence_digest(right, left, ACCOUNT)
    assert digest != evidence_digest({**left, "name": NAME + "北京分公司"}, right, ACCOUNT)
    assert digest != evidence_digest({**left, "type": "person"}, right, ACCOUNT)
    assert digest == evidence_digest({**left, "note": "x"}, right, ACCOUNT)


def test_reasons_show_the_values_as_people_typed_them() -> None:
    found = match([{"number": "1", "tax_id": USCC.lower()}], [{"number": "1", "tax_id": OTHER}])
    assert [tuple(reason) for reason in found.reviews[0].reasons] == [
        ("number", "1", "1", 0.95),
        ("tax_id+country", USCC.lower(), OTHER, -0.4),
    ]


def test_keys_of_a_record() -> None:
    found = keys({"number": "C 1", "tax_id": USCC, "email": "A@b.cn"}, ACCOUNT)
    assert [tuple(key) for key in found] == [
        ("email", "a@b.cn", False),
        ("number", "c1", True),
        ("tax_id+country", USCC, True),
        ("tax_id+country", "org 600037341", True),
    ]
    assert keys({"number": None, "name": ""}, ACCOUNT) == []


def test_punctuation_of_a_code_counts() -> None:
    article = Identity(link=(same("sku"),))
    found = match(
        [{"sku": "A-1"}, {"sku": "A.1"}, {"sku": "01"}], [{"sku": "a-1 "}, {"sku": "A1"}, {"sku": "1"}], article
    )
    assert (linked(found), asked(found)) == ([(1, 1)], [])


def test_a_rule_gives_its_key() -> None:
    assert same("number").key({"number": "C 1"}) == "c1"
    assert same("number").key({}) is None
    assert same("email", within="account").key({"email": "a@b.cn"}) is None
    assert same("email", within="account").key({"email": "a@b.cn", "account": 5}) == "5|a@b.cn"
    assert same("name", "city").key({"name": NAME}) is None
    assert same("name", "city").key({"name": "Acme Ltd", "city": "Köln"}) == "acme + koln"
    assert same("addresses.*.phone").key({"addresses.a.phone": "+49 30 901820"}) == "+4930901820"
    assert similar("name").key({"name": "Acme Ltd"}) == "=acme"
    assert similar("name").key({}) is None


def test_an_identity_refuses_what_cannot_be_meant() -> None:
    with pytest.raises(ValueError, match="never links"):
        Identity(link=(similar("name"),))
    with pytest.raises(ValueError, match="once"):
        Identity(link=(same("number"),), review=(same("number"),))
    with pytest.raises(ValueError, match="twice"):
        decide([Candidate(1, {}), Candidate(1, {})], [], ACCOUNT)
    with pytest.raises(ValueError, match="field"):
        same()
    with pytest.raises(ValueError, match="at_least"):
        similar("name", at_least=92)


def test_a_fingerprint_names_the_keys_an_identity_makes() -> None:
    assert ACCOUNT.fingerprint == Identity(ACCOUNT.link, ACCOUNT.review, region="CN").fingerprint
    assert ACCOUNT.fingerprint != Identity(ACCOUNT.link, ACCOUNT.review, region="DE").fingerprint
    assert ACCOUNT.fingerprint != CONTACT.fingerprint
