"""What the parent of a run has loaded when its passes load SQLAlchemy and Alembic for themselves."""

from __future__ import annotations

import subprocess
import sys

from support.tree import ROOT

LOADED = """
import sys
import headway_runner.main, headway_runner.modes.migrate, headway_runner.modes.plan
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_such_a_parent_loads_neither_them_nor_a_driver_nor_what_only_the_last_look_needs():
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={"PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"sqlalchemy", "alembic", "psycopg", "psycopg2", "asyncio", "ctypes", "logging"}
    assert heavy.intersection(eval(done.stdout)) == set()
