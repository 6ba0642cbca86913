"""For any two sets of records: order, sides and strangers change nothing, and a part gives what the whole gives."""

import random
import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from parties import ACCOUNT, two_systems

from datong.matching import Candidate, Decision, Identity, Index, Matches, decide, evidence_digest, reach, same, similar

SMALL = Identity(
    link=(same("number"), same("tax_id", "country"), same("email", within="account")),
    review=(same("email"), same("phone"), similar("name", at_least=0.9)),
    common=2,
    block=3,
    crowd=3,
)
RECORD: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "number": st.sampled_from(["1", "2", "3", ""]),
        "company.asia.number": st.sampled_from(["1", "2"]),
        "tax_id": st.sampled_from(
            [
                "91110000600037341L",
                "91110000600037341M",
                "110108600037341",
                "DE136695976",
                "136695976",
                "98765432",
                "无",
            ]
        ),
        "country": st.sampled_from(["CN", "DE", "US", ""]),
        "email": st.sampled_from(["a@a.cn", "b@b.cn", "A@A.CN; c@c.cn"]),
        "phone": st.sampled_from(["13912345678", "+86 139 1234 5678", "021-62345678-1", "021-62345678-2"]),
        "account": st.sampled_from([1, 2]),
        "type": st.sampled_from(["person", "company"]),
        "name": st.sampled_from(
            [
                "启明有限公司",
                "启明有限公司北京分公司",
                "上海启明",
                "Acme Instruments Ltd",
                "Acme Instrument GmbH",
                "Instruments Acme",
                "Acme Instruments Shanghai",
            ]
        ),
    },
)
SIDE = st.lists(st.tuples(RECORD, st.booleans()), max_size=7).map(
    lambda rows: [Candidate(n, fields, linked) for n, (fields, linked) in enumerate(rows)]
)
PAIRS = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6)


def decisions(
    left: list[Candidate], right: list[Candidate], pairs: set[tuple[int, int]]
) -> dict[tuple[int, int], Decision]:
    """A person has called these pairs separate; on every other pair the values have changed since."""
    return {
        (one, other): Decision(
            "separate", evidence_digest(left[one].fields, right[other].fields, SMALL) if (one + other) % 2 else "before"
        )
        for one, other in pairs
        if one < len(left) and other < len(right)
    }


def mirrored(found: Matches) -> Matches:
    def turn(reasons: Any) -> Any:
        return tuple(reason._replace(left=reason.right, right=reason.left) for reason in reasons)

    return Matches(
        tuple(
            sorted(
                link._replace(left_id=link.right_id, right_id=link.left_id, reasons=turn(link.reasons))
                for link in found.links
            )
        ),
        tuple(
            sorted(
                (type(r)(r.right_id, r.left_id, r.score, turn(r.reasons), r.held, r.reopened) for r in found.reviews),
                key=lambda r: (r.left_id, r.right_id),
            )
        ),
        tuple((key, right, left) for key, left, right in found.crowded),
        tuple(sorted((right, left) for left, right in found.standing)),
    )


@settings(max_examples=150, deadline=None)
@given(SIDE, SIDE, PAIRS, st.randoms(use_true_random=False))
def test_order_does_not_matter(left: Any, right: Any, pairs: Any, rng: random.Random) -> None:
    judged = decisions(left, right, pairs)
    shuffled = rng.sample(left, len(left)), rng.sample(right, len(right))
    assert decide(*shuffled, SMALL, judged) == decide(left, right, SMALL, judged)


@settings(max_examples=150, deadline=None)
@given(SIDE, SIDE, PAIRS)
def test_sides_do_not_matter(left: Any, right: Any, pairs: Any) -> None:
    judged = decisions(left, right, pairs)
    turned = {(other, one): decision for (one, other), decision in judged.items()}
    assert decide(right, left, SMALL, turned) == mirrored(decide(left, right, SMALL, judged))


@settings(max_examples=150, deadline=None)
@given(SIDE, SIDE)
def test_a_stranger_changes_nothing(left: Any, right: Any) -> None:
    stranger = {"number": "99", "name": "陌路矿业有限公司", "email": "s@stranger.example.cn", "phone": "+49 30 901820"}
    before = decide(left, right, SMALL)
    assert decide([*left, Candidate(99, stranger)], right, SMALL) == before
    assert decide(left, [*right, Candidate(99, stranger)], SMALL) == before


@settings(max_examples=150, deadline=None)
@given(SIDE, SIDE)
def test_a_silent_link_is_beyond_doubt(left: Any, right: Any) -> None:
    found = decide(left, right, SMALL)
    one_side, other_side = [link.left_id for link in found.links], [link.right_id for link in found.links]
    assert len(set(one_side)) == len(one_side) and len(set(other_side)) == len(other_side)
    for link in found.links:
        one, other = left[link.left_id], right[link.right_id]
        assert not one.linked and not other.linked
        for rule in SMALL.link:
            assert not rule.compare(rule.marks(one.fields), rule.marks(other.fields)).clash
        assert any(rule.compare(rule.marks(one.fields), rule.marks(other.fields)).agree for rule in SMALL.link)
        assert all(reason.weight > 0 or reason.rule == "legal form" for reason in link.reasons)
    assert not {link[:2] for link in found.links} & {(r.left_id, r.right_id) for r in found.reviews}


@settings(max_examples=150, deadline=None)
@given(SIDE, SIDE, PAIRS, st.sets(st.integers(0, 6), max_size=2), st.sets(st.integers(0, 6), max_size=2))
def test_a_part_gives_what_the_whole_gives(left: Any, right: Any, pairs: Any, new: Any, new_far: Any) -> None:
    new, new_far = {n for n in new if n < len(left)}, {n for n in new_far if n < len(right)}
    judged = decisions(left, right, pairs)
    whole = decide(left, right, SMALL, judged).about(new, new_far)
    found = reach(new, Index.of(left, SMALL), Index.of(right, SMALL), SMALL, new_far)
    part = decide([left[n] for n in found.near], [right[n] for n in found.far], SMALL, judged, found.counts)
    part = part.about(new, new_far)
    assert (part.links, part.reviews, part.standing) == (whole.links, whole.reviews, whole.standing)


def test_a_part_gives_what_the_whole_gives_on_two_large_lists() -> None:
    left, right = two_systems(600)
    whole = decide(left, right, ACCOUNT)
    near, far = Index.of(left, ACCOUNT), Index.of(right, ACCOUNT)
    for start in range(0, 600, 60):
        new = range(start, start + 5)
        found = reach(new, near, far, ACCOUNT)
        part = decide([left[n] for n in found.near], [right[n] for n in found.far], ACCOUNT, None, found.counts).about(
            new
        )
        assert (part.links, part.reviews) == (whole.about(new).links, whole.about(new).reviews)


def test_most_true_pairs_are_found_and_no_wrong_one_is_linked() -> None:
    left, right = two_systems(1000)
    found = decide(left, right, ACCOUNT)
    assert all(link.left_id == link.right_id for link in found.links)
    pairs = {link[:2] for link in found.links} | {(review.left_id, review.right_id) for review in found.reviews}
    assert sum((n, n) in pairs for n in range(900)) >= 890


def test_an_index_forgets_what_was_replaced() -> None:
    key, other = (found[0] for found in (keys_of("1"), keys_of("2")))
    index = Index([(1, [key]), (2, [key])])
    index.put(2, [other])
    assert index.counts([key, other]) == {key: 1, other: 1}
    index.remove(1)
    assert index.holders([key]) == {key: frozenset()}
    assert index.keys_of([2, 3]) == {2: (other,), 3: ()}


def keys_of(number: str) -> Any:
    from datong.matching import keys

    return keys({"number": number}, SMALL)


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "'opencc', 'phonenumbers', 'stdnum', 'rapidfuzz', 'pycountry'"
    script = f"import sys, datong.matching; print([name for name in ({heavy}) if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
