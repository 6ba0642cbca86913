"""Reference data: users, units, terms, tax codes and the like stay in each system; here they are tied to each other.

Tied by the configuration's table, then by code, then by name. A code without a counterpart is shown once, as one
item, however many records use it; nothing is ever blanked for it.
"""

from datong.canon import REFERENCE_KINDS
from datong.engine.flow import Ties

reference_data = Ties(name="reference_data", en="Reference data", zh="基础资料", record_kinds=REFERENCE_KINDS)
