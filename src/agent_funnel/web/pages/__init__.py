"""The dashboard, for people: HTML, with a file for each page."""

from agent_funnel.web.pages import (
    admin,
    agent,
    agents,
    calendar,
    deal,
    do_not_contact,
    import_records,
    imports,
    leads,
    notices,
    own_list,
    rules,
    runs,
    runway,
    search,
    tonight,
)

BLUEPRINTS = (
    tonight.blueprint,
    runway.blueprint,
    deal.blueprint,
    runs.blueprint,
    agents.blueprint,
    agent.blueprint,
    calendar.blueprint,
    leads.blueprint,
    search.blueprint,
    imports.blueprint,
    import_records.blueprint,
    do_not_contact.blueprint,
    notices.blueprint,
    own_list.blueprint,
    admin.blueprint,
    rules.blueprint,
)
