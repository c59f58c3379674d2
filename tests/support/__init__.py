"""Helpers that the tests share: databases, processes, browsers, fake servers, and the rules in plain Python."""

import os

# Whether this is the long version, `make test-long`: more examples, more repetitions, larger databases.
LONG = os.environ.get("FUNNEL_TEST_LONG") == "1"
