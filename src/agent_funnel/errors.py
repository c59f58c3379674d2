"""All errors of Agent Funnel, as one tree.

FunnelError
├── SettingsError               a setting has a bad value
├── ImportRefused               a file has bad rows, or is not a file that can be imported
├── NotEmpty                    the demo found leads or agents in the database
├── WrongClock                  the clock shows a time before the installation
├── BrakeApplied                a brake (FUNNEL_BRAKE) holds the scheduled run until a person makes it
├── RuleNotConfirmed            a change of a rule needs a confirmation
├── NotFound                    the thing to show or remove does not exist
├── AlreadyExists               the thing to add exists already
├── DatabaseError
│   ├── DatabaseUnavailable     the database does not answer
│   │   ├── DatabaseBusy        another session holds a lock that we need, or won a deadlock; nothing was done
│   │   ├── DatabaseNotReady    the database starts, fails over or is at a limit; nothing was done, and it will pass
│   │   └── ConnectionLost      the connection broke during a call; whether the call took effect is not known
│   ├── DatabaseDamaged         the contents of the database's file contradict each other
│   ├── NotInstalled            tables or procedures are missing
│   └── WrongVersion            the installed tables are of another version than this program needs
└── RunError                    the deal was refused; `number` is the SQL number
    ├── RunInProgress       50001
    ├── NoActiveAgent       50002
    ├── AlreadyRun          50003
    ├── PoolChanged         50004
    ├── NothingToUndo       50005
    ├── ParameterOutOfRange 50006
    ├── CheckFailed         50007
    └── NotConfirmed        50008

A class's docstring is its default message.
"""

from __future__ import annotations


class FunnelError(Exception):
    """Something went wrong."""

    number: int | None = None

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class SettingsError(FunnelError):
    """A setting has a bad value."""


class ImportRefused(FunnelError):
    """The file was refused; nothing was imported."""


class NotEmpty(FunnelError):
    """The database already has leads."""


class BrakeApplied(FunnelError):
    """A brake holds the scheduled run until a person makes it; nothing was changed."""


class WrongClock(FunnelError):
    """The clock shows a time before the installation; nothing was changed."""


class RuleNotConfirmed(FunnelError):
    """This change of a rule needs a confirmation; nothing was changed."""


class NotFound(FunnelError):
    """This does not exist; nothing was changed."""


class AlreadyExists(FunnelError):
    """This exists already; nothing was changed."""


class DatabaseError(FunnelError):
    """The database refused a statement; nothing was changed."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached; nothing was changed."""


class DatabaseBusy(DatabaseUnavailable):
    """The database is busy; nothing was changed."""


class DatabaseNotReady(DatabaseUnavailable):
    """The database is starting or failing over; nothing was changed. Try again in a minute."""


class ConnectionLost(DatabaseUnavailable):
    """The connection to the database broke; whether the change was made is not known."""


class DatabaseDamaged(DatabaseError):
    """The database's file is damaged; nothing was changed."""


class NotInstalled(DatabaseError):
    """The database lacks tables or procedures of Agent Funnel: run `agent-funnel install`."""


class WrongVersion(DatabaseError):
    """The installed tables are of another version than this program needs; nothing was changed."""


class RunError(FunnelError):
    """The deal was refused; nothing was changed."""

    number: int


class RunInProgress(RunError):
    """A run or an undo is in progress; nothing was changed. Try again when it ends."""

    number = 50001


class NoActiveAgent(RunError):
    """No agent is active and has room tonight; nothing was changed."""

    number = 50002


class AlreadyRun(RunError):
    """The scheduled run of this business date is already done."""

    number = 50003


class PoolChanged(RunError):
    """The pool changed while it was being dealt; nothing was changed."""

    number = 50004


class NothingToUndo(RunError):
    """There is no run to undo."""

    number = 50005


class ParameterOutOfRange(RunError):
    """A parameter is out of range."""

    number = 50006


class CheckFailed(RunError):
    """A check before commit failed; everything was rolled back."""

    number = 50007


class NotConfirmed(RunError):
    """This deal is almost surely a mistake; nothing was changed. To deal all the same, say again."""

    number = 50008


RUN_ERRORS: dict[int, type[RunError]] = {cls.number: cls for cls in RunError.__subclasses__()}
