"""Steps of the state machine about outcomes: reports, call-backs, and reports that are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import strategies as st

from agent_funnel.outcomes import OutcomeReport, report_outcome
from support import oracle
from support.agent_steps import AgentSteps
from support.oracle_outcomes import Reported
from support.reported import Report, put_outcomes, reported_of
from support.steps import KNOBS, ZONE
from support.strategies import reports

# How long after a run's date the next deals are, when its leads were reported:
DAYS_LATER = st.sampled_from([[], [0], [0], [1], [0, 1], [1, 1]])
# What happens to call-backs that are promised for the first three days after a run: deals on these days, an undo, a
# hand-back of all that an agent has, a report.
WEEK = st.sampled_from(
    [["3"], ["3"], ["3"], ["1", "2"], ["2", "3"], ["2", "undo", "3"], ["2", "back", "2"], ["2", "report", "undo", "2"]]
)
PROMISED = st.builds(
    Report,
    st.integers(0, 9),
    st.just("call_back"),
    st.sampled_from([1, 2, 2, 3]),
    st.sampled_from([True, False, False]),
)
TOLD = st.sampled_from(["talked", "no_answer", "won", "lost", "wrong_number", "not_worked", "not_worked", "not_worked"])
AFTER_REPORTS = st.sampled_from(["nothing", "take back", "take back after a deal", "take back after a deal"])


class OutcomeSteps(AgentSteps):
    """Takes these steps on a database and on the oracle."""

    def report(self, data: st.DataObject) -> None:
        """Reports of the leads of one run; a later report of the same lead replaces an earlier one.

        Takes some back at once, and often deals on the days after, so that what was reported meets a deal.
        """
        if not self._with_history():
            return
        run = data.draw(st.sampled_from(self._with_history()[-3:]))
        news = self._put(data.draw(reports()), run)
        for one in news[: data.draw(st.integers(0, 2))]:
            self._take_back(one)
        knobs = data.draw(KNOBS)
        for days in data.draw(DAYS_LATER):
            self._deal(run.business_date + timedelta(days=days), {**knobs, "again": True})

    def promise_calls(self, data: st.DataObject) -> None:
        """Call-backs, and deals before, on and after their days, with undos and hand-backs between."""
        if not self._with_history():
            return
        run, knobs = self._with_history()[-1], data.draw(KNOBS)
        news = self._put(data.draw(st.lists(PROMISED, min_size=2, max_size=7)), run)
        for step in data.draw(WEEK):
            if step == "undo":
                self._undo(None)
            elif step == "back":
                for agent in sorted({agent for agent, _ in self.floor.assignments if agent and agent.strip()})[:2]:
                    self._hand_back(agent)
            elif step == "report":
                self._put([Report(0, "no_answer")], self._with_history()[-1])
            else:
                self._deal(run.business_date + timedelta(days=int(step)), {**knobs, "again": True})
        if len(news) > 1:
            self._take_back(news[0])

    def report_through_the_product(self, data: st.DataObject) -> None:
        """Reports of a lead of the last run, one after the other; the last one is often taken back.

        Or first, the lead is put back, dealt again, and put back again. Then it has a stage that an outcome of the
        older run would move, but only those of the newer run may.
        """
        run = next(iter(self.floor.runs_in_force()[-1:]), None)
        if run is None or not run.dealt.history:
            return
        row, then = data.draw(st.sampled_from(run.dealt.history)), data.draw(AFTER_REPORTS)
        told = [self._tell(run, row, outcome) for outcome in data.draw(st.lists(TOLD, min_size=1, max_size=3))]
        if then == "take back after a deal":
            told.append(self._tell(run, row, "not_worked"))
            # With room for all that may be dealt:
            self._deal(run.business_date, {**data.draw(KNOBS), "again": True, "max_per_agent": 450, "window_days": 400})
            newest = self.floor.runs_in_force()[-1]
            for again in [each for each in newest.dealt.history if each[1] == row[1]]:
                self._tell(newest, again, "not_worked")
        if then.startswith("take back"):
            self._take_back(told[-1])

    def _tell(self, run: oracle.PastRun, row: tuple[str, str, datetime, int], outcome: str) -> Reported:
        """Reports a lead of a run, which is a row of its history."""
        agent, number, created, stage = row
        now = datetime.now(UTC)
        reported = OutcomeReport(number, outcome, report=uuid4().hex, run_id=run.run_id)
        answer = report_outcome(self.database.backend, reported, actor="Eva", now=now, zone=ZONE)
        told = Reported(
            run.run_id, run.business_date, agent, number, created, outcome, now.date(), stage=stage,
            report=answer.report,
        )  # fmt: skip
        self.reports.add([told])
        return told

    def take_a_report_back(self, data: st.DataObject) -> None:
        """Takes an outcome back, also one that another outcome has replaced, or one of a hand-back."""
        if self.reports.kept:
            self._take_back(data.draw(st.sampled_from(self.reports.kept)))

    def _put(self, told: Sequence[Report], run: oracle.PastRun) -> list[Reported]:
        """Reports as rows of the table, so that they can be of any run, and of any day."""
        news = reported_of(told, run.run_id, run.business_date, run.dealt.history)
        for one in news:
            self.database.execute(
                "UPDATE dbo.assignment_outcome SET stands = 0 WHERE stands = 1 AND run_id = %s AND number = %s",
                one.run_id, one.number,
            )  # fmt: skip
        put_outcomes(self.database, news, reported_at=datetime.now(UTC))
        self.reports.add(news, moves=False)
        self.promised |= any(one.call_back_on is not None for one in news)
        return news

    def _with_history(self) -> list[oracle.PastRun]:
        return [run for run in self.floor.runs if run.dealt.history and not run.purged]
