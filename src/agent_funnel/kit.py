"""The kit for a DBA: scripts that install and remove everything without this program, and a job that deals.

`install.sql` has the same effect as `agent-funnel install`: the same scripts in one transaction, after the same checks,
with the rows that record the version and the checksums.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_funnel import __version__
from agent_funnel.install import FITTING, SMALLEST_KEY, stored_text
from agent_funnel.sql import (
    batches,
    checksum,
    in_schema,
    installation,
    queries,
    routines,
    scripts,
    tables,
    version,
    views,
)

_DIALECT = "sqlserver"
_YOURS = frozenset({"agents", "wafunnel", "agent_wafunnel_assignment"})

_HEAD = """/*
Agent Funnel {release}: installs the tables, the procedures and the role in the schema dbo, as `agent-funnel install`
does. It is safe to repeat: tables that exist are left unchanged, and procedures are replaced. It is one transaction: if
anything fails, nothing was installed.

    sqlcmd -S server -d your_database -I -b -f 65001 -i install.sql

In SSMS, turn on the SQLCMD mode first (menu Query). Afterwards, give the role to the user of the service:

    ALTER ROLE agent_funnel_service ADD MEMBER [name of its user];
*/
:on error exit
GO
SET ANSI_NULLS, QUOTED_IDENTIFIER, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL ON;
SET NUMERIC_ROUNDABORT OFF;
SET NOCOUNT, XACT_ABORT ON;
GO
BEGIN TRANSACTION;
GO
"""
# Without SQLCMD mode the script goes on after an error, whose transaction is then gone. From here on, nothing is run:
_GUARD = "IF @@TRANCOUNT = 0\n    SET NOEXEC ON;"
_TAIL = """COMMIT TRANSACTION;
GO
PRINT N'Agent Funnel {release} is installed in the schema dbo, in version {version} of its tables.';
GO
SET NOEXEC OFF;
GO
"""


def kit(schema: str) -> dict[str, str]:
    """The scripts of the kit for a schema, by the names of their files."""
    return {
        "install.sql": in_schema(_install(schema), schema).replace("the schema dbo", f"the schema {schema}"),
        "uninstall.sql": in_schema(_uninstall(), schema).replace("N'dbo.'", f"N'{schema}.'"),
        "job.sql": in_schema(scripts(_DIALECT)["job"], schema).replace("N', dbo')", f"N', {schema}')"),
    }


def _install(schema: str) -> str:
    texts = [_checks(schema), *_scripts(), *_records(schema)]
    body = "\nGO\n".join(f"{text}\nGO\n{_GUARD}" for text in texts)
    values = {"release": __version__, "version": version(_DIALECT)}
    return f"{_HEAD.format(**values)}{body}\nGO\n{_TAIL.format(**values)}"


def _scripts() -> Iterator[str]:
    """The batches of all scripts, in the order in which `install` runs them."""
    for stem in installation(_DIALECT):
        yield from batches(scripts(_DIALECT)[stem])


def _query(name: str, schema: str) -> str:
    """A query of the installer as a derived table."""
    lines = queries(_DIALECT)[name].replace("%(schema)s", f"N'{schema}'").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--")).strip().removesuffix(";")


def _checks(schema: str) -> str:
    """The batch that refuses what `install` refuses."""
    fitting = ", ".join(
        f"(N'{column}', '{family}')" for column, (families, *_) in FITTING.items() for family in families
    )
    newest = version(_DIALECT)
    return f"""DECLARE @problem NVARCHAR(2000), @installed INT;

IF DB_NAME() IN (N'master', N'model', N'msdb', N'tempdb')
    THROW 50006, N'This script must run in the database of the leads (sqlcmd -d); nothing was installed.', 1;

IF SCHEMA_ID(N'{schema}') IS NULL
    THROW 50006, N'The database has no schema {schema}: create it with CREATE SCHEMA; nothing was installed.', 1;

SELECT TOP (1) @problem = CONCAT(
    N'The table ', m.table_name, N' exists but has no column ', m.column_name, N'; nothing was installed.'
)
FROM (
{_query("missing_columns", schema)}
) AS m;

SELECT TOP (1) @problem = CONCAT(
    N'The column ', t.table_name, N'.', t.column_name, N' has the type ', t.type_name,
    N', which cannot work; nothing was installed. docs/howto/sql-server.md lists the types that work.'
)
FROM (
{_query("column_types", schema)}
) AS t
LEFT JOIN (
{_query("column_types", schema)}
) AS s
    ON
        t.table_name = N'agent_wafunnel_assignment' AND s.column_name = t.column_name
        AND s.table_name = CASE WHEN t.column_name = N'agent' THEN N'agents' ELSE N'wafunnel' END
WHERE
    NOT EXISTS (
        SELECT 1 FROM (
            VALUES {fitting}
        ) AS f(column_name, family)
        WHERE f.column_name = t.column_name AND f.family = t.family
    )
    OR (t.family = 'whole' AND t.column_name IN (N'agent', N'number') AND t.size < {SMALLEST_KEY})
    OR (
        t.family = 'whole' AND t.table_name = N'agent_wafunnel_assignment'
        AND (s.family IS NULL OR s.family <> 'whole' OR s.size > t.size)
    );

IF @problem IS NOT NULL
    THROW 50006, @problem, 1;

IF OBJECT_ID(N'dbo.agent_funnel_version') IS NOT NULL
    BEGIN
        SELECT @installed = MAX(v.version) FROM dbo.agent_funnel_version AS v;
        IF @installed IS NULL
            THROW 50006, N'The table agent_funnel_version has no row, so nothing was installed; record the version.', 1;
        IF @installed > {newest}
            THROW 50006, N'The tables are of a newer version than {newest}; nothing was installed.', 1;
    END;"""  # noqa: S608


def _records(schema: str) -> Iterator[str]:
    """The batches that record the version and the checksums, if they are not on record yet."""
    newest = version(_DIALECT)
    yield f"""IF NOT EXISTS (
    SELECT 1 FROM dbo.agent_funnel_version AS v
    WHERE v.version = {newest}
)
    INSERT INTO dbo.agent_funnel_version (version, installed_at) VALUES ({newest}, SYSUTCDATETIME());"""  # noqa: S608
    for name, text in routines(_DIALECT).items():
        installed, script = checksum(stored_text(in_schema(text, schema))), checksum(text)
        yield f"""IF NOT EXISTS (
    SELECT 1 FROM dbo.agent_funnel_checksum AS c
    WHERE c.name = N'{name}' AND c.installed = '{installed}' AND c.script = '{script}'
)
    BEGIN
        DELETE FROM dbo.agent_funnel_checksum
        WHERE name = N'{name}';

        INSERT INTO dbo.agent_funnel_checksum (name, installed, script, recorded_at)
        VALUES (N'{name}', '{installed}', '{script}', SYSUTCDATETIME());
    END;"""  # noqa: S608


def _uninstall() -> str:
    """The script that removes everything, with the names of our objects."""
    names = [*routines(_DIALECT), *views(_DIALECT), *sorted(tables(_DIALECT) - _YOURS)]
    rows = ",\n".join(f"    ({place}, N'{name}')" for place, name in enumerate(names, start=1))
    return re.sub(r"^.*-- every object of ours$", lambda _: rows, scripts(_DIALECT)["uninstall"], flags=re.MULTILINE)
