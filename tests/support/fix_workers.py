"""How tests are shared among pytest's workers (``pytest -n 3 --dist loadgroup``).

Rule: what is dear to start is started in one worker only, so all tests that need it go there.
"""

from __future__ import annotations

import pytest

DEAR = ("control_plane", "servers")
"""Fixtures of which there is to be one in a run: a Kubernetes API server; the servers of the matrix."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests that use one of them go to the same worker."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        group = next((one for one in DEAR if one in names), None)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
