"""Files as reports, forms and other programs write them: titles above the names, values in several columns."""

from __future__ import annotations

import pytest

from agent_funnel.errors import ImportRefused
from support.tables import leads_in, read, workbook

MIDNIGHT = " 00:00:00.000"


def test_a_title_above_the_names_of_the_columns_is_left_out_and_said() -> None:
    title = "Relatório de leads{0}{0}\nGerado em 20/11/2026{0}{0}\n\n"
    title += "Nome{0}Telefone{0}Data\nRita{0}21970000001{0}20/11/2026\n"
    expected = [(5, ("21970000001", "1", "2026-11-20" + MIDNIGHT))]
    for delimiter in (";", ",", "\t"):
        understood, rows = read(title.format(delimiter))
        assert rows == expected
        assert "The names of the columns are on line 4; what is above them is left out." in understood.notes
    assert read(title.format(";").replace(";;\n", "\n"))[1] == expected
    book = workbook(["Relatório"], [], ["Nome", "Telefone"], ["Rita", 21970000001])
    assert [line for line, _ in read(book)[1]] == [4]
    # Without two known names, the first row is meant.
    with pytest.raises(ImportRefused, match="begins with 'Relatório'"):
        read("Relatório\nTelefone\n21970000001\n")


def test_a_name_that_only_tells_of_phones_is_the_number_if_nothing_else_is() -> None:
    form = "Carimbo de data/hora,Qual é o seu nome?,Qual é o seu WhatsApp?\n20/11/2026 08:15:00,Rita,21970000001\n"
    assert leads_in(form) == [("21970000001", "1", "2026-11-20 08:15:00.000")]
    assert leads_in("Número de telefone (com DDD)\n21970000001\n")[0][0] == "21970000001"
    understood, _ = read("Phone type,WhatsApp consent,Contact WhatsApp,Phone\nmobile,yes,21970000002,21970000001\n")
    assert understood.columns == {"number": "Phone"}
    with pytest.raises(ImportRefused, match="none of these is a usual name"):
        read("Phone type,Fax telephone\nmobile,21970000001\n")


def test_a_row_without_its_number_has_that_of_another_column() -> None:
    text = "Business Phone,Mobile Phone\n2130000001,21970000001\n2130000002,\n,21970000003\n,\n"
    understood, rows = read(text)
    assert [values[0] for _, values in rows] == ["21970000001", "2130000002", "21970000003"]
    assert understood.left_out == ()
    # A column that a person chose is the only one.
    assert leads_in(text, columns={"number": "Mobile Phone"})[1] == "number is missing"
    # Other kinds of numbers than phone numbers, such as stages, have no other column.
    assert leads_in("phone,stage,etapa\n21970000001,,2\n21970000002,1,1\n")[1][1] == "1"


def test_area_codes_and_last_names_are_joined_to_what_they_belong_to() -> None:
    understood, rows = read(
        "Nome;DDD;Telefone\nRita;21;97000-0001\nLia;(11);+5521970000002\nBia;11;21970000003\nEva;;4000\n"
    )
    assert [values[0] for _, values in rows] == ["21970000001", "+5521970000002", "21970000003", "4000"]
    assert "The area codes are in the column 'DDD'." in understood.notes
    assert "DDD" not in understood.left_out
    for header, row, name in (
        ("First Name,Last Name", "Ana,Souza", "Ana Souza"),
        ("Nome,Sobrenome", "Ana,Souza", "Ana Souza"),
        ("Nom,Prénom", "Souza,Ana", "Ana Souza"),
        ("Name,Vorname", "Souza,Ana", "Ana Souza"),
        ("Nombre,Apellidos", "Ana,", "Ana"),
        ("Nome,E-mail", "Ana,a@example.org", "Ana"),
    ):
        assert read(f"{header}\n{row}\n", "agents")[1][0][1] == (name, "active"), header


def test_dates_of_a_column_in_utc_are_converted_to_the_floor() -> None:
    text = "Phone,Submit Date (UTC)\n1001,2026-11-20 02:15:00\n1002,2026-11-20\n1003,2026-11-20T02:15:00Z\n"
    assert [values[2] for values in leads_in(text)] == [
        "2026-11-19 23:15:00.000", "2026-11-20 00:00:00.000", "2026-11-19 23:15:00.000",
    ]  # fmt: skip


def test_a_header_that_is_repeated_and_an_old_mark_of_the_end_are_no_rows() -> None:
    text = "number,date\n21970000001,2026-11-20\nnumber,date\n21970000002,2026-11-20\n\x1a"
    assert [line for line, _ in read(text)[1]] == [2, 4]


def test_holidays_are_in_the_column_with_dates_and_need_no_name() -> None:
    words = 'Date,Day,Holiday\n"Friday, December 25, 2026",Friday,Christmas\n'
    assert read(words, "holidays")[1] == [(2, ("2026-12-25", "Christmas"))]
    assert [values[0] for _, values in read("2026-12-25\n01.01.2027\n", "holidays")[1]] == ["2026-12-25", "2027-01-01"]
    with pytest.raises(ImportRefused, match="none of them shows whether the day or the month comes first"):
        read("03/04/2026\n", "holidays")
    with pytest.raises(ImportRefused, match="is a calendar"):
        read("BEGIN:VCALENDAR\nVERSION:2.0\n", "holidays")


def test_limits_may_have_thousands_and_the_names_of_holidays_of_people() -> None:
    text = "Funcionário;Limite;Início das férias;Fim das férias\nAna;{};21/12/2026;05/01/2027\n"
    for written, amount in (("0", "0"), ("60,0", "60"), ("60.00", "60"), ("1.000", "1000"), ("1,000", "1000")):
        assert read(text.format(written), "limits")[1][0][1] == ("Ana", amount, "2026-12-21/2027-01-05")
    assert "from 0 (away) to 1 million" in read(text.format("sem limite"), "limits")[1][0][1]


def test_a_refusal_names_the_other_sheets_and_how_to_name_a_delimiter() -> None:
    book = workbook(["Capa"], Leads=[["Telefone"], ["21970000001"]], title="Início")
    with pytest.raises(ImportRefused, match="It has other sheets, too: 'Leads'; choose one with --sheet"):
        read(book)
    with pytest.raises(ImportRefused, match="name it with --delimiter"):
        read("number^date\n21970000001^2026-11-20\n")


def test_words_of_people_who_are_away_or_gone_are_inactive() -> None:
    words = ["On leave", "Afastado", "Desligada", "Terminated", "F", "de férias", "Ausgeschieden"]
    text = "agent;status\n" + "".join(f"{index};{word}\n" for index, word in enumerate(words))
    assert {values[1] for _, values in read(text, "agents")[1]} == {"inactive"}
    assert read("agent;status\nAna;Contratada\nBia;V\n", "agents")[1][1][1] == ("Bia", "active")
