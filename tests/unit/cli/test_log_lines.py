"""What `headway logs` shows of a line: what the application printed, and notices of the runner as sentences."""

from __future__ import annotations

import pytest

from headway_cli.seen.logs import readable
from headway_contract.events import Heartbeat, Notice
from headway_contract.wire import MARK, Envelope, to_line


def line(event: object) -> str:
    return to_line(Envelope(1, "2026-11-23T08:00:00.000Z", event))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("INFO  [alembic] Running upgrade", "INFO  [alembic] Running upgrade"),
        ("", ""),
        (
            line(Notice("main", "A trigger fills users.status.")),
            "notice: main: A trigger fills users.status.",
        ),
        (line(Notice("", "It was started anew.")), "notice: It was started anew."),
        (line(Heartbeat()), None),
        (f"{MARK}{{cut", None),
    ],
)
def test_of_the_runners_own_lines_only_notices_are_shown(written: str, shown: str | None) -> None:
    assert readable(written) == shown
