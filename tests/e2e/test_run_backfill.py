"""`headway run` with a backfill of the library: told while it goes on, stopped at a batch, gone on with."""

import re
import signal

import pytest

from headway_cli.outputs import PACE
from headway_operator.planner.backfills import SLACK_PERCENT
from support.command_line import Headway, resource
from support.projects import from_template

ROWS = 6_000
FILL = """
from headway import backfill
backfill("users", {"status": "pg_sleep(0.001)::text || 'new'"}, where="status IS NULL")
"""
"""Each row takes a millisecond, so that there is a middle to do things in."""


class Shop:
    """A project with a table to fill, on a database of its own."""

    def __init__(self, folder, database):
        self.folder, self.database = folder, database
        database.execute("CREATE TABLE users (id int PRIMARY KEY, status text)")
        database.execute(
            f"INSERT INTO users SELECT n, NULL FROM generate_series(1, {ROWS}) AS n; ANALYZE users"
        )
        from_template(folder).tables("first").revision("fill", FILL).tables("last")
        (folder / "shop.yaml").write_text(resource({"main": {}}, backfill={"pace": "Gentle"}))

    def run(self, *options):
        return Headway(self.folder, "run", "-f", "shop.yaml", f"--url=main={self.database.url()}", *options)

    @property
    def filled(self):
        return self.database.scalar("SELECT count(*) FROM users WHERE status IS NOT NULL")


@pytest.fixture
def shop(tmp_path, make_database):
    return Shop(tmp_path, make_database())


def test_plain_lines_tell_of_it_now_and_then(shop):
    run = shop.run()
    assert run.wait() == 0, run.out + run.err
    assert shop.filled == ROWS
    told = [line for line in run.out.splitlines() if "backfilling users.status: " in line]
    assert "0/6k rows (" in told[0]
    assert any("%)" in line and "rows/s" in line for line in told[1:])
    assert "main: backfilled users: 6,000 rows in " in run.out
    seconds = float(run.out.split("fill (")[1].split(" s)")[0])
    assert len(told) <= 3 + seconds / PACE.total_seconds()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_it_at_the_next_batch_and_the_same_command_goes_on(shop, number):
    run = shop.run()
    run.wait_for("rows/s")
    run.interrupt(number)
    assert run.wait() == 130, run.out + run.err
    assert "main: It stopped in the backfill of users.status at " in run.out
    assert "What was applied stays applied. To go on from there:\n  headway run -f shop.yaml" in run.out
    assert 0 < shop.filled < ROWS
    assert shop.database.scalar("SELECT version_num FROM alembic_version") == "first"
    again = shop.run()
    assert again.wait() == 0, again.out + again.err
    assert shop.filled == ROWS
    (begun,) = [
        line for line in again.out.splitlines() if "backfilling users.status: " in line and "(s" in line
    ]
    assert ": 0/" not in begun


FIGURES = re.compile(r"([\d.]+)(k?)/([\d.]+)(k?) rows \((\d+)%\)(?:, ([\d.]+k?) updated)?")


def number(text, thousands):
    return float(text) * (1000 if thousands else 1)


def test_begun_again_after_a_part_was_filled_rows_and_percentage_still_tell_the_same(shop):
    run = shop.run()
    run.wait_for("rows/s")
    run.interrupt()
    assert run.wait() == 130, run.out + run.err
    (revision,) = shop.folder.glob("migrations/versions/fill.py")
    revision.write_text(revision.read_text().replace("'new'", "'newer'"))
    again = shop.run("--output=json")
    assert again.wait() == 0, again.out + again.err
    assert "it begins again" in again.out
    found = [FIGURES.search(one["message"]) for one in again.items if one["kind"] == "BackfillProgressed"]
    assert all(found), again.out
    shares = [100 * number(one[1], one[2]) / number(one[3], one[4]) for one in found]
    assert shares == pytest.approx([int(one[5]) for one in found], abs=SLACK_PERCENT + 1), again.out
    assert any(one[6] for one in found), "rows of the first part, which it went through without an update"
