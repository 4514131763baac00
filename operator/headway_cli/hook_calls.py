"""Calls to hooks from a person's own machine, if there are any: unsigned, and to whatever address is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from headway_cli.problems import BadInput, Problem
from headway_operator.api.migration import Spec
from headway_operator.controller.clock import utc_now

if TYPE_CHECKING:
    from headway_operator.controller.courier import Sender


def check_hooks(spec: Spec, where: str) -> None:
    """Raises :class:`BadInput` for hooks that cannot be called from here."""
    if spec.hooks and find_spec("aiohttp") is None:
        what = "calls hooks, and the package aiohttp is not installed"
        raise BadInput(Problem(where, "spec.hooks", what, "pip install 'headway[operator]'"))
    named = next((at for at, hook in enumerate(spec.hooks) if hook.endpoint), None)
    if named is not None:
        name = spec.hooks[named].endpoint
        what = f"{name} is set up in a cluster by its administrator, and there is none here"
        advice = "Give a copy of the file in which the hook has a url, or leave the hook out."
        raise BadInput(Problem(where, f"spec.hooks[{named}].endpoint", what, advice))


@asynccontextmanager
async def hook_sender(spec: Mapping[str, Any]) -> AsyncIterator[Sender | None]:
    """None where there are no hooks: then nothing that calls them is even loaded."""
    if not spec.get("hooks"):
        yield None
        return
    from headway_operator.hooks.setup import make_local_sender

    sender = make_local_sender(utc_now)
    try:
        yield sender
    finally:
        await sender.close()
