"""The approval of a plan without a cluster: by a digest on the command line, or by a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from headway_cli.intake import Intake
from headway_operator.api.migration import APPROVE_ANNOTATION

SHORTEST = 12
"""Hexadecimal digits of a digest that a person may shorten it to."""
_ALGORITHM = "sha256:"


def is_approved(digest: str, given: str, taken_back: Sequence[str]) -> bool:
    """Whether ``given`` names this plan; where nothing was given, a person at a terminal is asked.

    ``taken_back``: the databases in which revisions are.
    """
    return names(given, digest) if given else agrees(_question(digest, taken_back))


def names(given: str, digest: str) -> bool:
    """Whether a person means this digest: with or without the algorithm's name, from 12 digits on."""
    digits = given.strip().lower().removeprefix(_ALGORITHM)
    return len(digits) >= SHORTEST and digest.removeprefix(_ALGORITHM).startswith(digits)


def approved(intake: Intake, digest: str) -> Intake:
    """The same resource with the annotation that approves this plan."""
    metadata = intake.resource["metadata"]
    annotations = {**(metadata.get("annotations") or {}), APPROVE_ANNOTATION: digest}
    return replace(intake, resource={**intake.resource, "metadata": {**metadata, "annotations": annotations}})


def can_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agrees(question: str) -> bool:
    """What a person at a terminal answers; without one: no."""
    if not can_ask():
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _question(digest: str, taken_back: Sequence[str]) -> str:
    back = f", which takes revisions back in {', '.join(taken_back)}" if taken_back else ""
    return f"Approve the plan {digest}{back}?"
