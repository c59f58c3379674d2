"""The columns of a file: which of them is the number, the date and so on, by its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256

from agent_funnel.errors import ImportRefused
from agent_funnel.masking import mask_digits
from agent_funnel.sentences import Sentence, counted, sentence, shown_as

# The fields of each kind of file, the one that no row can be without first:
FIELDS: dict[str, tuple[str, ...]] = {
    "leads": ("number", "stage", "date"),
    "agents": ("agent", "status"),
    "limits": ("agent", "max_records", "starts_on", "ends_on"),
    "holidays": ("day", "name"),
    "numbers": ("number", "reason"),
    "outcomes": ("number", "outcome", "call_back_on", "same_agent", "note", "agent", "run"),
}
# The fields of files that are dates:
DATE_FIELDS = ("date", "day", "starts_on", "ends_on", "call_back_on")
# The most columns of a file. Exports of customer databases have some hundreds.
MOST_COLUMNS = 2_000
# The names of the columns that a file of bad rows has in addition to those of the first file:
LINE, REASON = "line", "what is wrong"

# The usual names of the columns, in English, Portuguese, Spanish, German, French and Italian, and in the exports of
# HubSpot, Google, Kommo, RD Station, Meta, VICIdial and Pipedrive. The better a name says it, the earlier it comes.
# Where several columns have such names, the one with most values counts, and of these the earlier one.
_PHONE = """
number; phone number; phone; telephone; telephone number; tel; telefone; numero de telefone; numero telefone; fone;
telefono; numero de telefono; numero telefono; numero di telefono; telefon; telefonnummer; rufnummer; numero; nummer;
numero de telephone; phone 1 value; contact phone; contact phone number; phone contact; person phone; lead phone;
mobile; mobile phone; mobile number; mobile phone number; cell; cell phone; cell number; cell phone number; cellphone;
celular; numero celular; numero de celular; telefone celular; telefone movel; telemovel; numero de telemovel; movil;
telefono movil; numero movil; telefono celular; handy; handynummer; mobil; mobiltelefon; mobilnummer; mobilfunknummer;
portable; telephone portable; telephone mobile; numero de portable; tel portable; tel mobile; cellulare;
telefono cellulare; numero cellulare; numero di cellulare;
whatsapp; whatsapp number; whatsapp phone number; numero whatsapp; numero de whatsapp; numero do whatsapp;
telefone whatsapp; whatsapp telefone; whatsapp id; wa id; phone whatsapp;
mobile phone contact; celular contato; telefone contato; telefono contacto; telefone celular contato; mob; mob
contact; phone 2 value; phone 3 value;
person phone mobile; person phone work; person phone home; person phone other; contact phone mobile; contact phone
work;
work phone; business phone; work phone contact; telefone comercial; telefone comercial contato; telefono de trabajo;
telefono trabajo; telefone de trabalho; geschaftlich; telefon geschaftlich; telephone professionnel; telefono lavoro;
home phone; telefone residencial; telefone fixo; telefono fijo; telefono de casa; festnetz; telephone fixe;
phone number whatsapp; msisdn; caller id; numero de contacto; numero de contato; contato telefone
"""
_DATE = """
date; created at; created; created on; create date; created date; creation date; created time; date created;
lead date; lead created; lead creation date; lead created on; lead created at; lead creation time; date added; added
on;
added at; date added to list; entry date; submission date; submitted at; submitted on; date submitted; timestamp;
create time; creation time; deal created; deal deal created; lead lead created; deal creation date; date of creation;
data; data de criacao; criado em; data criacao; criada em; data da criacao; data do lead; data de entrada;
data de cadastro; data cadastro; cadastrado em; data da primeira conversao; data primeira conversao; data do cadastro;
data de conversao; data da conversao; data da ultima conversao; data e hora; carimbo de data hora; data hora;
fecha; fecha de creacion; creado; creado el; fecha creacion; fecha de alta; fecha alta; fecha de registro;
fecha de entrada; fecha del lead; fecha de ingreso; fecha y hora; marca temporal;
datum; erstellt; erstellt am; erstelldatum; erstellungsdatum; eingangsdatum; eingang; eingegangen am; anlagedatum;
angelegt am; zeitstempel; datum und uhrzeit;
date de creation; cree le; creee le; date creation; date d entree; date d ajout; ajoute le; date du lead; horodateur;
date et heure;
data di creazione; data creazione; creato il; creato; data di inserimento; inserito il; data inserimento; data e ora;
informazioni cronologiche; data criada; data do envio; data de envio; submit date; submission time; submitted;
created date time; created datetime; creation datetime; date time; last conversion date; first conversion date; recent
conversion date
"""
_STAGE = """
stage; etapa; estagio; fase; stufe; phase; etape; stadio; estadio; lead stage; deal stage; lead status stage;
estagio no funil; estagio do funil; etapa do funil; etapa no funil; etapa del embudo; etapa do lead; etapa del lead;
fase do funil; pipeline stage; funnel stage; anrufstufe; etape du pipeline; fase di vendita
"""
_REASON = "reason; motivo; motivo do bloqueio; razao; razon; grund; motif; raison; ragione; motivazione; causa; causale"
_STATUS = """
status; active; is active; enabled; state; ativo; ativa; situacao; estado; activo; activa; situacion; aktiv; zustand;
statut; actif; active; etat; stato; attivo; attiva; ativo inativo; agent status; user status
"""
_AGENT = """
agent; agent name; name; full name; sales agent; seller; salesperson; sales person; sales rep; representative; rep;
user; user name; username; owner; employee; agente; nome; nome do agente; nome completo; vendedor; vendedora;
atendente;
operador; operadora; consultor; consultora; corretor; usuario; usuaria; colaborador; nombre; nombre del agente;
nombre completo; nombre y apellidos; comercial; asesor; asesora; ejecutivo; agentin; mitarbeiter; mitarbeiterin;
mitarbeiter name; verkaufer; verkauferin; berater; beraterin; benutzer; vollstandiger name; nom; nom complet;
nom de l agent; agent commercial; commercial; vendeur; vendeuse; conseiller; utilisateur; nome agente; venditore;
venditrice; operatore; operatrice; addetto; consulente; utente; nominativo; funcionario; funcionaria; empleado;
empleada;
employe; employee name; salarie; dipendente; member; team member; first name; given name; vorname; prenom; primeiro
nome
"""
_DAY = """
day; date; holiday date; data; dia; data do feriado; data feriado; fecha; fecha festivo; fecha del festivo; datum; tag;
jour; date du jour ferie; giorno; data festivita; data della festivita
"""
_NAME = """
name; holiday; holiday name; title; description; nome; feriado; nome do feriado; descricao; nombre; festivo;
nombre del festivo; nombre del feriado; descripcion; feiertag; bezeichnung; beschreibung; nom; jour ferie; ferie; fete;
libelle; festivita; nome della festivita; festa; descrizione
"""
_OUTCOME = """
outcome; result; call result; call outcome; disposition; call disposition; status; lead status; resultado;
resultado da ligacao; resultado de la llamada; situacao; estado; desfecho; ergebnis; anrufergebnis; resultat;
resultat de l appel; statut; esito; esito chiamata; stato
"""
_CALL_BACK_ON = """
call back on; callback; call back; callback date; call back date; callback on; next call; next call date;
follow up date; data de retorno; retornar em; retorno em; proxima ligacao; data do retorno; fecha de retorno;
volver a llamar el;
proxima llamada; fecha de rellamada; ruckruf am; ruckrufdatum; wiedervorlage; wiedervorlage am; rappeler le;
date de rappel; prochain appel; richiamare il; data richiamo; prossima chiamata
"""
_SAME_AGENT = "same agent; mesmo agente; mismo agente; gleicher agent; meme agent; stesso agente"
_NOTE = """
note; notes; comment; comments; remark; remarks; observacao; observacoes; obs; comentario; comentarios; nota; notas;
bemerkung; notiz; kommentar; remarque; commentaire; note agente; commento; osservazioni
"""
_RUN = "run; run id; deal; deal id"
# A column of names alone is more often that of the leads.
_NOT_OWNER = ("name", "full name", "nome", "nome completo", "nombre", "nombre completo", "nom", "nom complet")
_OWNER = ";".join(name for name in _AGENT.split(";") if name.strip() not in _NOT_OWNER)
_MOST = """
max_records; most leads; max leads; maximum; limit; leads per night; leads a night; leads per day; leads; limite;
maximo; maximo de leads; limite de leads; leads por noite; leads por dia; leads por noche; hochstens; hochstzahl;
grenze; leads pro nacht; leads pro tag; maximum de leads; leads par nuit; leads par jour; massimo; limite di lead;
lead per notte; lead al giorno
"""
_FROM = """
starts_on; from; start; starts; start date; begin; begins; first day; absent from; away from; inicio; data de inicio;
data inicial; data inicio; de; desde; a partir de; fecha de inicio; fecha inicio; fecha inicial; comienzo; von; ab;
beginn; startdatum; abwesend von; abwesend ab; inicio das ferias; inicio ferias; data de inicio das ferias;
inicio de vacaciones; inicio de las vacaciones; inicio vacaciones; urlaubsbeginn; urlaub von; urlaub ab; debut des
conges;
debut conges; inizio ferie; vacation start; vacation from; leave start; leave from; absence start; absence from;
inicio da ausencia; inicio del ausencia; inicio de la ausencia; date from; from date; valid from; debut; date de
debut; du; depuis; a partir du; inizio; data inizio;
data di inizio; dal; da
"""
_TO = """
ends_on; to; until; end; ends; end date; last day; absent to; absent until; away until; fim; data de fim;
data final; data fim; termino; ate; hasta; fin; fecha de fin; fecha fin; fecha final; bis; ende; enddatum;
abwesend bis; fim das ferias; fim ferias; data de fim das ferias; termino das ferias; fin de vacaciones;
fin de las vacaciones; fin vacaciones; urlaubsende; urlaub bis; fin des conges; fin conges; fine ferie; vacation end;
vacation to; leave end; leave to; absence end; absence to; fim da ausencia; fin de la ausencia; date to; to date;
valid to;
date de fin; au; jusqu au; fine; data fine; data di fine; al; fino al
"""
_USUAL: dict[str, dict[str, str]] = {
    "leads": {"number": _PHONE, "stage": _STAGE, "date": _DATE},
    "agents": {"agent": _AGENT, "status": _STATUS},
    "limits": {"agent": _AGENT, "max_records": _MOST, "starts_on": _FROM, "ends_on": _TO},
    "holidays": {"day": _DAY, "name": _NAME},
    "numbers": {"number": _PHONE, "reason": _REASON},
    "outcomes": {
        "number": _PHONE,
        "outcome": _OUTCOME,
        "call_back_on": _CALL_BACK_ON,
        "same_agent": _SAME_AGENT,
        "note": _NOTE,
        "agent": _OWNER,
        "run": _RUN,
    },
}


# Words by which the name of a column says that it has phone numbers, in a question of a form for example, and words
# that say something else of them:
_PHONE_WORDS = """
telefone; telefono; telefon; telephone; phone; fone; celular; cellulare; mobile; movil; telemovel; whatsapp; whats;
handy;
rufnummer; handynummer; mobilnummer; telefonnummer; msisdn
"""
_OTHER_WORDS = """
fax; type; tipo; typ; code; codigo; ddd; ddi; country; pais; land; pays; paese; status; consent; optin; opt;
operadora;
carrier; extension; ramal; label; verified; valid; source; origem; name; nome; nombre; date; data; fecha; datum; hora;
time
"""
_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
# Columns that belong to another one: the area codes of numbers, and the first or last names of agents.
_AREA_CODES = """
ddd; area code; codigo de area; codigo area; cod area; codigo ddd; ddd telefone; ddd celular; vorwahl; prefisso; prefijo
"""
_FIRST_NAMES = "first name; given name; primeiro nome; vorname; prenom"
_LAST_NAMES = """
last name; surname; family name; sobrenome; ultimo nome; apellido; apellidos; nachname; familienname; cognome;
nom de famille
"""
# Names of columns that are first names if there is one of last names, and the other way round:
_PERHAPS_FIRST, _PERHAPS_LAST = "nome; nombre; nombres", "name; nom"


def plain_name(name: str) -> str:
    """A name in small letters, without accents and without anything but letters and digits."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if char.isalnum())


def header_key(header: Sequence[str]) -> str | None:
    """The hash of the names of a file's columns, by which a choice of columns is remembered.

    Capitals, accents and the order do not matter, nor the columns that only a file of bad rows has. None if there are
    no names, or a phone number is among them.
    """
    names = [each for each in header if each.strip() and each.strip() not in (LINE, REASON)]
    if not names or any(mask_digits(each) != each for each in names):
        return None
    return sha256("\n".join(sorted(map(plain_name, names))).encode()).hexdigest()


@cache
def _plain_names(names: str) -> frozenset[str]:
    return frozenset(map(plain_name, names.split(";")))


@cache
def usual_names(kind: str) -> Mapping[str, Mapping[str, int]]:
    """For each field, its usual names in plain form, each with its rank, of which 0 is the best."""
    return {
        field: {plain_name(name): rank for rank, name in reversed(list(enumerate(names.split(";"))))}
        for field, names in _USUAL[kind].items()
    }


def _rank(name: str, names: Mapping[str, int]) -> int | None:
    """The rank of a column's name among the usual ones, also without what it has in brackets; None for others."""
    rank = names.get(plain_name(name))
    return names.get(plain_name(_IN_BRACKETS.sub("", name))) if rank is None else rank


def _tells_of_phones(name: str) -> bool:
    """Whether a name that is not a usual one says that the column has phone numbers."""
    words = {plain_name(word) for word in re.findall(r"\w+", _IN_BRACKETS.sub("", name))}
    return bool(words & _plain_names(_PHONE_WORDS)) and not words & _plain_names(_OTHER_WORDS)


def count_known(kind: str, header: Sequence[str]) -> int:
    """How many fields of a header have usual names, or say that they are the number: of as many as a file may have."""
    usual = usual_names(kind)
    return sum(
        any(_rank(name, names) is not None for names in usual.values())
        or ("number" in usual and _tells_of_phones(name))
        for name in header[:MOST_COLUMNS]
    )


def partner_of(kind: str, header: Sequence[str], columns: Mapping[str, int]) -> tuple[int, bool] | None:
    """The column that belongs to the needed one, and whether its values come before the others; None if there is none.

    It is that of the area codes of numbers, or that of the first or last names of agents.
    """
    field = FIELDS[kind][0]
    plain = [plain_name(each) for each in header]
    own = plain[columns[field]] if columns[field] < len(plain) else ""
    comes_before, wanted = True, ""
    if field == "number":
        wanted = _AREA_CODES
    elif field == "agent" and own in _plain_names(f"{_FIRST_NAMES}; {_PERHAPS_FIRST}"):
        comes_before, wanted = False, _LAST_NAMES
    elif field == "agent" and own in _plain_names(f"{_LAST_NAMES}; {_PERHAPS_LAST}"):
        wanted = _FIRST_NAMES
    names = _plain_names(wanted)
    used = set(columns.values())
    found = [index for index, name in enumerate(plain) if name and name in names and index not in used]
    return (found[0], comes_before) if found else None


def candidates(kind: str, header: Sequence[str], chosen: Mapping[str, str], name: str) -> dict[str, list[int]]:
    """For each field, the columns that can be it, the best first: the chosen one, or those with a usual name.

    A field that is chosen as "" has no column. Raises ImportRefused if there is no such field or column.
    """
    for field in chosen:
        if field not in FIELDS[kind]:
            raise ImportRefused(
                sentence(
                    "There is no field %(field)s to choose a column for; there are %(choices)s. Nothing was imported.",
                    field=repr(field),
                    choices=", ".join(FIELDS[kind]),
                )
            )
    found: dict[str, list[int]] = {}
    taken = {_chosen_column(header, column, name) for column in chosen.values() if column}
    for field, names in usual_names(kind).items():
        if field in chosen:
            found[field] = [_chosen_column(header, chosen[field], name)] if chosen[field] else []
            continue
        ranks = {index: _rank(each, names) for index, each in enumerate(header) if index not in taken}
        known = sorted((rank, index) for index, rank in ranks.items() if rank is not None)
        found[field] = [index for _, index in known]
        if field == "number" and not known:
            found[field] = [index for index in ranks if _tells_of_phones(header[index])]
    return found


def _chosen_column(header: Sequence[str], column: str, name: str) -> int:
    """The place of a column by its name: exactly as it is written, or else in plain form."""
    names = [each.strip() for each in header]
    for wanted, given in ((column.strip(), names), (plain_name(column), [plain_name(each) for each in names])):
        if wanted and given.count(wanted) == 1:
            return given.index(wanted)
        if wanted and given.count(wanted) > 1:
            raise ImportRefused(
                sentence(
                    "%(name)s has several columns %(column)s. Nothing was imported.", name=name, column=repr(column)
                )
            )
    raise ImportRefused(
        sentence(
            "%(name)s has no column %(column)s; it has %(header)s. Nothing was imported.",
            name=name,
            column=repr(column),
            header=shown_names(header),
        )
    )


# The fields in words; programs know the last ones by other names:
FIELD_WORDS = {
    "number": sentence("number"),
    "stage": sentence("stage"),
    "date": sentence("date"),
    "agent": sentence("agent"),
    "status": sentence("status"),
    "day": sentence("day"),
    "name": sentence("name"),
    "reason": sentence("reason"),
    "outcome": sentence("outcome"),
    "note": sentence("note"),
    "run": shown_as("run", sentence("deal")),
    "max_records": shown_as("max_records", sentence("limit")),
    "starts_on": shown_as("starts_on", sentence("first day")),
    "ends_on": shown_as("ends_on", sentence("last day")),
    "call_back_on": shown_as("call_back_on", sentence("day of the call-back")),
    "same_agent": shown_as("same_agent", sentence("same agent")),
}


def field_word(field: str) -> str:
    """A field in words."""
    return FIELD_WORDS.get(field, field)


def shown_names(header: Sequence[str]) -> str:
    """The names of columns in a message. The first line may be no header, so numbers in it are masked."""
    names = [mask_digits(each.strip()[:40]) for each in header if each.strip()]
    shown = ", ".join(map(repr, names[:30]))
    if len(names) <= 30:
        return shown
    return counted("%(names)s and %(count)s more", "%(names)s and %(count)s more", len(names) - 30, names=shown)


def without_column(field: str, name: str, header: Sequence[str]) -> Sentence:
    """The message about a file without a column that it needs: how to name it to a command, or on the page."""
    shown = sentence(
        "%(name)s has no column that is clearly the %(field)s; it has %(columns)s. Choose it below. Nothing was "
        "imported.",
        name=name,
        field=field_word(field),
        columns=shown_names(header),
    )
    return shown_as(shown.replace("Choose it below.", f"Choose it with --column {field}=NAME."), shown)
