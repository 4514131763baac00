"""What may come next on a command line where the parser alone does not know: names of resources, paces.

Each is a completer as argcomplete calls it, and loads what it needs when a shell asks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

NAMES_SECONDS = 3.0
"""Longer nobody waits after a Tab."""


def resource_names(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Sequence[str]:
    """Of the cluster and namespace that the line says; none where these cannot be asked: nobody would read why."""
    import asyncio

    from headway_cli.problems import BadInput
    from headway_cli.seen.reach import reading
    from headway_operator.api.migration import GROUP, PLURAL, VERSION

    said = ("namespace", "context", "kubeconfig", "as_user", "as_groups")
    where = argparse.Namespace(**{name: getattr(parsed_args, name, "") or "" for name in said})

    async def names() -> Sequence[str]:
        async with reading(where, "") as (api, namespace):
            found = await api.json("GET", f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}")
        return [one["metadata"]["name"] for one in found["items"]]

    # Only the cluster's answer has a deadline: what is loaded for it has none.
    try:
        return asyncio.run(asyncio.wait_for(names(), NAMES_SECONDS))
    except (BadInput, TimeoutError):
        return ()


def paces(prefix: str, **_: object) -> Sequence[str]:
    """Those that ``headway pace`` takes."""
    from headway_operator.api.migration import PACES

    return PACES
