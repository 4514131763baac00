"""Hosts on a network of their own whose cables can be pulled: network namespaces on a bridge (root and iproute2)."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PREFIX = "10.231.77"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass(frozen=True)
class Host:
    """A network namespace with a cable to the bridge."""

    name: str
    cable: str

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command to run it on this host; the process is the command's own."""
        return ("ip", "netns", "exec", self.name)

    def pull_the_cable(self) -> None:
        """From now on no packet comes or goes, and nobody is told."""
        _ip("link", "set", self.cable, "down")


@dataclass(frozen=True)
class Network:
    """A bridge that the tests' own host is on, too."""

    address: str
    hosts: tuple[Host, ...]


@contextmanager
def network(count: int) -> Iterator[Network]:
    """A bridge with so many hosts on it; removed afterwards, with whatever still runs there cut off."""
    tag = secrets.token_hex(3)
    bridge = f"hwb{tag}"
    hosts = tuple(Host(f"hwn{tag}-{number}", f"hwc{tag}{number}") for number in range(count))
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("address", "add", f"{PREFIX}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, host in enumerate(hosts, 2):
            _plug_in(host, bridge, f"{PREFIX}.{number}/24")
        yield Network(f"{PREFIX}.1", hosts)
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "delete", host.name], check=False, capture_output=True)
            subprocess.run(["ip", "link", "delete", host.cable], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)


def _plug_in(host: Host, bridge: str, address: str) -> None:
    _ip("netns", "add", host.name)
    _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    _ip("link", "set", host.cable, "master", bridge, "up")
    _ip("-n", host.name, "address", "add", address, "dev", "eth0")
    _ip("-n", host.name, "link", "set", "eth0", "up")
    _ip("-n", host.name, "link", "set", "lo", "up")
