"""Numbers, dates and charts as pages show them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from agent_funnel.web import format

BRITISH, GERMAN = Locale("en", "GB"), Locale("de")


def test_numbers_and_dates_are_written_as_the_reader_does() -> None:
    assert (format.number(8814, BRITISH), format.number(8814, GERMAN)) == ("8,814", "8.814")
    day = date(2026, 11, 24)
    assert (format.day(day, BRITISH), format.day(day, GERMAN)) == ("24 Nov 2026", "24.11.2026")
    assert format.number(None, BRITISH) == format.day(None, BRITISH) == format.NOTHING


@pytest.mark.parametrize(
    ("form", "british", "german"),
    [
        ("EEE d MMM", "Tue 24 Nov", "Di., 24. Nov."),
        ("EEEE d MMMM", "Tuesday 24 November", "Dienstag, dem 24. November"),
        ("EEEE", "Tuesday", "Dienstag"),
    ],
)
def test_the_fields_of_a_date_have_the_order_and_the_signs_of_the_reader(form: str, british: str, german: str) -> None:
    day = date(2026, 11, 24)
    assert (format.day(day, BRITISH, form), format.day(day, GERMAN, form)) == (british, german)


@pytest.mark.parametrize(
    ("language", "short", "whole", "alone"),
    [
        ("en_GB", "Thursday 26 November", "Thursday, 26 November 2026", "Thursday, 26 November 2026"),
        (
            "pt_BR", "quinta-feira, 26 de novembro", "quinta-feira, 26 de novembro de 2026",
            "quinta-feira, 26 de novembro de 2026",
        ),
        ("es", "jueves 26 de noviembre", "jueves 26 de noviembre de 2026", "jueves, 26 de noviembre de 2026"),
        (
            "de", "Donnerstag, dem 26. November", "Donnerstag, dem 26. November 2026", "Donnerstag, 26. November 2026",
        ),
    ],
)  # fmt: skip
def test_a_date_in_a_sentence_is_written_as_the_language_does_there(
    language: str, short: str, whole: str, alone: str
) -> None:
    day, locale = date(2026, 11, 26), Locale.parse(language)
    forms = ("EEEE d MMMM", format.WHOLE_DATE, "full")
    assert tuple(format.day(day, locale, form) for form in forms) == (short, whole, alone)


@pytest.mark.parametrize(
    ("zone", "form", "text"),
    [
        ("Europe/Berlin", "minute", "Tue 24 Nov, 20:40"),
        ("Europe/Berlin", "second", "Tue 24 Nov, 20:40:03"),
        ("Europe/Berlin", "time", "20:40"),
        ("America/Sao_Paulo", "minute", "Tue 24 Nov, 16:40"),
        ("Asia/Kolkata", "minute", "Wed 25 Nov, 01:10"),
        ("UTC", "time", "19:40"),
    ],
)
def test_a_moment_is_short_and_programs_can_read_it(zone: str, form: str, text: str) -> None:
    moment = datetime(2026, 11, 24, 19, 40, 3, tzinfo=UTC)
    found = format.moment(moment, ZoneInfo(zone), BRITISH, form=form, this_year=2026)
    read = ElementTree.fromstring(str(found))
    assert read.text == text
    assert datetime.fromisoformat(read.attrib["datetime"]) == moment
    assert format.moment(None, ZoneInfo(zone), BRITISH) == format.NOTHING


def test_on_hover_a_moment_has_its_seconds_and_its_zone() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    moment = datetime(2026, 11, 24, 19, 40, 3, tzinfo=UTC)
    read = ElementTree.fromstring(str(format.moment(moment, zone, BRITISH, this_year=2026)))
    assert read.attrib["title"] == "Tuesday, 24 November 2026, 16:40:03 UTC-03"
    assert "lang" not in read.attrib
    # In another year, the year is part of it.
    read = ElementTree.fromstring(str(format.moment(moment, zone, BRITISH, this_year=2027)))
    assert read.text == "Tue, 24 Nov 2026, 16:40"


def test_a_moment_is_written_in_the_locale_of_the_page() -> None:
    moment = datetime(2026, 11, 24, 19, 40, 3, tzinfo=UTC)
    found = format.moment(moment, ZoneInfo("UTC"), Locale("pt", "BR"), this_year=2026)
    assert ElementTree.fromstring(str(found)).text == "ter., 24 de nov., 19:40"


@pytest.mark.parametrize(
    ("today", "text"),
    [
        (date(2026, 11, 24), "today, 23:40"),
        (date(2026, 11, 25), "yesterday, 23:40"),
        (date(2026, 11, 23), "tomorrow, 23:40"),
        (date(2026, 11, 26), "Tue 24 Nov, 23:40"),
        (date(2027, 11, 24), "Tue, 24 Nov 2026, 23:40"),
    ],
)
def test_in_a_table_a_day_near_today_is_a_word(today: date, text: str) -> None:
    """The day is that of the zone of the service, in which it is still the 24th."""
    moment = datetime(2026, 11, 25, 2, 40, 3, tzinfo=UTC)
    zone = ZoneInfo("America/Sao_Paulo")
    found = format.moment(moment, zone, BRITISH, form="near", this_year=today.year, today=today)
    assert ElementTree.fromstring(str(found)).text == text
    assert format.near_day(date(2026, 11, 24), today, BRITISH) == text.removesuffix(", 23:40")
    # In a sentence, it has its preposition.
    found = format.moment(moment, zone, BRITISH, form="when", this_year=today.year, today=today)
    read = ElementTree.fromstring(str(found))
    word, _, time = text.rpartition(", ")
    is_near = word in ("yesterday", "today", "tomorrow")
    assert read.text == (f"{word} at {time}" if is_near else f"on {text}")
    assert read.attrib["title"] == "Tuesday, 24 November 2026, 23:40:03 UTC-03"
    # A page that stays open over midnight replaces these words, and no others.
    assert read.get("class") == ("near" if is_near else None)


def widths(svg: str) -> dict[str, float]:
    """The widths of a bar's parts by class; checks that there is no gap between the parts."""
    parts = ElementTree.fromstring(svg).findall("rect")
    at = 0.0
    for part in parts:
        assert float(part.attrib["x"]) == pytest.approx(at, abs=0.02)
        at += float(part.attrib["width"])
    return {part.attrib["class"]: float(part.attrib["width"]) for part in parts}


@given(st.dictionaries(st.sampled_from([1, 2, 3]), st.integers(1, 1_000)), st.integers(0, 5_000))
def test_a_bar_is_as_long_as_the_share_and_has_a_part_for_each_stage(by_stage: dict[int, int], more: int) -> None:
    largest = sum(by_stage.values()) + more
    found = widths(str(format.bar(by_stage, largest)))
    assert found == {
        f"stage-{stage}": pytest.approx(100 * leads / largest, abs=0.01) for stage, leads in by_stage.items()
    }


def test_a_sparkline_shows_a_night_without_leads_unlike_a_night_without_data() -> None:
    drawn = ElementTree.fromstring(str(format.sparkline([10, None, 0, 5]))).findall("path")
    assert {path.attrib["class"]: path.attrib["d"] for path in drawn} == {
        "some": "M0 20v-20.0h3v20.0zM12 20v-10.0h3v10.0z",
        "none": "M8 20v-1.0h3v1.0z",
    }
    assert re.fullmatch(r"<svg[^>]*></svg>", str(format.sparkline([])))
    # Charts with the same largest share can be compared.
    assert "M0 20v-5.0h3v5.0z" in str(format.sparkline([10], 40))


@pytest.mark.parametrize(
    ("actor", "name"),
    [("http: Ana", "Ana"), ("http: this machine", "somebody on the server"), ("cli: Ana", "cli: Ana"), (None, "–")],
)
def test_an_actor_is_written_as_a_person(actor: str | None, name: str) -> None:
    assert format.person(actor) == name


def test_a_rate_has_one_decimal_and_the_sign_of_its_locale() -> None:
    assert (format.percent(0.2553, BRITISH), format.percent(0, BRITISH)) == ("25.5%", "0.0%")
    assert (format.percent(0.2553, GERMAN), format.percent(12.5, GERMAN)) == ("25,5\xa0%", "1.250,0\xa0%")
