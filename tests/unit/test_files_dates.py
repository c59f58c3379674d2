"""Dates as people write them: none is guessed."""

from __future__ import annotations

import re
from datetime import UTC
from typing import cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_funnel.errors import ImportRefused
from agent_funnel.files import dates
from agent_funnel.files.dates import DateOrder, moment_of, order_of
from support.tables import leads_in, read


def dates_in(*texts: str, **chosen: str) -> list[str]:
    """The dates of leads, or the reasons why they are bad; the texts are quoted."""
    rows = "".join(f'{2197000 + index},"{text}"\n' for index, text in enumerate(texts))
    return [each if isinstance(each, str) else each[2] for each in leads_in(f"number,date\n{rows}", **chosen)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-05", "2026-10-05 00:00:00.000"),
        ("2026-10-05 08:15", "2026-10-05 08:15:00.000"),
        ("2026-10-05T08:15:30.25", "2026-10-05 08:15:30.250"),
        ("2026/10/05 8:15", "2026-10-05 08:15:00.000"),
        ("2026.10.5", "2026-10-05 00:00:00.000"),
        ("2026-10-05 8:15 PM", "2026-10-05 20:15:00.000"),
        ("2026-10-05 12:15 a.m.", "2026-10-05 00:15:00.000"),
        ("2026-10-05 12:15 pm", "2026-10-05 12:15:00.000"),
        # With a zone, in another than the floor's, three hours behind UTC:
        ("2026-10-05T23:15:00Z", "2026-10-05 20:15:00.000"),
        ("2026-10-05T01:15:00+00:00", "2026-10-04 22:15:00.000"),
        ("2026-10-05 08:15:00 -0300", "2026-10-05 08:15:00.000"),
        ("2026-10-05 08:15:00 UTC", "2026-10-05 05:15:00.000"),
        ("2026-10-05 08:15:00 GMT-5", "2026-10-05 10:15:00.000"),
        # Day numbers of spreadsheets:
        ("46300", "2026-10-05 00:00:00.000"),
        ("46300.5", "2026-10-05 12:00:00.000"),
        ("46300,34375", "2026-10-05 08:15:00.000"),
        # With the name of the month:
        ("5 Oct 2026", "2026-10-05 00:00:00.000"),
        ("5-out-2026 08:15", "2026-10-05 08:15:00.000"),
        ("October 5, 2026 8:15 PM", "2026-10-05 20:15:00.000"),
        ("Mon, 5 Oct 2026 08:15:00 -0300", "2026-10-05 08:15:00.000"),
        ("5 de outubro de 2026", "2026-10-05 00:00:00.000"),
        ("segunda-feira, 5 de outubro de 2026", "2026-10-05 00:00:00.000"),
        ("5. März 2026", "2026-03-05 00:00:00.000"),
        ("5 août 2026", "2026-08-05 00:00:00.000"),
        ("5 settembre 2026", "2026-09-05 00:00:00.000"),
        ("5 dic 2026", "2026-12-05 00:00:00.000"),
        # The order of day and month makes no difference, or is plain:
        ("05/05/2026", "2026-05-05 00:00:00.000"),
        ("25/10/2026 08:15", "2026-10-25 08:15:00.000"),
        ("25.10.26", "2026-10-25 00:00:00.000"),
        ("10/25/2026 8:15 PM", "2026-10-25 20:15:00.000"),
        ("25/10/2026 às 08:15", "2026-10-25 08:15:00.000"),
        ("25/10/2026, 08:15:30", "2026-10-25 08:15:30.000"),
        ("25/10/2026 08h15", "2026-10-25 08:15:00.000"),
        ("25.10.2026 - 8:15 Uhr", "2026-10-25 08:15:00.000"),
        ("\u200e25/10/2026\xa0", "2026-10-25 00:00:00.000"),
    ],
)
def test_a_date_is_read_as_it_is_written(text: str, moment: str) -> None:
    assert dates_in(text) == [moment]


def test_one_date_decides_the_order_of_the_whole_file() -> None:
    first, second = "2026-10-05 00:00:00.000", "2026-05-10 00:00:00.000"
    assert dates_in("05/10/2026", "31/10/2026")[0] == first
    assert dates_in("05/10/2026", "10/31/2026")[0] == second
    assert read("number,date\n2197001,05/10/2026\n2197002,31/10/2026\n")[0].dates == "dmy"


def test_where_no_date_decides_it_the_order_is_asked_for() -> None:
    with pytest.raises(ImportRefused, match=r"such as '05/10/2026', and none of them shows .* --dates dmy"):
        dates_in("05/10/2026", "06/06/2026", "2026-10-31")
    assert dates_in("05/10/2026", dates="dmy") == ["2026-10-05 00:00:00.000"]
    assert dates_in("05/10/2026", dates="mdy") == ["2026-05-10 00:00:00.000"]
    assert dates_in("26/10/05", dates="ymd") == ["2026-10-05 00:00:00.000"]


def test_dates_of_both_orders_are_refused_unless_one_is_chosen() -> None:
    with pytest.raises(ImportRefused, match="two kinds: '31/10/2026' has the day first, and '10/31/2026' the month"):
        dates_in("31/10/2026", "10/31/2026")
    assert dates_in("31/10/2026", "10/31/2026", dates="dmy") == [
        "2026-10-31 00:00:00.000",
        "date '10/31/2026' is not a date such as 2026-01-31, 2026-01-31 20:40:00 or 31/01/2026 20:40",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-02-30",
        "31/02/2026",
        "32/01/2026",
        "2026-13-01",
        "20:40",
        "5 Foo 2026",
        "1066-10-14",
        "9999-01-01",
        "2026-10-05 25:00",
        "2026-10-05 13:00 PM",
        "2026-10-05 8",
        "12345",
        "4634",
        "2026-10-05 08:15 EST",
        "5/10",
        "0001-01-01T00:00:00+14:00",
        "9998-12-31T23:00:00-05:00",
    ],
)
def test_what_is_no_date_is_bad(text: str) -> None:
    (found,) = dates_in(text)
    assert found.startswith(f"date {text!r} is ")


@given(
    st.from_regex(r"\d{1,2}([-/.])\d{1,2}\1(\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?)?", fullmatch=True),
    st.sampled_from(["dmy", "mdy", "ymd", None]),
)
def test_the_usual_forms_are_taken_like_all_others_only_sooner(text: str, order: str | None) -> None:
    wanted = cast(DateOrder | None, order)
    nothing = re.compile("(?!)")
    with patch.object(dates, "_USUAL", nothing), patch.object(dates, "_USUAL_ORDER", nothing):
        expected = moment_of(text, wanted, UTC), order_of(text)
    assert (moment_of(text, wanted, UTC), order_of(text)) == expected
