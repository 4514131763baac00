"""Our own options, and what a run says at its begin and its end, also in a process that runs no tests itself."""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from support import assets
from support.kubernetes.versions import VersionUnknown
from support.matrix.selection import CHOICES, summary

KUBECONFIG_VARIABLE = "HEADWAY_TEST_KUBECONFIG"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many backfills are killed, and how much of the matrix is run."""
    parser.addoption("--kills", type=int, default=30, help="how many backfills are killed, over all scenes")
    parser.addoption("--kills-seed", default="", help="repeat the moments of an earlier run")
    parser.addoption("--matrix", choices=CHOICES, default="chosen", help="which rows of the matrix to run")


def pytest_report_header() -> list[str]:
    """Which versions the tests run with."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("kopf", "alembic", "sqlalchemy"))
    return [f"headway: {libraries}", f"cluster: {_which_cluster()}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what was left out of the matrix: a row that cannot be had is never silently passed."""
    reports = [one for found in terminalreporter.stats.values() for one in found]
    if any("test_matrix.py" in str(getattr(one, "nodeid", "")) for one in reports):
        terminalreporter.section("matrix")
        for line in summary(config.getoption("--matrix")):
            terminalreporter.write_line(line)


def _which_cluster() -> str:
    if given := os.environ.get(KUBECONFIG_VARIABLE):
        return f"the one of {given}"
    try:
        kit = assets.chosen_control_plane()
    except VersionUnknown as unknown:
        raise pytest.UsageError(unknown) from None
    return f"own control plane, {f'from {kit.given()}' if kit.given() else f'Kubernetes {kit.version.tag}'}"
