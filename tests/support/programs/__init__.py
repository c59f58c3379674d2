"""Programs for the tests to run in processes of their own, each with `python -m support.programs.NAME`."""
