"""Checks of the driver, the engine, the connection and the login."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, timedelta
from importlib import metadata
from uuid import uuid4

from agent_funnel.database.files import missing_rights, network_share
from agent_funnel.database.lock_waits import state_right
from agent_funnel.doctor.check import Examination, Result, examples, version_tuple
from agent_funnel.errors import DatabaseDamaged, DatabaseError, DatabaseUnavailable, NotInstalled
from agent_funnel.install import row_versions_advice
from agent_funnel.masking import mask_quoted_numbers
from agent_funnel.spans import span
from agent_funnel.sql import grants
from agent_funnel.values import Row

# Older versions ignore encryption='require', and so may send the password unencrypted:
OLDEST_DRIVER = "2.4.3"
# SQL Server 2016:
OLDEST_SERVER = 13
# The lowest compatibility level that can read the JSON that imports send:
JSON_LEVEL = 130
# Versions of Babelfish before this one were never tested:
OLDEST_BABELFISH = (4, 3)
# SERVERPROPERTY('EngineEdition') of servers that Microsoft keeps up to date:
AZURE_EDITIONS = {5: "Azure SQL Database", 8: "Azure SQL Managed Instance", 12: "SQL database in Microsoft Fabric"}
# The same of servers that cannot run the deal:
UNSUPPORTED_EDITIONS = {6: "Azure Synapse Analytics", 11: "Azure Synapse serverless SQL"}
# The addresses that a server reports for a client on its own machine:
LOOPBACK = ("127.0.0.1", "::1", "<local machine>")
# The largest difference between the clocks that is not reported:
CLOCK_TOLERANCE = timedelta(seconds=30)
# The remedy for a damaged file:
RESTORE = (
    "Stop the service, keep a copy of the file and of those next to it (-wal, -shm), and restore a backup; or try "
    "`sqlite3 FILE .recover`."
)
# The rights that the procedures use. Babelfish has no ownership chaining, so there the login needs them itself:
RIGHTS_OF_PROCEDURES = (
    ("UPDATE", "wafunnel"),
    ("INSERT", "agent_wafunnel_assignment"),
    ("UPDATE", "agent_wafunnel_assignment"),
    ("UPDATE", "assignment_run"),
    ("INSERT", "assignment_history"),
    ("UPDATE", "assignment_history"),
    ("INSERT", "assignment_edit"),
    ("UPDATE", "assignment_edit"),
    ("UPDATE", "agent_limit"),
    ("INSERT", "assignment_undo"),
)


def driver() -> Iterator[Result]:
    """Checks that the driver encrypts when it must. Needs no connection."""
    found = metadata.version("pymssql")
    if version_tuple(found) < version_tuple(OLDEST_DRIVER):
        text = f"The driver is pymssql {found}, which ignores that encryption is required, so no login was sent."
        yield "error", text, f"python -m pip install 'pymssql>={OLDEST_DRIVER}'"
    else:
        yield "ok", f"The driver is pymssql {found}.", None


def file(exam: Examination) -> Iterator[Result]:
    """Reports the version of SQLite. A version that is too old is refused before the file is opened."""
    row = exam.one("doctor_engine")
    yield "ok", f"The engine is SQLite {row['version']}.", None


def engine(exam: Examination) -> Iterator[Result]:
    """Reports the server and its version, and checks that it can run the deal and the imports."""
    row = exam.one("doctor_engine")
    edition, name = row["engine_edition"], _name(exam, row)
    if exam.babelfish and version_tuple(row["babelfish_version"])[:2] < OLDEST_BABELFISH:
        tried = ".".join(map(str, OLDEST_BABELFISH))
        yield (
            "warning",
            f"The engine is {name}, and versions before {tried} were never tested.",
            f"Upgrade it to {tried} or later.",
        )
    elif exam.babelfish:
        yield "ok", f"The engine is {name}.", None
    elif edition in UNSUPPORTED_EDITIONS:
        yield "error", f"The engine is {name}, which cannot run the deal.", "Use SQL Server, or Azure SQL Database."
    elif edition not in AZURE_EDITIONS and version_tuple(row["product_version"])[0] < OLDEST_SERVER:
        yield "error", f"The engine is {name}, but the deal needs SQL Server 2016 or later.", "Upgrade the server."
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
    return (AZURE_EDITIONS | UNSUPPORTED_EDITIONS).get(edition, product)


def encryption(exam: Examination) -> Iterator[Result]:
    """Checks that nobody in between can read the connection, or take the server's place."""
    if exam.database.ca_file is not None:
        # With a CA file, the connection is refused unless it is encrypted and the certificate is right.
        yield "ok", "This connection is encrypted, and the server's certificate is checked.", None
        return
    check = (
        "Set FUNNEL_CA_FILE to the certificate of the authority that signed the server's; then only an encrypted "
        "connection to the right server is made."
    )
    try:
        row: Row = exam.one("doctor_encryption")
    except DatabaseUnavailable:
        raise
    except DatabaseError:
        # If the server does not say, we still know whether we required encryption.
        required = getattr(exam.database, "encryption", None) == "require"
        row = {"encrypt_option": "TRUE" if required else None, "client_net_address": None}
    encrypted, unchecked = row["encrypt_option"], "and the server's certificate is not checked"
    here = row["client_net_address"] in LOOPBACK
    if encrypted is None:
        text = f"Could not be checked: the server does not say whether this connection is encrypted, {unchecked}."
        right = state_right(exam.database.one("doctor_engine"), "SECURITY")
        yield "note", text, f"{check} Or grant the login {right}, so that it can see this."
    elif here:
        text = f"encrypted, {unchecked}" if encrypted == "TRUE" else "not encrypted"
        yield "ok", f"This connection is {text}; it does not leave this machine.", None
    elif encrypted == "TRUE":
        yield "warning", f"This connection is encrypted, {unchecked}.", check
    else:
        remedy = "Give the server a certificate, and set FUNNEL_ENCRYPTION=require."
        yield "warning", "This connection is not encrypted.", remedy


def addresses(exam: Examination) -> Iterator[Result]:
    """Checks that the name of the server stands for one address. The driver tries several one after the other."""
    host = getattr(exam.database, "host", "")
    try:
        found = sorted({each[4][0] for each in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)})
    except OSError:
        # An address of IPv6, for example.
        found = []
    if len(found) > 1:
        text = (
            f"The name {host} has {len(found)} addresses ({', '.join(map(str, found))}), and the driver tries them one"
        )
        yield (
            "warning",
            f"{text} after the other: after a failover, a login may take long or fail.",
            "For the listener of an availability group, set RegisterAllProvidersIP to 0 and HostRecordTTL to 60 in the "
            "cluster: the driver has no MultiSubnetFailover.",
        )
    else:
        yield "ok", f"The name {host} has one address.", None


def clock(exam: Examination) -> Iterator[Result]:
    """Checks that the server's clock is right, and that it is in the same time zone as the sales floor."""
    row = exam.one("doctor_clock")
    ahead = row["moment"].replace(tzinfo=UTC) - exam.clock()
    if abs(ahead) > CLOCK_TOLERANCE:
        text = f"The server's clock is {span(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'} ours."
        yield "warning", text, "Let both machines set their clocks by the same time servers (NTP)."
    else:
        yield "ok", "The server's clock and ours agree.", None
    theirs, ours = timedelta(minutes=round(row["ahead"] / 60)), exam.now.utcoffset() or timedelta(0)
    if theirs != ours:
        text = f"The server is in UTC{_offset(theirs)}, and the sales floor in UTC{_offset(ours)}; a procedure that is"
        yield "note", f"{text} executed by hand takes the server's date.", "Pass @business_date, as the service does."


def _offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def readers(exam: Examination) -> Iterator[Result]:
    """Checks that nobody has to wait to read while a deal is written."""
    advice = row_versions_advice(exam.database)
    if advice is None:
        yield "ok", "READ_COMMITTED_SNAPSHOT is on: nobody waits to read while a deal is written.", None
    else:
        text = "READ_COMMITTED_SNAPSHOT is off: a reader of assignments, leads or runs waits while a deal is written."
        yield "warning", text, advice


def rights(exam: Examination) -> Iterator[Result]:
    """Checks that this login has all rights that the service needs."""
    who = exam.one("doctor_login")
    # The service works without VIEW DEFINITION, too.
    granted = {(right, name): text for text, right, name in grants("sqlserver") if right != "VIEW DEFINITION"}
    wanted = [*granted, *(RIGHTS_OF_PROCEDURES if exam.babelfish else ())]
    lacking = [(right, name) for right, name in wanted if not _is_allowed(exam, right, name)]
    if not lacking:
        yield "ok", f"The login {who['login_name']} has all {len(wanted)} rights that the service needs.", None
        return
    if exam.babelfish:
        remedy = "Let the service log in as the owner of the tables: Babelfish has no ownership chaining."
    elif not who["in_role"]:
        remedy = who["remedy"]
    else:
        remedy = " ".join(exam.here(granted[right]) for right in lacking)
    named = examples((f"{right} on {exam.here(f'dbo.{name}')}" for right, name in lacking[:3]), len(lacking))
    text = f"The login {who['login_name']} lacks {len(lacking)} of the {len(wanted)} rights that the service needs"
    yield "error", f"{text}: {named}.", remedy


def _is_allowed(exam: Examination, right: str, name: str) -> bool:
    return bool(exam.one("doctor_right", object_name=exam.here(f"dbo.{name}"), permission=right)["allowed"])


def place(exam: Examination) -> Iterator[Result]:
    """Checks that the database's file is on a disk of this machine, as far as the system tells."""
    share = network_share(exam.database.path) if exam.database.path else None
    if share is None:
        yield "ok", "The database's file is on no network share that this system tells of.", None
    else:
        yield (
            "warning",
            f"The database's file is on a network share ({share}): SQLite's locks and its WAL need one machine and a "
            "local disk, and a share may lose writes or damage the file.",
            "Move the database to a local disk; if several machines need it, use SQL Server.",
        )


def contents(exam: Examination) -> Iterator[Result]:
    """Checks that the parts of the database's file agree (`quick_check`)."""
    rows = exam.database.all("doctor_contents")
    if not rows:
        yield "ok", "The parts of the database's file agree.", None
        return
    first = mask_quoted_numbers(" ".join(str(rows[0]["fault"]).split()))
    more = ", and more" if len(rows) > 1 else ""
    yield "error", f"The database's file is damaged: {first}{more}.", RESTORE


class _TakenBack(Exception):
    """Ends the transaction of the trial, so that it is rolled back."""


def writing(exam: Examination) -> Iterator[Result]:
    """Checks that this program can write, by writing a row that it takes back."""
    where = "file" if exam.database.path else "tables"
    try:
        with exam.database.transaction() as session:
            session.one("doctor_write", request=f"doctor {uuid4()}")
            raise _TakenBack
    except _TakenBack:
        yield "ok", f"This program can write to the database's {where}.", None
    except (DatabaseUnavailable, DatabaseDamaged, NotInstalled):
        raise
    except DatabaseError as error:
        if exam.database.path is None:
            remedy = "Make the database writable, or grant the login the rights that the check above names."
        else:
            remedy = "Give the user who runs this program the right to write to that file and to its directory."
        rights = missing_rights(exam.database.path) if exam.database.path else None
        reason = mask_quoted_numbers(rights or " ".join(str(error).split())).rstrip(".")
        yield "error", f"This program may not write to the database's {where}. {reason}.", remedy
