"""A connection whose other end is gone without a word (a lost node, a cut cable) ends on both sides within a minute.

Rule: the server ends the session of a runner that is gone, so that its lock goes and the next run may start; the
runner notices a server that is gone, instead of waiting for hours as the kernel would. Nothing here ends a session
that is only slow or idle: the two kernels answer each other's probes whatever the processes do.
"""

import os
import socket
from contextlib import suppress
from typing import Any

from headway_runner.connections.dbapi import bare

IDLE_SECONDS = 15
INTERVAL_SECONDS = 5
PROBES = 6
LOST_AFTER_SECONDS = IDLE_SECONDS + INTERVAL_SECONDS * PROBES
"""45: longer than most fail-overs of a network take, shorter than Kubernetes takes to call a node lost."""

SERVER_SETTINGS = (
    (140000, "client_connection_check_interval", "2s"),
    (0, "tcp_keepalives_idle", str(IDLE_SECONDS)),
    (0, "tcp_keepalives_interval", str(INTERVAL_SECONDS)),
    (0, "tcp_keepalives_count", str(PROBES)),
    (120000, "tcp_user_timeout", f"{LOST_AFTER_SECONDS}s"),
)
"""The first ``server_version_num`` that has it, the PostgreSQL setting, its value. Any user may set them, and on a
Unix socket the server ignores those of TCP. Without the first, a statement whose client is gone runs to its end."""

_OPTIONS = (
    ("TCP_KEEPIDLE", IDLE_SECONDS),
    ("TCP_KEEPALIVE", IDLE_SECONDS),
    ("TCP_KEEPINTVL", INTERVAL_SECONDS),
    ("TCP_KEEPCNT", PROBES),
    ("TCP_USER_TIMEOUT", LOST_AFTER_SECONDS * 1000),
)
"""By the names of the platforms; macOS says ``TCP_KEEPALIVE`` for the first and has not the last."""


def watch_socket(adapter: Any) -> None:
    """Let our kernel probe the other end. A value that somebody has set below ours stays."""
    descriptor = descriptor_of(bare(adapter))
    if descriptor is None:
        return
    with socket.socket(fileno=os.dup(descriptor)) as ours:
        if ours.family not in (socket.AF_INET, socket.AF_INET6):
            return
        # A sandbox's kernel may know only some of them; the run goes on without.
        with suppress(OSError):
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS:
            option = getattr(socket, name, None)
            with suppress(OSError):
                if option is not None and not 0 < ours.getsockopt(socket.IPPROTO_TCP, option) < value:
                    ours.setsockopt(socket.IPPROTO_TCP, option, value)


def descriptor_of(driver: Any) -> int | None:
    """The driver's socket; None for a driver that shows none, or has none, such as SQLite's."""
    transport = getattr(driver, "_transport", None)
    candidates: tuple[Any, ...] = (
        driver,
        getattr(driver, "_usock", None),
        getattr(driver, "_sock", None),
        None if transport is None else transport.get_extra_info("socket"),
    )
    for one in candidates:
        if hasattr(one, "fileno"):
            return int(one.fileno())
    return None
