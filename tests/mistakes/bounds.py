"""Mistakes in the bounds of the service: bodies, slow clients, long work, strangers, and the lock of an import."""

from __future__ import annotations

from mistakes.places import (
    IMPORTS,
    ON_BOUNDS,
    ON_CONNECTIONS,
    ON_LIMITS,
    ON_SERVER,
    ON_STAGING,
    P_EXPORTS,
    P_FILES_TALLY,
    T_IMPORTS,
    W_API_RESULTS,
    W_APP,
    W_AUTH,
    W_BOUNDS,
    W_CONNECTIONS,
    W_FILES,
    W_LAYOUT,
    W_RATES,
    W_RUNS,
    W_SERVER,
    Mistake,
)

MISTAKES = (
    Mistake(
        "bounds: a body needs no admission",
        W_CONNECTIONS, "self.needs_admission = self.chunked or self.content_length > SMALL_BODY",
        "self.needs_admission = False",
        ON_CONNECTIONS, "by_its_head_alone", "sqlite",
    ),
    Mistake(
        "bounds: a body of unknown length needs no admission",
        W_CONNECTIONS, "= self.chunked or self.content_length >", "= self.content_length >",
        ON_CONNECTIONS, "by_its_head_alone", "sqlite",
    ),
    Mistake(
        "bounds: any admitted body may be as large as a file",
        W_APP, "if length is not None and length > largest:", "if length is not None and length > LARGEST_FILE:",
        ON_CONNECTIONS, "by_its_head_alone", "sqlite",
    ),
    Mistake(
        "bounds: an admission has an entry in the audit",
        W_APP, '    g.pop("identity", None)\n', "",
        ON_CONNECTIONS, "repetition_gets", "sqlite",
    ),
    Mistake(
        "bounds: the space of a body is never given back",
        W_CONNECTIONS, "            space.give_back(self._reserved)", "            pass",
        ON_CONNECTIONS, "bodies_that_are_here", "sqlite",
    ),
    Mistake(
        "bounds: the space of a body whose client goes is never given back",
        W_CONNECTIONS, "        if self.request is not None:\n            self.request.close()\n", "",
        ON_CONNECTIONS, "bodies_that_are_here", "sqlite",
    ),
    Mistake(
        "bounds: a refused client is cut off",
        W_CONNECTIONS, "                self._lingers = True", "                self._lingers = False",
        ON_CONNECTIONS, "only_sends", "sqlite",
    ),
    Mistake(
        "bounds: a client is told to continue before it is admitted",
        W_CONNECTIONS, "            self.expect_continue: bool = False\n", "",
        ON_CONNECTIONS, "waits_to_continue", "sqlite",
    ),
    Mistake(
        "bounds: unknown clients may send as much as they like",
        W_SERVER, "UNKNOWN_BYTES:", "UNKNOWN_BYTES * 9:",
        ON_CONNECTIONS, "unknown_clients", "sqlite",
    ),
    Mistake(
        "bounds: a client that trickles stays",
        W_CONNECTIONS, "too_slow = now - request.began >", "too_slow = request.began - now >",
        ON_SERVER, "trickles",
    ),
    Mistake(
        "bounds: a client that takes too slowly stays",
        W_CONNECTIONS, "too_slow = now - self._sending_since >", "too_slow = self._sending_since <",
        ON_SERVER, "health_checks or takes_a_response",
    ),
    Mistake(
        "bounds: a health check waits behind other requests",
        W_SERVER, "(self._health if is_check else self.task_dispatcher)", "self.task_dispatcher",
        ON_SERVER, "health_checks",
    ),
    Mistake(
        "bounds: the service waits for a slow client for ever",
        W_SERVER, "for channel in self._channels()) and time.monotonic() < end:", "for channel in self._channels()):",
        ON_SERVER, "from_ending",
    ),
    Mistake(
        "bounds: a length in two ways is taken",
        W_CONNECTIONS, 'or (self.chunked and "CONTENT_LENGTH" in self.headers)', "",
        ON_CONNECTIONS, "two_ways", "sqlite",
    ),
    Mistake(
        "bounds: two hosts are taken",
        W_CONNECTIONS, """if "," in self.headers.get("HOST", ""):""", "if False:",
        ON_CONNECTIONS, "two_ways", "sqlite",
    ),
    Mistake(
        "bounds: a place is never free again",
        W_BOUNDS, "            self._free.release()", "            pass",
        ON_BOUNDS, "two_exports", "sqlite",
    ),
    Mistake(
        "bounds: exports take no place",
        W_FILES, "with services().exports.take():", "if True:",
        ON_BOUNDS, "two_exports", "sqlite",
    ),
    Mistake(
        "bounds: results of the API take no place",
        W_API_RESULTS, "    with given.previews.take():", "    if True:",
        ON_BOUNDS, "four_previews", "sqlite",
    ),
    Mistake(
        "bounds: previews of the API take no place",
        W_RUNS, "    with given.previews.take():", "    if True:",
        ON_BOUNDS, "four_previews", "sqlite",
    ),
    Mistake(
        "bounds: an export goes on when its client has gone",
        W_FILES, "        if is_gone():", "        if False:",
        ON_BOUNDS, "nobody_waits", "sqlite",
    ),
    Mistake(
        "bounds: the files of an abandoned workbook stay",
        P_EXPORTS, "        _remove_temporary_files(book)\n", "",
        ON_BOUNDS, "nobody_waits and xlsx", "sqlite",
    ),
    Mistake(
        "bounds: a file that was taken counts for ever",
        W_FILES, "self._give_back = finalize(self, downloads.give_back, size)", "self._give_back = bool",
        ON_BOUNDS, "wait_for_slow", "sqlite",
    ),
    Mistake(
        "limits: forms of runs have no limit of their own",
        W_LAYOUT, "takes_file=takes_file, rate=rate)", "takes_file=takes_file)",
        ON_BOUNDS, "by_the_page", "sqlite",
    ),
    Mistake(
        "limits: requests without a key are not counted",
        W_RATES, "    if not has_secret or request.endpoint is None:", "    if request.endpoint is None:",
        ON_LIMITS, "without_a_valid_key", "sqlite",
    ),
    Mistake(
        "limits: requests with a wrong key are not counted",
        W_RATES, "        if has_secret:\n            count_stranger()\n", "",
        ON_LIMITS, "wrong_keys_count", "sqlite",
    ),
    Mistake(
        "limits: each refusal is logged",
        W_AUTH, 'LOGGED_REFUSALS = "30 per minute"', 'LOGGED_REFUSALS = "3000 per minute"',
        ON_LIMITS, "hardly_logged", "sqlite",
    ),
    Mistake(
        "imports: a repeated number is not counted as bad",
        P_FILES_TALLY, "        self.bad_rows += count\n", "",
        ON_STAGING, "repeated_rows", "sqlite",
    ),
    Mistake(
        "imports: a number in two rows is taken twice",
        IMPORTS, "SELECT changes() AS dropped;", "SELECT 0 AS dropped;",
        ON_STAGING, "repeated_rows", "sqlite",
    ),
    Mistake(
        "T-SQL imports: a number in two rows is taken twice",
        T_IMPORTS, "SELECT @@ROWCOUNT AS dropped;", "SELECT 0 AS dropped;",
        ON_STAGING, "repeated_rows", "sqlserver",
    ),
)  # fmt: skip
