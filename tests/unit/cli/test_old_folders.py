"""What runs leave in the folder for temporary files."""

from __future__ import annotations

import os

from headway_cli.launch import KEPT_SECONDS, forget_old_folders

NOW = 2_000_000_000.0


def run_folder(parent, name, age):
    """With a log that was last written so many seconds ago."""
    folder = parent / name
    (folder / "job").mkdir(parents=True)
    (folder / "job" / "log").write_text("x")
    for one in (folder, folder / "job"):
        os.utime(one, (0, 0))
    os.utime(folder / "job" / "log", (NOW - age, NOW - age))
    return folder


def test_the_log_of_a_failure_stays_for_a_week_and_goes_with_a_later_run(tmp_path):
    old = run_folder(tmp_path, "headway-run-old", KEPT_SECONDS + 1)
    fresh = run_folder(tmp_path, "headway-run-fresh", KEPT_SECONDS - 1)
    other = run_folder(tmp_path, "somebody-else", 10 * KEPT_SECONDS)
    forget_old_folders(tmp_path, NOW)
    assert [one.exists() for one in (old, fresh, other)] == [False, True, True]


def test_folders_of_another_user_are_left_alone(tmp_path, monkeypatch):
    theirs = run_folder(tmp_path, "headway-run-theirs", 2 * KEPT_SECONDS)
    monkeypatch.setattr(os, "getuid", lambda: theirs.stat().st_uid + 1)
    forget_old_folders(tmp_path, NOW)
    assert theirs.exists()
