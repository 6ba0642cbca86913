"""What is remembered: records, links, cursors, hints, due work, the journal, plans and what waits for people.

Functions of this room take an open transaction and work on sets; `Store` opens the transactions. Nothing here decides.
"""

from datong.store.opening import Store, Transaction

__all__ = ["Store", "Transaction"]
