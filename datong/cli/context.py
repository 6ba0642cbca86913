"""What every command is given: the global options, the person who acts, and everything else built when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from datong.operations import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datong.bootstrap.build import App
    from datong.bootstrap.config import Config, Person
    from datong.engine.cycle import Engine

DEFAULT_CONFIG = "datong.yaml"
VARIABLE = "DATONG_CONFIG"


@dataclass
class Session:
    """One run of the command line."""

    config_file: Path = field(default_factory=lambda: Path(os.environ.get(VARIABLE) or DEFAULT_CONFIG))
    json: bool = False
    debug: bool = False
    _config: Config | None = None
    _app: App | None = None
    _actor: Actor | None = None

    def take(self, config: Path | None, as_json: bool, debug: bool) -> None:
        """Global options may stand before and after the command."""
        if config is not None:
            self.config_file = config
        self.json = self.json or as_json
        self.debug = self.debug or debug

    @property
    def config(self) -> Config:
        """The configuration. Raises ConfigurationError with every mistake in it."""
        if self._config is None:
            from datong.bootstrap.config import load

            self._config = load(self.config_file)
        return self._config

    @property
    def app(self) -> App:
        """Everything, built from the configuration."""
        if self._app is None:
            from datong.base import log
            from datong.bootstrap.build import build

            log.configure(level="DEBUG" if self.debug else "WARNING")
            self._app = build(self.config)
        return self._app

    @property
    def actor(self) -> Actor:
        """Who acts: the user of this machine, as `people:` knows them."""
        if self._actor is None:
            from datong.cli.output import note

            self._actor, told = actor_of(self.config.people, os_user())
            if told:
                note(told)
        return self._actor

    @property
    def trusted(self) -> Actor:
        """Who acts, by the configuration that people agreed to: roles that somebody wrote into the file since count for
        nothing where a decision needs them."""
        from datong.bootstrap.config import Person
        from datong.engine.configured import live

        with self.app.store.read() as tx:
            now = live(tx)
        if now is None or not now["asks"] or now["version"] == self.config.version:
            return self.actor
        people = {name: Person.model_validate(told) for name, told in now["told"]["people"].items()}
        return actor_of(people, os_user())[0]

    def engine(self) -> Engine:
        """An engine that acts in the person's name."""
        return self.app.engine(self.actor.name)

    @contextmanager
    def working(self) -> Iterator[Engine]:
        """An engine that shows its progress on standard error."""
        from datong.cli.progress import shown

        actor = self.actor
        with shown() as progress:
            yield self.app.engine(actor.name, progress=progress)

    def line(self, *words: str) -> str:
        """A command to try next, with the configuration it needs."""
        named = str(self.config_file) != (os.environ.get(VARIABLE) or DEFAULT_CONFIG)
        config = ["--config", str(self.config_file)] if named else []
        return " ".join(["datong", *config, *words])

    def close(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None


def os_user() -> str:
    """The name of the account that runs this process; the environment is not asked, for anybody can set it."""
    try:
        import pwd
    except ImportError:  # Windows
        import getpass

        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def actor_of(people: Mapping[str, Person], user: str) -> tuple[Actor, str]:
    """The actor for an account of this machine, and what they should know about it.

    Where nobody is named under `people:`, whoever may run Datong here is its administrator.
    """
    if not people:
        return Actor(user, ("admin",)), ""
    for name, person in people.items():
        if user in (person.os_user or [name]):
            return Actor(name, tuple(person.roles)), ""
    told = f"{user} is not under people: in the configuration, and may look but not act"
    return Actor(user, ("viewer",)), told
