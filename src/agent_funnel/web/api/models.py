"""Models of the API's responses. The OpenAPI document is made from them."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from agent_funnel.access.audit import AuditEntry
from agent_funnel.access.keys import AccessKey
from agent_funnel.agents import Agent, Assignment, Limit, Renamed
from agent_funnel.call_backs import CallBack
from agent_funnel.deal import NewRun, PreviewShare, Undone
from agent_funnel.do_not_contact import DoNotContact, NumberList
from agent_funnel.do_not_contact_files import ImportedNumbers
from agent_funnel.fairness import Fairness
from agent_funnel.files.tables import Understood
from agent_funnel.files.tally import BadRow
from agent_funnel.hand_backs import HandBack
from agent_funnel.import_records import Batch, ImportRecord, UndoneImport
from agent_funnel.imports import KeptRow
from agent_funnel.leads import Lead, LeadHistory, PoolReport
from agent_funnel.numbers import EndsAlike
from agent_funnel.outcomes import Outcome, ReportedOutcome
from agent_funnel.person import Erasure, Person
from agent_funnel.results import Results
from agent_funnel.rules import RuleState
from agent_funnel.runs import DealtLead, RunRecord, Share
from agent_funnel.schedule.runway import Runway
from agent_funnel.schedule.skips import Skip
from agent_funnel.schedule.store import Holiday, NightRecord, Pause
from agent_funnel.schedule.voids import VoidRecord
from agent_funnel.web.files import XLSX


class RunNow(RootModel[NewRun]):
    """The run, with the columns of the procedure's summary row."""


class PreviewAnswer(BaseModel):
    """The preview of a run: leads that would `stay` with their agent, `change_hands`, `come` or `leave`; why the run
    would be refused (`refusal`); and the verdict on it (`fairness`), null if nobody would get a lead."""

    run: NewRun
    shares: list[PreviewShare]
    stay: int
    change_hands: int
    come: int
    leave: int
    refusal: str | None
    fairness: Fairness | None


class UndoAnswer(RootModel[Undone]):
    """The result of an undo."""


class RunsPage(BaseModel):
    """Runs, the newest first."""

    items: list[RunRecord]
    next: str | None


class RunAnswer(BaseModel):
    """A run, the share of each agent, and the verdict: null if nobody got a lead, or the history was deleted."""

    run: RunRecord
    shares: list[Share]
    fairness: Fairness | None


# Lists that can also be downloaded as a file, whole:
FILES = ConfigDict(
    openapi_extra={  # type: ignore[typeddict-unknown-key]
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}},
        }
    }
)


class ExportedFile(RootModel[str]):
    """A file."""

    model_config = FILES


class DealtPage(BaseModel):
    """Leads that a run dealt, by number."""

    model_config = FILES

    items: list[DealtLead]
    next: str | None


class AssignmentsPage(BaseModel):
    """Present assignments, by number. `deal` changes with each run and undo."""

    model_config = FILES

    items: list[Assignment]
    next: str | None
    deal: str


class Agents(BaseModel):
    """All agents, by name."""

    items: list[Agent]


class AddedAgent(BaseModel):
    """The agent was added. `alike` has the other agents whose names are easily taken for this one."""

    done: Literal[True] = True
    alike: list[str]


class ActivatedAgents(BaseModel):
    """The agents are active. `activated` has the names of those who were inactive."""

    done: Literal[True] = True
    activated: list[str]


class RenamedAgent(BaseModel):
    """The agent was renamed."""

    done: Literal[True] = True
    renamed: Renamed


class Limits(BaseModel):
    """All limits and absences."""

    items: list[Limit]


class LimitAnswer(BaseModel):
    """The limit that was added, and whether an agent of that name exists."""

    limit: Limit
    agent_known: bool


class LeadsPage(BaseModel):
    """Leads, by number."""

    items: list[Lead]
    next: str | None


class LeadAnswer(RootModel[LeadHistory]):
    """Everything that is known of a number."""


class PersonAnswer(RootModel[Person]):
    """All that is kept of a person."""


class ErasureAnswer(RootModel[Erasure]):
    """What an erasure removed or, with `dry_run`, would remove. `certificate` is the hash that is kept."""


class PoolAnswer(RootModel[PoolReport]):
    """The rows of `wafunnel`, each counted once. `total` is the sum of the other fields."""


class RunwayAnswer(RootModel[Runway]):
    """The next two weeks. `low` is with few new leads, `high` with many, and `without_new` is without any."""


class ResultsAnswer(RootModel[Results]):
    """Leads `dealt` without the `not_worked` ones, those of which an outcome was `reported`, those whose person was
    `reached`, and those that were `won`. `penetration` is reported of dealt, `contact_rate` reached of reported,
    `conversion` won of reached, `list_conversion` won of dealt; each with the ends of its 95 % interval, and null below
    50 in its denominator. An agent who reported fewer than 50 leads has no `list_conversion` and no place."""

    model_config = FILES


class ImportAnswer(BaseModel):
    """The result of an import or a dry run: `rows` = `added` + `changed` + `kept` (there already) + `bad_rows`. `bad`
    has the first thousand bad rows. Of the kept rows, `respelled` are there in another spelling, and `differing`
    with another stage, date, status or limit; `kept_rows` has the first thousand of them. `listed` have a number on a
    do-not-contact list; `ends_alike` counts new numbers that only a country would match. `understood` says how the file
    was read, and `import_id` is the import's record; None after a dry run."""

    model_config = ConfigDict(
        openapi_extra={"content": {"text/csv": {"schema": {"type": "string"}}}}  # type: ignore[typeddict-unknown-key]
    )

    dry_run: bool
    rows: int
    added: int
    changed: int
    kept: int
    bad_rows: int
    bad: list[BadRow]
    respelled: int
    differing: int
    listed: int
    ends_alike: EndsAlike | None
    kept_rows: list[KeptRow]
    understood: Understood
    import_id: int | None


class AgentsImportAnswer(ImportAnswer):
    """The result of an import of agents. `alike` has the groups of names, of all agents, that are easily taken for one
    another."""

    alike: list[list[str]]


class ImportsPage(BaseModel):
    """Imports, the newest first."""

    items: list[ImportRecord]
    next: str | None


class ImportDetailsAnswer(BaseModel):
    """An import, and what became of its leads; None for an import of other things."""

    record: ImportRecord
    batch: Batch | None


class ImportUndoAnswer(RootModel[UndoneImport]):
    """What an undo of an import did or, with `dry_run`, would do."""


class DoNotContactPage(BaseModel):
    """The numbers that are never dealt, by number and list. `imported`: an import of that list put it there."""

    model_config = FILES

    items: list[DoNotContact]
    next: str | None


class NumberLists(BaseModel):
    """The do-not-contact lists, in the order in which they were made."""

    items: list[NumberList]


class OutcomeAnswer(RootModel[ReportedOutcome]):
    """The outcome. `stands`: it is the newest of the lead in that run that was not taken back. `stage_back`: it has the
    lead's stage put back. `notice` says if it did less, or more, than one may expect."""


class OutcomesPage(BaseModel):
    """Outcomes, the newest first."""

    model_config = FILES

    items: list[Outcome]
    next: str | None


class HandBackAnswer(RootModel[HandBack]):
    """The hand-back. `put_back`: of how many leads the stage went back. `returned`: how many an undo brought back."""


class HandBacks(BaseModel):
    """Hand-backs, the newest first."""

    items: list[HandBack]


class CallBacksPage(BaseModel):
    """Call-backs that no deal has handed out, by their day. `state` is to_come, due or passed_over (a deal had no
    room), or says why no deal hands it out."""

    model_config = FILES

    items: list[CallBack]
    next: str | None


class NumbersImportAnswer(RootModel[ImportedNumbers]):
    """The result of an import or a dry run: `rows` = `added` + `kept` (there already) + `bad_rows`."""


class AddedNumbers(BaseModel):
    """Of the `numbers`, each counted once, `kept` were on that list before. The counts are the present assignments,
    which are removed, and the rows of `wafunnel` with these numbers."""

    numbers: int
    kept: int
    assignments: int
    leads: int


class RemovedNumbers(BaseModel):
    """How many of the numbers were on that list, and were removed."""

    removed: int


class FoundNumbers(BaseModel):
    """The entries of those numbers that are on a list, by number and list."""

    items: list[DoNotContact]


class DoNotContactAnswer(BaseModel):
    """`listed`: it was on that list before. The counts are the present assignments and the rows of `wafunnel` with this
    number."""

    listed: bool
    assignments: int
    leads: int


class Schedule(BaseModel):
    """When the schedule deals next, in its zone, whether it is paused, and the outcomes of the last business dates."""

    next_run: str = Field(description="With the offset of the zone.")
    timezone: str
    run_at: str
    pause: Pause | None
    holidays: list[Holiday]
    outcomes: list[NightRecord]
    skips: list[Skip] = Field(description="Dates from yesterday on whose scheduled deal is skipped.")
    differences: list[str] = Field(description="Sentences about running copies with other terms or a wrong clock.")
    voids: list[VoidRecord] = Field(description="Records that hold no more, and who took them back.")


class ReopenedDate(BaseModel):
    """A business date whose record is void, the outcome that it had, and whether its window has closed."""

    business_date: date
    outcome: str
    window_closed: bool


class Changed(BaseModel):
    """Whether the request changed anything; false if there was nothing to change."""

    changed: bool


class RulesAnswer(BaseModel):
    """The rules of the deal. `problems` tell of rules that are recorded wrongly, or that differ from a setting."""

    items: list[RuleState]
    problems: list[str]


class AuditPage(BaseModel):
    """Entries of the audit, the newest first."""

    items: list[AuditEntry]
    next: str | None


class Keys(BaseModel):
    """All keys, the revoked ones too."""

    items: list[AccessKey]


class KeyAnswer(BaseModel):
    """The key that was made. `secret` is shown only once; None when the response is repeated."""

    key: AccessKey
    secret: str | None


class Setting(BaseModel):
    """A setting: its variable, and its value, None for a secret."""

    name: str
    value: str | None
    secret: bool


class SettingsAnswer(BaseModel):
    """The settings of this copy of the service."""

    items: list[Setting]


class Done(BaseModel):
    """The request was carried out."""

    done: Literal[True] = True
