"""The engine, the driver, the connection, the login."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from importlib.metadata import version as installed_version

from agent_funnel.doctor.check import Examination, Result, examples, version_tuple
from agent_funnel.errors import DatabaseError, DatabaseUnavailable
from agent_funnel.sql import grants
from agent_funnel.values import Row

# Older ones ignore encryption='require', and so send the password in the clear:
OLDEST_DRIVER = "2.4.3"
# SQL Server 2016; what reads the JSON that imports send; and what came before this was never tried:
OLDEST_SERVER, JSON_LEVEL, OLDEST_BABELFISH = 13, 130, (4, 3)
# SERVERPROPERTY('EngineEdition') of servers whose version is Microsoft's affair, and of those that cannot run the deal:
AZURE = {5: "Azure SQL Database", 8: "Azure SQL Managed Instance", 12: "SQL database in Microsoft Fabric"}
NO_SERVERS = {6: "Azure Synapse Analytics", 11: "Azure Synapse serverless SQL"}
# What a server calls the address of a client on its own machine:
LOOPBACK = ("127.0.0.1", "::1", "<local machine>")
# How far the clocks may be apart:
CLOCKS_APART = timedelta(seconds=30)
# What the procedures do to tables. Babelfish has no ownership chaining, so there the login needs these rights itself:
UNCHAINED = (
    ("UPDATE", "wafunnel"),
    ("INSERT", "agent_wafunnel_assignment"),
    ("INSERT", "assignment_run"),
    ("UPDATE", "assignment_run"),
    ("INSERT", "assignment_history"),
    ("INSERT", "assignment_edit"),
    ("INSERT", "assignment_undo"),
)


def driver() -> Iterator[Result]:
    """Whether the driver keeps its promises. Needs no connection."""
    found = installed_version("pymssql")
    if version_tuple(found) < version_tuple(OLDEST_DRIVER):
        text = f"The driver pymssql is {found}, which ignores that encryption is required, so nothing was sent with it."
        yield "error", text, f"python -m pip install 'pymssql>={OLDEST_DRIVER}'"
    else:
        yield "ok", f"The driver is pymssql {found}.", None


def file(exam: Examination) -> Iterator[Result]:
    """Which SQLite it is. One that is too old is refused before anything is opened."""
    row = exam.one("doctor_engine")
    yield "ok", f"The engine is SQLite {row['version']}.", None


def engine(exam: Examination) -> Iterator[Result]:
    """Which server it is, and whether it can do what is asked of it."""
    row = exam.one("doctor_engine")
    edition, name = row["engine_edition"], _name(exam, row)
    if exam.babelfish and version_tuple(row["babelfish_version"])[:2] < OLDEST_BABELFISH:
        tried = ".".join(map(str, OLDEST_BABELFISH))
        yield (
            "warning",
            f"The engine is {name}, and nothing before {tried} was tried.",
            f"Upgrade it to {tried} or later.",
        )
    elif exam.babelfish:
        yield "ok", f"The engine is {name}.", None
    elif edition in NO_SERVERS:
        yield "error", f"The engine is {name}, which cannot run the deal.", "Use a SQL Server, or Azure SQL Database."
    elif edition not in AZURE and version_tuple(row["product_version"])[0] < OLDEST_SERVER:
        yield "error", f"The engine is {name}, and the deal needs SQL Server 2016 or later.", "Upgrade the server."
    elif row["compatibility_level"] < JSON_LEVEL:
        text = (
            f"The engine is {name}; at its compatibility level, {row['compatibility_level']}, the database cannot read"
        )
        yield "warning", f"{text} the JSON that imports send.", exam.remedy("compatibility")
    else:
        yield "ok", f"The engine is {name}.", None


def _name(exam: Examination, row: Row) -> str:
    edition, text = row["engine_edition"], row["version_text"]
    if exam.babelfish:
        postgres = re.search(r"PostgreSQL (\d\S*)", text)
        return f"Babelfish {row['babelfish_version']}" + (f" for PostgreSQL {postgres[1]}" if postgres else "")
    product = f"{text.split(' (')[0]}, version {row['product_version']}, {row['edition']}"
    return (AZURE | NO_SERVERS).get(edition, product)


def encryption(exam: Examination) -> Iterator[Result]:
    """Whether others on the way can read along, or take the server's place."""
    if getattr(exam.database, "ca_file", None) is not None:
        # Without both, there would be no connection.
        yield "ok", "This connection is encrypted, and the server's certificate is checked.", None
        return
    check = "Set FUNNEL_CA_FILE to the certificate of the authority that signed the server's; then both are sure."
    try:
        row: Row = exam.one("doctor_encryption")
    except DatabaseUnavailable:
        raise
    except DatabaseError:
        # Where the server does not say, we know what we insisted on.
        required = getattr(exam.database, "encryption", None) == "require"
        row = {"encrypt_option": "TRUE" if required else None, "client_net_address": None}
    encrypted, unchecked = row["encrypt_option"], "and the server's certificate is not checked"
    here = row["client_net_address"] in LOOPBACK
    if encrypted is None:
        text = f"Could not be checked: the server does not say whether this connection is encrypted, {unchecked}."
        yield "note", text, f"{check} Or give the login VIEW SERVER STATE, so that it is told."
    elif here:
        text = f"encrypted, {unchecked}" if encrypted == "TRUE" else "not encrypted"
        yield "ok", f"This connection is {text}; it does not leave this machine.", None
    elif encrypted == "TRUE":
        yield "warning", f"This connection is encrypted, {unchecked}.", check
    else:
        remedy = "Give the server a certificate, and set FUNNEL_ENCRYPTION=require."
        yield "warning", "This connection is not encrypted.", remedy


def clock(exam: Examination) -> Iterator[Result]:
    """Whether the server's clock is right, and whether its date is the floor's."""
    row = exam.one("doctor_clock")
    ahead = row["moment"].replace(tzinfo=UTC) - exam.clock()
    if abs(ahead) > CLOCKS_APART:
        text = f"The server's clock is {_span(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'} ours."
        yield "warning", text, "Have both machines set their clocks by the same time servers (NTP)."
    else:
        yield "ok", "The server's clock and ours agree.", None
    theirs, ours = timedelta(minutes=round(row["ahead"] / 60)), exam.now.utcoffset() or timedelta(0)
    if theirs != ours:
        text = f"The server lives in UTC{_offset(theirs)}, the floor in UTC{_offset(ours)}; a deal executed by hand"
        yield "note", f"{text} takes the server's date.", "Give it a @business_date, as the service does."


def _span(span: timedelta) -> str:
    """A span as one would say it, such as `2 min 5 s`."""
    seconds, parts = round(span.total_seconds()), []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        amount, seconds = divmod(seconds, size)
        parts += [f"{amount} {unit}"] if amount else []
    return " ".join(parts[:2])


def _offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def rights(exam: Examination) -> Iterator[Result]:
    """Whether this login may do all that the service does."""
    who = exam.one("doctor_login")
    # Without VIEW DEFINITION, the service does its work all the same.
    granted = {(right, name): text for text, right, name in grants("sqlserver") if right != "VIEW DEFINITION"}
    wanted = [*granted, *(UNCHAINED if exam.babelfish else ())]
    lacking = [(right, name) for right, name in wanted if not _is_allowed(exam, right, name)]
    if not lacking:
        yield "ok", f"The login {who['login_name']} has all {len(wanted)} rights that the service needs.", None
        return
    if exam.babelfish:
        remedy = (
            "Have the service log in as the owner of the tables: here is no ownership chaining, and no GRANT ALTER."
        )
    elif not who["in_role"]:
        remedy = who["remedy"]
    else:
        remedy = " ".join(exam.here(granted[right]) for right in lacking)
    named = examples((f"{right} on {exam.schema}.{name}" for right, name in lacking[:3]), len(lacking))
    text = f"The login {who['login_name']} lacks {len(lacking)} of the {len(wanted)} rights that the service needs"
    yield "error", f"{text}: {named}.", remedy


def _is_allowed(exam: Examination, right: str, name: str) -> bool:
    return bool(exam.one("doctor_right", object_name=f"{exam.schema}.{name}", permission=right)["allowed"])


def writing(exam: Examination) -> Iterator[Result]:
    """Whether the file can be written to."""
    try:
        with exam.database.transaction():
            pass
    except DatabaseUnavailable:
        raise
    except DatabaseError:
        remedy = "Give the user who runs this program the right to write to that file and to its directory."
        yield "error", "This program may not write to the database's file.", remedy
    else:
        yield "ok", "This program may write to the database's file.", None
