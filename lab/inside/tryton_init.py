"""Create a Tryton database, activate modules and seed it, in one process inside the Tryton environment.

    python tryton_init.py CONFIG DATABASE RESULT.json MODULE...

Activating the modules is nearly all processor time, and a third of it is validation of the records that the wheels
bring along. These are known to be valid, so validation is off until the modules are in; the seed itself is validated.
The tables come out the same as those that `trytond-admin` makes (compared table by table).
"""

from __future__ import annotations

import gc
import sys

import trytond.config  # type: ignore


def main(config_file: str, database: str, result: str, *modules: str) -> None:
    """Activate, then seed."""
    trytond.config.update_etc(config_file)
    activate(database, modules)
    import tryton_seed  # type: ignore  # imports proteus, which must find the configuration in place

    tryton_seed.main(config_file, database, result)


def activate(database: str, modules: tuple[str, ...]) -> None:
    """What `trytond-admin --update MODULES --activate-dependencies --no-indexes` does."""
    from trytond import admin, commandline
    from trytond.model.modelstorage import ModelStorage  # type: ignore

    gc.set_threshold(200_000, 50, 50)
    parser = commandline.get_parser_admin()
    options = parser.parse_args(
        ["-d", database, "--email", "admin@example.com", "--activate-dependencies", "--no-indexes", "-u", *modules]
    )
    validate = ModelStorage.__dict__["_validate"]
    ModelStorage._validate = classmethod(lambda cls, records, field_names=None: None)
    try:
        admin.run(options)
    finally:
        ModelStorage._validate = validate


if __name__ == "__main__":
    main(*sys.argv[1:])
