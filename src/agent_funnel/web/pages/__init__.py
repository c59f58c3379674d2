"""The dashboard, for people: HTML, with a file for each page."""

from agent_funnel.web.pages import (
    admin,
    agent,
    agents,
    call_backs,
    deal,
    do_not_contact,
    import_records,
    imports,
    leads,
    own_list,
    results,
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
    results.blueprint,
    agents.blueprint,
    agent.blueprint,
    leads.blueprint,
    call_backs.blueprint,
    imports.blueprint,
    import_records.blueprint,
    do_not_contact.blueprint,
    own_list.blueprint,
    admin.blueprint,
    rules.blueprint,
)
