"""`headway run` while an index is built: how far, by the server's own count of blocks."""

import re

from support.command_line import Headway, resource
from support.held_index import BUILD, INDEX, HeldIndex
from support.projects import from_template
from support.waiting import wait_until

SCANNING = rf"building index {INDEX} on public\.events: building index: scanning table (\d+)%"


def test_the_table_shows_how_many_of_its_blocks_the_server_has_read(tmp_path, make_database):
    database = make_database()
    held = HeldIndex(database)
    from_template(tmp_path).tables("first").revision("index", BUILD)
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    run = Headway(tmp_path, "run", "-f", "shop.yaml", f"--url=main={database.url()}")

    def shows_where_it_is_held():
        return any(abs(int(percent) - held.percent) <= 2 for percent in re.findall(SCANNING, run.out))

    wait_until(shows_where_it_is_held, 60, f"{held.percent:.0f}% on the table")
    assert not held.is_built
    held.let_go()
    assert run.wait() == 0, run.out + run.err
    assert held.is_built
