"""Which upgrade a call of Alembic is: what tells it from others, so that another try of the same is known as such.

Rule: by everything that may lead it to another database or another history; no value of it leaves this module.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from alembic.runtime.environment import EnvironmentContext

from headway_runner.run.library import ATTRIBUTE

_OF_THE_SHELL = ("_", "OLDPWD", "SHLVL")
"""Variables that a shell sets anew for each program."""
_PLAIN = (str, bytes, int, float, bool, type(None))


def key_of(environment: EnvironmentContext) -> str:
    """A digest: the same for two tries of the same upgrade, also of two processes."""
    config = environment.config
    told = (
        os.path.abspath(config.config_file_name or ""),
        config.config_ini_section,
        os.path.abspath(environment.script.dir),
        str(environment.context_opts.get("destination_rev")),
        config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback=""),
        sys.argv,
        sorted(_plain(config.attributes).items()),
        sorted(_plain(vars(config.cmd_opts) if config.cmd_opts is not None else {}).items()),
        sorted((name, value) for name, value in os.environ.items() if name not in _OF_THE_SHELL),
    )
    return hashlib.sha256(repr(told).encode(errors="surrogatepass")).hexdigest()


def _plain(values: Mapping[Any, Any]) -> dict[str, str]:
    """Of a connection, an engine, a function only what it is: each try may have one of its own."""
    return {str(name): _told(value) for name, value in values.items() if name != ATTRIBUTE}


def _told(value: Any) -> str:
    is_plain = isinstance(value, _PLAIN) or (
        isinstance(value, (list, tuple)) and all(isinstance(one, _PLAIN) for one in value)
    )
    return repr(value) if is_plain else type(value).__qualname__
