"""SQLAlchemy and Alembic: most of the time and the memory of a start, so loaded where they are needed, once.

What was imported stays: neither this process nor those that it forks need search it for garbage, or copy its pages
for that.
"""

import gc
import platform

from headway_contract.events import RunStarted
from headway_contract.request import RunRequest


def load(request: RunRequest) -> RunStarted:
    """Import them, with the collector off until :func:`keep`; what is to be told of it. Raises ImportError."""
    gc.disable()
    import logging.config  # noqa: F401 - env.py asks for it in every pass

    import alembic
    import sqlalchemy

    versions = platform.python_version(), alembic.__version__, sqlalchemy.__version__
    return RunStarted(request.run, request.mode.value, *versions)


def keep() -> None:
    """Whatever was to be imported is."""
    gc.freeze()
    gc.enable()
