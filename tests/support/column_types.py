"""Your three tables with columns of each type that works, and the values that such columns can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from support.databases import TestedDatabase
from support.nights import Case, Night

# CHAR columns of this width add blanks to each text:
WIDTH = 20


@dataclass(frozen=True)
class Shape:
    """The types of the columns of your three tables."""

    key: str  # of agents and numbers
    stage: str
    date: str

    @property
    def whole(self) -> bool:
        """Whether agents and numbers are whole numbers."""
        return self.key in ("INT", "BIGINT")

    def statements(self, engine: str) -> tuple[str, ...]:
        """The statements that create the tables on an engine, two of them with an identity."""
        row = "id INTEGER PRIMARY KEY AUTOINCREMENT" if engine == "sqlite" else "id INT IDENTITY(1, 1)"
        return (
            f"CREATE TABLE dbo.agents (agent {self.key}, status VARCHAR(20))",
            f"CREATE TABLE dbo.wafunnel ({row}, number {self.key}, stage {self.stage}, date {self.date})",
            f"CREATE TABLE dbo.agent_wafunnel_assignment ({row}, agent {self.key}, number {self.key})",
        )

    def key_of(self, values: dict[str, str]) -> Callable[[str | None], str | None]:
        """A function from a name or a number to one that the column can hold; `values` remembers them."""

        def key(text: str | None) -> str | None:
            if text is None or (self.whole and not text.strip()):
                return None
            if self.whole:
                # Of several lengths, so that they sort differently as numbers and as texts.
                first = (1_000_000, 30_000, 2_000_000_000 if self.key == "INT" else 4_930_000_000_000)[len(values) % 3]
                return values.setdefault(text, str(first + len(values) * 7919 % 10_007))
            return text.ljust(WIDTH) if self.key.startswith("CHAR") else text

        return key

    def date_of(self, moment: datetime | None) -> datetime | None:
        """The date that the column can hold."""
        if moment is None or self.date in ("DATETIME", "DATETIME2(3)"):
            return moment
        if self.date == "DATE":
            return moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return min(max(moment, datetime(1900, 1, 1)), datetime(2079, 6, 6)).replace(second=0, microsecond=0)

    def stage_of(self, stage: int | None) -> int | None:
        """The stage that the column can hold."""
        return 0 if stage is not None and stage < 0 and self.stage == "TINYINT" else stage


SHAPES = {
    "char, tinyint, date": Shape(f"CHAR({WIDTH})", "TINYINT", "DATE"),
    "nvarchar, smallint, smalldatetime": Shape("NVARCHAR(60)", "SMALLINT", "SMALLDATETIME"),
    "int, bigint, datetime": Shape("INT", "BIGINT", "DATETIME"),
    "bigint, int, datetime2": Shape("BIGINT", "INT", "DATETIME2(3)"),
}


def fitted(case: Case, shape: Shape) -> Case:
    """A case with other values where the columns cannot hold its own."""
    agent, number = shape.key_of({}), shape.key_of({})

    def night_of(night: Night) -> Night:
        agents = None if night.agents is None else [(agent(name), status) for name, status in night.agents]
        arrivals = [(number(text), shape.stage_of(stage), shape.date_of(day)) for text, stage, day in night.arrivals]
        return replace(night, agents=agents, arrivals=arrivals)

    return replace(
        case,
        nights=[night_of(night) for night in case.nights],
        limits=[(agent(name) or name, first, last, most) for name, first, last, most in case.limits],
        do_not_contact=[number(text) or text for text in case.do_not_contact],
        assigned_before=[(agent(name), number(text)) for name, text in case.assigned_before],
    )


class ShapedDatabase(TestedDatabase):
    """A database under test around your three tables of a given shape."""

    def __init__(self, url: str, schema: str, shape: Shape) -> None:
        super().__init__(url, schema)
        self.shape = shape
