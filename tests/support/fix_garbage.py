"""No search for garbage while tests are collected, and none among what has come in with them.

Imported modules and collected tests stay to the end: looking through them is a third of the time of a collection.
"""

import gc

from support.fix_depth import QUICK


def pytest_configure() -> None:
    """What is made from now on is no garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is made by the tests may be."""
    gc.freeze()
    gc.enable()
    if QUICK:
        # Seldom: there is room for what half a minute of tests leaves behind.
        gc.set_threshold(50_000)
