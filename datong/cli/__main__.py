"""`python -m datong.cli`."""

import sys

from datong.cli import main

sys.exit(main())
