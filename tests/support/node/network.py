"""The pods' network: one bridge that has the addresses of the node and of the API server's service.

Nothing is translated and no rule of a firewall is made: pods reach the machine by the bridge's address, and the
service `kubernetes` by its own, which is an address of this machine, too. So no kube-proxy is needed. Pods reach
nothing beyond the machine.
"""

from __future__ import annotations

import json
from pathlib import Path

from support.node.commands import attempt, run

BRIDGE = "hwpods0"
HARDWARE_ADDRESS = "02:48:77:00:00:01"
"""A bridge without one of its own takes the lowest of the pods'. Any that comes or goes may change it then, and the
others, which remember the old one, reach nobody for half a minute."""

NETWORK = "headway-e2e"
SUBNET = "10.231.88.0/24"
GATEWAY = "10.231.88.1"
"""The node's address, and where a server on this machine is reached from pods."""

FIRST_POD = "10.231.88.10"
SERVICE = "10.97.0.1"
"""Of the service `kubernetes` in the namespace default: the first address of the API server's service range."""

PLUGINS = Path("/usr/lib/cni")


def raise_bridge() -> None:
    """Make the bridge; one that an interrupted run left behind goes first."""
    remove_bridge()
    run("ip", "link", "add", BRIDGE, "address", HARDWARE_ADDRESS, "type", "bridge")
    run("ip", "address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    run("ip", "address", "add", f"{SERVICE}/32", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def remove_bridge() -> None:
    """Take it away with its addresses; harmless when there is none."""
    attempt("ip", "link", "delete", BRIDGE)


def write_plugin_configuration(folder: Path) -> Path:
    """What containerd tells the network plugins for each pod; returns the folder of the file."""
    ranges = [[{"subnet": SUBNET, "rangeStart": FIRST_POD}]]
    addresses = {"type": "host-local", "dataDir": str(folder / "addresses"), "ranges": ranges}
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    configuration = {"cniVersion": "0.4.0", "name": NETWORK, "plugins": [bridge]}
    plugins = folder / "net.d"
    plugins.mkdir(parents=True, exist_ok=True)
    (plugins / "10-pods.conflist").write_text(json.dumps(configuration, indent=2))
    return plugins
