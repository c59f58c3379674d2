"""`python -m agent_funnel` is the command `agent-funnel`."""

from agent_funnel.cli import main

if __name__ == "__main__":
    main()
