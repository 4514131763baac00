"""Makes the sender that the settings ask for, or says what is wrong with them."""

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headway_operator.hooks.endpoints import Endpoints
from headway_operator.hooks.policy import Policy
from headway_operator.hooks.sender import Sender
from headway_operator.hooks.signing import BadKey
from headway_operator.settings import Settings

if TYPE_CHECKING:
    from headway_operator.hooks.own_key import SigningKey

log = logging.getLogger(__name__)


def make_sender(settings: Settings, server: str, now: Callable[[], datetime]) -> Sender:
    """For an operator at the API server of this URL; raises :class:`ValueError` for what a person must mend."""
    policy = Policy.from_settings(settings, urlsplit(server).hostname or "")
    endpoints = Endpoints(settings.hooks_endpoints_file)
    keys = _keys(settings.hooks_key_file)
    if not keys:
        log.info(
            "hooks are sent without a signature of this operator: HEADWAY_HOOKS_KEY_FILE names no key "
            "(headway hooks key --new FILE makes one)"
        )
    return Sender(now, agent(), policy, endpoints, keys, _proxy(settings), _trust(settings.hooks_ca_file))


def make_local_sender(now: Callable[[], datetime]) -> Sender:
    """For a person's own machine, where everything may be called and nothing is signed."""
    return Sender(now, agent(), Policy(is_open=True))


def agent() -> str:
    """What we call ourselves."""
    return f"Headway/{version('headway')}"


def _keys(path: str) -> "tuple[SigningKey, ...]":
    if not path:
        return ()
    from headway_operator.hooks.own_key import signing_keys

    try:
        return signing_keys(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"HEADWAY_HOOKS_KEY_FILE cannot be read: {error}") from None
    except BadKey as problem:
        raise ValueError(f"HEADWAY_HOOKS_KEY_FILE ({path}) cannot be used: {problem}") from None


def _proxy(settings: Settings) -> str:
    proxy = urlsplit(settings.hooks_proxy)
    if settings.hooks_proxy and (proxy.scheme not in ("http", "https") or not proxy.hostname):
        raise ValueError("HEADWAY_HOOKS_PROXY should be of the form http://HOST:PORT")
    return settings.hooks_proxy


def _trust(authorities: str) -> ssl.SSLContext:
    tls = ssl.create_default_context()
    try:
        if authorities:
            tls.load_verify_locations(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(
            f"HEADWAY_HOOKS_CA_FILE ({authorities}) cannot be used: {error.strerror or 'it holds no certificate'}"
        ) from None
    return tls
