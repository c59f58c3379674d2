"""The commands about the keys to the service."""

from __future__ import annotations

from dataclasses import asdict

import click

from agent_funnel.access import keys
from agent_funnel.access.keys import ROLES, AccessKey
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.options import actor_option
from agent_funnel.cli.output import Listing, Reply, cells, reports, second


@click.group("keys")
def keys_group() -> None:
    """Manage the keys to the service."""


@keys_group.command("list")
@pass_context
@reports
def list_keys(context: Context) -> Listing:
    """List all keys, including revoked ones. Their secrets are not stored."""
    return Listing(keys.list_keys(context.database), "There are no keys: only this machine can use the service.")


@keys_group.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="Each role can do what those before it can.")
@actor_option
@pass_context
@reports
def add(context: Context, name: str, role: str, actor: str) -> Reply:
    """Make a key and show it, only this once. As soon as there is a key, the service asks everyone for one."""
    key, secret = keys.add_key(context.database, name, role, actor=actor)
    lines = [f"Made key {key.key_id} for {name} ({role}). Copy it now; it is not shown again:", secret]
    return Reply(lines, {**asdict(key), "secret": secret})


@keys_group.command("revoke")
@click.argument("key_id", type=int)
@actor_option
@pass_context
@reports
def revoke(context: Context, key_id: int, actor: str) -> Reply:
    """Revoke a key, at once and for good, and end the sessions that signed in with it."""
    keys.revoke_key(context.database, key_id, actor=actor)
    return Reply(f"Revoked key {key_id}.", {"revoked": key_id})


@cells.register
def _(key: AccessKey) -> dict[str, object]:
    return {
        "Key": key.key_id,
        "Name": key.name,
        "Role": key.role,
        "Made (UTC)": second(key.created_at),
        "Last used (UTC)": second(key.last_used_at) or "never",
        "Revoked (UTC)": second(key.revoked_at),
    }
