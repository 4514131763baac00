"""What importing our parts costs, as a fresh interpreter sees it."""

from __future__ import annotations

import subprocess
import sys

from support.tree import SOURCE

HEAVY = {
    "kopf",
    "kubernetes",
    "sqlalchemy",
    "alembic",
    "yaml",
    "rich",
    "cel",
    "jsonschema",
    "asyncio",
    "psycopg",
}


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom headway_cli.__main__ import main\n"
        "for words in (['--help'], ['--version'], ['run', '--help'], ['demo', '--help'], ['hooks', '--help'],"
        " ['pause', '--help']):\n"
        "    try:\n        main(words)\n    except SystemExit as end:\n        assert not end.code\n"
        f"loaded = {HEAVY!r} & set(sys.modules)\nassert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_does_not_wait_for_the_parser_of_sql():
    code = "import sys, headway_cli.__main__ as m\ntry:\n m.main(['--help'])\nexcept SystemExit: pass\n"
    code += "import headway_operator.planner.plan\n"
    code += "print(sorted({'postgast', 'google', 'alembic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_outside_of_alembic_importing_it_costs_nothing():
    code = "import headway, sys; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True)


def test_inside_of_alembic_importing_it_is_enough_for_op():
    code = "from alembic import op; import headway; op.create_index_concurrently"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(SOURCE)}, check=True)
