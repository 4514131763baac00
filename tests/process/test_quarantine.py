"""While revisions are rendered no driver connects, whenever it was loaded; one that nobody uses is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support.tree import ROOT

PROGRAM = """
import sys
{before}
from headway_runner.facts.quarantine import Refused, quarantine, tried
with quarantine():
    loaded = sorted({{"psycopg", "psycopg2", "MySQLdb"}} & set(sys.modules))
    try:
        {inside}
        end = "connected"
    except Refused:
        end = tried()
    except Exception as error:
        end = type(error).__name__
print(loaded, end)
{after}
"""
NOWHERE = "('host=127.0.0.1 port=1 connect_timeout=1')"
CONNECTS = {"psycopg": f"psycopg.connect{NOWHERE}", "psycopg2": f"psycopg2.connect{NOWHERE}"}


def done_by(before: str = "", inside: str = "pass", after: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before, inside=inside, after=after)],
        env={"PYTHONPATH": str(ROOT / "operator")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("driver", "connect"), CONNECTS.items())
def test_a_driver_that_was_loaded_before_connects_to_nothing(driver, connect):
    before = f"import {driver}"
    assert done_by(before, connect) == f"['{driver}'] connects to something"


@pytest.mark.parametrize(("driver", "connect"), CONNECTS.items())
def test_nor_does_one_that_is_loaded_within(driver, connect):
    assert done_by(inside=f"import {driver}; {connect}") == "[] connects to something"


@pytest.mark.parametrize("driver", CONNECTS)
def test_a_function_that_was_taken_out_before_connects_to_nothing_either(driver):
    before = f"from {driver} import connect"
    assert done_by(before, f"connect{NOWHERE}").endswith("connects to something")


def test_afterwards_they_connect_again():
    after = f"try: psycopg2.connect{NOWHERE}\nexcept psycopg2.OperationalError: print('tried')"
    assert done_by("import psycopg2", after=after).endswith("tried")


def test_a_driver_that_cannot_be_loaded_hinders_nothing():
    assert done_by("sys.modules['psycopg2'] = None").startswith("['psycopg2']")
