"""Where hooks may go, as the administrator of the cluster has set it."""

from collections.abc import Container
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from headway_operator.hooks.addresses import PRIVATE, Address, Network, networks, unwrapped, why_denied
from headway_operator.settings import Settings

PRIVATE_WORD = "private"
"""Stands for all private networks in a setting."""


@dataclass(frozen=True)
class Policy:
    """What the guard goes by."""

    allowed: tuple[Network, ...] = ()
    """May be called, whatever the table of denied addresses says."""
    denied: tuple[Network, ...] = ()
    """May not be called besides."""
    plain_http: tuple[str, ...] = (".svc", ".svc.cluster.local")
    """Ends of the names that may be called without TLS."""
    api_server: str = ""
    """Name or address of the API server."""
    is_open: bool = False
    """Nothing is denied: for a person's own machine, where nobody else says what is called."""

    @classmethod
    def from_settings(cls, settings: Settings, api_server: str = "") -> "Policy":
        """As ``HEADWAY_HOOKS_…`` say; raises :class:`ValueError` with the variable's name."""
        return cls(
            _networks("HEADWAY_HOOKS_ALLOW", settings.hooks_allow),
            _networks("HEADWAY_HOOKS_DENY", settings.hooks_deny),
            settings.hooks_plain_http,
            api_server,
        )

    def why_denied(self, address: Address, api_server: Container[Address] = ()) -> str:
        """What kind of address it is if it may not be called, else empty; ``api_server``: what its name means."""
        if self.is_open:
            return ""
        inner = unwrapped(address)
        is_api_server = inner in api_server or inner == address_of(self.api_server)
        # A wide network that is allowed is not meant for the API server, too; its very address is.
        if is_api_server and ip_network(inner) not in self.allowed:
            return "the API server's address"
        return why_denied(address, self.allowed, self.denied)


def address_of(host: str) -> Address | None:
    """The address that a host is in its usual form."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _networks(variable: str, texts: tuple[str, ...]) -> tuple[Network, ...]:
    found: list[Network] = []
    for text in texts:
        try:
            found += PRIVATE if text == PRIVATE_WORD else networks((text,))
        except ValueError:
            raise ValueError(
                f"{variable} should be addresses and networks such as 192.0.2.7 or 10.0.0.0/8, "
                f"separated by commas, but has {text!r}"
            ) from None
    return tuple(found)
