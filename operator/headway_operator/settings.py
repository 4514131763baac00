"""The operator's own settings: read once from the environment by ``__main__`` and handed down; no global."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How this operator runs; every field has one environment variable, ``HEADWAY_`` and its name in capitals."""

    namespaces: tuple[str, ...] = ()
    """The namespaces to watch, separated by commas; empty: all of them."""
    runner_image: str = "ghcr.io/headway-dev/headway:0.1.0"
    """The image whose init container brings the runner into the users' images."""
    workers: int = 8
    """How many resources are reconciled at once."""
    resync_seconds: int = 600
    """Between two looks at all resources, for when a watch has gone silent."""
    grace_seconds: int = 60
    """``terminationGracePeriodSeconds`` of the Jobs' pods."""
    log_level: str = "INFO"
    port: int = 0
    """Of ``/livez``, ``/readyz`` and ``/metrics``; 0: they are not served."""
    lease_namespace: str = ""
    """Where the Lease is by which one of several operators leads; empty: this one leads without asking."""
    lease_name: str = "headway-operator"
    lease_seconds: int = 15
    """How long the Lease lasts without renewal, and so how long nobody leads after a leader was killed."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read ``HEADWAY_…``; raises :class:`ValueError` with the variable's name when a number is none."""
        return cls(
            namespaces=tuple(filter(None, environment.get("HEADWAY_NAMESPACES", "").split(","))),
            runner_image=environment.get("HEADWAY_RUNNER_IMAGE") or cls.runner_image,
            workers=_number(environment, "HEADWAY_WORKERS", cls.workers),
            resync_seconds=_number(environment, "HEADWAY_RESYNC_SECONDS", cls.resync_seconds),
            grace_seconds=_number(environment, "HEADWAY_GRACE_SECONDS", cls.grace_seconds),
            log_level=environment.get("HEADWAY_LOG_LEVEL", cls.log_level).upper(),
            port=_number(environment, "HEADWAY_PORT", cls.port),
            lease_namespace=environment.get("HEADWAY_LEASE_NAMESPACE", cls.lease_namespace),
            lease_name=environment.get("HEADWAY_LEASE_NAME") or cls.lease_name,
            lease_seconds=_number(environment, "HEADWAY_LEASE_SECONDS", cls.lease_seconds),
        )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if text and (not text.isdecimal() or int(text) < 1):
        raise ValueError(f"{name} should be a whole number above 0, but is {text!r}")
    return int(text) if text else default
