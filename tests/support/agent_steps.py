"""Steps of the state machine about agents: hand-backs, links and new names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import strategies as st

from agent_funnel.access.links import make_link
from agent_funnel.agents import Renamed, rename_agent
from agent_funnel.errors import NotFound
from agent_funnel.hand_backs import HandBack, hand_back_leads, undo_hand_back
from support.nights import TODAY
from support.oracle_agents import PastHandBack, named
from support.steps import EVENINGS, KNOBS, NAMES, ZONE, Steps, outcome_of

# Names that others may have already, in this spelling or in another one:
NEW_NAMES = st.sampled_from(["A", "a", "B", "Zo ë", "E"])
ACCENTS = str.maketrans("AaBoEÉ", "ÁábôÉE")
# Other spellings of a name; a VARCHAR column has no combining accents:
SPELLINGS: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [str, str.upper, str.lower, lambda name: name.translate(ACCENTS)]
)
ALONE = st.sampled_from([False, False, False, True])
THEN = st.sampled_from(["deal", "undo"])
# When a hand-back is undone: at once, and again; after a deal; after one of its leads was taken back alone, or given to
# somebody else; or not yet.
UNDONE = st.sampled_from(
    ["twice", "after a deal", "after a deal", "one after a deal", "one alone", "given away", "not yet", "not yet"]
)
# Our tables that name agents:
NAMED = (
    "agent_limit", "agent_link", "assignment_history", "assignment_edit", "assignment_forgotten", "assignment_outcome",
    "assignment_hand_back", "assignment_limit",
)  # fmt: skip


class AgentSteps(Steps):
    """Takes these steps on a database and on the oracle."""

    names = 0

    def hand_back(self, data: st.DataObject) -> None:
        """Hands leads back, mostly of agents who have some; undoes some of these at once, or after a deal."""
        for undone in data.draw(st.lists(UNDONE, min_size=1, max_size=2)):
            holders = named(self.floor.assignments) or ["A"]
            agent = data.draw(st.sampled_from(holders) if undone != "not yet" else st.sampled_from(holders) | NAMES)
            if not self._hand_back(agent):
                continue
            if undone.endswith("after a deal"):
                self._deal(data.draw(EVENINGS), {**data.draw(KNOBS), "again": True})
            of_it = [one for one in self.reports.kept if one.report in self.agents.done[-1].reports]
            if of_it and undone.startswith("one "):
                self._take_back(of_it[0])
            if undone == "given away":
                self._assign("A", of_it[0].number)
            for _ in range({"not yet": 0, "twice": 2}.get(undone, 1)):
                self._undo_hand_back(agent)

    def undo_a_hand_back(self, data: st.DataObject) -> None:
        self._undo_hand_back(data.draw(st.sampled_from([*(one.agent for one in self.agents.done), "B"])))

    def _hand_back(self, agent: str) -> bool:
        """Hands the leads of an agent back; whether there were any."""
        now = datetime.now(UTC)
        found = outcome_of(lambda: hand_back_leads(self.database.backend, agent, actor="Eva", now=now, zone=ZONE))
        # The product has chosen the ids of the reports.
        ids = dict(
            self.database.execute(
                "SELECT o.number, o.report FROM dbo.assignment_hand_back_lead AS l INNER JOIN dbo.assignment_outcome "
                "AS o ON l.outcome_id = o.outcome_id WHERE l.hand_back_id = %s",
                found.hand_back_id,
            )
            if isinstance(found, HandBack)
            else ()
        )
        expected = outcome_of(lambda: self.agents.hand_back(agent, now.date(), ids))
        if isinstance(found, HandBack) and isinstance(expected, PastHandBack):
            assert found.leads == expected.leads
            return True
        assert found is expected
        return False

    def _undo_hand_back(self, agent: str) -> None:
        now = datetime.now(UTC)
        found = outcome_of(lambda: undo_hand_back(self.database.backend, agent=agent, actor="Eva", now=now))
        expected = outcome_of(lambda: self.agents.undo_hand_back(agent))
        if isinstance(found, HandBack) and isinstance(expected, PastHandBack):
            assert found.returned == expected.returned
        else:
            assert found is expected

    def rename_an_agent(self, data: st.DataObject) -> None:
        """Gives an agent a name that nobody has had, before, between or after the others; or one that some may have.

        Often deals or undoes then, which shows whose turn it is, and whose leads they were before.
        """
        names = named(self.floor.agents)
        name = data.draw(st.sampled_from([*names, *names, *names, "A", "gone"]))
        self.names += 1
        fresh = st.sampled_from("0Bz").map(lambda letter: f"{letter}{self.names}")
        others = [other for other in names if other != name] or ["A"]
        alike = st.tuples(st.sampled_from(others), SPELLINGS).map(lambda drawn: drawn[1](drawn[0]))
        new_name = data.draw(fresh | fresh | alike | NEW_NAMES)
        if data.draw(st.booleans()):
            self._make_link(name)
        if data.draw(ALONE) and new_name not in names:
            self._rename_the_agent_alone(name, new_name)
        found = outcome_of(lambda: rename_agent(self.database.backend, name, new_name))
        expected = outcome_of(lambda: self.agents.rename(name, new_name))
        if expected is NotFound and new_name in named(self.floor.agents):
            # There may be rows of other tables, such as the edits of a run.
            assert found in (NotFound, Renamed(0, 0, 0, 0))
        else:
            assert found is expected if expected is not None else isinstance(found, Renamed), (found, expected)
        if expected is None:
            for table in NAMED:
                rows = self.database.execute(f"SELECT COUNT(*) FROM dbo.{table} WHERE agent = %s", name)
                assert rows == [(0,)], table
        stored = self.database.execute("SELECT agent, status FROM dbo.agents")
        assert Counter(stored) == Counter(self.floor.agents)
        for next_step in data.draw(st.lists(THEN, max_size=2)):
            if next_step == "undo":
                self._undo(None)
            else:
                self._deal(TODAY, {**data.draw(KNOBS), "again": True})

    def _make_link(self, name: str) -> None:
        made = outcome_of(lambda: make_link(self.database.backend, name))
        expected = outcome_of(lambda: self.agents.make_link(name))
        assert made is expected if expected is not None else isinstance(made, tuple)

    def _rename_the_agent_alone(self, name: str, new_name: str) -> None:
        """Renames as another client does, who knows the table of the agents alone."""
        self.database.execute("UPDATE dbo.agents SET agent = %s WHERE agent = %s", new_name, name)
        self.floor.agents = [
            (new_name if self._same(other, name) else other, status) for other, status in self.floor.agents
        ]
