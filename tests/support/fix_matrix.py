"""The matrix in pytest: the argument `row` and the fixture `servers`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.matrix.selection import rows_of, to_be_had
from support.matrix.servers import Servers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `row` is run for each row that can be had here."""
    if "row" in metafunc.fixturenames:
        rows = to_be_had(rows_of(metafunc.config.getoption("--matrix")))
        metafunc.parametrize("row", rows, ids=str)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The matrix's servers."""
    made = Servers()
    yield made
    made.close()
