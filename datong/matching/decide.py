"""Same party or not: what two sets of records say about each other.

`decide` links silently only where a strong key (a `link` rule) agrees, both records are free, neither has any other
candidate, and nothing set on both sides disagrees. Everything else that speaks for a pair becomes a review with its
reasons. The result does not depend on the order of the records, nor on which side is called left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal, NamedTuple

from datong.matching.names import Name, same_branch
from datong.matching.normalise import code, plain
from datong.matching.rules import Identity, Key, Marks, Outcome, Same, Similar, evidence_digest, names_of

Pair = tuple[int, int]
Counts = Mapping[Key, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of one system as the engine knows it. `linked`: it already has a partner on the other side."""

    id: int
    fields: Mapping[str, Any]
    linked: bool = False


class Reason(NamedTuple):
    """One line of evidence with the values as they stand in the records; a negative weight speaks against the pair."""

    rule: str
    left: str
    right: str
    weight: float


class Decision(NamedTuple):
    """A person's word on a pair, and the `evidence_digest` it was given on; it holds while that stays the same."""

    kind: Literal["separate", "unlink", "dismiss"]
    digest: str


class Link(NamedTuple):
    left_id: int
    right_id: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A pair for a person to judge. `held` says why a strong key was not enough, and is empty where none agrees:
    several candidates | already linked | RULE differs | not verified | branch differs | type differs | crowded |
    decided before.
    `reopened`: a person decided before, on values that have changed since."""

    left_id: int
    right_id: int
    score: float
    reasons: tuple[Reason, ...]
    held: tuple[str, ...] = ()
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class Matches:
    """`crowded`: strong keys held by too many records to identify any (with the holders counted on each side);
    `standing`: pairs left alone because a person's decision on them still holds."""

    links: tuple[Link, ...] = ()
    reviews: tuple[Review, ...] = ()
    crowded: tuple[tuple[Key, int, int], ...] = ()
    standing: tuple[Pair, ...] = ()

    def about(self, left: Iterable[int] = (), right: Iterable[int] = ()) -> Matches:
        """Only what concerns these records: the part that is complete when `decide` was given their `reach`."""
        ours, theirs = set(left), set(right)

        def ask(pair: Pair) -> bool:
            return pair[0] in ours or pair[1] in theirs

        return Matches(
            tuple(link for link in self.links if ask(link[:2])),
            tuple(review for review in self.reviews if ask((review.left_id, review.right_id))),
            self.crowded,
            tuple(pair for pair in self.standing if ask(pair)),
        )


def decide(
    left: Sequence[Candidate],
    right: Sequence[Candidate],
    identity: Identity,
    decisions: Mapping[Pair, Decision] | None = None,
    counts: Counts | None = None,
) -> Matches:
    """Links to make and pairs to review between two systems' records.

    Give both complete sets, or the `reach` of some records with its `counts` (how many records hold a key in all)."""
    board = _Board(identity, _side(left, identity), _side(right, identity), counts or {})
    for number in range(len(identity.rules)):
        board.meet(number)
    decisions = decisions or {}
    lapsed = {pair for pair in board.pairs if pair in decisions and decisions[pair].digest != board.digest(pair)}
    standing = {pair for pair in board.pairs if pair in decisions} - lapsed
    verdicts = {pair: board.verdict(pair, pair in lapsed) for pair in sorted(board.pairs)}
    links = [
        Link(*pair, verdict.reasons)
        for pair, verdict in verdicts.items()
        if verdict.strong and not verdict.held and pair not in standing
    ]
    taken = board.linked(board.left) | {link.left_id for link in links}
    others_taken = board.linked(board.right) | {link.right_id for link in links}
    reviews = [
        Review(*pair, verdict.score, verdict.reasons, verdict.held, pair in lapsed)
        for pair, verdict in verdicts.items()
        if pair not in standing
        and (verdict.strong or verdict.held or verdict.nominated)
        and not (pair[0] in taken and pair[1] in others_taken)
    ]
    return Matches(tuple(links), tuple(reviews), board.crowded(), tuple(sorted(standing)))


# --- one side --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Profile:
    candidate: Candidate
    marks: tuple[Marks, ...]
    _names: tuple[Name, ...] | None = None

    @property
    def names(self) -> tuple[Name, ...]:
        if self._names is None:
            self._names = names_of(self.candidate.fields)
        return self._names


def _side(candidates: Sequence[Candidate], identity: Identity) -> dict[int, _Profile]:
    side = {one.id: _Profile(one, identity.marks(one.fields)) for one in sorted(candidates, key=lambda one: one.id)}
    if len(side) != len(candidates):
        raise ValueError("a record id stands twice on one side")
    return side


class _Verdict(NamedTuple):
    strong: bool
    nominated: bool
    score: float
    reasons: tuple[Reason, ...]
    held: tuple[str, ...]


# --- both sides ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Board:
    """Two sides laid out against each other: which pairs meet, by which rules, and what that amounts to."""

    identity: Identity
    left: dict[int, _Profile]
    right: dict[int, _Profile]
    counts: Counts
    pairs: dict[Pair, dict[int, Outcome]] = field(default_factory=lambda: defaultdict(dict))
    rivals: tuple[Counter[int], Counter[int]] = field(default_factory=lambda: (Counter(), Counter()))
    common: set[Key] = field(default_factory=set)
    crowds: dict[Key, tuple[int, int]] = field(default_factory=dict)
    _rival_pairs: set[Pair] = field(default_factory=set)

    def meet(self, number: int) -> None:
        """Compare, by one rule, all pairs that share one of its keys; keep those it speaks for."""
        rule, strong = self.identity.rules[number], number < len(self.identity.link)
        seen: set[Pair] = set()
        for pair in self._meetings(number):
            if pair in seen or (self.left[pair[0]].candidate.linked and self.right[pair[1]].candidate.linked):
                continue
            if isinstance(rule, Similar):
                seen.add(pair)
            outcome = rule.compare(self.left[pair[0]].marks[number], self.right[pair[1]].marks[number])
            if outcome.hint or strong:
                self.pairs[pair][number] = outcome
            if strong and outcome.hint and pair not in self._rival_pairs:
                self._rival_pairs.add(pair)
                self.rivals[0][pair[0]] += 1
                self.rivals[1][pair[1]] += 1

    def _meetings(self, number: int) -> Iterator[Pair]:
        rule, strong = self.identity.rules[number], number < len(self.identity.link)
        lefts: dict[str, list[int]] = defaultdict(list)
        rights: dict[str, list[int]] = defaultdict(list)
        for id, profile in self.left.items():
            for value in rule.block(profile.marks[number]):
                lefts[value].append(id)
        for id, profile in self.right.items():
            for value in rule.block(profile.marks[number]):
                if strong or value in lefts:
                    rights[value].append(id)
        for value in lefts.keys() | rights.keys() if strong else rights.keys():
            if self._uncommon(Key(rule.name, value, strong), len(lefts.get(value, ())), len(rights.get(value, ()))):
                yield from ((one, other) for one in lefts.get(value, ()) for other in rights.get(value, ()))

    def _uncommon(self, key: Key, lefts: int, rights: int) -> bool:
        counted = self.counts.get(key, (0, 0))
        lefts, rights = max(lefts, counted[0]), max(rights, counted[1])
        if max(lefts, rights) <= self.identity.caps[key.rule]:
            return True
        self.common.add(key)
        if key.strong and lefts and rights:
            self.crowds[key] = (lefts, rights)
        return False

    def crowded(self) -> tuple[tuple[Key, int, int], ...]:
        return tuple((key, *self.crowds[key]) for key in sorted(self.crowds))

    @staticmethod
    def linked(side: Mapping[int, _Profile]) -> set[int]:
        return {id for id, profile in side.items() if profile.candidate.linked}

    def digest(self, pair: Pair) -> str:
        return evidence_digest(self.left[pair[0]].candidate.fields, self.right[pair[1]].candidate.fields, self.identity)

    # --- one pair

    def verdict(self, pair: Pair, decided_before: bool) -> _Verdict:
        """What all rules together say of a pair that at least one of them brought up. A pair that a person once kept
        apart is never joined without one."""
        outcomes = self._outcomes(pair)
        reasons = [reason for number, outcome in outcomes.items() for reason in self._reasons(number, outcome, pair)]
        against = list(_differences(self.left[pair[0]], self.right[pair[1]]))
        links = range(len(self.identity.link))
        branches = any(reason.rule == "branch" for reason in against)
        strong = any(outcomes[number].agree for number in links)
        brought = any(outcomes[number].hint or number in links for number in self.pairs[pair])
        weak = brought and not branches
        score = 1 - prod(1 - reason.weight for reason in reasons if reason.weight > 0)
        score *= prod(1 + reason.weight for reason in [*reasons, *against] if reason.weight < 0)
        met = strong or any(number in links for number in self.pairs[pair])
        held = self._held(pair, outcomes, against) if met else ()
        if strong and decided_before:
            held = (*held, "decided before")
        return _Verdict(strong, weak, round(score, 4), (*reasons, *against), held)

    def _outcomes(self, pair: Pair) -> dict[int, Outcome]:
        known = self.pairs[pair]
        marks = self.left[pair[0]].marks, self.right[pair[1]].marks
        return {
            number: known[number] if number in known else rule.compare(marks[0][number], marks[1][number])
            for number, rule in enumerate(self.identity.rules)
        }

    def _reasons(self, number: int, outcome: Outcome, pair: Pair) -> Iterator[Reason]:
        rule, strong = self.identity.rules[number], number < len(self.identity.link)
        if not outcome.hint and not (strong and outcome.clash):
            return
        weight = rule.weight * (outcome.agree or 0.7) if outcome.hint else 0.0
        if isinstance(rule, Same) and number not in self.pairs[pair]:
            weight /= 2  # held by too many to nominate, still worth showing
        if strong and outcome.clash:
            weight = -0.4
        left, right = self.left[pair[0]].candidate.fields, self.right[pair[1]].candidate.fields
        yield Reason(rule.name, rule.values(left), rule.values(right), round(weight, 4))

    def _held(self, pair: Pair, outcomes: Mapping[int, Outcome], against: Iterable[Reason]) -> tuple[str, ...]:
        held = []
        profiles = self.left[pair[0]], self.right[pair[1]]
        if self.rivals[0][pair[0]] > 1 or self.rivals[1][pair[1]] > 1:
            held.append("several candidates")
        if any(profile.candidate.linked for profile in profiles):
            held.append("already linked")
        links = list(enumerate(self.identity.link))
        held += [f"{rule.name} differs" for number, rule in links if outcomes[number].clash]
        if not any(outcomes[number].agree for number, _ in links) and any(outcomes[number].hint for number, _ in links):
            held.append("not verified")
        held += [f"{reason.rule} differs" for reason in against if reason.rule != "legal form"]
        if any(
            Key(rule.name, value, True) in self.crowds
            for number, rule in links
            for profile in profiles
            for value in rule.block(profile.marks[number])
        ):
            held.append("crowded")
        return tuple(held)


def _differences(left: _Profile, right: _Profile) -> Iterator[Reason]:
    """What speaks against a pair whatever the rules: another branch, a person and a company, another legal form."""
    names, others = left.names, right.names
    shown, other = (plain(profile.candidate.fields.get("name")) for profile in (left, right))
    if not same_branch(names, others):
        yield Reason("branch", shown, other, -0.3)
    kind, other_kind = (code(profile.candidate.fields.get("type")) for profile in (left, right))
    if kind and other_kind and kind != other_kind:
        yield Reason("type", kind, other_kind, -0.2)
    forms = {name.legal for name in names} - {""}, {name.legal for name in others} - {""}
    if all(forms) and not forms[0] & forms[1]:
        yield Reason("legal form", shown, other, -0.1)
