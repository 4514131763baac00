"""What the pods of the node rely on while others come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.node.network import BRIDGE, HARDWARE_ADDRESS
from support.node.release import Release

pytestmark = [pytest.mark.own_node, pytest.mark.timeout(900)]


def test_their_gateway_keeps_its_hardware_address_whoever_comes(installed: Release) -> None:
    assert len(installed.pods()) == 2
    assert Path("/sys/class/net", BRIDGE, "address").read_text().strip() == HARDWARE_ADDRESS
