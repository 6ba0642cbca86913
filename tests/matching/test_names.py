"""Names of companies and persons: what is one party's name, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datong.matching.names import company_name, person_name, similarity

ALIKE = [
    ("上海启明电子科技有限公司", "上海启明电子科技有限责任公司"),
    ("上海启明电子科技有限公司", "启明电子科技（上海）有限公司"),
    ("上海启明电子科技有限公司", "上海市启明电子科技有限公司"),
    ("深圳市腾讯计算机系统有限公司", "腾讯计算机系统有限公司"),
    ("臺灣積體電路製造股份有限公司", "台湾积体电路制造股份有限公司"),
    ("華為技術有限公司", "华为技术有限公司"),
    ("ＡＢＣ（中国）有限公司", "abc(中国)有限公司"),
    ("海尔集团公司", "海尔（集团）公司"),
    ("東京電気株式会社", "东京电气（株）"),
    ("㈱日立製作所", "株式会社日立製作所"),
    ("IBM 中国 有限公司", "IBM中国有限公司"),
    ("普华永道中天会计师事务所（特殊普通合伙）", "普华永道中天会计师事务所"),
    ("Acme Trading Co., Ltd.", "ACME TRADING CO LTD"),
    ("Acme Trading Co.,Ltd", "Acme Trading Company Limited"),
    ("Fiat S.p.A.", "FIAT SPA"),
    ("Fiat S. p. A.", "Fiat"),
    ("Philips B.V.", "Philips BV"),
    ("L'Oréal S.A.", "LOREAL SA"),
    ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne GmbH & Co KG"),
    ("SARL Dupont Frères", "Dupont Freres S.A.R.L."),
    ("The Boeing Company", "Boeing"),
    ("Huawei Technologies (Shanghai) Co., Ltd.", "Shanghai Huawei Technologies Co., Ltd."),
    ("Coca-Cola Company", "CocaCola Co."),
    ("中国建筑第八工程局有限公司", "中国建筑第８工程局有限公司"),
    ("Acme Ltd, Shanghai Branch", "Acme Ltd 上海分公司"),
    ("𠮷野家控股有限公司", "𠮷野家控股 有限公司"),
]

DIFFERENT = [
    ("华为技术（上海）有限公司", "华为技术（北京）有限公司"),
    ("上海启明电子科技有限公司", "上海启明电子科技有限公司北京分公司"),
    ("启明电子有限公司北京分公司", "启明电子有限公司上海分公司"),
    ("启明电子有限公司上海分公司", "启明电子有限公司上海办事处"),
    ("中国银行上海分行", "中国银行股份有限公司"),
    ("中铁第十八工程局集团第一工程有限公司", "中铁第十八工程局集团第二工程有限公司"),
    ("北京第一机床厂", "北京第二机床厂"),
    ("中国石油", "石油（北京）"),
    ("上海启明电子科技有限公司", "上海启明贸易有限公司"),
    ("Acme Ltd", "Acme Ltd, Shanghai Branch"),
    ("Acme Instruments Shanghai Ltd", "Acme Instruments Beijing Ltd"),
    ("Air China", "Air France"),
    ("😀咖啡有限公司", "😎咖啡有限公司"),
    ("Siemens Deutschland GmbH", "Siemens France SAS"),
    ("First National Instruments", "Second National Instruments"),
]


@pytest.mark.parametrize(("left", "right"), ALIKE)
def test_one_party_in_two_spellings(left: str, right: str) -> None:
    assert similarity(company_name(left), company_name(right)) >= 0.92


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_two_parties_that_look_alike(left: str, right: str) -> None:
    assert similarity(company_name(left), company_name(right)) < 0.92


@pytest.mark.parametrize(
    ("name", "core", "legal", "branch"),
    [
        ("上海启明电子有限公司北京分公司", "上海启明电子", "ltd", "beijing branch"),
        ("启明电子有限公司上海分公司浦东办事处", "启明电子", "ltd", "上海 branch"),
        ("中国银行上海分行", "中国银行", "", "shanghai 分行"),
        ("Shanghai Branch of Acme Ltd.", "acme", "ltd", "shanghai branch"),
        ("Acme GmbH Niederlassung Köln", "acme", "gmbh", "koln branch"),
        ("Acme Ltd Shanghai Representative Office", "acme", "ltd", "shanghai office"),
        ("Olive Branch Ltd", "olive branch", "ltd", ""),
        ("Limited", "limited", "", ""),
        ("有限公司", "有限公司", "", ""),
        ("（株）", "株", "", ""),
        ("Acme Sp. z o.o.", "acme", "pl", ""),
        ("Acme (Pvt) Ltd", "acme", "ltd", ""),
        ("😀咖啡有限公司", "😀咖啡", "ltd", ""),
        ("무역 주식회사", "무역 주식회사", "", ""),
        ("", "", "", ""),
        ("无", "", "", ""),
    ],
)
def test_parts_of_a_name(name: str, core: str, legal: str, branch: str) -> None:
    found = company_name(name)
    if "浦东" in name:
        branch = found.branch
        assert "shanghai branch" in branch and "浦东" in branch
    assert (found.core, found.legal, found.branch) == (core, legal, branch)


def test_another_legal_form_makes_names_a_little_less_alike() -> None:
    assert 0.92 <= similarity(company_name("Acme GmbH"), company_name("Acme AG")) < 1


def test_a_short_name_without_its_place_is_not_enough() -> None:
    assert similarity(company_name("Air China"), company_name("Air Ltd")) == 0


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("张 三", "张三先生", True),
        ("Zhang, San", "San Zhang", True),
        ("Dr. Jürgen Klein", "Klein Jurgen", True),
        ("李娜", "李娟", False),
        ("欧阳 修", "歐陽修", True),
        ("John Smith", "Jane Smith", False),
    ],
)
def test_persons(left: str, right: str, same: bool) -> None:
    assert (similarity(person_name(left), person_name(right)) >= 0.92) is same


def test_a_person_is_no_company() -> None:
    assert similarity(person_name("李娜"), company_name("李娜")) == 0


NAMES = st.one_of(
    st.text(max_size=30),
    st.text("上海北京启明电子有限公司分集团（）()株 无一二第0123AcmeLtdGmbH.,&-厂Branchof😀𠮷発Ü", max_size=24),
    st.lists(
        st.sampled_from(
            [
                "Acme",
                "Branch",
                "Office",
                "of",
                "Ltd",
                "Co",
                "GmbH",
                "&",
                "and",
                "the",
                "Shanghai",
                "上海",
                "分公司",
                "有限公司",
                "集团",
                "（株）",
                "S.A.",
                "S",
                ".",
                "A",
                "PT",
                "China",
                "1",
                "第一",
            ]
        ),
        max_size=7,
    ).map(" ".join),
)


@given(NAMES)
def test_the_core_of_a_core_is_itself(text: str) -> None:
    core = company_name(text).core
    assert company_name(core).core == core
    person = person_name(text).core
    assert person_name(person).core == person


@given(NAMES, NAMES)
def test_likeness_is_symmetric_and_bounded(left: str, right: str) -> None:
    one, other = company_name(left), company_name(right)
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) == (1.0 if one.letters else 0.0)
