"""Mistakes in the service: roles, limits, stored responses, caching, and pages of a deal."""

from __future__ import annotations

from mistakes.places import (
    ON_API,
    ON_GUESSING,
    ON_HEALTH,
    ON_IDEMPOTENCY,
    ON_LAST_USE,
    ON_LIMITS,
    ON_OTHER_SITES,
    ON_OWN_LIST,
    ON_POLLED,
    ON_SCOPE,
    ON_SESSIONS,
    P_AGENTS,
    P_IDEMPOTENCY,
    P_RUNS,
    W_AGENTS,
    W_APP,
    W_AUTH,
    W_COUNTS,
    W_FIELDS,
    W_FILES,
    W_HEALTH,
    W_IDEMPOTENCY,
    W_NEGOTIATION,
    W_PAGING,
    W_RATES,
    W_READINESS,
    W_REQUESTER,
    W_ROUTING,
    W_RUNS,
    W_SIGN_IN,
    Mistake,
)

MISTAKES = (
    Mistake(
        "idempotency: a key of one user answers another",
        W_IDEMPOTENCY, 'scope = f"{requester.key_id} {request.method}', 'scope = f"{request.method}',
        ON_SCOPE, "two_users", "sqlite",
    ),
    Mistake(
        "idempotency: a key of one address answers at another",
        W_IDEMPOTENCY, "{request.method} {request.path}", "{request.method}",
        ON_SCOPE, "each_path_and_query", "sqlite",
    ),
    Mistake(
        "idempotency: the query is no part of a request",
        W_IDEMPOTENCY, r'chain((request.query_string, b"\0"), _body())', "_body()",
        ON_SCOPE, "each_path_and_query", "sqlite",
    ),
    Mistake(
        "idempotency: a key may be longer than 255 characters",
        W_IDEMPOTENCY, "[!-~]{1,255}", "[!-~]{1,256}",
        ON_IDEMPOTENCY, "invalid_key", "sqlite",
    ),
    Mistake(
        "idempotency: a key may not have 255 characters",
        W_IDEMPOTENCY, "[!-~]{1,255}", "[!-~]{1,254}",
        ON_SCOPE, "255_characters", "sqlite",
    ),
    Mistake(
        "polled: a shared cache may keep the list",
        W_NEGOTIATION, '"private, no-cache"', '"no-cache"',
        ON_POLLED, "only_its_client_may_cache", "sqlite",
    ),
    Mistake(
        "polled: a client need not ask again",
        W_NEGOTIATION, '"private, no-cache"', '"private, max-age=60"',
        ON_POLLED, "only_its_client_may_cache", "sqlite",
    ),
    Mistake(
        "files: caches may store a file of numbers",
        W_FILES, 'response.headers["Cache-Control"] = "no-store"', 'response.headers["Cache-Control"] = "no-cache"',
        ON_POLLED, "file_of_numbers", "sqlite",
    ),
    Mistake(
        "assignments: a page may be of two deals",
        P_AGENTS, "if before == behind:", "if before:",
        ON_POLLED, "another_deal_interrupts", "sqlite",
    ),
    Mistake(
        "assignments: a cursor of another deal goes on",
        W_AGENTS, "if begun and begun[0] != version:", "if begun and begun[0] == version + version:",
        ON_API, "cursor_of_an_earlier_deal", "sqlite",
    ),
    Mistake(
        "answers are kept by browsers",
        W_APP, 'response.headers.setdefault("Cache-Control", "no-store")', "pass",
        ON_POLLED, "no_other_response_may_be_cached", "sqlite",
    ),
    Mistake(
        "limits: requests are not limited at all",
        W_RATES, "application_limits=[settings.rate_limit],", "application_limits=[],",
        ON_LIMITS, "1200_requests", "sqlite",
    ),
    Mistake(
        "limits: all keys are counted together",
        W_RATES, 'return auth.address() if found is None or found.key_id is None else f"key {found.key_id}"',
        "return auth.address()",
        ON_LIMITS, "counted_by_key", "sqlite",
    ),
    Mistake(
        "limits: health checks are counted",
        W_HEALTH, '"/healthz")\n@route(PUBLIC, unlimited=True)', '"/healthz")\n@route(PUBLIC)',
        ON_LIMITS, "never_counted", "sqlite",
    ),
    Mistake(
        "limits: thirty runs a minute",
        W_ROUTING, 'RUNS = Rate("runs", "20 per minute")', 'RUNS = Rate("runs", "30 per minute")',
        ON_LIMITS, "twenty_runs", "sqlite",
    ),
    Mistake(
        "limits: each address has twenty runs of its own",
        W_RATES, "auth.address if rate.by_address else key_or_address", "auth.address",
        ON_LIMITS, "twenty_runs", "sqlite",
    ),
    Mistake(
        "limits: a hundred sign-ins a minute",
        W_ROUTING, 'SIGN_INS = Rate("sign-ins", "10 per minute"', 'SIGN_INS = Rate("sign-ins", "100 per minute"',
        ON_LIMITS, "sign_in_ten_times", "sqlite",
    ),
    Mistake(
        "limits: a hundred wrong keys a minute",
        W_ROUTING, 'WRONG_KEYS = Rate("wrong key", "30 per minute"', 'WRONG_KEYS = Rate("wrong key", "100 per minute"',
        ON_GUESSING, "forged_address and key", "sqlite",
    ),
    Mistake(
        "limits: wrong keys at the sign-in do not count",
        W_SIGN_IN, "        count_wrong_secret()\n", "",
        ON_OWN_LIST, "signing_in_with_the_secret", "sqlite",
    ),
    Mistake(
        "limits: any body may be as large as a file",
        W_APP, "LARGEST_BODY = 1_000_000", "LARGEST_BODY = 64_000_000",
        ON_LIMITS, "a_million_bytes", "sqlite",
    ),
    Mistake(
        "limits: a file may be no larger than any body",
        W_APP, "if current_route().takes_file and", "if current_route().unlimited and",
        ON_LIMITS, "a_million_bytes", "sqlite",
    ),
    Mistake(
        "limits: a page of a thousand and one",
        W_FIELDS, "LARGEST_PAGE = 1_000\n", "LARGEST_PAGE = 1_001\n",
        ON_LIMITS, "at_most_a_thousand", "sqlite",
    ),
    Mistake(
        "paging: one row more than a viewer may have",
        W_PAGING, "if len(rows) > LONGEST_MASKED_LIST:", "if len(rows) > LONGEST_MASKED_LIST + 1:",
        ON_LIMITS, "bounded_length", "sqlite",
    ),
    Mistake(
        "paging: a page begins a row too late for a viewer",
        W_PAGING, "(end,) if end < len(masked)", "(end + 1,) if end < len(masked)",
        ON_API, "viewers_page_through", "sqlite",
    ),
    Mistake(
        "masks: a viewer sees whole numbers",
        W_REQUESTER, 'identity().may("operator")', 'identity().may("viewer")',
        ON_API, "viewers_see", "sqlite",
    ),
    Mistake(
        "masks: a viewer's file has whole numbers",
        W_AGENTS, "mask=not sees_numbers()", "mask=False",
        ON_API, "viewers_see", "sqlite",
    ),
    Mistake(
        "masks: a viewer's file of a run has whole numbers",
        W_RUNS, "mask=not sees_numbers()", "mask=False",
        ON_API, "viewers_see", "sqlite",
    ),
    Mistake(
        "counts: the shares of all runs are kept",
        W_COUNTS, "while len(self._shares) > KEPT_RUNS:", "while len(self._shares) > 9 * KEPT_RUNS:",
        ON_LIMITS, "hundred_runs", "sqlite",
    ),
    Mistake(
        "counts: the newest shares are forgotten",
        W_COUNTS, "self._shares.popitem(last=False)", "self._shares.popitem()",
        ON_LIMITS, "hundred_runs", "sqlite",
    ),
    Mistake(
        "results: one span at a time is kept",
        W_COUNTS, "kept=KEPT_SPANS", "kept=1", ON_LIMITS, "push_out", "sqlite",
    ),
    Mistake(
        "results: the span that was looked at last makes room",
        W_COUNTS, "self._known.popitem(last=False)", "self._known.popitem()", ON_LIMITS, "push_out", "sqlite",
    ),
    Mistake(
        "counts: leads by stage are those before a deal",
        W_COUNTS, "if version != self._counted_version or ", "if ", ON_LIMITS, "after_a_deal", "sqlite",
    ),
    Mistake(
        "counts: the leads by stage are never counted again",
        W_COUNTS, "STAGES_AGE_SECONDS = 20.0", "STAGES_AGE_SECONDS = 2000.0",
        ON_LIMITS, "twenty_seconds", "sqlite",
    ),
    Mistake(
        "readiness: a database that hangs is waited for",
        W_READINESS, "ANSWER_SECONDS = 2.0", "ANSWER_SECONDS = 20.0",
        ON_HEALTH, "hangs", "sqlite",
    ),
    Mistake(
        "readiness: tables of another version are ready",
        W_READINESS, "            self._database.ping()\n", "            pass\n",
        ON_HEALTH, "right_version", "sqlite",
    ),
    Mistake(
        "auth: a page of another site may send what it likes",
        W_AUTH, "if origin is None or is_own_origin(origin):", "if True:",
        ON_OTHER_SITES, "form_of_another_site", "sqlite",
    ),
    Mistake(
        "auth: without keys a proxy is let in",
        W_AUTH, "if any(header in request.headers for header in PROXY_HEADERS):", "if False:",
        ON_OTHER_SITES, "through_a_proxy", "sqlite",
    ),
    Mistake(
        "auth: a session goes on after the sign-out",
        W_SIGN_IN, '    """Ends the session."""\n    _end_session()\n', '    """Ends the session."""\n',
        ON_SESSIONS, "stolen_session", "sqlite",
    ),
    Mistake(
        "auth: scripts can read the cookie",
        W_SIGN_IN, "        httponly=True,\n        samesite=\"Strict\",\n", "        samesite=\"Strict\",\n",
        ON_SESSIONS, "kept_from_scripts", "sqlite",
    ),
    Mistake(
        "auth: each use of a key is noted",
        W_AUTH, "NOTE_USE_EVERY = timedelta(minutes=5)", "NOTE_USE_EVERY = timedelta(0)",
        ON_LAST_USE, "five_minutes and key", "sqlite",
    ),
    Mistake(
        "auth: the use of a link is noted once a day",
        W_AUTH, "NOTE_USE_EVERY = timedelta(minutes=5)", "NOTE_USE_EVERY = timedelta(days=1)",
        ON_LAST_USE, "five_minutes and link", "sqlite",
    ),
    Mistake(
        "idempotency: a request without a key has the scope of the first key",
        W_IDEMPOTENCY, 'scope = f"{requester.key_id} ', 'scope = f"{requester.key_id or 1} ',
        ON_SCOPE, "not_replayed_to_the_first_key", "sqlite",
    ),
    Mistake(
        "idempotency: the key itself is kept",
        P_IDEMPOTENCY, "request_hash = _hashed((scope.encode(),), (key.encode(),))", "request_hash = scope + key",
        ON_SCOPE, "stored_nowhere", "sqlite",
    ),
    Mistake(
        "assignments: a listed number ends the paging",
        P_RUNS, "{row['undone']}", "{row['undone']}.{len(database.all('do_not_contact_lists'))}",
        ON_POLLED, "listed_in_between", "sqlite",
    ),
)  # fmt: skip
