"""Models of requests that import files, for the API and for the forms of pages."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from flask_openapi3 import RawModel
from pydantic import Field

from agent_funnel.files.tables import Choices
from agent_funnel.web.fields import Delimiter, KeyText, Text
from agent_funnel.web.request_models import RequestModel
from agent_funnel.web.uploads import FILE_TYPES

DELIMITERS_BY_NAME = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}

DateOrderChoice = Annotated[
    Literal["dmy", "mdy", "ymd"] | None, Field(description="The order of day, month and year in dates.")
]


class TableBody(RawModel):
    """A file: CSV or TSV in any usual form, or a workbook (XLSX, ODS)."""

    mimetypes: ClassVar[list[str]] = list(FILE_TYPES)  # type: ignore[misc]


class FileQuery(RequestModel):
    """How to read a file, where it leaves that open."""

    sheet: KeyText | None = Field(None, description="The sheet of a workbook. Default: the first one.")
    delimiter: Delimiter | None = Field(None, description="The delimiter of a text.")
    encoding: KeyText | None = Field(None, description="The encoding of a text, such as cp1252.")
    forget_columns: bool = Field(
        False, description="Forget the columns that were chosen before for files with these names of columns."
    )

    def choices(self) -> Choices:
        """The choices of how to read the file. A column that is chosen as an empty text is left out."""
        given = self.model_dump()
        columns = {
            name.removesuffix("_column"): value
            for name, value in given.items()
            if name.endswith("_column") and value is not None
        }
        delimiter = DELIMITERS_BY_NAME[self.delimiter] if self.delimiter else None
        return Choices(
            columns, given.get("dates"), self.sheet or None, delimiter, self.encoding or None, self.forget_columns
        )


class ImportOptions(FileQuery):
    """The options of an import."""

    dry_run: bool = Field(False, description="Check the file, and import nothing.")
    file_name: KeyText | None = Field(None, description="The name of the file, for the record of the import.")
    skip_bad: bool = Field(False, description="Import the good rows of a file with bad ones.")


class ImportQuery(ImportOptions):
    """The options of an import that every kind of rows has."""

    bad_rows_file: bool = Field(
        False,
        description="With dry_run: the answer is a CSV file of the bad rows, the first ten thousand, each with its "
        "reason, to correct and import them.",
    )

    def rules(self) -> dict[str, Any]:
        """The rules of this kind, as arguments of an import: whether it updates, or takes limits of new agents."""
        return self.model_dump(include={"update", "new_agents"})


class LeadsImportQuery(ImportQuery):
    """The options of an import of leads."""

    number_column: KeyText | None = Field(None, description="The name of the column of the numbers.")
    stage_column: KeyText | None = Field(
        None, description="The name of the column of the stages; empty: every lead has stage 1."
    )
    date_column: KeyText | None = Field(
        None, description="The name of the column of the dates; empty: every lead has today's."
    )
    update: bool = Field(
        False, description="Set stages and dates of leads that are there, in one record each, to those of the file."
    )
    dates: DateOrderChoice = None


class AgentsImportQuery(ImportQuery):
    """The options of an import of agents."""

    agent_column: KeyText | None = Field(None, description="The name of the column of the names.")
    status_column: KeyText | None = Field(
        None, description="The name of the column of the statuses; empty: every agent is active."
    )
    update: bool = Field(False, description="Set the status of agents that are there to that of the file.")


class LimitsImportQuery(ImportQuery):
    """The options of an import of limits and absences."""

    agent_column: KeyText | None = Field(None, description="The name of the column of the agents.")
    max_records_column: KeyText | None = Field(
        None, description="The name of the column of the leads per night; empty: every row is an absence."
    )
    starts_on_column: KeyText | None = Field(None, description="The name of the column of the first days.")
    ends_on_column: KeyText | None = Field(
        None, description="The name of the column of the last days; empty: no limit has an end."
    )
    new_agents: bool = Field(False, description="Take limits of agents who are yet to come, too.")
    dates: DateOrderChoice = None


class HolidaysImportQuery(ImportQuery):
    """The options of an import of holidays."""

    day_column: KeyText | None = Field(None, description="The name of the column of the days.")
    name_column: KeyText | None = Field(None, description="The name of the column of the names; empty: none.")
    dates: DateOrderChoice = None


class NumbersImportQuery(ImportOptions):
    """The options of an import of numbers to a do-not-contact list."""

    number_column: KeyText | None = Field(None, description="The name of the column of the numbers.")
    list_name: Text
    reason_column: KeyText | None = Field(None, description="The name of the column of the reasons; empty: none.")
    replace: bool = Field(False, description="Remove what an import put on the list and the file lacks.")
    confirm: bool = Field(False, description="Replace even if that removes more than a tenth.")
