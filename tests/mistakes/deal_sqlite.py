"""Mistakes in the deal, the preview and the undo on SQLite."""

from __future__ import annotations

from mistakes.places import (
    ASSIGN,
    ON_AGAIN,
    ON_CASE,
    ON_DEAL,
    ON_PREVIEW,
    ON_PROMISES,
    ON_REFUSALS,
    ON_ROWS,
    ON_SCHEDULE,
    ON_UNDO,
    ON_UNDO_REFUSALS,
    P_SQLITE,
    PLAN,
    PREVIEW,
    UNDO,
    Mistake,
)

MISTAKES = (
    Mistake(
        "SQLite deal: the locks come before the parameters",
        P_SQLITE, "if TAKE_LOCKS in parts:", "if not TAKE_LOCKS:",
        ON_AGAIN, "the_first_one_is_returned", "sqlite",
    ),
    Mistake(
        "SQLite deal: a run a moment after another needs no confirmation",
        PLAN, "WHERE r.seconds > -120 AND r.seconds < 120;", "WHERE r.seconds > -120 AND r.seconds < 60;",
        ON_AGAIN, "two_minutes_after", "sqlite",
    ),
    Mistake(
        "SQLite deal: just after its time, the scheduled run does not count as about to come",
        PLAN, "WHERE s.seconds > -60 AND", "WHERE s.seconds > 0 AND",
        ON_AGAIN, "shortly_before_the_scheduled", "sqlite",
    ),
    Mistake(
        "SQLite deal: the scheduled run is refused, too",
        PLAN, "WHERE :trigger = 'manual' AND :again = 0", "WHERE :again = 0",
        ON_AGAIN, "never_refused_for_these", "sqlite",
    ),
    Mistake(
        "SQLite deal: an empty pool needs no confirmation",
        PLAN, "WHERE NOT EXISTS (SELECT 1 FROM temp.pool)\nHAVING", "WHERE 1 = 0\nHAVING",
        ON_AGAIN, "only_empty_the_lists", "sqlite",
    ),
    Mistake(
        "SQLite deal: the notice counts undone runs",
        PLAN, "WHERE r.business_date = :business_date AND r.status = 'succeeded'\n",
        "WHERE r.business_date = :business_date\n",
        ON_AGAIN, "failed_attempts_and_undone or second_run", "sqlite",
    ),
    Mistake(
        "deal: the window reaches a day farther back",
        PLAN, "(SELECT u.window_days FROM", "(SELECT u.window_days + 1 FROM",
        ON_DEAL, "window_begins", "sqlite",
    ),
    Mistake(
        "deal: the first moment of the window is out",
        PLAN, "AND w.date >= (SELECT", "AND w.date > (SELECT",
        ON_DEAL, "window_begins or iso_8601", "sqlite",
    ),
    Mistake(
        "deal: leads at stage 4 are dealt",
        PLAN, "WHERE w.stage < 4", "WHERE w.stage <= 4",
        ON_DEAL, "stage_3_becomes_4", "sqlite",
    ),
    Mistake(
        "deal: do-not-contact is ignored",
        PLAN, "WHERE number IN (SELECT m.number FROM temp.matched AS m WHERE m.listed)", "WHERE FALSE",
        ON_DEAL, "on_the_do_not_contact_list", "sqlite",
    ),
    Mistake(
        "deal: two spellings of one moment are both first",
        PLAN, "r.moment END,\n            r.number,\n            r.date\n", "r.moment END\n",
        ON_ROWS, "two_spellings", "sqlite",
    ),
    Mistake(
        "deal: a second record of a number is dealt",
        PLAN, "c.occurrence > 1 THEN 1", "c.occurrence > 2 THEN 1",
        ON_DEAL, "one_number_in_several_rows", "sqlite",
    ),
    Mistake(
        "deal: a further row of a record is a record of its own",
        PLAN, "WHEN c.ordinal <> c.first_ordinal THEN 4", "WHEN c.ordinal < c.first_ordinal THEN 4",
        ON_DEAL, "equal_rows_are_one", "sqlite",
    ),
    Mistake(
        "deal: the rotation is lost",
        PLAN, "ORDER BY a.agent <= coalesce((SELECT t.previous_agent FROM temp.this_run AS t), ''), a.agent",
        "ORDER BY a.agent",
        ON_DEAL, "after_the_place_of_an_agent or an_undone_run", "sqlite",
    ),
    Mistake(
        "deal: a run that dealt nothing moves the seats",
        PLAN, "r.status = 'succeeded' AND r.assigned > 0", "r.status = 'succeeded'",
        ON_DEAL, "deals_nothing_does_not_change", "sqlite",
    ),
    Mistake(
        "deal: an undone run moves the seats",
        PLAN, "r.status = 'succeeded' AND r.assigned > 0", "r.status <> 'failed' AND r.assigned > 0",
        ON_DEAL, "an_undone_run_does_not_change", "sqlite",
    ),
    Mistake(
        "deal: a limit does not count on its first day",
        PLAN, "m.starts_on <= :business_date", "m.starts_on < :business_date",
        ON_DEAL, "its_first_and_its_last_day", "sqlite",
    ),
    Mistake(
        "deal: a limit does not count on its last day",
        PLAN, "m.ends_on >= :business_date", "m.ends_on > :business_date",
        ON_DEAL, "its_first_and_its_last_day", "sqlite",
    ),
    Mistake(
        "deal: the highest of several limits counts",
        PLAN, "min(m.max_records) AS", "max(m.max_records) AS",
        ON_DEAL, "lowest_of_several", "sqlite",
    ),
    Mistake(
        "deal: the cap is one too high",
        PLAN, "min(u.max_per_agent, coalesce(l.max_records, u.max_per_agent)) AS room",
        "min(u.max_per_agent + 1, coalesce(l.max_records, u.max_per_agent + 1)) AS room",
        ON_DEAL, "beyond_450", "sqlite",
    ),
    Mistake(
        "deal: blocks instead of rounds",
        PLAN, "h.seat = (p.position - s.first_position) % s.agents",
        "h.seat = (p.position - s.first_position) * s.agents / (s.last_position - s.first_position + 1)",
        ON_DEAL, "worked_example", "sqlite",
    ),
    Mistake(
        "deal: who is full early gets the first leads",
        PLAN, "WHERE EXISTS (SELECT 1 FROM temp.quota AS l WHERE l.group_leads > 0)", "WHERE FALSE",
        ON_PROMISES, "same_mix", "sqlite",
    ),
    Mistake(
        "deal: with equal fractions, the limited agents come first",
        PLAN, "(2.0 * q.slots), q.group_leads;", "(2.0 * q.slots), -q.group_leads;",
        ON_DEAL, "limit_of_one", "sqlite",
    ),
    Mistake(
        "deal: the tie-breaker is turned round",
        PLAN, "r.moment END,\n    r.ordinal;", "r.moment END,\n    -r.ordinal;",
        ON_DEAL, "fewest_attempts", "sqlite",
    ),
    Mistake(
        "deal: newest_first is forgotten",
        PLAN, "THEN -r.moment ELSE r.moment END,\n    r.ordinal;", "THEN r.moment ELSE r.moment END,\n    r.ordinal;",
        ON_DEAL, "newest_first", "sqlite",
    ),
    Mistake(
        "deal: an agent without a name is dealt to",
        PLAN, " AND trim(agents.agent) <> ''", "",
        ON_DEAL, "without_a_name", "sqlite",
    ),
    Mistake(
        "deal: a status with blanks around it is not active",
        PLAN, "lower(trim(agents.status)) = 'active'", "lower(agents.status) = 'active'",
        ON_DEAL, "several_rows_is_one_agent or any_row", "sqlite",
    ),
    Mistake(
        "deal: the cap may be beyond its range",
        PLAN, "BETWEEN 1 AND 1000000\n", "BETWEEN 1 AND 1000001\n",
        ON_REFUSALS, "out_of_range", "sqlite",
    ),
    Mistake(
        "deal: the window may be beyond its range",
        PLAN, "BETWEEN 0 AND 36500\n", "BETWEEN -1 AND 36500\n",
        ON_REFUSALS, "out_of_range", "sqlite",
    ),
    Mistake(
        "deal: a lead moves on by two stages",
        ASSIGN, "SET stage = wafunnel.stage + (wafunnel.stage < 4)", "SET stage = wafunnel.stage + 2",
        ON_DEAL, "stage_3_becomes_4", "sqlite",
    ),
    Mistake(
        "deal: the old assignments stay",
        ASSIGN, "DELETE FROM agent_wafunnel_assignment;\n", "",
        ON_DEAL, "run_with_an_empty_pool", "sqlite",
    ),
    Mistake(
        "deal: history is emptied instead of the assignments",
        ASSIGN, "DELETE FROM agent_wafunnel_assignment;\n", "DELETE FROM assignment_history WHERE run_id < 0;\n",
        ON_DEAL, "run_with_an_empty_pool", "sqlite",
    ),
    Mistake(
        "deal: an undone scheduled run is made again",
        ASSIGN, "= :business_date AND r.status IN ('succeeded', 'undone');",
        "= :business_date AND r.status IN ('succeeded');",
        ON_REFUSALS, "undone_scheduled_run", "sqlite",
    ),
    Mistake(
        "deal: a date that was settled gets its run all the same",
        ASSIGN, "WHERE :trigger = 'schedule' AND o.business_date = :business_date",
        "WHERE :trigger = 'manual' AND o.business_date = :business_date",
        ON_SCHEDULE, "settled_once", "sqlite",
    ),
    Mistake(
        "deal: per_agent is rounded down",
        ASSIGN, "(a.pool + a.agents - 1) / a.agents", "a.pool / a.agents",
        ON_DEAL, "worked_example", "sqlite",
    ),
    Mistake(
        "deal: an agent who got too much is not noticed",
        ASSIGN, "WHERE s.leads > s.room\n", "WHERE s.leads > s.room + 1000\n",
        ON_REFUSALS, "not (out_of_range or schedule)", "sqlite",
    ),
    Mistake(
        "undo: what somebody put into the assignments is forgotten",
        ASSIGN, "WHERE h.number IS NULL OR v.copies > 1;", "WHERE v.copies > 1;",
        ON_UNDO, "others_have_edited", "sqlite",
    ),
    Mistake(
        "undo: what somebody took out of the assignments comes back",
        ASSIGN, "WHERE a.number IS NULL;\n\nDELETE", "WHERE 1 = 0;\n\nDELETE",
        ON_UNDO, "others_have_edited", "sqlite",
    ),
    Mistake(
        "undo: a lead that somebody changed goes back",
        UNDO, "h.stage + (h.stage < 4) = +wafunnel.stage", "h.stage < +wafunnel.stage",
        ON_UNDO, "were_changed_since", "sqlite",
    ),
    Mistake(
        "undo: a listed number comes back",
        UNDO, "SELECT f.agent, f.number FROM temp.former AS f\nWHERE NOT f.suppressed;",
        "SELECT f.agent, f.number FROM temp.former AS f;",
        ON_UNDO, "listed_since", "sqlite",
    ),
    Mistake(
        "undo: edits come back once, however often they were there",
        UNDO, "WHERE p.copies > 1\n", "WHERE p.copies > 2\n",
        ON_UNDO, "without_keys", "sqlite",
    ),
    Mistake(
        "undo: the assignments of the run itself come back",
        UNDO, "r.run_id < m.last_id", "r.run_id <= m.last_id",
        ON_UNDO, "one_run_at_a_time", "sqlite",
    ),
    Mistake(
        "undo: a purged deal before the run is not noticed",
        UNDO, "p.run_id IN (l.last_id, l.base_id)", "p.run_id IN (l.last_id)",
        ON_UNDO_REFUSALS, "needs_purged_history", "sqlite",
    ),
    Mistake(
        "preview: a lead of seven days is counted as older",
        PREVIEW, "c.days <= 7", "c.days < 7",
        ON_PREVIEW, "is_previewed or what_the_preview_said", "sqlite",
    ),
    Mistake(
        "preview: a lead that stays is counted as changing hands",
        PREVIEW, "FILTER (WHERE h.held AND NOT h.same)", "FILTER (WHERE h.held)",
        ON_PREVIEW, "is_previewed", "sqlite",
    ),
    Mistake(
        "deal: a record behind a listed one counts as waiting",
        PLAN, "WHEN record.kind IN (0, 5) AND c.occurrence > 1 THEN 1", "WHEN c.occurrence > 1 THEN 1",
        ON_ROWS, "count_as_suppressed", "sqlite",
    ),
    Mistake(
        "preview: an agent of another case is taken for the one who has a lead",
        PREVIEW, "p.number = d.number AND p.agent = d.agent", "p.number = d.number AND lower(p.agent) = lower(d.agent)",
        ON_CASE, "preview_confuses", "sqlite",
    ),
    Mistake(
        "undo: an edit of another case hides a pair of the deal before",
        UNDO, "e.number = h.number AND e.agent = h.agent", "e.number = h.number AND lower(e.agent) = lower(h.agent)",
        ON_CASE, "edits_of_the_other_case", "sqlite",
    ),
)  # fmt: skip
