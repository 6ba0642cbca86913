"""Same party or not: pure functions that say which records of two systems are one.

    identity = Identity(
        link=(same("number"), same("tax_id", "country")),
        review=(same("email"), same("phone"), similar("name", at_least=0.92)),
    )
    matches = decide(crm_candidates, erp_candidates, identity, decisions)
    matches.links     # join silently: (left_id, right_id, reasons)
    matches.reviews   # ask a person: score, reasons, and what kept a strong key from deciding

A wrong silent link is worse than ten reviews: whatever is doubtful is asked. Nothing here reads, writes or knows a
system. With few new records, `keys`, `Index` and `reach` find the part of the sets that matters (see
`datong.matching.index`).

normalise, names: comparison forms · identifiers: tax ids · rules: what is evidence · decide: what follows · index:
looking up.
"""

from datong.matching.decide import Candidate, Decision, Link, Matches, Reason, Review, decide
from datong.matching.identifiers import TaxId, country_code, tax_id
from datong.matching.index import Index, Lookup, Reach, reach
from datong.matching.rules import Identity, Key, Same, Similar, evidence_digest, keys, same, similar

__all__ = [
    "Candidate",
    "Decision",
    "Identity",
    "Index",
    "Key",
    "Link",
    "Lookup",
    "Matches",
    "Reach",
    "Reason",
    "Review",
    "Same",
    "Similar",
    "TaxId",
    "country_code",
    "decide",
    "evidence_digest",
    "keys",
    "reach",
    "same",
    "similar",
    "tax_id",
]
