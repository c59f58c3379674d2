"""Mistakes about keys, sessions, links, the audit log and stored responses, on both engines."""

from __future__ import annotations

from mistakes.places import (
    IDEMPOTENCY,
    KEYS,
    LINKS,
    ON_KEYS,
    ON_LINKS,
    ON_RANGES,
    ON_ROLES,
    P_AUDIT,
    P_IDEMPOTENCY,
    P_KEYS,
    P_LINKS,
    T_IDEMPOTENCY,
    T_KEYS,
    T_LINKS,
    Mistake,
)

W_LINKS, W_NEW_LINKS = "src/agent_funnel/web/pages/links.py", "src/agent_funnel/web/new_links.py"
ON_WEB_LINKS = "tests/web/test_links.py"

MISTAKES = (
    Mistake(
        "keys: a revoked key opens",
        KEYS, "ON k.secret_hash = :secret_hash AND k.revoked_at IS NULL;", "ON k.secret_hash = :secret_hash;",
        ON_KEYS, "revoked_key", "sqlite",
    ),
    Mistake(
        "T-SQL keys: a revoked key opens",
        T_KEYS, "ON k.secret_hash = @secret_hash AND k.revoked_at IS NULL;", "ON k.secret_hash = @secret_hash;",
        ON_KEYS, "revoked_key", "sqlserver",
    ),
    Mistake(
        "keys: a session goes on after its time",
        KEYS, " AND s.expires_at > strftime('%Y-%m-%d %H:%M:%f', 'now')\n", "\n",
        ON_KEYS, "session_expires", "sqlite",
    ),
    Mistake(
        "T-SQL keys: a session goes on after its time",
        T_KEYS, " AND s.expires_at > SYSUTCDATETIME()", "",
        ON_KEYS, "session_expires", "sqlserver",
    ),
    Mistake(
        "keys: sessions that are over are kept",
        KEYS, "DELETE FROM access_session WHERE expires_at <= strftime('%Y-%m-%d %H:%M:%f', 'now');\n", "",
        ON_KEYS, "session_expires", "sqlite",
    ),
    Mistake(
        "keys: a new session ends all others",
        KEYS, "DELETE FROM access_session WHERE expires_at <= ", "DELETE FROM access_session WHERE expires_at >= ",
        ON_RANGES, "sixteen_hours", "sqlite",
    ),
    Mistake(
        "keys: a session lasts two days",
        P_KEYS, "SESSION_DURATION = timedelta(hours=16)", "SESSION_DURATION = timedelta(hours=48)",
        ON_RANGES, "sixteen_hours", "sqlite",
    ),
    Mistake(
        "keys: two keys in use have one name",
        KEYS, "WHERE k.name = :label AND k.revoked_at IS NULL);",
        "WHERE k.name = :label AND k.revoked_at IS NOT NULL);",
        ON_KEYS, "one_key_in_use", "sqlite",
    ),
    Mistake(
        "keys: a viewer may do what an operator may do",
        P_KEYS, "ROLES.index(role) >= ROLES.index(needed)", "ROLES.index(role) >= ROLES.index(needed) - 1",
        ON_ROLES, "without_the_role_is_refused", "sqlite",
    ),
    Mistake(
        "keys: a key is kept as it is",
        P_KEYS, "return sha256(secret.encode()).hexdigest()", "return secret",
        ON_KEYS, "stored_nowhere", "sqlite",
    ),
    Mistake(
        "links: a revoked link opens",
        LINKS, "\n        AND l.revoked_at IS NULL\n        AND EXISTS", "\n        AND EXISTS",
        ON_LINKS, "revokes_the_one_before", "sqlite",
    ),
    Mistake(
        "T-SQL links: a revoked link opens",
        T_LINKS, "\n        AND l.revoked_at IS NULL\n        AND EXISTS", "\n        AND EXISTS",
        ON_LINKS, "revokes_the_one_before", "sqlserver",
    ),
    Mistake(
        "links page: some are made before it is known that an agent is gone",
        W_LINKS, "if name not in known:", "if False:", ON_WEB_LINKS, "makes_no_link", "sqlite",
    ),
    Mistake(
        "links page: a QR code opens nothing",
        W_NEW_LINKS, "_code_of(address)", "_code_of(agent)", ON_WEB_LINKS, "printed_sheet", "sqlite",
    ),
    Mistake(
        "links page: the codes are not printed",
        "src/agent_funnel/web/templates/new_links.html", '<div role="img"', '<div class="noprint" role="img"',
        ON_WEB_LINKS, "printed_sheet", "sqlite",
    ),
    Mistake(
        "links page: no warning that an address is this machine's own",
        W_NEW_LINKS, "return address.is_loopback or", "return", ON_WEB_LINKS, "warned_of", "sqlite",
    ),
    Mistake(
        "links: a link is made for nobody",
        LINKS, "'now'), :actor\nWHERE EXISTS (SELECT", "'now'), :actor\nWHERE 1 = 1 OR EXISTS (SELECT",
        ON_LINKS, "needs_an_existing_agent", "sqlite",
    ),
    Mistake(
        "links: the secret of a link looks like a key",
        P_LINKS, 'PREFIX = "mine_"', 'PREFIX = "funnel_"',
        ON_LINKS, "only_and_its_secret", "sqlite",
    ),
    Mistake(
        "audit: an entry is longer than its column",
        P_AUDIT, "shortened(text, WIDTHS[name])", "text[: WIDTHS[name]]",
        ON_KEYS, "cuts_long_texts", "sqlite",
    ),
    Mistake(
        "idempotency: an answer is kept for a week",
        P_IDEMPOTENCY, "STORED_FOR = timedelta(hours=24)", "STORED_FOR = timedelta(hours=168)",
        ON_RANGES, "stored_for_a_day", "sqlite",
    ),
    Mistake(
        "idempotency: an answer is forgotten after an hour",
        IDEMPOTENCY, "'-' || :seconds || ' seconds');", "'-3600 seconds');",
        ON_RANGES, "stored_for_a_day", "sqlite",
    ),
    Mistake(
        "T-SQL idempotency: an answer is kept for ever",
        T_IDEMPOTENCY, "WHERE asked_at <= DATEADD(SECOND, -CAST(%(seconds)s AS INT), SYSUTCDATETIME());",
        "WHERE asked_at <= DATEADD(SECOND, -9 * CAST(%(seconds)s AS INT), SYSUTCDATETIME());",
        ON_RANGES, "stored_for_a_day", "sqlserver",
    ),
    Mistake(
        "idempotency: the scope is no part of the key",
        P_IDEMPOTENCY, "_hashed((scope.encode(),), (key.encode(),))", "_hashed((key.encode(),))",
        ON_KEYS, "claimed_once", "sqlite",
    ),
    Mistake(
        "idempotency: another content is the same",
        P_IDEMPOTENCY, 'row["content_hash"].strip() == content_hash', "True",
        ON_KEYS, "claimed_once", "sqlite",
    ),
)  # fmt: skip
