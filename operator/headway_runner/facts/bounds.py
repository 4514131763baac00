"""How much is told of a revision and of a whole plan: it travels in a log, whose file the kubelet cuts at 10 MB."""

REVISION_SECONDS = 5.0
"""For rendering one revision; what needs longer does something else than write SQL."""
PLAN_SECONDS = 30.0
"""For rendering all of them."""
END_SECONDS = 20.0
"""What a process may take beyond that before it is killed: it does not listen."""

STATEMENTS = 200
"""Of one revision."""
STATEMENT_CHARACTERS = 10_000
CALLS = 500
"""Of one revision."""
ARGUMENT_CHARACTERS = 200
IGNORES = 100
TABLES = 500
TRIGGERS = 100
"""Of all tables that are told."""
TRIGGER_CHARACTERS = 2_000
"""Of what one trigger fills a column with."""
CATALOG_ROWS = 20_000
"""The largest tables; the rest of a database with more is not known."""
DATABASES_CHARACTERS = 3_000_000
"""Of the JSON of all databases of a plan, in equal shares; revisions beyond it are told without their contents."""
