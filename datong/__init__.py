"""Datong (打通): connects a company's CRM with its ERP and keeps the two in agreement.

The rooms, from the bottom up: base, canon, mapping, matching, kit, store, engine, connectors, insight, flows,
operations, bootstrap, cli and web. A room imports from rooms below it, never above (tests/house checks it).
"""

__version__ = "0.1.0"
