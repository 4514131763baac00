"""What the benchmark of the lint decides of what it saw."""

from __future__ import annotations

import lint
import pytest

SHORT = [(9.0, 0.7), (1.0, 0.8), (1.0, 0.7)]


@pytest.mark.parametrize(
    ("long", "code"),
    [
        ([(9.0, 2.6), (9.0, 2.6), (9.0, 9.9)], 0),
        ([(1.0, 2.8), (1.0, 2.8), (1.0, 0.7)], 1),
        ([(1.0, 2.7), (1.0, 2.7), (1.0, 2.7)], 1),
    ],
    ids=["only the wall is slow, and one round", "the processor is slow", "just at the target"],
)
def test_two_seconds_of_processor_over_the_start_are_too_many(monkeypatch, capsys, long, code):
    rounds = {"short": iter([SHORT[0], *SHORT]), "long": iter([long[0], *long])}
    monkeypatch.setattr(lint, "one_revision", lambda folder: "short")
    monkeypatch.setattr(lint.runner, "project_with_history", lambda folder: "long")
    monkeypatch.setattr(lint, "seconds", lambda project: next(rounds[project]))
    assert lint.main(3) == code
    assert ("missed" in capsys.readouterr().out) is bool(code)
