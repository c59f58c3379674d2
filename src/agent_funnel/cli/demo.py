"""The command that fills a database with sample data."""

from __future__ import annotations

import click

from agent_funnel import demo, install
from agent_funnel.cli.context import Context, pass_context
from agent_funnel.cli.output import Reply, reports
from agent_funnel.cli.progress import row_progress
from agent_funnel.leads import count_rows


@click.command("demo")
@click.option(
    "--leads", "size", type=int, default=20_000, show_default=True, help=f"How many leads, up to {demo.MOST_LEADS}."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same data.")
@click.option("--if-empty", is_flag=True, help="Succeed without a change if there are leads already.")
@pass_context
@reports
def fill_demo(context: Context, size: int, seed: int, if_empty: bool) -> Reply:
    """Fill an empty database with sample leads and agents.

    Creates the tables first.
    """
    database = context.database
    install.install(database)
    found = count_rows(database)
    if if_empty and found.leads:
        return Reply(f"There are {found.leads} leads already; nothing was added.", {"leads": 0, "agents": 0})
    with row_progress(size) as advance:
        made_leads, made_agents = demo.fill(database, leads=size, seed=seed, today=context.today, progress=advance)
    text = f"Made {made_leads} leads and {made_agents} agents on {database.name}."
    return Reply(text, {"leads": made_leads, "agents": made_agents})
