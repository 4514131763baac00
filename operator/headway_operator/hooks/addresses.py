"""Which addresses a hook may go to, whatever they are wrapped in. Pure.

Sources: the special-purpose registries of IANA (RFC 6890), RFC 6052 (NAT64), and what the clouds document.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises :class:`ValueError` for what is no network."""
    return tuple(ip_network(text) for text in texts)


PRIVATE = networks(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""Where clusters and offices live: allowed unless the administrator says otherwise."""

DENIED: tuple[tuple[str, tuple[Network, ...]], ...] = (
    ("a loopback address", networks(("127.0.0.0/8", "::1/128"))),
    (
        "an address of a cloud's metadata service",
        networks(
            (
                "169.254.169.254",
                "169.254.170.2",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
            )
        ),
    ),
    ("a link-local address", networks(("169.254.0.0/16", "fe80::/10", "fec0::/10"))),
    ("an unspecified address", networks(("0.0.0.0/8", "::/128"))),
    ("a multicast address", networks(("224.0.0.0/4", "ff00::/8"))),
    ("a reserved address", networks(("240.0.0.0/4", "192.0.0.0/24", "192.88.99.0/24", "100::/64"))),
    (
        # Where these lead is decided by a router or relay, not by the address that can be checked.
        "an address of a tunnel or translator",
        networks(("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")),
    ),
)
"""What no hook may call, in the order in which it is named. Addresses that hold an IPv4 one are unwrapped before."""


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped or NAT64 address leads to; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def why_denied(address: Address, allowed: Sequence[Network], denied: Sequence[Network]) -> str:
    """What kind of address it is if no hook may call it, else empty. ``allowed`` is the administrator's word."""
    inner = unwrapped(address)
    if _is_in(inner, allowed):
        return ""
    if _is_in(inner, denied) or _is_in(address, denied):
        return "an address that this operator's settings deny"
    return next((kind for kind, where in DENIED if _is_in(inner, where)), "")


def _is_in(address: Address, where: Iterable[Network]) -> bool:
    return any(address in network for network in where)
