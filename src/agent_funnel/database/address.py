"""Reads the URL of a SQL Server database.

No message repeats a part of the URL. If the URL is not written as it must be, a part of the password may be where
another part is expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from agent_funnel.errors import DatabaseUnavailable, SettingsError
from agent_funnel.settings import Settings

FORM = "mssql+pymssql://user:password@host:1433/database"
DEFAULT_PORT = 1433
# User and password, up to the @ that ends them, and the rest:
USER_AND_REST = re.compile(r"(?:[^:/]*(?::[^@]*)?@)?(.*)", re.DOTALL)
# A host by name or IPv4 address, with an instance or a port as Microsoft's clients write them:
HOST = re.compile(r"(\.|\(local\)|\w[\w.-]*)(?:\\([\w$#-]+))?(?:,(\d+))?")
# Microsoft's names for this machine:
THIS_MACHINE = (".", "(local)")


@dataclass(frozen=True)
class Address:
    """The server and the database to log in to. Either `port` or `instance` is None."""

    host: str
    port: int | None
    instance: str | None
    database: str
    user: str | None
    _password: str | None = field(repr=False)
    _password_file: Path | None

    def __str__(self) -> str:
        return f"{self.host}\\{self.instance}" if self.instance else f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """The places of user and password, for a message."""
        if self._password_file is None:
            return "them in FUNNEL_DATABASE_URL, where characters such as @ and / are written as in any URL (%40, %2F)"
        return "the user in FUNNEL_DATABASE_URL, and the password in the file in FUNNEL_DATABASE_PASSWORD_FILE"

    def password(self) -> str | None:
        """The password, from the URL or, read anew, from FUNNEL_DATABASE_PASSWORD_FILE."""
        if self._password_file is None:
            return self._password
        try:
            # The last line end is the editor's, and no part of the password.
            found = re.sub(r"\r?\n\Z", "", self._password_file.read_bytes().decode("utf-8-sig"))
        except OSError as error:
            raise _unusable(f"cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise _unusable("is not UTF-8 text") from None
        if not found:
            raise _unusable("is empty")
        return found


def read_address(settings: Settings) -> Address:
    """The address in `FUNNEL_DATABASE_URL`. Raises SettingsError if it is none, or contradicts other settings."""
    given = settings.database_url
    rest = USER_AND_REST.match(given.partition("://")[2])
    if rest and "@" in rest[1]:
        raise SettingsError(
            "FUNNEL_DATABASE_URL has an @ after the one that ends the password: write each @ in user and password as "
            "%40, and / as %2F; or put the password into a file, and name it in FUNNEL_DATABASE_PASSWORD_FILE"
        )
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise SettingsError(f"FUNNEL_DATABASE_URL is not a database URL, such as {FORM}") from None
    if not url.host or not url.database:
        raise SettingsError(f"FUNNEL_DATABASE_URL names no host or no database; write {FORM}")
    if url.query or "?" in url.database:
        raise SettingsError(
            "FUNNEL_DATABASE_URL has options after a ?, which would have no effect: leave them out, and use settings "
            "such as FUNNEL_ENCRYPTION"
        )
    if url.password is not None and settings.database_password_file is not None:
        raise SettingsError(
            "FUNNEL_DATABASE_URL has a password, and FUNNEL_DATABASE_PASSWORD_FILE names a file with one: leave one out"
        )
    host, instance, port = _server_parts(url.host, url.port)
    if instance is not None and settings.ca_file is not None:
        raise SettingsError(
            "FUNNEL_CA_FILE works only with a port: write host:port in FUNNEL_DATABASE_URL instead of the instance"
        )
    address = Address(host, port, instance, url.database, url.username, url.password, settings.database_password_file)
    try:
        address.password()
    except DatabaseUnavailable as error:
        raise SettingsError(str(error)) from None
    return address


def _server_parts(host: str, port: int | None) -> tuple[str, str | None, int | None]:
    """The host, the instance and the port. The port says it all; without it, the server is asked for the instance."""
    if ":" in host:
        name, instance, written = host, None, None  # IPv6
    elif found := HOST.fullmatch(unquote(host)):
        name, instance, written = found[1], found[2], int(found[3]) if found[3] else None
    else:
        raise SettingsError(
            f"FUNNEL_DATABASE_URL names a host that cannot be one; write {FORM}, or host\\instance instead of host:1433"
        )
    ports = {each for each in (port, written) if each is not None}
    if len(ports) > 1 or any(not 1 <= each <= 65_535 for each in ports):
        raise SettingsError(f"FUNNEL_DATABASE_URL names two ports, or a port that is not from 1 to 65535; write {FORM}")
    if ports:
        instance = None
    return (
        "localhost" if name in THIS_MACHINE else name,
        instance,
        next(iter(ports), None if instance else DEFAULT_PORT),
    )


def _unusable(reason: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"The file in FUNNEL_DATABASE_PASSWORD_FILE {reason}; nothing was changed.")
