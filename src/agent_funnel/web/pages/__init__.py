"""HTML, for people: the dashboard, a file for each of its parts."""

from agent_funnel.web.pages import deal, history, mine, office, people, search, tonight

BLUEPRINTS = (
    tonight.blueprint,
    deal.blueprint,
    history.blueprint,
    people.blueprint,
    mine.blueprint,
    search.blueprint,
    office.blueprint,
)
