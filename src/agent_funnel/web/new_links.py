"""New personal links as pages show them, only once: to print, to share, and to send by WhatsApp."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

import segno
from flask import request, url_for
from flask_babel import gettext
from markupsafe import Markup

from agent_funnel.access.links import make_link
from agent_funnel.web.services import services


@dataclass(frozen=True)
class NewLink:
    """A link that was just made: its address, a QR code of it as SVG, and an address that sends it by WhatsApp."""

    agent: str
    address: str
    code: Markup
    whatsapp: str


def new_link(agent: str, *, actor: str) -> NewLink:
    """Makes a personal link, under the address of the present request. Raises NotFound if there is no such agent."""
    _, secret = make_link(services().database, agent, actor=actor)
    # Not the `_external` of url_for, which knows no host name with an underscore.
    address = f"{request.scheme}://{request.host}{url_for('own_list.show', secret=secret)}"
    text = gettext(
        "%(agent)s, this link opens your list of leads: %(address)s Keep it to yourself.", agent=agent, address=address
    )
    return NewLink(agent, address, _code_of(address), f"https://wa.me/?text={quote(text, safe='')}")


def _code_of(text: str) -> Markup:
    # Black on white in dark pages, too: many phones read no other code.
    code = segno.make(text, micro=False, error="m")
    return Markup(code.svg_inline(dark="#000", light="#fff", border=4, omitsize=True, svgclass="qr", lineclass=None))  # noqa: S704


def leads_to_this_machine() -> bool:
    """Whether the address of the present request opens on this machine only, so that no phone can open a link to it."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
