"""Commands of the lab: install, up, down, status, demo."""

from __future__ import annotations

import argparse
import sys
import time

from lab import real
from lab.errors import LabError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; problems go to stderr in one sentence and make the exit code 1."""
    options = parser().parse_args(arguments)
    started = time.monotonic()
    try:
        code = COMMANDS[options.command](options)
    except LabError as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1
    print(f"{options.command}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m lab", description="Tryton (ERP) and BottleCRM (CRM) on this machine.")
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in HELP.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--cache", help="where everything is kept; default $DATONG_LAB, else .cache/lab")
        if name == "demo":
            command.add_argument("--once", action="store_true", help="without a person; 0 only if both sides agree")
        elif name != "install":
            command.add_argument("--run-dir", help="where the data and logs of this run are; default CACHE/up")
    return top


def install(options: argparse.Namespace) -> int:
    real.install(options.cache)
    return 0


def up(options: argparse.Namespace) -> int:
    show(real.up(options.cache, options.run_dir))
    return 0


def down(options: argparse.Namespace) -> int:
    stopped = real.down(options.cache, options.run_dir)
    print(f"stopped {' and '.join(stopped)}" if stopped else "nothing was running")
    return 0


def status(options: argparse.Namespace) -> int:
    """Exit code 3 unless both run, as service managers do."""
    known = real.status(options.cache, options.run_dir)
    if known is None:
        print("down")
        return 3
    show(known)
    return 0 if known.tryton.server.running() and known.bottlecrm.server.running() else 3


def demo(options: argparse.Namespace) -> int:
    """Needs Datong itself, unlike the other commands."""
    try:
        from lab.demo import demo as play
    except ImportError as missing:
        raise LabError(
            f"the demo needs Datong installed here, and {missing.name} is not: `make demo-real`"
        ) from missing
    return play(options.once, options.cache)


def show(both: real.Real) -> None:
    """Addresses and credentials; they are the same in every lab and worth nothing elsewhere."""
    erp, crm = both.tryton, both.bottlecrm
    print(f"Tryton     {state(erp.server.running())}  {erp.url}  database {erp.database}  {erp.login} / {erp.password}")
    print(f"BottleCRM  {state(crm.server.running())}  {crm.url}  token {crm.token}")
    print(f"data and logs: {both.folder}")


def state(running: bool) -> str:
    return "up  " if running else "DOWN"


HELP = {
    "install": "install both systems and prepare their databases; does nothing if that is done",
    "up": "start both with fresh data, installing first if needed",
    "down": "stop both",
    "status": "say whether they run, and where",
    "demo": "Datong between both, on data of its own; --once ends by itself",
}
COMMANDS = {"install": install, "up": up, "down": down, "status": status, "demo": demo}

if __name__ == "__main__":
    sys.exit(main())
