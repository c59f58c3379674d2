"""Mistakes in hand-backs, on both engines."""

from __future__ import annotations

from mistakes.places import OUTCOMES, T_OUTCOMES, Mistake

_SQLITE, _SQLSERVER = "src/agent_funnel/sql/sqlite", "src/agent_funnel/sql/sqlserver"
HAND_BACKS, T_HAND_BACKS = f"{_SQLITE}/hand_backs.sql", f"{_SQLSERVER}/hand_backs/sp_hand_back_leads.sql"
W_HAND_BACKS, ON_WEB = "src/agent_funnel/web/pages/hand_backs.py", "tests/web/test_hand_backs.py"
ON_HAND_BACKS = "tests/backend/test_hand_backs.py"

MISTAKES = (
    Mistake(
        "hand-backs: leads with an outcome go back, too",
        HAND_BACKS, "WHERE o.run_id = h.run_id AND o.number = h.number AND o.stands = 1", "WHERE FALSE",
        ON_HAND_BACKS, "without_an_outcome", "sqlite",
    ),
    Mistake(
        "hand-backs: an older list than the agent has seen is handed back",
        HAND_BACKS, "WHEN :run_id <> n.run_id\n", "WHEN FALSE\n", ON_HAND_BACKS, "dealt_next", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: an older list than the agent has seen is handed back",
        T_HAND_BACKS, "WHEN @run_id <> @newest_id\n", "WHEN 1 = 0\n", ON_HAND_BACKS, "dealt_next", "sqlserver",
    ),
    Mistake(
        "hand-backs: one is undone after the next deal",
        HAND_BACKS, "t.run_id IS NOT t.newest_id", "FALSE", ON_HAND_BACKS, "dealt_next", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: one is undone after the next deal",
        T_HAND_BACKS, "(@run_id <> @newest_id OR @newest_id IS NULL)", "1 = 0", ON_HAND_BACKS, "dealt_next",
        "sqlserver",
    ),
    Mistake(
        "T-SQL hand-backs: the stage of a lead that somebody changed moves, too",
        T_HAND_BACKS, " " * 28 + "AND w.stage = t.stage + CASE @undo WHEN 1 THEN 0 ELSE 1 END", "",
        ON_HAND_BACKS, "somebody_changed", "sqlserver",
    ),
    Mistake(
        "hand-backs: a hand-back hides a report from before it",
        OUTCOMES, "EXISTS (SELECT 1 FROM assignment_hand_back_lead AS l WHERE l.outcome_id = o.outcome_id),\n", "",
        ON_HAND_BACKS, "from_before_a_hand_back", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: a hand-back hides a report from before it",
        T_OUTCOMES, "WHERE l.outcome_id = o.outcome_id\n", "WHERE 1 = 0\n",
        ON_HAND_BACKS, "from_before_a_hand_back", "sqlserver",
    ),
    Mistake(
        "hand-backs: a lead that is taken back alone goes to the agent who was dealt it",
        OUTCOMES, "coalesce(b.agent, o.agent) AS agent", "o.agent", ON_HAND_BACKS, "given_by_hand", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: a lead that is taken back alone goes to the agent who was dealt it",
        T_OUTCOMES, "SELECT @holder = b.agent\n", "SELECT @holder = @holder\n",
        ON_HAND_BACKS, "given_by_hand", "sqlserver",
    ),
    Mistake(
        "hand-backs: a number in another spelling comes back a second time",
        HAND_BACKS, "a.number = s.number COLLATE BINARY", "FALSE", ON_HAND_BACKS, "given_away_meanwhile", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: a number in another spelling comes back a second time",
        T_HAND_BACKS, "WHERE k.number = t.number AND k.country = @country", "WHERE 1 = 0",
        ON_HAND_BACKS, "given_away_meanwhile", "sqlserver",
    ),
    Mistake(
        "hand-backs: the agent of one keeps the old name",
        f"{_SQLITE}/agents.sql", "UPDATE assignment_hand_back SET agent = :new_name",
        "UPDATE assignment_hand_back SET agent = agent", ON_HAND_BACKS, "go_along", "sqlite",
    ),
    Mistake(
        "hand-backs: a forgotten lead stays on the record of one",
        f"{_SQLITE}/person.sql", "DELETE FROM assignment_hand_back_lead\nWHERE outcome_id",
        "DELETE FROM assignment_hand_back_lead\nWHERE FALSE AND outcome_id", ON_HAND_BACKS, "go_along", "sqlite",
    ),
    Mistake(
        "hand-backs: a call-back that nobody made is used up",
        f"{_SQLITE}/deal/outcomes.sql", "n.stands = 1 AND n.outcome = 'not_worked'", "FALSE",
        ON_HAND_BACKS, "nobody_made", "sqlite",
    ),
    Mistake(
        "T-SQL hand-backs: a call-back that nobody made is used up",
        f"{_SQLSERVER}/deal/sp_assign_wafunnel_to_agents.sql", "AND n.outcome = 'not_worked'", "AND 1 = 0",
        ON_HAND_BACKS, "nobody_made", "sqlserver",
    ),
    Mistake(
        "hand-backs: an agent undoes that of another one",
        W_HAND_BACKS, "actor=actor_of(link), agent=link.agent, hand_back_id", "actor=actor_of(link), hand_back_id",
        ON_WEB, "its_own_list_only", "sqlite",
    ),
    Mistake(
        "hand-backs: the list of a newer deal is handed back unseen",
        W_HAND_BACKS, "hand_back_and_note(link.agent, run_id=run_id,", "hand_back_and_note(link.agent, run_id=None,",
        ON_WEB, "after_a_question", "sqlite",
    ),
    Mistake(
        "Tonight: leads of a hand-back that was undone still wait",
        HAND_BACKS, "WHERE b.run_id = :run_id AND b.undone_at IS NULL\n", "WHERE b.run_id = :run_id\n",
        ON_HAND_BACKS, "since_the_last_deal", "sqlite",
    ),
    Mistake(
        "T-SQL Tonight: leads of a hand-back that was undone still wait",
        f"{_SQLSERVER}/hand_backs.sql", "AND b.run_id = @run_id AND b.undone_at IS NULL", "AND b.run_id = @run_id",
        ON_HAND_BACKS, "since_the_last_deal", "sqlserver",
    ),
    Mistake(
        "doctor: leads that were handed back count as gone",
        f"{_SQLITE}/doctor/deep.sql", "WHERE o.unassigned = 1 AND o.taken_back_at IS NULL", "WHERE FALSE",
        ON_HAND_BACKS, "the_doctor", "sqlite",
    ),
)  # fmt: skip
