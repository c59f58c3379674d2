"""Keys, the audit and the settings."""

from __future__ import annotations

from json import dumps
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from agent_funnel.access import keys
from agent_funnel.access.audit import list_entries
from agent_funnel.settings import SECRET_FIELDS, Settings, variable
from agent_funnel.web.api import models
from agent_funnel.web.auth import identity, set_audit_target
from agent_funnel.web.idempotency import store_instead
from agent_funnel.web.operation import json, operation
from agent_funnel.web.paging import AFTER_ROW_ID, decode_cursor, encode_cursor
from agent_funnel.web.request_models import KeyPath, NewKey, PageQuery
from agent_funnel.web.services import services

blueprint = APIBlueprint("admin", __name__, abp_tags=[Tag(name="admin", description="Keys, the audit, the settings.")])


@operation(blueprint, "get", "/keys", role="admin", answer=models.Keys)
def list_keys() -> Response:
    """List the keys, the revoked ones too."""
    return json(models.Keys(items=keys.list_keys(services().database)))


@operation(
    blueprint, "post", "/keys", role="admin", answer=models.KeyAnswer, status=201,
    problems={409: "A key of this name is in use."},
)  # fmt: skip
def add_key(body: NewKey) -> Response:
    """Make a key; its secret is shown only once."""
    set_audit_target(body.name)
    key, secret = keys.add_key(services().database, body.name, body.role, actor=identity().name)
    # A repeated request gets the same key, but no secret, since that is stored nowhere.
    store_instead(models.KeyAnswer(key=key, secret=None).model_dump_json())
    return json(models.KeyAnswer(key=key, secret=secret), 201)


@operation(
    blueprint, "delete", "/keys/<int:key_id>", role="admin", answer=models.Done, problems={404: "No such key in use."}
)
def revoke_key(path: KeyPath) -> Response:
    """Revoke a key, at once and for good, and end the sessions that began with it."""
    set_audit_target(f"key {path.key_id}")
    keys.revoke_key(services().database, path.key_id, actor=identity().name)
    return json(models.Done())


@operation(blueprint, "get", "/audit", role="admin", answer=models.AuditPage)
def list_audit(query: PageQuery) -> Response:
    """List what was done through the service, the newest first: who, what, when, from where, with what outcome."""
    before = decode_cursor(query.cursor, AFTER_ROW_ID)
    found = list_entries(services().database, count=query.count, before=before[0] if before else None)
    following = encode_cursor(found[-1].entry_id) if len(found) == query.count else None
    return json(models.AuditPage(items=found, next=following))


@operation(blueprint, "get", "/settings", role="admin", answer=models.SettingsAnswer)
def show_settings() -> Response:
    """Show the settings of this copy of the service; secrets stay secret."""
    given = services().settings.model_dump(mode="json", exclude=SECRET_FIELDS)
    return json(
        models.SettingsAnswer(items=[_setting(name, given.get(name)) for name in sorted(Settings.model_fields)])
    )


def _setting(name: str, value: Any) -> models.Setting:
    text = value if isinstance(value, str) or value is None else dumps(value)
    return models.Setting(name=variable(name), value=text, secret=name in SECRET_FIELDS)
