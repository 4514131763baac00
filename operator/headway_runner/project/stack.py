"""SQLAlchemy and Alembic: most of the time and the memory of a start, so loaded where they are needed, once.

What was imported stays: neither this process nor those that it forks need search it for garbage, or copy its pages
for that.
"""

import gc
import platform
import sys
from functools import lru_cache

from headway_contract.result import Failure

Versions = tuple[str, str, str]
"""Of Python, Alembic and SQLAlchemy."""


@lru_cache(maxsize=None)
def load() -> Versions:
    """Import them, with the collector off until :func:`keep`; raises ImportError."""
    gc.disable()
    import logging.config  # noqa: F401 - env.py asks for it in every pass

    import alembic
    import sqlalchemy

    return platform.python_version(), alembic.__version__, sqlalchemy.__version__


def is_loaded() -> bool:
    """In this process, or in the one that it was forked from."""
    return bool(load.cache_info().currsize)


def keep() -> None:
    """Whatever was to be imported is."""
    gc.freeze()
    gc.enable()


def not_importable(error: ImportError) -> Failure:
    """Alembic or SQLAlchemy is not there, or is there and fails: says in which interpreter."""
    python = f"{sys.executable} (Python {platform.python_version()})"
    if isinstance(error, ModuleNotFoundError) and error.name in ("alembic", "sqlalchemy"):
        return Failure("AlembicMissing", f"There is no module {error.name} in {python}.")
    return Failure("ProjectFailed", f"Alembic or SQLAlchemy cannot be imported by {python}: {error}.")
