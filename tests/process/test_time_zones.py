"""The windows of a backfill where the system knows no time zones."""

from __future__ import annotations

import subprocess
import sys

from support.tree import SOURCE


def test_without_a_database_of_time_zones_only_utc_can_be_told():
    """As in an image without the system's time zones and without the package tzdata, which -S hides."""
    code = (
        "from headway.throttle.windows import WindowsUnreadable, parse\n"
        "parse([{'from': '09:00', 'to': '17:00'}])\n"
        "try: parse([{'from': '09:00', 'to': '17:00', 'timeZone': 'Europe/Vienna'}])\n"
        "except WindowsUnreadable as error: print(error)\n"
    )
    environment = {"PYTHONTZPATH": "", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "install the Python package tzdata in the image" in done.stdout
