"""The scenarios of the issue, on the sandbox pair and on real Tryton with real BottleCRM.

Judged through the two systems' own data, never through Datong's store.
"""
