"""`python -m datong.sandbox`: both systems until Ctrl-C."""

import argparse
import threading

from datong.sandbox.serve import Sandbox


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m datong.sandbox", description="A simulated CRM and a simulated ERP."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=60, help="how many customers, both sides together")
    parser.add_argument("--orders", type=int, default=0, help="how many sales orders SimERP begins with")
    parser.add_argument("--crm-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--erp-port", type=int, default=0, help="0 takes a free port")
    chosen = parser.parse_args()
    with Sandbox(
        chosen.seed, chosen.size, crm_port=chosen.crm_port, erp_port=chosen.erp_port, orders=chosen.orders
    ) as sandbox:
        print(f"SimCRM {sandbox.crm.url}  token {sandbox.crm.token}")
        print(f"SimERP {sandbox.erp.url}  key {sandbox.erp.token}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
