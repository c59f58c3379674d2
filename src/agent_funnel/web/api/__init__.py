"""The JSON API, with a file for each subject. Views parse, call and respond; the OpenAPI document is made from them."""

from __future__ import annotations

from flask_openapi3 import APIBlueprint

from agent_funnel.web.api import (
    admin,
    agents,
    call_backs,
    do_not_contact,
    exports,
    hand_backs,
    import_records,
    imports,
    leads,
    outcomes,
    person,
    results,
    rules,
    runs,
    runway,
    schedule,
)

blueprint = APIBlueprint("api", __name__, url_prefix="/api")
for part in (
    runs,
    agents,
    leads,
    imports,
    import_records,
    do_not_contact,
    exports,
    outcomes,
    hand_backs,
    call_backs,
    results,
    person,
    schedule,
    runway,
    rules,
    admin,
):
    blueprint.register_api(part.blueprint)

BLUEPRINTS = (blueprint, runs.run_now_blueprint)
