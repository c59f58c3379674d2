"""The dashboard, for people: HTML, with a file for each page."""

from agent_funnel.web.pages import (
    admin,
    agent,
    agents,
    deal,
    do_not_contact,
    hand_backs,
    import_records,
    imports,
    leads,
    links,
    own_list,
    rules,
    runs,
    runway,
    tonight,
)

BLUEPRINTS = (
    tonight.blueprint,
    runway.blueprint,
    deal.blueprint,
    runs.blueprint,
    agents.blueprint,
    agent.blueprint,
    links.blueprint,
    leads.blueprint,
    imports.blueprint,
    import_records.blueprint,
    do_not_contact.blueprint,
    own_list.blueprint,
    hand_backs.blueprint,
    admin.blueprint,
    rules.blueprint,
)
