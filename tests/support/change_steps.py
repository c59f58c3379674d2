"""Steps of the state machine that only set the scene: changes by others, previews, and time that passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st

from agent_funnel.agents import add_limit, remove_limit
from agent_funnel.deal import Preview
from agent_funnel.do_not_contact import add_do_not_contact, remove_do_not_contact
from agent_funnel.errors import ParameterOutOfRange
from agent_funnel.imports import load_rows
from agent_funnel.runs import Purged, purge
from agent_funnel.values import write_moment
from support import oracle
from support.nights import all_tables, check_preview, preview, put_agents, put_leads
from support.oracle import Agent, Lead, Pair
from support.steps import EVENINGS, KNOBS, MOMENTS, NAMES, NUMBERS, STAGES, Steps, outcome_of
from support.strategies import BARE_STATUSES, KEYED_STATUSES

LEADS = st.tuples(NUMBERS | st.none(), STAGES | st.none(), MOMENTS | st.none())
DAYS = st.sampled_from([None, 0, 1, 500])
MOST = st.sampled_from([0, 1, 1, 2, 500])
CHANGES = st.sampled_from(
    [
        "change_agents", "import_leads", "import_leads", "put_leads_by_hand", "change_a_stage", "remove_a_lead",
        "put_an_assignment", "take_or_move_an_assignment", "add_a_limit", "remove_a_limit", "list_a_number",
        "list_a_number", "take_a_number_off_the_list", "let_three_hours_pass", "change_what_is_due", "preview",
        "purge",
    ]
)  # fmt: skip


class ChangeSteps(Steps):
    """Takes these steps on a database and on the oracle. A change that is not possible is left out."""

    loads = 0

    def change_things(self, data: st.DataObject) -> None:
        for change in data.draw(st.lists(CHANGES, min_size=1, max_size=3)):
            getattr(self, change)(data)

    def preview(self, data: st.DataObject) -> None:
        evening, knobs = data.draw(EVENINGS), data.draw(KNOBS)
        before = all_tables(self.database)
        seen = outcome_of(lambda: preview(self.database, evening, **knobs))
        assert all_tables(self.database) == before
        dealt = outcome_of(lambda: self.floor.deal(evening, **knobs))
        if isinstance(seen, Preview) and isinstance(dealt, oracle.Dealt):
            check_preview(seen, dealt, self.floor.assignments, evening)
        else:
            assert seen is dealt

    def purge(self, _: st.DataObject) -> None:
        if any(not run.purged for run in self.floor.runs[:-2]):
            purged = purge(self.database.backend, datetime.now(UTC) + timedelta(days=1))
            assert isinstance(purged, Purged)
            assert purged.runs == self.floor.purge()
            self.reports.after_purge()

    def let_three_hours_pass(self, _: st.DataObject) -> None:
        self.database.execute("UPDATE dbo.assignment_run SET started_at = '2026-01-01 00:00:00.000'")
        for run in self.floor.runs:
            run.just_now = False

    def change_what_is_due(self, data: st.DataObject) -> None:
        evening = data.draw(EVENINGS | st.none())
        self.database.execute("DELETE FROM dbo.schedule_next")
        self.floor.due = evening
        if evening is not None:
            soon = write_moment(datetime.now(UTC) + timedelta(minutes=5))
            self.database.execute(
                "INSERT INTO dbo.schedule_next (row_id, business_date, due_at) VALUES (1, %s, %s)", str(evening), soon
            )

    def change_agents(self, data: st.DataObject) -> None:
        statuses = BARE_STATUSES if self.bare else KEYED_STATUSES
        # Usually at least one agent is active, since otherwise no deal is made.
        someone = data.draw(st.sampled_from([[], *[[("B", "active")]] * 4]))
        names = NAMES if self.bare else NAMES.filter(lambda name: name != "B")
        once = None if self.bare else lambda agent: agent[0]
        others = data.draw(st.lists(st.tuples(names, statuses), max_size=4, unique_by=once))
        agents: list[Agent] = [*someone, *others]
        put_agents(self.database, agents)
        self.floor.agents = agents

    def import_leads(self, data: st.DataObject) -> None:
        self.loads += 1
        count = data.draw(st.integers(0, 8))
        # Some numbers that may exist already, and some that cannot.
        numbers = data.draw(st.lists(NUMBERS, max_size=3, unique=True))
        numbers += [f"{self.loads}-{index * 7 % 13}" for index in range(count)]
        leads = [(number, data.draw(STAGES), data.draw(MOMENTS)) for number in numbers]
        rows = [(number, str(stage), created.isoformat(" ", "milliseconds")) for number, stage, created in leads]
        there = {number for number, _, _ in self.floor.leads}
        added: list[Lead] = [lead for lead in leads if lead[0] not in there]
        assert load_rows(self.database.backend, "leads", rows) == len(added)
        self.floor.leads = [*self.floor.leads, *added]

    def put_leads_by_hand(self, data: st.DataObject) -> None:
        if self.bare:
            leads: list[Lead] = data.draw(st.lists(LEADS, min_size=1, max_size=4))
            put_leads(self.database, leads)
            self.floor.leads = [*self.floor.leads, *leads]

    def change_a_stage(self, data: st.DataObject) -> None:
        """Changes the stage of a row, and of every row equal to it."""
        stage = data.draw(STAGES)
        number, old, created = data.draw(st.sampled_from(self.floor.leads or [(None, None, None)]))
        if number is None or old is None or created is None:
            return
        self.database.execute(
            "UPDATE dbo.wafunnel SET stage = %s WHERE number = %s AND stage = %s AND date = %s",
            stage, number, old, created.isoformat(" ", "milliseconds"),
        )  # fmt: skip
        self.floor.leads = [
            (lead[0], stage, created) if self._same(lead[0], number) and lead[1:] == (old, created) else lead
            for lead in self.floor.leads
        ]

    def remove_a_lead(self, data: st.DataObject) -> None:
        number, _, _ = data.draw(st.sampled_from(self.floor.leads or [(None, None, None)]))
        self.database.execute("DELETE FROM dbo.wafunnel WHERE number = %s", number)
        self.floor.leads = [lead for lead in self.floor.leads if number is None or not self._same(lead[0], number)]

    def put_an_assignment(self, data: st.DataObject) -> None:
        name, number = data.draw(NAMES), data.draw(NUMBERS)
        pairs: list[Pair] = [(name, number)]
        if self.bare:
            blanks: list[Pair] = [(None, number), (name, None), (None, None), ("", "")]
            held = self.floor.assignments[:2]
            pairs = [data.draw(st.sampled_from([*pairs, *blanks, *held]))] * data.draw(st.sampled_from([1, 1, 2, 3]))
        elif any(there == number for _, there in self.floor.assignments):
            return
        self.database.insert("agent_wafunnel_assignment", ("agent", "number"), pairs)
        self.floor.assignments = [*self.floor.assignments, *pairs]

    def take_or_move_an_assignment(self, data: st.DataObject) -> None:
        name = data.draw(NAMES | st.none())
        _, number = data.draw(st.sampled_from(self.floor.assignments or [(None, None)]))
        if name is None:
            self.database.execute("DELETE FROM dbo.agent_wafunnel_assignment WHERE number = %s", number)
        else:
            self.database.execute("UPDATE dbo.agent_wafunnel_assignment SET agent = %s WHERE number = %s", name, number)
        # `=` does not find a NULL.
        touched = [number is not None and self._same(pair[1], number) for pair in self.floor.assignments]
        self.floor.assignments = [
            (name, pair[1]) if hit else pair
            for pair, hit in zip(self.floor.assignments, touched, strict=True)
            if name is not None or not hit
        ]

    def add_a_limit(self, data: st.DataObject) -> None:
        name, first, days, most = data.draw(NAMES), data.draw(EVENINGS), data.draw(DAYS), data.draw(MOST)
        last = None if days is None else first + timedelta(days=days)
        limit = add_limit(
            self.database.backend, name, starts_on=first, ends_on=last, max_records=most, new_agent=True
        )  # fmt: skip
        assert limit.known == (name in {agent for agent, _ in self.floor.agents})
        self.floor.limits = [*self.floor.limits, (limit.agent, first, last, most)]
        self.limit_ids.append(limit.limit_id)

    def remove_a_limit(self, data: st.DataObject) -> None:
        if self.limit_ids:
            index = data.draw(st.integers(0, len(self.limit_ids) - 1))
            remove_limit(self.database.backend, self.limit_ids.pop(index))
            self.floor.limits = [limit for place, limit in enumerate(self.floor.limits) if place != index]

    def list_a_number(self, data: st.DataObject) -> None:
        assigned = [number for _, number in self.floor.assignments if number is not None and number.strip()]
        number = data.draw(st.sampled_from([*assigned, data.draw(NUMBERS)]))
        left = [pair for pair in self.floor.assignments if pair[1] != number]
        leads = sum(lead[0] == number for lead in self.floor.leads)
        if not leads and left == self.floor.assignments:
            # These texts are too short for numbers and ids, so a list takes one only if somebody has it.
            with pytest.raises(ParameterOutOfRange):
                add_do_not_contact(self.database.backend, number)
            return
        answer = add_do_not_contact(self.database.backend, number)
        assert answer == {
            "listed": self.floor.do_not_contact.count(number),
            "assignments": len(self.floor.assignments) - len(left),
            "leads": leads,
        }
        self.floor.assignments = left
        self.floor.do_not_contact = sorted({*self.floor.do_not_contact, number})

    def take_a_number_off_the_list(self, data: st.DataObject) -> None:
        if self.floor.do_not_contact:
            number = data.draw(st.sampled_from(self.floor.do_not_contact))
            remove_do_not_contact(self.database.backend, number)
            self.floor.do_not_contact = [other for other in self.floor.do_not_contact if other != number]
