"""The file of an SQLite database: rights that are missing, network shares, and damage."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_funnel.database import files
from agent_funnel.database.files import network_share, share_among
from agent_funnel.doctor import examine
from agent_funnel.errors import DatabaseDamaged
from agent_funnel.leads import count_rows
from support.command import answer
from support.databases import TestedDatabase, sqlite_database
from support.doctor import only_problem, problems, put_agents_and_leads
from support.nights import run_deal
from support.processes import environment

# The system lets the administrator write to any file. Without this capability it does not:
ADMINISTRATOR = sys.platform != "win32" and os.geteuid() == 0
WITHOUT_CAPABILITIES = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if ADMINISTRATOR else []
where_rights_count = pytest.mark.skipif(
    sys.platform == "win32" or (ADMINISTRATOR and not shutil.which("setpriv")),
    reason="the rights of files do not bind this user",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A directory with the database of a demo; its rights are restored at the end."""
    place = tmp_path / "data"
    place.mkdir()
    answer("demo", "--leads", "300", cwd=place)
    yield place
    place.chmod(0o755)


def run_without_rights(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs `agent-funnel` as a user whom the rights of files bind."""
    return subprocess.run(
        [*WITHOUT_CAPABILITIES, sys.executable, "-m", "agent_funnel", *arguments],
        cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@where_rights_count
def test_a_file_that_may_only_be_read_is_named_with_the_user(folder: Path) -> None:
    (folder / "funnel.db").chmod(0o444)
    seen = f"The user {files.user_name()} may not write to the file {folder / 'funnel.db'}"
    examined = run_without_rights("doctor", cwd=folder)
    assert examined.returncode == 5, examined.stdout + examined.stderr
    assert "x error    writing" in examined.stdout
    assert seen in examined.stdout
    for command in (["run"], ["agents", "add", "Eva"]):
        refused = run_without_rights(*command, cwd=folder)
        assert refused.returncode == 3
        assert f"cannot be written. {seen}" in refused.stderr
        assert "Nothing was changed. Give this user the right to write" in refused.stderr
    assert run_without_rights("agents", "list", cwd=folder).returncode == 0


@where_rights_count
def test_a_directory_that_may_only_be_read_is_named_with_the_user(folder: Path) -> None:
    folder.chmod(0o555)
    seen = f"The user {files.user_name()} may not write to the directory {folder}."
    examined = run_without_rights("doctor", cwd=folder)
    assert examined.returncode == 5
    assert f"may not write to the database's file. {seen}" in examined.stdout
    for command in ("status", "preview", "run"):
        refused = run_without_rights(command, cwd=folder)
        assert refused.returncode == 3, refused.stdout
        assert f"{seen} Nothing was changed. Give this user the right" in refused.stderr


@where_rights_count
def test_a_file_next_to_the_database_that_may_only_be_read_is_named(folder: Path) -> None:
    for suffix in ("-wal", "-shm", "-run", "-looks"):
        path = folder / f"funnel.db{suffix}"
        path.touch()
        path.chmod(0o444)
    done = subprocess.run(
        [
            *WITHOUT_CAPABILITIES, sys.executable, "-c",
            "import sys; from pathlib import Path; from agent_funnel.database.files import missing_rights; "
            "print(missing_rights(Path(sys.argv[1])))",
            str(folder / "funnel.db"),
        ],
        capture_output=True, text=True, env=environment(), timeout=60,
    )  # fmt: skip
    for suffix in ("-wal", "-shm", "-run", "-looks"):
        assert f"the file {folder / 'funnel.db'}{suffix}" in done.stdout, done.stderr


def test_the_trial_of_the_doctor_leaves_nothing_behind(database: TestedDatabase) -> None:
    before = database.execute("SELECT COUNT(*) FROM dbo.assignment_request")
    assert problems(database, "writing") == []
    assert database.execute("SELECT COUNT(*) FROM dbo.assignment_request") == before


# ---- Network shares


MOUNTS = r"""
sysfs /sys sysfs rw 0 0
/dev/sda1 / ext4 rw,relatime 0 0
nas:/export /mnt/floor nfs4 rw,vers=4.2 0 0
//server/share /mnt/Sales\040floor cifs rw 0 0
user@host: /home/x/remote fuse.sshfs rw 0 0
/dev/sdb1 /mnt/floor/local ext4 rw 0 0
nas:/over /srv nfs rw 0 0
/dev/sdc1 /srv xfs rw 0 0
"""


@pytest.mark.skipif(sys.platform == "win32", reason="paths of Linux")
@pytest.mark.parametrize(
    ("path", "share"),
    [
        ("/var/funnel.db", None),
        ("/mnt/floor/a/funnel.db", "nfs4, /mnt/floor"),
        ("/mnt/floors/funnel.db", None),
        ("/mnt/floor/local/funnel.db", None),
        ("/mnt/Sales floor/funnel.db", "cifs, /mnt/Sales floor"),
        ("/home/x/remote/funnel.db", "fuse.sshfs, /home/x/remote"),
        ("/srv/funnel.db", None),
    ],
)
def test_a_file_belongs_to_the_deepest_and_the_last_mount(path: str, share: str | None) -> None:
    assert share_among(MOUNTS, Path(path)) == share


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts of Linux")
def test_a_database_on_a_network_share_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        assert problems(database, "place") == []
        mounts = tmp_path / "mounts"
        mounts.write_text(f"nas:/x {str(tmp_path.resolve()).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n")
        monkeypatch.setattr(files, "MOUNTS", mounts)
        only_problem(database, "place", "warning", r"on a network share \(nfs4, ")
        # A system that does not tell is no problem.
        monkeypatch.setattr(files, "MOUNTS", tmp_path / "missing")
        assert network_share(tmp_path / "funnel.db") is None


# ---- Damage


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        put_agents_and_leads(database, 3_000)
        run_deal(database)
        assert problems(database, "contents") == []
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'wafunnel'")[0]
        (size,) = database.execute("PRAGMA page_size")[0]
        database.close()
        path = database.backend.path
        assert path is not None
        with path.open("r+b") as file:
            # Whole pages of the table of leads are lost, as by a broken disk.
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        (found,) = problems(database, "contents")
        assert found.level == "error"
        assert "is damaged: " in found.text
        with pytest.raises(DatabaseDamaged, match=r"is damaged: .* Nothing was changed\. .*restore a backup"):
            count_rows(database.backend)
        examined = examine(database.backend, now=datetime.now(UTC))
        assert {finding.level for finding in examined if finding.check in ("contents", "stages")} == {"error"}


def test_a_false_alarm_of_sqlite_is_none_of_the_doctor(tmp_path: Path) -> None:
    # SQLite 3.40 reports a NULL for each row of a table as earlier versions made it.
    with sqlite_database(tmp_path, "funnel") as database:
        database.execute("DROP TABLE agent_wafunnel_assignment")
        database.execute(
            "CREATE TABLE agent_wafunnel_assignment "
            "(agent TEXT NOT NULL, number TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"
        )
        put_agents_and_leads(database, 300)
        run_deal(database)
        assert problems(database, "contents") == []
        assert problems(database, "missing values") == []


def test_no_check_of_sqlite_complains_about_a_new_database(tmp_path: Path) -> None:
    with sqlite_database(tmp_path, "funnel") as database:
        put_agents_and_leads(database, 300)
        run_deal(database)
        for check in ("integrity_check", "quick_check"):
            assert database.execute(f"PRAGMA {check}") == [("ok",)]
        with pytest.raises(sqlite3.IntegrityError), closing(database.raw.cursor()) as cursor:
            cursor.execute("INSERT INTO agent_wafunnel_assignment (agent, number) VALUES (NULL, '1')")
