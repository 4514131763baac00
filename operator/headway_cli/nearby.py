"""Databases on this machine: one that does not answer now will hardly answer in a minute, if nobody starts it.

In a cluster a database may be on its way, and a Job waits for it; so does a run here whose database is elsewhere.
Where all of them are on this machine the attempts follow each other in seconds, unless the resource says otherwise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from headway_cli.intake import Intake
from headway_contract.request import VARIABLE, DatabaseRequest, RunRequest

SECONDS = 1
"""``retry.backoffSeconds`` there; it doubles with each failure, as ever."""


def with_short_pauses(intake: Intake, environment: Mapping[str, str]) -> Intake:
    """The intake with the shorter pauses, if that is how it is; ``environment`` is what a Job of it sees."""
    databases = RunRequest.from_json(environment[VARIABLE]).databases
    if intake.has_own_pauses or not all(is_here(one, environment) for one in databases):
        return intake
    spec: dict[str, Any] = intake.resource["spec"]
    retry = spec["retry"] | {"backoffSeconds": SECONDS}
    return replace(intake, resource={**intake.resource, "spec": {**spec, "retry": retry}})


def is_here(database: DatabaseRequest, environment: Mapping[str, str]) -> bool:
    """Whether it is reached without leaving this machine; what the application itself knows is not known here."""
    if database.url_variable:
        return _is_here(environment.get(database.url_variable, ""))
    return bool(database.credentials.host) and is_loopback(environment.get(database.credentials.host, ""))


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        hosts = parse_qs(parts.query).get("host") or [parts.hostname or ""]
    except ValueError:
        return False
    # Without a host it is a file, or a socket of the system.
    return bool(parts.scheme) and all(not host or host.startswith("/") or is_loopback(host) for host in hosts)


def is_loopback(host: str) -> bool:
    """``localhost``, 127.0.0.0/8 or ::1."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
