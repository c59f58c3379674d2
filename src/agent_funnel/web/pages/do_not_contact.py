"""The do-not-contact lists: their page, and the forms for numbers there and on the page of a lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext
from pydantic import Field, TypeAdapter, ValidationError
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from agent_funnel.do_not_contact import (
    LONGEST_BOUND_DAYS,
    MOST_AT_ONCE,
    OPTED_OUT,
    OWN_REQUESTS,
    USUAL_BOUND_DAYS,
    DoNotContact,
    NumberList,
    Taken,
    add_do_not_contact,
    add_number_list,
    add_several,
    do_not_contact_of,
    list_word,
    number_lists,
    remove_do_not_contact,
    remove_several,
)
from agent_funnel.errors import NotFound, ParameterOutOfRange
from agent_funnel.leads import lead_history
from agent_funnel.masking import last_digits, mask_digits
from agent_funnel.sentences import Sentence, counted, joined, joined_amounts, sentence
from agent_funnel.web import format
from agent_funnel.web.auth import set_audit_target
from agent_funnel.web.fields import SearchText
from agent_funnel.web.languages import locale, translated
from agent_funnel.web.numbers import floor_country
from agent_funnel.web.pages.layout import form, page, read_form, redirect_with_notice
from agent_funnel.web.pages.leads import listed_with_country, same_list, show_lead, still_called
from agent_funnel.web.request_models import (
    ListedNumber,
    ListedNumbers,
    NewDoNotContact,
    NewListedNumbers,
    NewNumberList,
)
from agent_funnel.web.requester import mask_texts, sees_numbers
from agent_funnel.web.services import services

blueprint = Blueprint("do_not_contact", __name__)

# The orders of the lists, besides their own, by name; the largest comes first:
SORTS: dict[str, Callable[[NumberList], int]] = {
    "entries": lambda each: each.entries,
    "age": lambda each: each.age_days,
}
SOUGHT: TypeAdapter[str] = TypeAdapter(SearchText)


@page(blueprint, "/do-not-contact", role="viewer")
def show(added: dict[str, Any] | None = None) -> str:
    """The lists with their ages, the entries of a number that is looked up, and the forms that change the lists.

    Of numbers that were just `added`, it has a notice, and the other spellings that can still be called.
    """
    lists = [mask_texts(each) for each in number_lists(services().database, services().now())]
    order = request.args.get("sort", "")
    if order in SORTS:
        lists.sort(key=SORTS[order], reverse=True)
    return render_template(
        "do_not_contact.html",
        lists=lists,
        has_country=floor_country() is not None,
        order=order if order in SORTS else "",
        # Outcomes alone add to the other one.
        open_lists=[each.name for each in lists if each.name != OPTED_OUT],
        own_list=OWN_REQUESTS,
        most=MOST_AT_ONCE,
        usual_bound=USUAL_BOUND_DAYS,
        longest_bound=LONGEST_BOUND_DAYS,
        **(added or _looked_up()),
    )


def _looked_up() -> dict[str, Any]:
    """The number that is looked up, and its entries; nothing if the form is empty."""
    text = request.args.get("number", "").strip()
    if not text:
        return {}
    if not sees_numbers():
        raise Forbidden(sentence("To look up a number, the key needs the role operator. Nothing was searched."))
    try:
        number = SOUGHT.validate_python(text)
    except ValidationError:
        return {"sought": text, "entries": (), "is_bad": True}
    found: list[DoNotContact] = do_not_contact_of(services().database, number)
    alike = [] if found else listed_with_country(number)
    return {
        "sought": number,
        "entries": found,
        "alike": alike,
        "still_called": still_called(number) if found else [],
        "same_list": same_list(found or alike),
    }


def _several_numbers() -> list[str]:
    """The numbers of a form, one on each line. Raises ParameterOutOfRange if there are none, or too many."""
    lines = [line.strip() for line in request.form.get("numbers", "").splitlines()]
    numbers = list(dict.fromkeys(line for line in lines if line))
    if not 0 < len(numbers) <= MOST_AT_ONCE:
        raise ParameterOutOfRange(
            sentence(
                "There are %(count)s numbers; 1 to %(most_at_once)s are possible at once, one on each line. Nothing "
                "was changed. Import a longer list as a file.",
                count=len(numbers),
                most_at_once=MOST_AT_ONCE,
            )
        )
    return numbers


@form(blueprint, "/do-not-contact/several", role="operator", shows=show)
def add_many() -> BaseResponse:
    """Puts the numbers of the form on a list, all or none.

    If some of them can still be called in another spelling, the response itself is the page that lists these: an
    address of up to a thousand numbers would be too long, and get into logs and the history of the browser.
    """
    given = {name: value for name in ("list_name", "reason") if (value := request.form.get(name, "").strip())}
    filled_in = NewListedNumbers.model_validate({**given, "numbers": _several_numbers()})
    set_audit_target(_several(filled_in))
    found = add_several(services().database, filled_in.numbers, filled_in.reason, list_name=filled_in.list_name)
    if lead := request.form.get("lead", "").strip():
        return redirect_with_notice(translated(_added(found, filled_in.list_name)), "leads.show_lead", number=lead)
    called = still_called(*filled_in.numbers)
    notice = translated(_added(found, filled_in.list_name, left=len({each.listed_key for each in called})))
    if not called:
        return redirect_with_notice(notice, "do_not_contact.show")
    same = {"list_name": filled_in.list_name, "reason": filled_in.reason}
    return make_response(show({"notice": notice, "still_called": called, "same_list": same}))


def _added(found: Taken, list_name: str, *, left: int = 0) -> Sentence:
    """What came of adding numbers; amounts of zero are left out."""
    list_name = list_word(list_name)
    return joined_amounts(
        counted(
            "%(count)s number was added to the list %(list_name)s.",
            "%(count)s numbers were added to the list %(list_name)s.",
            found.numbers - found.kept,
            list_name=list_name,
        ),
        counted("%(count)s number was on it before.", "%(count)s numbers were on it before.", found.kept)
        if found.numbers > found.kept
        else counted(
            "%(count)s number was on the list %(list_name)s before.",
            "%(count)s numbers were on the list %(list_name)s before.",
            found.kept,
            list_name=list_name,
        ),
        counted(
            "%(count)s lead was taken off an agent’s list.",
            "%(count)s leads were taken off agents’ lists.",
            found.assignments,
        ),
        counted(
            "%(count)s number can still be called in another spelling.",
            "%(count)s numbers can still be called in another spelling.",
            left,
        ),
    )


@form(blueprint, "/do-not-contact/several/remove", role="operator", shows=show)
def remove_many() -> BaseResponse:
    """Takes the numbers of the form off a list."""
    given = {"list_name": request.form["list_name"]} if request.form.get("list_name") else {}
    filled_in = ListedNumbers.model_validate({**given, "numbers": _several_numbers()})
    set_audit_target(_several(filled_in))
    removed = remove_several(services().database, filled_in.numbers, list_name=filled_in.list_name)
    free = [sentence("Numbers that are on no other list may be dealt again.")] if removed else []
    notice = joined(
        counted(
            "%(count)s number was taken off the list %(list_name)s.",
            "%(count)s numbers were taken off the list %(list_name)s.",
            removed,
            list_name=list_word(filled_in.list_name),
        ),
        *free,
    )
    return redirect_with_notice(translated(notice), "do_not_contact.show")


def _several(given: ListedNumbers) -> str:
    return f"{len(given.numbers)} numbers, {mask_digits(given.list_name)}"


class ListForm(NewNumberList):
    """A list as a form sends it, with its number as a text; without a number, it needs no new imports."""

    bound_days: Annotated[int, Field(ge=1, le=LONGEST_BOUND_DAYS)] | None = None


@form(blueprint, "/do-not-contact/lists", role="operator", shows=show)
def add_list() -> BaseResponse:
    """Creates a list."""
    filled_in = read_form(ListForm)
    set_audit_target(mask_digits(filled_in.name))
    add_number_list(services().database, **filled_in.model_dump())
    return redirect_with_notice(
        gettext("The list %(name)s is there; it is empty until you add numbers or import them.", name=filled_in.name),
        "do_not_contact.show",
    )


@form(blueprint, "/leads/do-not-contact", role="operator", shows=show_lead)
def add() -> BaseResponse:
    """Puts a number on the list, and takes it out of the present assignments."""
    filled_in = NewDoNotContact.model_validate(
        {"number": request.form.get("number", ""), "reason": request.form.get("reason", "").strip() or None}
    )
    set_audit_target(last_digits(filled_in.number))
    holder = _holder_of(filled_in.number)
    found = add_do_not_contact(services().database, filled_in.number, filled_in.reason)
    notice = _notice(bool(found["listed"]), found["assignments"], holder, bool(still_called(filled_in.number)))
    return redirect_with_notice(notice, "leads.show_lead", number=filled_in.number)


def _holder_of(number: str) -> str | None:
    """The agent who has a number now."""
    try:
        return lead_history(services().database, number).agent
    except NotFound:
        return None


def _notice(was_listed: bool, removed: int, holder: str | None, is_called: bool) -> str:
    if was_listed:
        listed = gettext("The number was on the list already.")
    elif is_called:
        listed = gettext("The number is on the list, but can still be called in another spelling.")
    else:
        listed = gettext("This number will not be contacted again.")
    if not removed:
        agents = gettext("No agent had it.")
    elif removed > 1:
        agents = gettext("It was removed from %(n)s places on agents’ lists.", n=format.number(removed, locale()))
    elif holder:
        agents = gettext("It was removed from the list of %(agent)s.", agent=holder)
    else:
        agents = gettext("It was removed from the list of the agent who had it.")
    return f"{listed} {agents}"


@form(blueprint, "/leads/do-not-contact/remove", role="operator", shows=show_lead)
def remove() -> BaseResponse:
    """Takes a number off the list."""
    given = {name: request.form[name] for name in ("number", "list_name") if request.form.get(name)}
    filled_in = ListedNumber.model_validate({"number": "", **given})
    set_audit_target(last_digits(filled_in.number))
    remove_do_not_contact(services().database, filled_in.number, list_name=filled_in.list_name)
    others = ", ".join(
        translated(list_word(each.list_name)) for each in do_not_contact_of(services().database, filled_in.number)
    )
    sender = "do_not_contact.show" if request.form.get("page") == "lists" else "leads.show_lead"
    return redirect_with_notice(
        gettext(
            "The number is off the list %(list_name)s, and still on %(others)s: it is not dealt.",
            list_name=translated(list_word(filled_in.list_name)),
            others=others,
        )
        if others
        else gettext("The number is off the do-not-contact list; a deal may give it to an agent again."),
        sender,
        number=filled_in.number,
    )
