"""The Kubernetes versions that the test bench can be, each by the release that it builds.

`HEADWAY_KUBERNETES` chooses one: a minor of the table, `oldest` or `newest`; without it the bench is the usual one.
The oldest is the oldest that Headway supports: chart and docs name it, and a test holds them to it. A new row is
written by `pin.py` beside this file.
"""

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "HEADWAY_KUBERNETES"


class VersionUnknown(ValueError):
    """The variable names a version that the bench does not have; the text says which it has."""


@dataclass(frozen=True)
class Kubernetes:
    """One release, of the minor `1.<minor>`."""

    minor: int
    patch: int

    @property
    def name(self) -> str:
        """As people and the chart say it: `1.33`."""
        return f"1.{self.minor}"

    @property
    def tag(self) -> str:
        """As Go's modules say it: `v1.33.13`."""
        return f"v1.{self.minor}.{self.patch}"

    @property
    def pins(self) -> Path:
        """The folder with its go.mod and go.sum."""
        return Path(__file__).with_name(self.tag)


BENCHES = (Kubernetes(33, 13), Kubernetes(34, 2), Kubernetes(37, 2))
"""In order. Between the last two nothing is pinned: the ends of the range are what breaks first."""

OLDEST, USUAL, NEWEST = BENCHES

ON_A_NODE = USUAL
"""The last whose kubelet takes Debian 12's containerd 1.6 and its control groups as they are."""


def chosen() -> Kubernetes:
    """What the variable says. Raises VersionUnknown."""
    given = os.environ.get(VARIABLE) or USUAL.name
    choices = {"oldest": OLDEST, "newest": NEWEST, **{one.name: one for one in BENCHES}}
    if given not in choices:
        raise VersionUnknown(
            f"{VARIABLE} is {given}, and the test bench has no such Kubernetes. Set it to one of {', '.join(choices)}"
        )
    return choices[given]
