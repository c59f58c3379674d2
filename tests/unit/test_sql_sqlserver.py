"""The text of the T-SQL, for facts that no test on Babelfish can show.

A cancelled call ends there with its transaction; on Microsoft's engine it leaves the transaction open, with the locks
of a whole deal, unless XACT_ABORT is on.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from agent_funnel.sql import catalog, installation, procedures, queries, reads, scripts

PROCEDURES = procedures("sqlserver")
# Those that make a run or undo one:
OTHERS = (
    "sp_rename_agent", "sp_forget_number", "sp_report_outcome", "sp_hand_back_leads", "sp_undo_import",
    "sp_update_leads",
)  # fmt: skip
# This one is called within the transaction of an import, whose caller rolls it back.
WITHIN = "sp_update_leads"
OWN_TRANSACTION = [name for name in PROCEDURES if name != WITHIN]
RUNS = [name for name in PROCEDURES if name not in OTHERS]
# The queries that open a transaction of their own and may be refused in it:
CATCHING = {name: text for name, text in queries("sqlserver").items() if "BEGIN CATCH" in text}
# The queries that take a lock, and so wait for a run or for each other:
LOCKED = {
    "run_of_request", "mark_purge", "record_failure", "settle_date", "void_attempt", "void_outcome", "void_run",
    "add_do_not_contact", "apply_do_not_contact", "activate_inactive_agents", "add_agent", "take_in_numbers",
    "record_rules", "note_notice", "keep_staged_keys", "skip_date", "add_key", "add_link", "pause",
}  # fmt: skip
CATCH = re.compile(r"BEGIN CATCH(.*?)END CATCH", re.DOTALL)


def test_a_query_that_writes_only_tables_of_its_own_is_made_again_after_a_deadlock() -> None:
    target = re.compile(r"\b(?:INSERT INTO|DELETE FROM|UPDATE)\s+([@#\w.]+)")
    texts = {name: re.sub("--.*", "", text) for name, text in queries("sqlserver").items()}
    targets = {name: target.findall(text) for name, text in texts.items()}
    own = {name for name, found in targets.items() if found and all(each[0] in "@#" for each in found)}
    assert {"agents", "inactive_agents", "pool_report", "results"} <= own
    assert own - reads("sqlserver") == set()


@pytest.mark.parametrize("name", OWN_TRANSACTION)
def test_a_procedure_begins_with_xact_abort_so_that_a_cancelled_call_leaves_no_transaction(name: str) -> None:
    (body,) = re.findall(r"^BEGIN\n(.*)^END;", PROCEDURES[name], re.DOTALL | re.MULTILINE)
    assert body.split(";")[0].strip() == "SET NOCOUNT ON"
    head = body[body.index("    SET XACT_ABORT OFF;") :].split("DECLARE")[0]
    assert [" ".join(part.split()) for part in re.sub(r"--.*", "", head).split(";")][:8] == [
        # The caller's XACT_ABORT would roll the caller's transaction back when the call is refused.
        "SET XACT_ABORT OFF",
        "IF @@TRANCOUNT > 0 THROW 50006, N'The call is inside a transaction",
        "nothing was changed. End the transaction first.', 1",
        "SET XACT_ABORT ON",
        "SET IMPLICIT_TRANSACTIONS OFF",
        "SET ROWCOUNT 0",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "IF @@LOCK_TIMEOUT = -1 SET LOCK_TIMEOUT 30000",
    ]
    assert body.count("XACT_ABORT OFF") == 1


# The undo of an import writes no assignments.
@pytest.mark.parametrize("name", [name for name in OWN_TRANSACTION if name != "sp_undo_import"])
def test_the_assignments_are_locked_before_any_row_so_that_readers_wait_but_never_deadlock(name: str) -> None:
    """Babelfish ignores these hints, and its readers wait for nobody."""
    write = re.compile(r"^ +(INSERT INTO|UPDATE|DELETE FROM) (dbo\.|w\n)", re.MULTILINE)
    body = PROCEDURES[name].split("ALTER PROCEDURE")[1]
    written = [found.start() for found in write.finditer(body)]
    locked = "FROM dbo.agent_wafunnel_assignment AS a WITH (TABLOCKX, HOLDLOCK)"
    assert body.count(locked) == 1
    assert body.index(locked) < min(written)
    assert ("DELETE FROM dbo.agent_wafunnel_assignment WITH (TABLOCKX);" in PROCEDURES[name]) == (name in RUNS)


@pytest.mark.parametrize("name", ["sp_assign_wafunnel_to_agents", "sp_report_outcome"])
def test_the_help_of_a_procedure_names_every_parameter_with_its_type_and_default(name: str) -> None:
    text = PROCEDURES[name]
    signature = text.split("ALTER PROCEDURE")[1].split("\nAS\n")[0]
    declared = re.findall(r"^    (@\w+) ([A-Z0-9()]+) = ('?\w+'?)", signature, re.MULTILINE)
    helped = re.findall(r"\(\d+, '(@\w+)', '([A-Z0-9()]+)', '(\w+)', ", text)
    assert helped == [(name, kind, default.strip("'")) for name, kind, default in declared]
    assert len(helped) == len(re.findall(r"^    @", signature, re.MULTILINE))


def test_every_transaction_of_a_batch_is_rolled_back_whatever_fails_in_it() -> None:
    for name, text in queries("sqlserver").items():
        if "BEGIN TRANSACTION" in text and name not in CATCHING and name != "run_in_progress":
            assert re.sub(r"--.*", "", text).split(";")[0].strip() == "SET XACT_ABORT ON", name


def test_a_run_is_recorded_after_the_stages_so_that_pages_of_runs_wait_less() -> None:
    text = PROCEDURES["sp_assign_wafunnel_to_agents"]
    assert text.index("SET stage = CASE WHEN w.stage") < text.index("INSERT INTO dbo.assignment_run")


def test_the_procedure_of_an_import_is_refused_outside_its_transaction() -> None:
    text = PROCEDURES[WITHIN]
    refused = text.index("IF @@TRANCOUNT = 0\n        THROW 50006, N'The call is outside")
    assert refused < text.index("sp_getapplock") < text.index("INSERT INTO")


@pytest.mark.parametrize("name", OWN_TRANSACTION)
def test_a_procedure_rolls_back_and_throws_every_error_that_it_catches(name: str) -> None:
    # A block inside may catch errors first; the last block is that of the transaction.
    *inner, caught = CATCH.findall(PROCEDURES[name])
    assert all("THROW;" in block for block in inner)
    assert caught.split() == ["IF", "XACT_STATE()", "<>", "0", "ROLLBACK", "TRANSACTION;", "THROW;"]


def test_a_query_that_opens_a_transaction_rolls_it_back_before_it_throws() -> None:
    assert set(CATCHING) >= LOCKED
    for name, text in CATCHING.items():
        caught = CATCH.findall(text)
        if "BEGIN TRANSACTION" in text:
            # A block inside may catch errors first; the last block is that of the transaction.
            assert caught[-1].split()[:6] == ["IF", "XACT_STATE()", "<>", "0", "ROLLBACK", "TRANSACTION;"], name
        assert all("THROW;" in block for block in caught), name


def test_every_lock_is_checked_for_whether_it_was_granted() -> None:
    texts = {**PROCEDURES, **queries("sqlserver")}
    checked, looks = [], []
    for name, text in texts.items():
        for before, after in pairwise(text.split("sp_getapplock")):
            asked, _, then = after.partition(";")
            if name == "run_in_progress":
                # A look shares the lock of the looks, and lets go of it before it says what it saw.
                assert "@LockMode = 'Shared', @LockOwner = 'Transaction', @LockTimeout = 0" in asked
                assert then.split()[:6] == ["ROLLBACK", "TRANSACTION;", "IF", "@lock", "<", "0"]
                continue
            assert "@LockMode = 'Exclusive', @LockOwner = 'Transaction'" in asked, name
            if "@Resource = @looks" in asked:
                # This lock only shows that a run is in progress; the run goes on without it.
                looks.append(name)
                continue
            checked.append(name)
            assert before.endswith("EXECUTE @lock = "), name
            assert then.split()[:4] == ["IF", "@lock", "<", "0"], name
    # Two of a deal and two of an undo, and one of all else that changes records which a run reads or writes.
    locked = [name for name, query in catalog("sqlserver").items() if query.lock]
    assert sorted(checked) == sorted([*PROCEDURES, *RUNS, *locked])
    assert set(locked) == LOCKED
    assert looks == RUNS


@pytest.mark.parametrize("name", RUNS)
def test_a_run_tries_its_own_lock_and_waits_for_looks_and_records(name: str) -> None:
    """On Microsoft's engine, a session waits without a limit by default."""
    waits = re.findall(r"sp_getapplock[^;]*@LockTimeout = ([^;]+);", PROCEDURES[name])
    assert waits == ["0", "@wait", "@wait"]
    # The head of the procedure gives a limit to a session that has none.
    assert "@wait INT = @@LOCK_TIMEOUT," in PROCEDURES[name]


def test_a_polled_query_with_values_is_sent_with_its_values_apart() -> None:
    """Otherwise the server compiles and keeps a plan for each agent and each secret."""
    polled = [query for query in catalog("sqlserver").values() if "polled" in query.traits]
    assert {query.name for query in polled} >= {"assignments", "key_of_secret", "key_of_session", "deal_version"}
    for query in polled:
        assert "%(" not in query.text, query.name
        used = set(re.findall(r"(?<!@)@\w+", query.text)) - set(re.findall(r"(@\w+) \w+(?:\(\d+\))? = ", query.text))
        assert used == set(re.findall(r"@\w+", query.parameters or "")), query.name
    # The hashes have the type of their columns, whose index could not be used otherwise.
    hashes = [query for query in catalog("sqlserver").values() if "@secret_hash" in (query.parameters or "")]
    assert {query.name for query in hashes} == {"key_of_secret", "key_of_session", "link_of_secret"}
    assert {query.parameters for query in hashes} == {"@secret_hash CHAR(64)"}


# The texts that compare a number or an agent of your tables only byte by byte, so that no index of yours can be used,
# each with its reason. The table of the agents is short, so its names need no index.
WITHOUT_INDEX = {
    "sp_assign_wafunnel_to_agents": "a run reads the table as a whole",
    "sp_undo_wafunnel_assignment": "an undo compares all leads of a run",
    "sp_forget_number": "it also looks for numbers without a match key, as a whole",
    "sp_rename_agent": "it is rare, and compares the agents of the history, too",
    "sp_undo_import": "an undo compares all leads of a file",
    "sp_update_leads": "an import compares all leads of a file",
    "compare_leads": "an import compares all leads of a file",
    "import_leads": "an import compares all leads of a file",
    "leads_alike": "an import compares all leads of a file",
    "numbers_alike": "an import compares all numbers of a file",
    "pool_report": "the report is on all leads",
    "are_numbers_new": "it looks for numbers without a match key",
    "take_in_numbers": "it looks for numbers without a match key",
    "doctor_listed": "the doctor compares all assignments",
    "doctor_unmatched": "the doctor compares all leads",
    "remedy_spellings": "a person runs it, for all leads",
    "remedy_nearly": "a person runs it, for all leads",
    "remedy_numbers": "a person runs it, for all leads",
    "remedy_listed": "a person runs it, for all assignments",
}
FROM = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO) (dbo\.\w+|[#@]\w+)(?: AS (\w+))?")
BYTES = r"CAST\((?:(\w+)\.)?(?:number|agent) AS NVARCHAR\(255\)\) COLLATE Latin1_General_BIN2"
COMPARED_BEFORE, COMPARED_AFTER = re.compile(r"(?:=|<>) $"), re.compile(r" (?:=|<>|IN)(?!\w)")
# A comparison in the type of the column, which ISNULL takes from an empty SELECT of it. After it, the number may be
# compared byte by byte, and then the agent.
TYPED = re.compile(
    r"= ISNULL\( ?\( SELECT (\w+)\.(?:number|agent) FROM dbo\.\w+ AS \1 WHERE 1 = 0 \),(?:(?! AND \w+\.\w+ = ).)*\)"
    rf" AND (?:{BYTES} = [@\w.]+ AND )?$"
)


def test_whatever_compares_a_number_or_an_agent_of_yours_can_use_an_index_or_has_a_reason_not_to() -> None:
    """No plan of Babelfish shows this: PostgreSQL has no conversion from VARCHAR to NVARCHAR that hides an index."""
    typed: set[str] = set()
    alone: set[str] = set()
    for name, script in {**procedures("sqlserver"), **queries("sqlserver")}.items():
        text = " ".join(re.sub(r"--.*", "", script).split())
        for found in re.finditer(BYTES, text):
            before, after = text[: found.start()], text[found.end() :]
            if COMPARED_BEFORE.search(before) or COMPARED_AFTER.match(after):
                table = [known[1] for known in FROM.finditer(before) if found[1] in (None, known[2])][-1]
                if table != "dbo.agents":
                    (typed if TYPED.search(before) else alone).add(name)
        # A column of another table than ours has its own collation, which must not meet that of another column.
        for value in re.findall(r"THEN (CAST\(.*?\)) END", text):
            if name in typed:
                assert re.match(r"CAST\(CAST\([@\w.]+ AS SQL_VARIANT\) AS NVARCHAR\(255\)\)", value), name
    assert alone == set(WITHOUT_INDEX)
    assert typed >= {"assignments", "leads_of_number", "leads_to_hand_back", "call_backs", "sp_report_outcome"}


def test_a_literal_that_is_too_large_for_int_becomes_bigint_and_not_numeric() -> None:
    """A comparison with a NUMERIC literal converts the column, whose index may then not be used."""
    for name, text in queries("sqlserver").items():
        for literal in re.finditer(r"-?\b\d{10,}\b", re.sub(r"'[^']*'|--.*", "", text)):
            if abs(int(literal[0])) > 2**31 - 1:
                before = text[: text.index(literal[0])]
                assigned = re.search(r"@\w+ BIGINT = [^;]*$", before)
                assert assigned or before.endswith("CAST("), f"{name}: {literal[0]}"


def test_the_objects_that_the_installer_lists_are_of_every_kind_that_its_scripts_create() -> None:
    """The test that compares the rights on each object asks for them with this query."""
    types = {"TABLE": "U", "VIEW": "V", "PROCEDURE": "P", "FUNCTION": "FN"}
    texts = scripts("sqlserver")
    created = {
        types[kind]
        for stem in installation("sqlserver")
        for kind in re.findall(r"\bCREATE ([A-Z]+) dbo\.", texts[stem])
    }
    (listed,) = re.findall(r"o\.type IN \((.*?)\)", queries("sqlserver")["objects"])
    assert set(re.findall(r"'(\w+)'", listed)) == created


def test_a_column_of_yours_changes_its_letters_in_the_binary_collation_and_not_in_its_own() -> None:
    """By Turkish rules, the small letter of I is another one than i. A COLLATE after LOWER comes too late."""
    seen = 0
    for name, text in {**procedures("sqlserver"), **queries("sqlserver")}.items():
        for found in re.finditer(r"\b(?:LOWER|UPPER)\(", text):
            argument = _argument(text[found.end() :])
            if re.search(r"\b(?:[a-z]\.)?(?:agent|status|number)\b", argument):
                seen += 1
                assert argument.endswith(" COLLATE Latin1_General_BIN2"), name
    assert seen > 5


def _argument(text: str) -> str:
    """The text up to the parenthesis that closes the call it is in."""
    depth = 1
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return text[:place]
    raise AssertionError(text)


# The statements of a run that read or write as many rows as the pool has, by their beginnings:
AS_MANY_AS_THE_POOL = (
    "INSERT INTO #new_key (", "INSERT INTO #record (", "INSERT INTO #heard (", "UPDATE w\n        SET stage",
    "INSERT INTO dbo.assignment_history (",
)  # fmt: skip


@pytest.mark.parametrize("begin", AS_MANY_AS_THE_POOL)
def test_a_statement_as_large_as_the_pool_has_a_plan_for_this_run_and_not_for_the_run_before(begin: str) -> None:
    """A kept plan knows neither @oldest nor how many rows a temporary table has now. Babelfish ignores the option."""
    text = PROCEDURES["sp_assign_wafunnel_to_agents"]
    assert text.count(begin) == 1
    statement = text[text.index(begin) :].split(";")[0]
    assert statement.endswith("OPTION (RECOMPILE)")
