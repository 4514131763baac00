"""A disk that is really full, under the table in which a backfill keeps its place."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.kills.judged import HEADWAY
from support.kills.victim import AFTER_COMMIT, Moment
from support.waiting import wait_until

DONE = "SELECT count(*) FROM items WHERE balance = 1"


@pytest.fixture
def small_disk():
    """A folder on a file system of 512 KiB; takes root."""
    folder = Path(tempfile.mkdtemp(prefix="headway-disk-"))
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k,mode=0777", "tmpfs", str(folder)],
        check=True,
        capture_output=True,
    )
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
    folder.rmdir()


def put_checkpoint_on(database, folder):
    """Its table is moved there, with large rows, and what is left of the disk is filled up."""
    place = folder / "space"
    place.mkdir()
    owner = Path(str(database.scalar("SHOW data_directory"))).stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    place.chmod(0o700)
    database.execute(f"CREATE TABLESPACE small_disk LOCATION '{place}'")
    database.execute(
        "ALTER TABLE headway_backfill SET TABLESPACE small_disk, ADD COLUMN padding text;"
        "ALTER TABLE headway_backfill ALTER COLUMN padding SET STORAGE PLAIN;"
        "UPDATE headway_backfill SET padding = repeat('x', 3000)"
    )
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 1024):
                pass
        except OSError as error:
            assert "No space left" in str(error)  # noqa: PT017 - it is what was wanted
    return filler


def test_the_batch_is_taken_back_and_gone_on_with_when_there_is_room_again(stage_of, small_disk):
    stage = stage_of("exactly-once", HEADWAY)
    database = stage.make_database()
    run = stage.start(database, Moment(AFTER_COMMIT, 3)).reach()
    done = database.scalar(DONE)
    old = database.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    filler = put_checkpoint_on(database, small_disk)
    # Nothing that it can see is cleaned away, so the table has to grow.
    old.execute("SELECT count(*) FROM items")
    run.go_on()
    wait_until(
        lambda: run.listen(0.1) or run.process.exitcode is not None, timeout=120, what="the end of the run"
    )
    assert run.end() != 0
    assert "No space left on device" in run.words()
    committed = database.scalar("SELECT rows_done FROM headway_backfill")
    assert database.scalar(DONE) == committed >= done
    filler.unlink()
    old.close()
    last = stage.start(database)
    assert last.end() == 0, last.words()
    assert stage.wrong(database) == {}
    database.execute("ALTER TABLE headway_backfill SET TABLESPACE pg_default")
    database.execute("DROP TABLESPACE small_disk")
