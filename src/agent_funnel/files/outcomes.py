"""Outcomes as people write them in a file: the usual words of each, in the six languages that files are read in."""

from __future__ import annotations

from agent_funnel.files.columns import plain_name

# By outcome, in English, Portuguese, Spanish, German, French and Italian:
_WORDS = {
    "talked": "talked; talked to; spoke; spoken; spoke to; contacted; reached; in conversation; interested; follow up; "
    "falou; falei; conversou; contatado; contactado; em conversa; interessado; interessada; hablado; hable; hablo; "
    "interesado; interesada; gesprochen; erreicht; im gesprach; interessiert; parle; contacte; joint; interesse; "
    "interessee; parlato; contattato; interessato; interessata",
    "no_answer": "no answer; not answered; unanswered; no reply; did not answer; no pick up; voicemail; busy; na; "
    "nao atendeu; nao atende; nao respondeu; sem resposta; caixa postal; ocupado; no contesta; no contesto; "
    "no responde; no respondio; sin respuesta; buzon de voz; nicht erreicht; keine antwort; nicht abgehoben; mailbox; "
    "besetzt; pas de reponse; sans reponse; ne repond pas; messagerie; occupe; non risponde; nessuna risposta; "
    "segreteria; occupato",
    "won": "won; closed won; deal won; sold; sale; bought; converted; ganho; ganha; ganhou; venda; vendido; vendida; "
    "vendeu; comprou; ganado; ganada; venta; compro; gewonnen; verkauft; gekauft; abschluss; gagne; vendu; vente; "
    "achete; vinto; venduto; vendita; acquistato",
    "lost": "lost; closed lost; deal lost; not interested; no interest; declined; perdido; perdida; perdeu; "
    "sem interesse; nao interessado; nao tem interesse; recusou; sin interes; no interesado; no le interesa; rechazo; "
    "verloren; kein interesse; nicht interessiert; abgelehnt; perdu; pas interesse; a refuse; perso; non interessato; "
    "rifiutato",
    "call_back": "call back; callback; call again; call later; recall; retornar; retorno; ligar depois; "
    "ligar mais tarde; agendado; volver a llamar; llamar mas tarde; rellamar; devolver llamada; ruckruf; zuruckrufen; "
    "wiedervorlage; spater anrufen; rappel; rappeler; a rappeler; richiamare; richiamata; da richiamare",
    "wrong_number": "wrong number; bad number; invalid number; numero errado; numero invalido; telefone errado; "
    "numero equivocado; numero incorrecto; falsche nummer; ungultige nummer; mauvais numero; faux numero; "
    "numero invalide; numero sbagliato; numero errato",
    "opted_out": "opted out; opt out; do not call; do not contact; dnc; unsubscribed; stop; nao ligar; nao ligar mais; "
    "nao contatar; nao perturbe; descadastrado; no llamar; no contactar; dado de baja; nicht anrufen; keine anrufe; "
    "werbesperre; ne pas appeler; ne plus appeler; desinscrit; non chiamare; non contattare; disiscritto",
    "not_worked": "not worked; not called; not dialed; untouched; nao ligado; nao chamado; nao trabalhado; no llamado; "
    "no trabajado; nicht angerufen; nicht bearbeitet; pas appele; non appele; non traite; non chiamato; non lavorato",
}
OUTCOME_CODES = tuple(_WORDS)
OUTCOME_WORDS = {plain_name(word): code for code, words in _WORDS.items() for word in (code, *words.split(";"))}


def outcome_of(text: str) -> str | None:
    """The outcome that a text stands for; None if it is none of the usual words."""
    return OUTCOME_WORDS.get(plain_name(text))
