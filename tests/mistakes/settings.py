"""Mistakes in the versions of tables, in settings and in database URLs."""

from __future__ import annotations

from mistakes.places import (
    ON_ADDRESS,
    ON_ENV_FILE,
    ON_INSTANCES,
    ON_VERSIONS,
    ON_WARNINGS,
    P_ADDRESS,
    P_DATABASE,
    P_INSTALL,
    P_LOGS,
    P_PRELOGIN,
    P_SETTINGS,
    P_SETTINGS_FILE,
    P_SETTINGS_WARNINGS,
    P_SQLITE,
    P_SQLSERVER,
    Mistake,
)

MISTAKES = (
    Mistake(
        "versions: an older program's tables are used",
        P_DATABASE, "if installed != ours:", "if False:",
        ON_VERSIONS, "every_call_is_refused", "sqlite",
    ),
    Mistake(
        "versions: the next version is not newer",
        P_DATABASE, "if installed > ours:", "if installed > ours + 1:",
        ON_VERSIONS, "older_program_refuses", "sqlite",
    ),
    Mistake(
        "versions: tables of no version are ours",
        P_DATABASE, "if installed is None:", "installed = installed or ours\n    if False:",
        ON_VERSIONS, "without_a_recorded_version", "sqlite",
    ),
    Mistake(
        "versions: an installer that held the lock is not noticed",
        P_SQLITE, "            self._set_wait(connection, wait)\n        self.check_version(connection)\n",
        "            self._set_wait(connection, wait)\n",
        ON_VERSIONS, "waits_for_an_installer",
    ),
    Mistake(
        "versions: a connection in use is checked once",
        P_SQLSERVER, 'connection.info["checked"] = time.monotonic()', 'connection.info["checked"] = inf',
        ON_VERSIONS, "polls_notice",
    ),
    Mistake(
        "versions: anybody installs over a newer version",
        P_INSTALL, "    refuse_newer_version(installed, ours)\n", "",
        ON_VERSIONS, "older_program_refuses", "sqlite",
    ),
    Mistake(
        "URLs: an @ in the password ends it",
        P_ADDRESS, 'if rest and "@" in rest[1]:', "if False:",
        ON_ADDRESS, "nothing_of_the_password",
    ),
    Mistake(
        "URLs: any text is a host",
        P_ADDRESS, "HOST.fullmatch(unquote(host))", "HOST.match(unquote(host))",
        ON_ADDRESS, "nothing_of_the_password",
    ),
    Mistake(
        "URLs: options are left out without a word",
        P_ADDRESS, 'if url.query or "?" in url.database:', "if False:",
        ON_ADDRESS, "nothing_of_the_password",
    ),
    Mistake(
        "URLs: the port beside an instance is not used",
        P_ADDRESS, "    if ports:\n        instance = None\n", "",
        ON_ADDRESS, "as_microsofts_clients",
    ),
    Mistake(
        "URLs: the line end of a password file is a part of the password",
        P_ADDRESS, r're.sub(r"\r?\n\Z", "", ', r're.sub(r"\r?\n\Z", "\n", ',
        ON_ADDRESS, "can_be_in_a_file",
    ),
    Mistake(
        "URLs: the text of the settings has the password",
        P_SETTINGS, 'default="sqlite:///funnel.db",\n        repr=False,', 'default="sqlite:///funnel.db",',
        ON_ADDRESS, "has_no_secret",
    ),
    Mistake(
        "logs: a password ends at its first @",
        P_LOGS, r"(://[^:\n]*?:)[^\n]*(@)", r"(://[^:\n]*?:)[^@\n]*(@)",
        ON_ADDRESS, "log_shows_no_part",
    ),
    Mistake(
        "instances: the name of the instance is not asked for",
        P_PRELOGIN, 'b"\\x04" + instance.encode() + b"\\0"', 'b"\\x02"',
        ON_INSTANCES, "without_the_instance",
    ),
    Mistake(
        "settings: UTF-16 without a byte order mark is read",
        P_SETTINGS_FILE, 'other = "UTF-16" if b"\\0" in content else None', "other = None",
        ON_ENV_FILE, "another_encoding",
    ),
    Mistake(
        "settings: the zone of a machine counts in this month only",
        P_SETTINGS_WARNINGS, "range(0, 366, 30)", "range(1)",
        ON_WARNINGS, "zone_that_is_not_set",
    ),
    Mistake(
        "settings: variables of the tests are misspelt settings",
        P_SETTINGS, "and not name.startswith(TEST_PREFIX)", "",
        ON_WARNINGS, "left_alone",
    ),
)  # fmt: skip
