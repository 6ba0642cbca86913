"""Migrations: forward only, by Alembic. The way back is the backup."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from datong.base.errors import StoreError

HEAD = "0001"


def upgrade(engine: Engine) -> None:
    """Bring the schema to HEAD; costs one query when it is there already."""
    if _version(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise StoreError(
                f"the store was made by another version of Datong: {error}",
                remedy="use that version or a newer one; there is no way back but the backup",
            ) from error


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("select version_num from alembic_version")).scalar()
