"""Enter many accounts at once; runs inside BottleCRM's own environment, where `lab` is not: COUNT as argument."""

from __future__ import annotations

import sys

import django  # type: ignore

if __name__ == "__main__":
    django.setup()
    from accounts.models import Account  # type: ignore
    from common.models import Org  # type: ignore

    org = Org.objects.get()
    rows = [Account(name=f"客户第{number}号有限公司", org=org) for number in range(int(sys.argv[1]))]
    Account.objects.bulk_create(rows, batch_size=500)
