"""Which upgrade a call of Alembic is: what tells it from others, so that another try of the same is known as such.

Rule: by what its caller says of it, never by the environment: a retry may have another token there. No value of it
leaves this module.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from headway_runner.run.library import ATTRIBUTE

_CHARACTERS = 16
"""Each report of a command's process has the keys of all its upgrades so far."""
_PLAIN = (str, bytes, int, float, bool, type(None))


class UpgradeKeys:
    """Those of one process: an upgrade keeps its key, whatever env.py makes of its configuration."""

    def __init__(self) -> None:
        self._became: dict[str, str] = {}
        """What each key had become when env.py was left, and the key that it was."""

    def begins(self, environment: EnvironmentContext) -> str:
        """The key of an upgrade that is about to call env.py."""
        key = key_of(environment)
        return self._became.get(key, key)

    def ends(self, environment: EnvironmentContext, key: str) -> None:
        """Env.py was left: whoever tries again with the same configuration begins with what it is by now."""
        self._became.setdefault(key_of(environment), key)


def key_of(environment: EnvironmentContext) -> str:
    """A digest: the same for two tries of the same upgrade, also of two processes."""
    config = environment.config
    told = (
        os.path.abspath(config.config_file_name or ""),
        config.config_ini_section,
        os.path.abspath(environment.script.dir),
        str(environment.context_opts.get("destination_rev")),
        _url(config),
        sys.argv[1:],
        sorted(_plain(config.attributes).items()),
        sorted(_plain(vars(config.cmd_opts) if config.cmd_opts is not None else {}).items()),
    )
    return hashlib.sha256(repr(told).encode(errors="surrogatepass")).hexdigest()[:_CHARACTERS]


def _url(config: Config) -> str:
    """Without its password: each try may fetch one of its own."""
    url = config.file_config.get(config.config_ini_section, "sqlalchemy.url", raw=True, fallback="")
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return url


def _plain(values: Mapping[Any, Any]) -> dict[str, str]:
    """Of a connection, an engine, a function only what it is: each try may have one of its own."""
    return {str(name): _told(value) for name, value in values.items() if name != ATTRIBUTE}


def _told(value: Any) -> str:
    is_plain = isinstance(value, _PLAIN) or (
        isinstance(value, (list, tuple)) and all(isinstance(one, _PLAIN) for one in value)
    )
    return repr(value) if is_plain else type(value).__qualname__
