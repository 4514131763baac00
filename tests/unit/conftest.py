"""A unit test starts no other program: `make unit` needs nothing but pip, and takes seconds."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _refused(*_: object, **__: object) -> None:
    raise AssertionError("a unit test starts no other program: tests/process is the place for one that does")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Also none of its fixtures does. (This hook is called for the tests of other folders too.)"""
    with pytest.MonkeyPatch.context() as patch:
        if item.path.is_relative_to(HERE):
            patch.setattr(subprocess.Popen, "__init__", _refused)
        return (yield)
