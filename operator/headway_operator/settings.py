"""The operator's own settings: read once from the environment by ``__main__`` and handed down; no global."""

from collections.abc import Mapping
from dataclasses import dataclass

LOG_FORMATS = ("text", "json")


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
    log_format: str = "text"
    """``text``, or ``json``: one object a line."""
    port: int = 0
    """Of ``/livez``, ``/readyz`` and ``/metrics``; 0: they are not served."""
    lease_namespace: str = ""
    """Where the Lease is by which one of several operators leads; empty: this one leads without asking."""
    lease_name: str = "headway-operator"
    lease_seconds: int = 15
    """A killed leader is followed within so many of its last renewal; the Lease lasts four fifths of them."""
    hooks_key_file: str = ""
    """The operator's own key for signing hooks; empty: they are not signed with one."""
    hooks_endpoints_file: str = ""
    """The endpoints that hooks may name; empty: there are none."""
    hooks_allow: tuple[str, ...] = ()
    """Addresses and networks that hooks may call although they are denied by themselves."""
    hooks_deny: tuple[str, ...] = ()
    """Addresses and networks that hooks may not call besides; ``private``: all private ones."""
    hooks_plain_http: tuple[str, ...] = (".svc", ".svc.cluster.local")
    """Ends of the names that hooks may call without TLS."""
    hooks_proxy: str = ""
    """The HTTP proxy that hooks go through; which addresses may be called is then the proxy's to say."""
    hooks_ca_file: str = ""
    """Certificates of authorities that receivers of hooks may have besides the system's."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read ``HEADWAY_…``; raises :class:`ValueError` with the variable's name when its value cannot be used."""
        return cls(
            namespaces=_texts(environment, "HEADWAY_NAMESPACES"),
            runner_image=environment.get("HEADWAY_RUNNER_IMAGE") or cls.runner_image,
            workers=_number(environment, "HEADWAY_WORKERS", cls.workers),
            resync_seconds=_number(environment, "HEADWAY_RESYNC_SECONDS", cls.resync_seconds),
            grace_seconds=_number(environment, "HEADWAY_GRACE_SECONDS", cls.grace_seconds),
            log_level=environment.get("HEADWAY_LOG_LEVEL", cls.log_level).upper(),
            log_format=_one_of(environment, "HEADWAY_LOG_FORMAT", LOG_FORMATS),
            port=_number(environment, "HEADWAY_PORT", cls.port),
            lease_namespace=environment.get("HEADWAY_LEASE_NAMESPACE", cls.lease_namespace),
            lease_name=environment.get("HEADWAY_LEASE_NAME") or cls.lease_name,
            lease_seconds=_number(environment, "HEADWAY_LEASE_SECONDS", cls.lease_seconds),
            hooks_key_file=environment.get("HEADWAY_HOOKS_KEY_FILE", ""),
            hooks_endpoints_file=environment.get("HEADWAY_HOOKS_ENDPOINTS_FILE", ""),
            hooks_allow=_texts(environment, "HEADWAY_HOOKS_ALLOW"),
            hooks_deny=_texts(environment, "HEADWAY_HOOKS_DENY"),
            hooks_plain_http=_texts(environment, "HEADWAY_HOOKS_PLAIN_HTTP") or cls.hooks_plain_http,
            hooks_proxy=environment.get("HEADWAY_HOOKS_PROXY", ""),
            hooks_ca_file=environment.get("HEADWAY_HOOKS_CA_FILE", ""),
        )


def _texts(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in environment.get(name, "").split(",") if text.strip())


def _one_of(environment: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """The first of them when it is not set."""
    text = environment.get(name, "").lower()
    if text and text not in known:
        raise ValueError(f"{name} should be {' or '.join(known)}, but is {text!r}")
    return text or known[0]


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if text and (not text.isdecimal() or int(text) < 1):
        raise ValueError(f"{name} should be a whole number above 0, but is {text!r}")
    return int(text) if text else default
