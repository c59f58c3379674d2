"""Mistakes in the ways to SQL Server: types of columns, a database that is not ready, the kit for a DBA, plans."""

from __future__ import annotations

from mistakes.places import (
    ON_KIT,
    ON_NOT_READY,
    ON_T_SQL,
    ON_TYPES,
    P_DEAL,
    P_INSTALL,
    P_KIT,
    P_NOT_READY,
    T_AGENTS,
    T_KEYS,
    T_KIT_JOB,
    Mistake,
)

MISTAKES = (
    Mistake(
        "install: a number may be a FLOAT",
        P_INSTALL, '_KEY = (("text", "whole")', '_KEY = (("text", "whole", "float")',
        ON_TYPES, "doctor_names_every_column", "sqlserver",
    ),
    Mistake(
        "install: the assignments may be narrower than the numbers",
        P_INSTALL, ' and source["size"] <= size:', ":",
        ON_TYPES, "too_narrow", "sqlserver",
    ),
    Mistake(
        "deal: it does not wait for a database that is not ready",
        P_DEAL, ">= READY_SECONDS", ">= 0",
        ON_NOT_READY, "waits",
    ),
    Mistake(
        "not ready: a refused write counts as a failover",
        P_NOT_READY, "{976, 978, 983}", "{976, 978, 983, 3906}",
        ON_NOT_READY, "passes_is_named",
    ),
    Mistake(
        "kit: after an error the script goes on",
        P_KIT, "\\nGO\\n{_GUARD}", "",
        ON_KIT, "any_client",
    ),
    Mistake(
        "kit: the job fails where the service was first",
        T_KIT_JOB, "ERROR_NUMBER() <> 50003", "ERROR_NUMBER() <> 0",
        ON_KIT, "quiet",
    ),
    Mistake(
        "T-SQL keys: a secret is compared in another type than its column",
        T_KEYS, "-- traits: polled\n-- parameters: @secret_hash CHAR(64)\n-- The key in use with this hash",
        "-- traits: polled\n-- parameters: @secret_hash NVARCHAR(64)\n-- The key in use with this hash",
        ON_T_SQL, "polled_query",
    ),
    Mistake(
        "T-SQL assignments: the lead is looked up with the collation of the assignments",
        T_AGENTS, "THEN CAST(CAST(p.number AS SQL_VARIANT) AS NVARCHAR(255))", "THEN CAST(p.number AS NVARCHAR(255))",
        ON_T_SQL, "number_or_an_agent",
    ),
)  # fmt: skip
