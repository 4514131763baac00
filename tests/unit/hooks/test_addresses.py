"""Which addresses a hook may call: the whole table, in every notation."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway_operator.hooks.addresses import DENIED, PRIVATE, networks, unwrapped, why_denied
from headway_operator.hooks.guard import Denied, checked_url
from headway_operator.hooks.policy import Policy
from support.spellings import numeric, public, spelled, within

TABLE = [network for _, where in DENIED for network in where]
DENIED_ADDRESSES = st.sampled_from(TABLE).flatmap(within)
OPEN_HTTP = Policy(plain_http=("",))
"""http to everywhere, so that only the address can be in the way."""

KINDS = (
    ("0.0.0.0", "an unspecified address"),
    ("0.1.2.3", "an unspecified address"),
    ("::", "an unspecified address"),
    ("127.0.0.1", "a loopback address"),
    ("127.255.255.254", "a loopback address"),
    ("::1", "a loopback address"),
    ("169.254.0.1", "a link-local address"),
    ("fe80::1", "a link-local address"),
    ("febf::1", "a link-local address"),
    ("fec0::1", "a link-local address"),
    ("169.254.169.254", "an address of a cloud's metadata service"),
    ("169.254.170.2", "an address of a cloud's metadata service"),
    ("100.100.100.200", "an address of a cloud's metadata service"),
    ("168.63.129.16", "an address of a cloud's metadata service"),
    ("192.0.0.192", "an address of a cloud's metadata service"),
    ("fd00:ec2::254", "an address of a cloud's metadata service"),
    ("fd20:ce::254", "an address of a cloud's metadata service"),
    ("224.0.0.1", "a multicast address"),
    ("239.255.255.255", "a multicast address"),
    ("ff02::1", "a multicast address"),
    ("240.0.0.1", "a reserved address"),
    ("255.255.255.255", "a reserved address"),
    ("192.0.0.8", "a reserved address"),
    ("192.88.99.1", "a reserved address"),
    ("100::1", "a reserved address"),
    ("::7f00:1", "an address of a tunnel or translator"),
    ("::ffff:0:7f00:1", "an address of a tunnel or translator"),
    ("64:ff9b:1::7f00:1", "an address of a tunnel or translator"),
    ("2002:7f00:1::", "an address of a tunnel or translator"),
    ("2001::80ff:fffe", "an address of a tunnel or translator"),
    ("::ffff:127.0.0.1", "a loopback address"),
    ("::ffff:169.254.169.254", "an address of a cloud's metadata service"),
    ("64:ff9b::127.0.0.1", "a loopback address"),
    ("64:ff9b::a9fe:a9fe", "an address of a cloud's metadata service"),
    ("8.8.8.8", ""),
    ("2606:2800:220:1::1", ""),
    ("64:ff9b::8.8.8.8", ""),
    ("::ffff:8.8.8.8", ""),
    ("10.0.0.1", ""),
    ("172.31.0.1", ""),
    ("192.168.1.1", ""),
    ("100.64.0.1", ""),
    ("fd12:3456::1", ""),
    ("172.32.0.1", ""),
    ("169.253.255.255", ""),
    ("128.0.0.0", ""),
)


@pytest.mark.parametrize(("address", "kind"), KINDS)
def test_every_kind_of_address_has_its_name(address: str, kind: str) -> None:
    assert why_denied(ip_address(address), (), ()) == kind


@given(DENIED_ADDRESSES.flatmap(spelled))
def test_a_denied_address_is_denied_however_it_is_written(host: str) -> None:
    with pytest.raises(Denied):
        checked_url(f"http://{host}/", OPEN_HTTP)


@given(st.sampled_from([one for one in TABLE if one.version == 4]).flatmap(within), st.data())
def test_the_notations_are_those_that_the_system_reads(address: IPv4Address, data: st.DataObject) -> None:
    """Else the test above would prove nothing."""
    assert socket.inet_aton(data.draw(numeric(address))) == address.packed


@given(public().flatmap(lambda one: st.just(f"[{one}]" if one.version == 6 else str(one))))
def test_a_public_address_in_its_usual_form_may_be_called(host: str) -> None:
    assert checked_url(f"https://{host}/hook", Policy()).path == "/hook"


@given(st.sampled_from(PRIVATE).flatmap(within))
def test_private_networks_are_denied_when_the_administrator_says_so(address: IPv4Address) -> None:
    assert why_denied(address, (), PRIVATE) != ""
    wrapped = ip_address(f"::ffff:{address}") if address.version == 4 else address
    assert why_denied(wrapped, (), PRIVATE) != ""


@given(DENIED_ADDRESSES)
def test_what_the_administrator_allows_may_be_called(address: IPv4Address) -> None:
    assert why_denied(address, networks((str(unwrapped(address)),)), ()) == ""


def test_allowing_an_address_allows_no_other() -> None:
    allowed = networks(("127.0.0.1",))
    assert why_denied(ip_address("127.0.0.1"), allowed, ()) == ""
    assert why_denied(ip_address("127.0.0.2"), allowed, ()) == "a loopback address"
