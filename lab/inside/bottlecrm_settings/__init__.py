"""Settings under which the unmodified django-crm wheel runs as the lab's CRM: SQLite, no Redis, tables from the models.

Nothing of its behaviour changes except that webhooks may reach 127.0.0.1 (the `loopback` app) and that session tokens
live for years, because they are part of a snapshot that is used for weeks.
"""

from __future__ import annotations

import os
from datetime import timedelta

from crm.settings import *  # type: ignore # noqa: F403
from crm.settings import INSTALLED_APPS, SIMPLE_JWT

FOLDER = os.environ["LAB_FOLDER"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(FOLDER, "db.sqlite3"),
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
MEDIA_ROOT = os.path.join(FOLDER, "media")
CELERY_TASK_ALWAYS_EAGER = True  # a webhook is posted inside the request that caused it
CELERY_BROKER_URL = "memory://"
CELERY_RESULT_BACKEND = "cache+memory://"
INSTALLED_APPS = [*INSTALLED_APPS, "bottlecrm_settings.loopback"]
SIMPLE_JWT = {
    **SIMPLE_JWT,
    "ACCESS_TOKEN_LIFETIME": timedelta(days=3650),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=3650),
}


class NoMigrations(dict[str, None]):
    """Every app claims to have no migrations, so tables come straight from the models: 4 s instead of 85."""

    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = NoMigrations()
