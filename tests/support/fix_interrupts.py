"""Ctrl-C is heard in a run of the tests, whoever has started it.

A shell without job control ignores it in what it starts in the background, and so do all programs below that: then
nothing that is to stop on Ctrl-C would.
"""

import signal


def pytest_configure() -> None:
    """Python's own way again; for the programs that tests start, the system's."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
