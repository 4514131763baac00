"""Keeps hooks from places that only the operator can reach: what is connected to is the address that was checked.

Three looks: at the URL (:func:`checked_url`), at every address that its name stands for (:class:`CheckedResolver`),
and at the address of each socket. There is no look-up after the check, so a name that changes its mind gains nothing.
"""

import re
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from headway_operator.hooks.addresses import Address
from headway_operator.hooks.policy import Policy, address_of

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name; raises :class:`OSError`."""

METADATA_NAMES = (
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
)
API_SERVER_NAME = re.compile(r"kubernetes(\.default(\.svc(\..+)?)?)?")
UNUSUAL_PORTS = frozenset((2379, 2380, 6379, 6443, 11211, *range(10248, 10260)))
"""etcd, the API server, kubelet and their kind; Redis and memcached, which take HTTP for commands."""
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"(\d+|0x[\da-f]*)", re.IGNORECASE)


class Denied(Exception):
    """Nothing was sent: the message says why, for a person, as what follows the receiver's name and a colon."""


class DeniedAddress(OSError):
    """What a name stands for, or a socket was to connect to, is denied; the message is the kind of address."""


Rule = Callable[[URL, str, Policy], str]


def scheme_is_neither_https_nor_http(url: URL, host: str, policy: Policy) -> str:
    """Only these two have a body and an answer."""
    return (
        "" if url.scheme in ("https", "http") and host else "its address is not of the form https://HOST/PATH"
    )


def url_holds_credentials(url: URL, host: str, policy: Policy) -> str:
    """They would be seen by everybody who may read the resource."""
    if url.raw_user is None and url.raw_password is None:
        return ""
    return "its address holds credentials: use an endpoint that the cluster's administrator sets up"


def url_leaves_the_cluster_without_tls(url: URL, host: str, policy: Policy) -> str:
    """http is for names inside the cluster, and for those that the administrator adds."""
    if url.scheme == "https" or host.endswith(policy.plain_http):
        return ""
    return "http is for services inside the cluster only: use https, or the name SERVICE.NAMESPACE.svc"


def host_is_an_address_in_an_unusual_form(url: URL, host: str, policy: Policy) -> str:
    """Octal, hexadecimal, short, with a zone: whoever writes an address so wants it not to be recognized."""
    written = url.host or ""
    if address_of(written) is not None:
        return _UNUSUAL if "%" in written else ""
    is_number = _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
    return _UNUSUAL if is_number or ":" in host or "%" in host else ""


def host_is_no_name(url: URL, host: str, policy: Policy) -> str:
    """Labels that are empty, too long or have other characters than a host's are known to no name server."""
    if address_of(host) is not None or _NAME.fullmatch((url.raw_host or "").rstrip(".")):
        return ""
    return "its address has no host that a name server could know"


def name_is_of_the_metadata_service(url: URL, host: str, policy: Policy) -> str:
    """By its name, wherever that leads today."""
    return _may_not("the name of a cloud's metadata service") if host in METADATA_NAMES else ""


def name_is_of_the_api_server(url: URL, host: str, policy: Policy) -> str:
    """The one inside the cluster, and the one that the operator uses."""
    is_the_operators = host == policy.api_server.lower() and address_of(host) is None
    if host and (is_the_operators or API_SERVER_NAME.fullmatch(host)):
        return _may_not("the API server's name")
    return ""


def name_has_one_label(url: URL, host: str, policy: Policy) -> str:
    """It would mean a service beside the operator, not one beside the resource."""
    if "." in host or address_of(host) is not None:
        return ""
    return "its name has no domain: write SERVICE.NAMESPACE.svc for a service inside the cluster"


def port_is_not_for_the_web(url: URL, host: str, policy: Policy) -> str:
    """Below 1024 only http's and https' own."""
    port = url.port or 0
    if port in (80, 443) or (port >= 1024 and port not in UNUSUAL_PORTS):
        return ""
    return (
        f"hooks may not call port {port}: use 443, 80, or one from 1024 on that no other service is known by"
    )


def address_is_denied(url: URL, host: str, policy: Policy) -> str:
    """An address written as such; what names stand for is asked when they are resolved."""
    address = address_of(host)
    kind = policy.why_denied(address) if address is not None else ""
    return _may_not(kind) if kind else ""


RULES: tuple[Rule, ...] = (
    scheme_is_neither_https_nor_http,
    url_holds_credentials,
    host_is_an_address_in_an_unusual_form,
    host_is_no_name,
    name_is_of_the_metadata_service,
    name_is_of_the_api_server,
    name_has_one_label,
    url_leaves_the_cluster_without_tls,
    port_is_not_for_the_web,
    address_is_denied,
)
ADMINISTRATORS_WORD = (url_holds_credentials, url_leaves_the_cluster_without_tls, port_is_not_for_the_web)
"""What is not asked of the addresses that the cluster's administrator wrote."""


def checked_url(text: str, policy: Policy, is_the_administrators: bool = False) -> URL:
    """The URL as it will be called; raises :class:`Denied`."""
    try:
        url = URL(text)
        host = (url.host or "").lower().rstrip(".")
    except ValueError:
        raise Denied("its address cannot be read: write https://HOST/PATH") from None
    rules = RULES[:1] if policy.is_open else RULES
    for rule in rules:
        if is_the_administrators and rule in ADMINISTRATORS_WORD:
            continue
        if problem := rule(url, host, policy):
            raise Denied(problem)
    return url


def denied_sentence(kind: str) -> str:
    """What is said of a name that stands for such an address."""
    return f"its name stands for {kind}, which no hook may call"


class CheckedResolver(AbstractResolver):
    """Looks a name up once and gives all of its addresses or, when one of them is denied, none."""

    def __init__(self, policy: Policy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The checked addresses; raises :class:`DeniedAddress`, or the :class:`OSError` of the look-up."""
        own = set(await self._addresses_of_the_api_server(port))
        found = [ip_address(text) for text in await self._lookup(host, port)]
        for address in found:
            if kind := self._policy.why_denied(address, own):
                raise DeniedAddress(kind)
        return [_result(host, port, address) for address in found]

    async def _addresses_of_the_api_server(self, port: int) -> list[Address]:
        name = self._policy.api_server
        if not name or self._policy.is_open or address_of(name) is not None:
            return []
        return [ip_address(text) for text in await self._lookup(name, port)]

    async def close(self) -> None:
        """Nothing is held."""


def socket_maker(policy: Policy) -> Callable[[tuple[int, int, int, str, tuple[object, ...]]], socket.socket]:
    """Makes the sockets of a connector; raises :class:`DeniedAddress` for an address that none may connect to."""

    def make(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        if why := policy.why_denied(ip_address(str(address[0]))):
            raise DeniedAddress(why)
        return socket.socket(family, kind, protocol)

    return make


def _result(host: str, port: int, address: Address) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=str(address), port=port, family=family, proto=socket.IPPROTO_TCP, flags=flags
    )


def _may_not(what: str) -> str:
    return f"its address is {what}, which no hook may call"


_UNUSUAL = "its address is a number in an unusual form: write four decimal numbers, or IPv6 in brackets"
