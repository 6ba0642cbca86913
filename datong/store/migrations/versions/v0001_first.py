"""The first schema."""

from alembic import op

from datong.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create(op.get_bind())
