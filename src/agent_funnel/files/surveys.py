"""A look at all rows of a file, which decides what a single row cannot: the columns, and the order of day and month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from agent_funnel.errors import ImportRefused
from agent_funnel.files.cells import inner_text
from agent_funnel.files.columns import DATE_FIELDS, FIELDS, field_word, without_column
from agent_funnel.files.dates import Ambiguous, DateOrder, order_of
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import sentence, shown_as


class Survey:
    """Counts what the columns have. Each row is added once; the findings hold for all of them."""

    def __init__(
        self, kind: str, header: Sequence[str], found: Mapping[str, list[int]], chosen: Mapping[str, str]
    ) -> None:
        self._kind = kind
        self._header = header
        self._found = found
        self._chosen = chosen
        self._values = dict.fromkeys((index for each in found.values() for index in each), 0)
        self._dates = {index: _Dates() for field in DATE_FIELDS for index in found.get(field, [])}
        self._has_digit = dict.fromkeys(found.get("stage", []), False)
        self._blank_stages: set[int] = set()
        self._open = set(range(len(header)))
        # The columns that have a value in any row:
        self.filled: set[int] = set()
        self.stage_words: str | None = None
        if found and not any(header):
            self._values = {0: 0}
            self._dates = {0: _Dates()} if kind == "holidays" else {}

    def add(self, fields: Sequence[str]) -> None:
        """Adds a row."""
        count = len(fields)
        for index in self._values:
            if index < count and fields[index].strip():
                self._values[index] += 1
        if self._open:
            now = {index for index in self._open if index < count and fields[index].strip()}
            self.filled |= now
            self._open -= now
        for index, dates in self._dates.items():
            if index < count:
                dates.add(fields[index])
        for index, has_digit in self._has_digit.items():
            if index < count and not fields[index].strip():
                self._blank_stages.add(index)
            if not has_digit and index < count:
                self._has_digit[index] = any(map(str.isdigit, fields[index]))

    def columns(self, name: str) -> dict[str, int]:
        """The column of each field that the file has. Raises ImportRefused if it lacks the one that it needs."""
        if not any(self._header):
            return {FIELDS[self._kind][0]: 0}
        columns: dict[str, int] = {}
        for field, places in self._found.items():
            chosen = field in self._chosen
            # A field that no row needs is there only if a row has it.
            filled = [index for index in places if self._values[index] or chosen or field == FIELDS[self._kind][0]]
            if field == "stage" and not chosen and filled and not any(self._has_digit[index] for index in filled):
                self.stage_words = self._header[filled[0]]
                continue
            if filled:
                columns[field] = max(filled, key=partial(self._amount, field))
        needed = FIELDS[self._kind][0]
        if needed not in columns:
            raise ImportRefused(without_column(needed, name, self._header))
        for field, index in columns.items():
            for other, place in columns.items():
                if field < other and index == place:
                    raise ImportRefused(
                        sentence(
                            "%(name)s has one column, %(header)s, for %(field)s and %(other)s. Nothing was imported.",
                            name=name,
                            header=repr(self._header[index]),
                            field=field_word(field),
                            other=field_word(other),
                        )
                    )
        return columns

    def has_blank_stage(self, index: int) -> bool:
        """Whether a row has nothing in this column of stages."""
        return index in self._blank_stages

    def _amount(self, field: str, index: int) -> int:
        """How many values a column has; of one with dates, those that can be one."""
        return self._dates[index].possible if field in DATE_FIELDS else self._values[index]

    def instead(self, columns: Mapping[str, int]) -> list[int]:
        """The other columns that can be the number, the best first: rows without it have theirs there.

        A column that a person chose is the only one.
        """
        used = set(columns.values())
        return [each for each in self._found.get("number", []) if each not in used and self._values[each]]

    def has_parts(self, columns: Mapping[str, int]) -> bool:
        """Whether the file has dates whose day and month are numbers."""
        dates = self._of(columns)
        return dates is not None and (dates.undecided is not None or bool(dates.decided))

    def date_order(self, columns: Mapping[str, int], name: str) -> DateOrder | None:
        """The order of day and month that a date of the file decides.

        Raises ImportRefused if some are written in each order, or if no date shows the order of one that needs it.
        """
        dates = self._of(columns)
        if dates is None:
            return None
        if len(dates.decided) > 1:
            first, second = (mask_digits(repr(dates.decided[order])) for order in ("dmy", "mdy"))
            raise ImportRefused(
                shown_as(
                    f"{name} has dates of two kinds: {first} has the day first, and {second} the month. Say which is "
                    "right for the others (--dates dmy or --dates mdy); rows of the other kind are then bad. Nothing "
                    "was imported.",
                    sentence(
                        "%(name)s has dates of two kinds: %(first)s has the day first, and %(second)s the month. "
                        "Choose below which is right for the others; rows of the other kind are then bad. Nothing was "
                        "imported.",
                        name=name,
                        first=first,
                        second=second,
                    ),
                )
            )
        if dates.decided:
            return next(iter(dates.decided))
        if dates.undecided is not None:
            undecided = mask_digits(repr(dates.undecided))
            raise ImportRefused(
                shown_as(
                    f"{name} has dates such as {undecided}, and none of them shows whether the day or the month comes "
                    "first. Say it: --dates dmy (day first) or --dates mdy (month first). Nothing was imported.",
                    sentence(
                        "%(name)s has dates such as %(undecided)s, and none of them shows whether the day or the month "
                        "comes first. Choose it below: day first or month first. Nothing was imported.",
                        name=name,
                        undecided=undecided,
                    ),
                )
            )
        return None

    def _of(self, columns: Mapping[str, int]) -> _Dates | None:
        """The dates of all columns that are dates; None if there is no such column."""
        found = [self._dates[columns[field]] for field in DATE_FIELDS if columns.get(field) in self._dates]
        if not found:
            return None
        dates = _Dates()
        for each in found:
            dates.decided = each.decided | dates.decided
            dates.undecided = dates.undecided or each.undecided
        return dates

    def notes(self, columns: Mapping[str, int]) -> Iterator[str]:
        """What a person should know of the choice of columns."""
        if self.stage_words is not None:
            yield sentence(
                "The column %(column)s has words in place of the stages 1 to 4, and is left out.",
                column=repr(self.stage_words),
            )
        for field, index in columns.items():
            others = [each for each in self._found.get(field, []) if each != index and self._values[each]]
            if not others:
                continue
            shown = [repr(self._header[each]) for each in others[:5]]
            names = {"column": repr(self._header[index]), "others": shown}
            told = " and ".join(shown)
            if field == "number":
                yield shown_as(
                    f"The number is in the column {names['column']}; where that is empty, it is in {told}.",
                    sentence(
                        "The number is in the column %(column)s; where that is empty, it is in %(others)s.", **names
                    ),
                )
            else:
                yield shown_as(
                    f"The column of the {field} is {names['column']}; {told} can be one, too, and is left out.",
                    sentence(
                        "The column of the %(field)s is %(column)s; %(others)s could be it, too, and is left out.",
                        field=field_word(field),
                        **names,
                    ),
                )


class _Dates:
    """The dates of a column: the first one that shows each order, and the first that shows none."""

    def __init__(self) -> None:
        self.decided: dict[DateOrder, str] = {}
        self.undecided: str | None = None
        # How many values have a digit, as every date has:
        self.possible = 0

    def add(self, text: str) -> None:
        if text[4:5] == "-":
            self.possible += 1
            return
        text = inner_text(text)
        self.possible += any(map(str.isdigit, text))
        order = order_of(text)
        if isinstance(order, Ambiguous):
            self.undecided = self.undecided or text
        elif order is not None:
            self.decided.setdefault(order, text)
