"""The objects that commands share: settings, database and today's date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import click

from agent_funnel.database import Database, connect
from agent_funnel.settings import Settings, load


class Context:
    """The settings, the database and the date of a command. Each is made on first use and then kept."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self._flags = flags

    def with_flags(self, **flags: Any) -> Context:
        """Returns a context in which these flags win over the settings."""
        return Context({**self._flags, **flags})

    @cached_property
    def settings(self) -> Settings:
        return load(**self._flags)

    @cached_property
    def database(self) -> Database:
        return connect(self.settings)

    @cached_property
    def today(self) -> date:
        """Today in the configured time zone."""
        return datetime.now(UTC).astimezone(self.settings.timezone).date()


pass_context = click.make_pass_decorator(Context)
