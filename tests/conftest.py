"""The fixtures that every test can use.

Rule: those that need servers are imported with the first test that is no unit test; to import them takes a second.
"""

from pathlib import Path

import pytest

UNIT = Path(__file__).parent / "unit"

pytest_plugins = [
    "support.fix_depth",
    "support.fix_garbage",
    "support.fix_interrupts",
    "support.fix_options",
    "support.fix_workers",
]

OF_SERVERS = (
    "support.fix_canaries",
    "support.fix_chart",
    "support.fix_cluster",
    "support.fix_kills",
    "support.fix_matrix",
    "support.fix_node",
    "support.fix_operator",
    "support.fix_postgres",
)

pytest.register_assert_rewrite(*OF_SERVERS)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """They are there before a module that may use them is imported."""
    if isinstance(collector, pytest.Module) and UNIT not in collector.path.parents:
        for name in OF_SERVERS:
            collector.config.pluginmanager.import_plugin(name)
