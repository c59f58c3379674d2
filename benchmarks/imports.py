"""Compares imports of leads with a bare load of the same file, and ways to load rows into the T-SQL engine.

`python -m benchmarks.imports` imports a million leads into SQLite: from a CSV file as programs write it, from one as
people have it (five columns, a day before the month, numbers with marks), and 100,000 from a workbook. Each import is
the command as users call it, in a process of its own, for which the table has processor time, seconds and peak memory.
The bare load is a process that reads the same file and inserts the same number of rows, and checks nothing.

On the T-SQL engine that FUNNEL_TEST_SQLSERVER_URL names, it imports 100,000 leads, and then loads 20,000 rows into a
temporary table in several ways, each on a connection of its own. The engine's processor time is taken from the system
where its sessions are processes of this machine, as those of Babelfish are.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click
import pymssql
from openpyxl import Workbook
from pymssql import _mssql
from sqlalchemy.engine import make_url

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.databases import MISSING, sqlserver_database, sqlserver_schema, sqlserver_url

FIRST = datetime(2026, 1, 1)
# Reads a file and inserts as many rows as it has, without any check:
BARE = """
import csv, sqlite3, sys
path, database = sys.argv[1:]
if path.endswith(".xlsx"):
    from python_calamine import CalamineWorkbook
    rows = ([str(cell) for cell in row] for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows())
else:
    rows = csv.reader(open(path, encoding="utf-8", newline=""), delimiter=";" if "people" in path else ",")
at = (1, 3) if "people" in path else (0, 2)
header = next(rows)
connection = sqlite3.connect(database)
connection.execute("CREATE TABLE lead (number TEXT PRIMARY KEY, stage INTEGER, date TEXT)")
connection.executemany("INSERT INTO lead VALUES (?, 1, ?)", ((row[at[0]], row[at[1]]) for row in rows))
connection.commit()
"""


def leads(count: int) -> Iterator[tuple[str, int, datetime]]:
    """Leads in no order, each number once."""
    for index in range(count):
        number = f"+55119{index * 7_368_787 % 100_000_000:08d}"
        yield number, 1 + index % 4, FIRST + timedelta(seconds=index * 7_919 % 3_456_000)


def as_people_have_it(number: str, moment: datetime | str, index: int) -> list[Any]:
    shown = f"{number[:3]} ({number[3:5]}) {number[5:10]}-{number[10:]}"
    return [f"João Silva {index}", shown, f"joao{index}@example.com", moment, "Instagram"]


PEOPLE = ["Nome", "Telefone", "E-mail", "Criado em", "Origem"]


def write_files(directory: Path, count: int) -> dict[str, Path]:
    """The files that are imported."""
    files = {name: directory / name for name in ("programs.csv", "people.csv", "people.xlsx")}
    with files["programs.csv"].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "stage", "date"])
        writer.writerows(leads(count))
    with files["people.csv"].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(PEOPLE)
        for index, (number, _, moment) in enumerate(leads(count)):
            writer.writerow(as_people_have_it(number, f"{moment:%d/%m/%Y %H:%M}", index))
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(PEOPLE)
    for index, (number, _, moment) in enumerate(leads(count // 10)):
        sheet.append(as_people_have_it(number, moment, index))
    book.save(files["people.xlsx"])
    return files


@dataclass(frozen=True)
class Used:
    """What a process used: seconds on the clock and of the processor, and its peak memory in MB."""

    seconds: float
    processor: float
    memory: float


def run(*arguments: str) -> Used:
    """Runs a Python program to its end."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)[:200]} failed")
    return Used(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(files: dict[str, Path], directory: Path, rounds: int) -> None:
    """Prints what each import used, and its ratio to the bare load."""
    for name, path in files.items():
        imports: list[Used] = []
        ratios: list[float] = []
        for each in range(rounds):
            url, bare = f"sqlite:///{directory / f'{name}-{each}.db'}", directory / f"bare-{name}-{each}.db"
            command = ("-m", "agent_funnel", "--database-url", url)
            run(*command, "install")
            imports.append(run(*command, "import", "leads", str(path)))
            ratios.append(imports[-1].processor / run("-c", BARE, str(path), str(bare)).processor)
        middle = sorted(imports, key=lambda used: used.processor)[rounds // 2]
        print(
            f"sqlite: {name}: {middle.processor:.1f} s of processor time, {middle.seconds:.1f} s, "
            f"{middle.memory:.0f} MB; ratio to a bare load {statistics.median(ratios):.1f} "
            f"({min(ratios):.1f} to {max(ratios):.1f})",
            flush=True,
        )


STAGED = "CREATE TABLE #staged (line INT, first NVARCHAR(255), second NVARCHAR(255), third NVARCHAR(255))"
INSERT = "INSERT INTO #staged (line, first, second, third) "
Rows = list[tuple[int, str, str, str]]
Way = Callable[[Any, Rows], None]


def by_json(connection: Any, rows: Rows) -> None:
    """As imports do it: one JSON text, which the server takes apart."""
    connection.cursor().execute(
        f"{INSERT} SELECT j.line, j.first, j.second, j.third FROM OPENJSON (%s) WITH (line INT '$[0]', "
        "first NVARCHAR(255) '$[1]', second NVARCHAR(255) '$[2]', third NVARCHAR(255) '$[3]') AS j",
        (json.dumps(rows, separators=(",", ":")),),
    )


def by_values(connection: Any, rows: Rows) -> None:
    """A thousand rows in each statement, the most that VALUES may have."""
    cursor = connection.cursor()
    for begin in range(0, len(rows), 1000):
        part = rows[begin : begin + 1000]
        marks = ", ".join(["(%s, %s, %s, %s)"] * len(part))
        cursor.execute(f"{INSERT} VALUES {marks}", tuple(value for row in part for value in row))


def by_split(connection: Any, rows: Rows) -> None:
    """One text of lines with tabs, which the server splits."""
    connection.cursor().execute(
        f"{INSERT} SELECT CAST(LEFT(v.value, a.at - 1) AS INT), SUBSTRING(v.value, a.at + 1, b.at - a.at - 1), "
        "SUBSTRING(v.value, b.at + 1, c.at - b.at - 1), SUBSTRING(v.value, c.at + 1, 255) "
        "FROM STRING_SPLIT(%s, NCHAR(10)) AS v "
        "CROSS APPLY (SELECT CHARINDEX(NCHAR(9), v.value) AS at) AS a "
        "CROSS APPLY (SELECT CHARINDEX(NCHAR(9), v.value, a.at + 1) AS at) AS b "
        "CROSS APPLY (SELECT CHARINDEX(NCHAR(9), v.value, b.at + 1) AS at) AS c",
        ("\n".join("\t".join(map(str, row)) for row in rows),),
    )


def by_bulk_copy(connection: Any, rows: Rows) -> None:
    """The bulk copy of TDS."""
    connection.bulk_copy("#staged", rows, batch_size=len(rows))


WAYS: dict[str, tuple[Way, int]] = {
    "OPENJSON, 20,000 rows at a time": (by_json, 20_000),
    "OPENJSON, 5,000 rows at a time": (by_json, 5_000),
    "VALUES, 1,000 rows at a time": (by_values, 20_000),
    "STRING_SPLIT, 5,000 rows at a time": (by_split, 5_000),
    "bulk copy, 20,000 rows at a time": (by_bulk_copy, 20_000),
}


def server_time(session: object) -> float:
    """The processor time of a session that is a process of this machine; 0 if it is none."""
    try:
        fields = Path(f"/proc/{session}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare_ways(url: str, count: int) -> None:
    """Prints what each way to load rows used."""
    address = make_url(url)
    rows = [
        (line, number, str(stage), moment.isoformat(" ", "milliseconds"))
        for line, (number, stage, moment) in enumerate(leads(count), start=2)
    ]
    for name, (way, size) in WAYS.items():
        connection = pymssql.connect(
            server=address.host or "", port=str(address.port), user=address.username, password=address.password,
            database=address.database or "", tds_version="7.4", autocommit=True,
        )  # fmt: skip
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT @@SPID")
            ((session,),) = cursor.fetchall()
            cursor.execute(STAGED)
            began, server, own = time.perf_counter(), server_time(session), time.process_time()
            left = iter(rows)
            while part := list(islice(left, size)):
                way(connection, part)
            print(
                f"  {name}: server {server_time(session) - server:.2f} s, client {time.process_time() - own:.2f} s of "
                f"processor time, {time.perf_counter() - began:.1f} s",
                flush=True,
            )
        except (pymssql.Error, _mssql.MSSQLException) as error:
            print(f"  {name}: refused by the server ({str(error)[:100]})")
        finally:
            connection.close()


@click.command()
@click.option("--engine", type=click.Choice(["sqlite", "sqlserver"]), multiple=True, default=["sqlite", "sqlserver"])
@click.option("--rounds", default=3, show_default=True)
@click.option("--scale", default=1.0, show_default=True, help="The part of the full size, for a quick look.")
def main(engine: tuple[str, ...], rounds: int, scale: float) -> None:
    """Print what imports use, and their ratio to a bare load of the same file."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "sqlite" in engine:
            compare(write_files(directory, int(1_000_000 * scale)), directory, rounds)
        if "sqlserver" not in engine:
            return
        if sqlserver_url() is None:
            print(MISSING)
            return
        count = int(100_000 * scale)
        path = write_files(directory, count)["programs.csv"]
        with sqlserver_database("funnel_bench") as url, sqlserver_schema(url, "dbo"):
            used = run("-m", "agent_funnel", "--database-url", url, "import", "leads", str(path))
            print(f"sqlserver: {count} leads in {used.seconds:.1f} s, {used.processor:.1f} s of processor time here")
            compare_ways(url, max(1, count // 5))


if __name__ == "__main__":
    main()
