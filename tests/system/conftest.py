"""Fixtures of the tests that need packages of the system."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def public_tmp_path() -> Iterator[Path]:
    """A fresh folder that unprivileged servers can reach; pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="headway-system-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
