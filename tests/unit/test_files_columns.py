"""The columns of a file: their usual names, the choice of a person, and what is said of the others."""

from __future__ import annotations

from io import BytesIO

import pytest

from agent_funnel.errors import ImportRefused
from agent_funnel.files.tables import open_table
from support.tables import TODAY, leads_in, read

NO_STAGE = "The file has no stages, so every lead has stage 1."
NO_DATE = "The file has no dates, so every lead has today's, 2026-11-26."


@pytest.mark.parametrize(
    "header",
    [
        "NUMBER,STAGE,DATE",
        "Phone Number,Stage,Created At",
        "phone_number,stage,created_time",
        "Telefone,Etapa,Data",
        "Celular,Estágio,Data de criação",
        "Teléfono,Etapa,Fecha de creación",
        "Móvil,Fase,Fecha",
        "Telefonnummer,Stufe,Datum",
        "Handy,Phase,Erstellt am",
        "Téléphone,Étape,Date de création",
        "Portable,etape,Créé le",
        "Telefono,Fase,Data di creazione",
        "Cellulare,Stadio,Creato il",
        "WhatsApp,stage,Carimbo de data/hora",
        "Número de teléfono,etapa,Marca temporal",
    ],
)
def test_usual_names_of_columns_are_known_in_six_languages(header: str) -> None:
    for each in (header, header.upper(), header.replace(",", ";")):
        text = f"{each}\n" + ("+5521970000001,2,2026-10-05" if "," in each else "+5521970000001;2;2026-10-05")
        assert leads_in(text) == [("+5521970000001", "2", "2026-10-05 00:00:00.000")]


@pytest.mark.parametrize(
    ("export", "number", "moment"),
    [
        (
            "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lead Status,Create Date\n"
            "7,Rita,Dias,r@example.org,+55 21 97000-0001,,Open,2026-10-05 08:15\n",
            "+5521970000001",
            "2026-10-05 08:15",
        ),
        (
            "Name,Given Name,Group Membership,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value\n"
            "Rita,Rita,* myContacts,r@example.org,Mobile,+55 21 97000-0001\n",
            "+5521970000001",
            "2026-11-26 00:00",
        ),
        (
            "ID;Lead title;Company;Lead stage;Created at;Work phone;Mobile phone\n"
            "7;Lead 7;;Contato inicial;05.10.2026 08:15:00;;'+5521970000001\n"
            "8;Lead 8;;Novo;25.10.2026 08:15:00;;21970000002\n",
            "+5521970000001",
            "2026-10-05 08:15",
        ),
        (
            "Nome;Email;Telefone;Celular;Estágio no funil;Data da primeira conversão\n"
            "Rita;r@example.org;;(21) 97000-0001;Lead Qualificado;2026-10-05 08:15:00 -0300\n",
            "21970000001",
            "2026-10-05 08:15",
        ),
        (
            "id\tcreated_time\tad_id\tform_name\tis_organic\tplatform\tfull_name\tphone_number\n"
            "l:7\t2026-10-05T06:15:00-05:00\tag:1\tx\tfalse\tig\tRita\tp:+5521970000001\n",
            "+5521970000001",
            "2026-10-05 08:15",
        ),
        (
            "lead_id|entry_date|modify_date|status|user|vendor_lead_code|phone_code|phone_number|title|first_name\n"
            "7|2026-10-05 08:15:00|2026-10-06 08:15:00|NEW|VDAD||55|21970000001||Rita\n",
            "21970000001",
            "2026-10-05 08:15",
        ),
        (
            "Deal - Title,Deal - Stage,Deal - Deal created,Person - Name,Person - Phone - Work,"
            "Person - Phone - Mobile\n"
            "Rita,Contact made,2026-10-05 08:15:00,Rita,,+55 21 97000 0001\n",
            "+5521970000001",
            "2026-10-05 08:15",
        ),
    ],
    ids=["HubSpot", "Google", "Kommo", "RD Station", "Meta", "VICIdial", "Pipedrive"],
)
def test_exports_are_read_as_they_come(export: str, number: str, moment: str) -> None:
    for content in (export, export.encode("utf-16")):
        assert leads_in(content)[0] == (number, "1", f"{moment}:00.000")


def test_extra_columns_are_named_and_left_out_and_empty_columns_are_nothing() -> None:
    understood, rows = read("number,E-mail,,stage,note,date\n+5521970000001,a@example.org,,3,,2026-10-05\n")
    assert understood.left_out == ("E-mail",)
    assert understood.columns == {"number": "number", "stage": "stage", "date": "date"}
    assert rows == [(2, ("+5521970000001", "3", "2026-10-05 00:00:00.000"))]


def test_without_stages_and_dates_the_stage_is_1_and_the_date_is_today_and_both_are_said() -> None:
    for text, line in (("number\n21970000001\n", 2), ("21970000001\n", 1), ("number;stage;date\n21970000001;;\n", 2)):
        understood, rows = read(text)
        assert rows == [(line, ("21970000001", "1", "2026-11-26 00:00:00.000"))]
        assert understood.notes == (NO_STAGE, NO_DATE)


def test_an_empty_stage_is_1_which_is_said_and_an_empty_date_is_bad() -> None:
    understood, rows = read("number,stage,date\n2197001,,2026-10-05\n2197002,2,\n2197003,2,2026-10-05\n")
    assert rows[0] == (2, ("2197001", "1", "2026-10-05 00:00:00.000"))
    assert leads_in("number,stage,date\n2197002,2,\n2197003,2,2026-10-05\n")[0] == "date is missing"
    assert understood.notes == ("The stage is empty in some rows, which have stage 1.",)
    # An update would take the lead's own stage away.
    file = BytesIO(b"number,stage,date\n2197001,,2026-10-05\n2197002,2,2026-10-05\n")
    with open_table(file, "leads", "file", today=TODAY, updates=True) as table:
        assert [row.fault for row in table.rows()] == ["stage is missing", None]
        assert table.understood.notes == ()


def test_stages_of_a_customer_database_are_left_out_and_other_numbers_are_bad() -> None:
    understood, rows = read("phone,stage\n21970000001,Qualified\n")
    assert rows[0][1][1] == "1"
    assert "The column 'stage' has words in place of the stages 1 to 4, and is left out." in understood.notes
    assert leads_in("phone,stage\n21970000001,Qualified\n21970000002,5\n") == [
        "stage 'Qualified' is not 1, 2, 3 or 4",
        "stage '5' is not 1, 2, 3 or 4",
    ]


def test_of_several_columns_the_one_with_most_values_counts_and_that_is_said() -> None:
    understood, rows = read("Phone,Mobile,Work phone\n,21970000001,\n2130000002,21970000002,\n,21970000003,\n")
    assert [values[0] for _, values in rows] == ["21970000001", "21970000002", "21970000003"]
    assert understood.columns == {"number": "Mobile"}
    assert "The number is in the column 'Mobile'; where that is empty, it is in 'Phone'." in understood.notes


def test_a_person_chooses_columns() -> None:
    text = "Kunde;Anruf;Phone;Tag\n21970000001;2;x;2026-10-05\n"
    chosen = {"number": "Kunde", "stage": "anruf", "date": "Tag"}
    assert leads_in(text, columns=chosen) == [("21970000001", "2", "2026-10-05 00:00:00.000")]
    assert leads_in("number,stage\n21970000001,x9\n", columns={"stage": ""})[0][1] == "1"


@pytest.mark.parametrize(
    ("text", "columns", "reason"),
    [
        ("number,date\n1,2\n", {"number": "Telefone"}, "has no column 'Telefone'; it has 'number', 'date'"),
        ("number,date\n1,2\n", {"phone": "number"}, "no field 'phone' to choose a column for; there are number, stage"),
        ("phone,phone,date\n1,2,3\n", {"number": "phone"}, "has several columns 'phone'"),
        ("number,date\n1,2\n", {"date": "number", "number": "number"}, "has one column, 'number', for date and number"),
        ("customer,since\n1,2\n", {}, "begins with 'customer,since', and none of these is a usual name"),
        ("+5521970000001,1,2026-10-05\n", {}, "begins with '…001,1,2026-10-05'"),
        ("somebody\nelse\n", {}, "begins with 'somebody'"),
        ("customer,date\n+5521970000001,2026-10-05\n", {}, "no column that is clearly the number; it has 'customer'"),
    ],
)
def test_a_choice_that_cannot_be_met_and_a_header_without_a_number_are_refused(
    text: str, columns: dict[str, str], reason: str
) -> None:
    with pytest.raises(ImportRefused, match=reason):
        read(text, columns=columns)


def test_agents_and_holidays_have_usual_names_too() -> None:
    assert read("Vendedor;Situação\nRita;Sim\nNuno;não\n", "agents")[1] == [
        (2, ("Rita", "active")),
        (3, ("Nuno", "inactive")),
    ]
    understood, rows = read("Mitarbeiter\nRita\n", "agents")
    assert (rows, understood.notes) == (
        [(2, ("Rita", "active"))],
        ("The file has no status, so every agent is active.",),
    )
    assert read("Feiertag,Datum\nAllerheiligen,01.11.2026\nX,25.12.2026\n", "holidays")[1][0] == (
        2,
        ("2026-11-01", "Allerheiligen"),
    )
    assert read("Telefone;Motivo\n(21) 97000-0001;pediu\n", "numbers")[1] == [(2, ("(21) 97000-0001", "pediu"))]


WORDS = {
    "active": "active ACTIVE Ativo ativa activa aktiv Actif attivo TRUE 1 yes sim Sí ja oui x on Verdadeiro WAHR vrai",
    "inactive": "inactive Inativo inactiva inaktiv inactif inattivo FALSE 0 no não nein non off Falso faux désactivé",
}


@pytest.mark.parametrize(
    ("status", "word"), [(status, word) for status, words in WORDS.items() for word in words.split()]
)
def test_usual_words_of_a_status_are_known(status: str, word: str) -> None:
    assert read(f"agent,status\nRita,{word}\n", "agents")[1] == [(2, ("Rita", status))]
