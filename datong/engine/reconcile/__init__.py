"""Both sides compared in full, and what differs classed, dated and confirmed.

model: the words · compare: the sides of a record (pure) · explain: what is no news (pure) · trace: since when (pure) ·
looking: reads · survey, strangers: our records beside what was read · tally: counts and sums · reconciler: the run ·
repair: what would put it right · standing: by schedule.
"""

from datong.engine.reconcile.model import CLASSES, Difference, Known, Trace
from datong.engine.reconcile.reconciler import Found, Reconciler

__all__ = ["CLASSES", "Difference", "Found", "Known", "Reconciler", "Trace"]
