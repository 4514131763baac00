"""The matrix in pytest: the option `--matrix`, the argument `row`, the fixture `servers`, and a summary."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.matrix.selection import CHOICES, rows_of, summary, to_be_had
from support.matrix.servers import Servers


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of the matrix a run takes."""
    parser.addoption("--matrix", choices=CHOICES, default="chosen", help="which rows of the matrix to run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `row` is run for each row that can be had here."""
    if "row" in metafunc.fixturenames:
        rows = to_be_had(rows_of(metafunc.config.getoption("--matrix")))
        metafunc.parametrize("row", rows, ids=str)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what was left out: a row that cannot be had is never silently passed."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    if any("test_matrix.py" in str(getattr(one, "nodeid", "")) for one in reports):
        terminalreporter.section("matrix")
        for line in summary(config.getoption("--matrix")):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The matrix's servers."""
    made = Servers()
    yield made
    made.close()
