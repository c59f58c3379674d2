"""A click group that imports the module of a command only when the command is used."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a command is (the module within this package, and its name there), and its line in the help."""

    module: str
    name: str
    help: str

    def load(self) -> click.Command:
        """Imports the command."""
        found = getattr(import_module(f"{__package__}.{self.module}"), self.name)
        assert isinstance(found, click.Command)
        return found


class LazyCommands(UserDict[str, Any]):
    """Commands by name. Looking one up imports it; listing the names imports nothing."""

    def __getitem__(self, name: str) -> click.Command:
        found = self.data[name]
        if isinstance(found, LazyCommand):
            found = self.data[name] = found.load()
        assert isinstance(found, click.Command)
        return found


class LazyGroup(click.Group):
    """A group of lazy commands. Its help shows their lines without importing them."""

    def __init__(self, *, lazy: Mapping[str, LazyCommand], **options: Any) -> None:
        super().__init__(commands=LazyCommands(lazy), **options)
        self.lazy = lazy

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.lazy[name].help) for name in self.list_commands(ctx)])
