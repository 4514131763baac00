"""``headway wait``: until a resource is ready, or a person is needed, or the time is over."""

from __future__ import annotations

import argparse
import asyncio
import sys

from headway_cli.seen.reach import reading
from headway_cli.seen.verdict import Verdict, verdict
from headway_operator.api.migration import GROUP, PLURAL, VERSION, Migration, parse
from headway_operator.cluster.interface import Unavailable

LOOK_SECONDS = 1.0


async def wait(options: argparse.Namespace) -> int:
    """The exit code is the verdict; what it waits for is told on stderr, once for each change."""
    loop = asyncio.get_running_loop()
    until, said = loop.time() + options.timeout, ""
    async with reading(options, options.name) as (api, namespace):
        path = f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{options.name}"
        while True:
            found: Verdict | None = None
            try:
                migration = parse(await api.json("GET", path))
                found, sentence = verdict(migration, options.kind), _sentence(migration, options.kind)
            except Unavailable as error:
                # It is asked again: one that is updated is away for a while.
                sentence = f"{options.name}: {error}"
            if sentence != said:
                print(sentence, file=sys.stderr, flush=True)
                said = sentence
            if found is not None:
                return int(found)
            if loop.time() + LOOK_SECONDS > until:
                print(f"{options.name}: gave up after {options.timeout:g} s", file=sys.stderr)
                return int(Verdict.TIMEOUT)
            await asyncio.sleep(LOOK_SECONDS)


def _sentence(migration: Migration, kind: str) -> str:
    status = migration.status
    if status.observed_generation != migration.generation:
        return f"{migration.name}: no operator has seen this generation yet"
    condition = status.condition(kind)
    message = condition.message if condition is not None else ""
    return f"{migration.name}: {status.phase}: {message}"
