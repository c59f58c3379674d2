"""The exit codes of the command (docs/reference/cli.md)."""

from __future__ import annotations

from enum import IntEnum

from agent_funnel.errors import DatabaseError, FunnelError, RuleNotConfirmed, RunError, SettingsError


class ExitCode(IntEnum):
    """How a command ended. Click adds 2 for a wrong command line."""

    SUCCESS = 0
    FAILED = 1
    BAD_SETTING = 2
    NO_DATABASE = 3
    DOCTOR_WARNING = 4
    DOCTOR_ERROR = 5
    RUN_IN_PROGRESS = 11
    NO_ACTIVE_AGENT = 12
    ALREADY_RUN = 13
    POOL_CHANGED = 14
    NOTHING_TO_UNDO = 15
    PARAMETER_OUT_OF_RANGE = 16
    CHECK_FAILED = 17
    NOT_CONFIRMED = 18
    SCHEDULER_DEAD = 70


def exit_code(error: FunnelError) -> ExitCode:
    """Returns the exit code of an error. Errors of the deal get 10 plus the last digit of their SQL number."""
    if isinstance(error, RunError):
        return ExitCode(10 + error.number % 10)
    if isinstance(error, RuleNotConfirmed):
        return ExitCode.NOT_CONFIRMED
    if isinstance(error, SettingsError):
        return ExitCode.BAD_SETTING
    return ExitCode.NO_DATABASE if isinstance(error, DatabaseError) else ExitCode.FAILED
