"""``headway status`` and ``headway list``: once, or again with each change."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem
from headway_cli.seen.happened import Happened, happened
from headway_cli.seen.lines import Line, lines_of
from headway_cli.seen.reach import reading
from headway_cli.seen.table import table_of
from headway_operator.api.migration import GROUP, PLURAL, VERSION, Migration, parse
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import Body
from headway_operator.controller.clock import utc_now

if TYPE_CHECKING:
    from rich.console import RenderableType

LOOK_SECONDS = 1.0


async def show_status(options: argparse.Namespace) -> int:
    """One resource; with ``--watch`` until its run is over. Without a name all of them, as ``list`` does."""
    if options.name and options.all_namespaces:
        raise BadInput(Problem("-A", "", f"{options.name} is in one namespace", "Name that with -n."))
    if not options.name and options.watch:
        raise BadInput(Problem("--watch", "", "one resource is watched", "headway status NAME --watch"))
    if not options.name:
        return await show_list(options)
    async with reading(options, options.name) as (api, namespace):
        path = f"{_collection(namespace)}/{options.name}"
        if options.output in ("json", "yaml"):
            _dump(await api.json("GET", path), options.output)
        elif options.watch:
            await _watch(api, path)
        else:
            migration = parse(await api.json("GET", path))
            _print(migration, await happened(api, migration))
    return 0


async def show_list(options: argparse.Namespace) -> int:
    """All resources of a namespace, or of all namespaces."""
    async with reading(options, "") as (api, namespace):
        body = await api.json("GET", _collection("" if options.all_namespaces else namespace))
    if options.output in ("json", "yaml"):
        _dump(body, options.output)
        return 0
    found = [(parse(one), one["metadata"].get("creationTimestamp", "")) for one in body["items"]]
    if not found:
        print("no DatabaseMigrations found", file=sys.stderr)
        return 0
    print("\n".join(table_of(found, utc_now(), options.all_namespaces, options.output == "wide")))
    return 0


async def _watch(api: ApiServer, path: str) -> None:
    """On a terminal it is drawn in place; elsewhere each state that differs is printed, without its clocks."""
    from rich.live import Live

    from headway_cli.console import Console

    console = Console()
    if not console.is_terminal:
        await _print_changes(api, path)
        return
    before, told = None, Happened()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            migration = parse(await api.json("GET", path))
            if migration.status != before:
                # An event is there before the status that it belongs to.
                before, told = migration.status, await happened(api, migration)
            live.update(_drawn(migration, told), refresh=True)
            if _is_over(migration):
                return
            await asyncio.sleep(LOOK_SECONDS)


async def _print_changes(api: ApiServer, path: str) -> None:
    before = None
    while True:
        migration = parse(await api.json("GET", path))
        if migration.status != before:
            _print(migration, await happened(api, migration))
            print(flush=True)
            before = migration.status
        if _is_over(migration):
            return
        await asyncio.sleep(LOOK_SECONDS)


def _is_over(migration: Migration) -> bool:
    run = migration.status.run
    is_new = migration.status.observed_generation == migration.generation
    return run is not None and bool(run.completion_time) and is_new


def _print(migration: Migration, told: Happened) -> None:
    from headway_cli.console import Console

    console = Console(soft_wrap=True)
    for line in lines_of(migration, utc_now(), told):
        console.print(line.text, style=line.style or None, markup=False)


def _drawn(migration: Migration, told: Happened) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    def text(line: Line) -> Text:
        return Text(line.text, style=line.style)

    return Group(*map(text, lines_of(migration, utc_now(), told)))


def _dump(body: Body, output: str) -> None:
    if output == "json":
        print(json.dumps(body, indent=2))
        return
    import yaml

    print(yaml.safe_dump(body, sort_keys=False), end="")


def _collection(namespace: str) -> str:
    where = f"namespaces/{namespace}/" if namespace else ""
    return f"apis/{GROUP}/{VERSION}/{where}{PLURAL}"
