"""Makes docs/reference/settings.md from the fields of `Settings`; `make docs` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from agent_funnel.settings import Description, Settings, describe

HEAD = """# Settings

Set an environment variable, or write a line into a file `.env` in the working directory. A flag of the
[command line](cli.md) wins over the environment, the environment over the file, and the file over the default. A bad
value stops the start; the message names the variable, the value and the allowed values. The page *Settings* of the
service shows each value and where it comes from.

How to use them: [operations](../howto/operations.md) for the schedule and notices, [SQL Server](../howto/sql-server.md)
for the connection, [access](../howto/access.md) for keys and proxies.
"""


def text() -> str:
    """The page."""
    return HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    for group, settings in groupby(map(describe, Settings.model_fields), key=lambda setting: setting.group):
        yield f"\n## {group}\n"
        for setting in settings:
            yield f"\n### `{setting.variable}`\n\n{_paragraph(setting)}\n"


def _paragraph(setting: Description) -> str:
    default = "none" if setting.default is None else f"`{setting.default}`"
    # No line ends within `code`:
    unbroken = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", "\0"), f"{setting.description} Default: {default}.")
    return fill(unbroken, 120, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


if __name__ == "__main__":
    sys.stdout.write(text())
