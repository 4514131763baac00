"""All the ways in which an address can be written, as strategies: what a guard has to see through."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import strategies as st

from headway_operator.hooks.addresses import Address, Network

FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９。")


def within(network: Network) -> st.SearchStrategy[Address]:
    """Its addresses, the first and the last among them."""
    return st.integers(int(network[0]), int(network[-1])).map(type(network[0]))


@st.composite
def numeric(draw: st.DrawFn, address: IPv4Address) -> str:
    """As ``inet_aton`` reads them: one to four parts, each decimal, octal or hexadecimal."""
    count = draw(st.integers(1, 4))
    raw = address.packed
    numbers = [*raw[: count - 1], int.from_bytes(raw[count - 1 :], "big")]
    return ".".join(draw(_number(number)) for number in numbers)


def _number(number: int) -> st.SearchStrategy[str]:
    zeros = st.integers(1, 3).map("0".__mul__)
    return st.one_of(
        st.just(str(number)),
        zeros.map(lambda zeros: f"{zeros}{number:o}"),
        zeros.map(lambda zeros: f"0x{zeros}{number:x}"),
        st.just(f"0X{number:X}"),
    )


@st.composite
def wrapped(draw: st.DrawFn, address: IPv4Address) -> str:
    """In an IPv6 address that leads to it, or may."""
    number = int(address)
    low = draw(st.integers(0, 2**64 - 1))
    forms = (
        int(IPv6Address("::ffff:0:0")) | number,
        int(IPv6Address("64:ff9b::")) | number,
        int(IPv6Address("64:ff9b:1::")) | number,
        int(IPv6Address("::ffff:0:0:0")) | number,
        int(IPv6Address("2002::")) | number << 80 | low,
        int(IPv6Address("2001::")) | low << 32 | (number ^ 0xFFFFFFFF),
        number,
    )
    return draw(bracketed(IPv6Address(draw(st.sampled_from(forms)))))


@st.composite
def bracketed(draw: st.DrawFn, address: IPv6Address) -> str:
    """Short, long, with capitals, with its end as IPv4, with a zone."""
    tail = IPv4Address(int(address) & 0xFFFFFFFF)
    forms = (
        str(address),
        address.exploded,
        str(address).upper(),
        f"{':'.join(address.exploded.split(':')[:6])}:{tail}",
    )
    zone = draw(st.sampled_from(("", "", "", "%25eth0", "%eth0", "%1")))
    return f"[{draw(st.sampled_from(forms))}{zone}]"


def spelled(address: Address) -> st.SearchStrategy[str]:
    """As the host of a URL."""
    if isinstance(address, IPv6Address):
        return bracketed(address)
    usual = st.just(str(address))
    return st.one_of(
        usual,
        usual.map(lambda text: f"{text}."),
        usual.map(lambda text: text.translate(FULL_WIDTH)),
        usual.map(lambda text: text.replace(".", "%2e", 1)),
        numeric(address),
        wrapped(address),
    )


def public() -> st.SearchStrategy[Address]:
    """Addresses that are somebody's in the open network."""
    return st.one_of(
        within(ip_network("93.184.0.0/16")),
        within(ip_network("8.0.0.0/8")),
        within(ip_network("2600::/12")),
    )
