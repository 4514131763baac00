"""The bench itself: container paths become local paths where they are paths, and nowhere else."""

from pathlib import Path

import pytest

from support.process_kubelet.environment import expand
from support.process_kubelet.paths import PathTranslation

TRANSLATE = PathTranslation(
    {"/app": Path("/here/app"), "/app/data": Path("/here/data"), "/tmp": Path("/here/tmp")}
)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("/app", "/here/app"),
        ("/app/alembic.ini", "/here/app/alembic.ini"),
        ("/app/data/x", "/here/data/x"),
        ("--config=/app/a.ini", "--config=/here/app/a.ini"),
        ("/lib:/app:/app/data", "/lib:/here/app:/here/data"),
        ('{"folder": "/app"}', '{"folder": "/here/app"}'),
        ("open('/tmp/x')", "open('/here/tmp/x')"),
        ("sqlite:////app/data/x.db", "sqlite:////here/data/x.db"),
        ("/apps", "/apps"),
        ("/app-data", "/app-data"),
        ("/app.ini", "/app.ini"),
        ("/other/app", "/other/app"),
        ("./app", "./app"),
        ("https://example.com/app", "https://example.com/app"),
        ("postgresql:///app", "postgresql:///app"),
    ],
)
def test_only_whole_paths_and_beginnings_of_paths_are_translated(text: str, local: str) -> None:
    assert TRANSLATE(text) == local


def test_references_expand_as_in_kubernetes() -> None:
    assert expand("$(A)-$(UNKNOWN)-$$(A)-$A", {"A": "1"}) == "1-$(UNKNOWN)-$(A)-$A"
