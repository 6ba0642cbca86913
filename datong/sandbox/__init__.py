"""The sandbox 沙箱: a simulated CRM and a simulated ERP over HTTP, for demos, rehearsals, tests and benchmarks.

What it promises:

* Everything is in memory and on loopback; nothing outlives the process and nothing outside it is touched,
  except the webhook addresses it was given.
* The same seed and size always give the same rows, ids, times and keys.
* A refused write changes nothing; an all-or-nothing batch stores all or nothing.
* Pages, API and in-process edits take the same way in: the same checks, the same webhooks.
* A fault happens only when asked for.

It knows nothing of the rest of Datong. The interface is described in docs/sandbox.md.
"""

from datong.sandbox.clock import Clock
from datong.sandbox.refusals import Refusal
from datong.sandbox.seed import Expected
from datong.sandbox.serve import Sandbox

__all__ = ["Clock", "Expected", "Refusal", "Sandbox"]
