"""``headway demo``: the example shop on an embedded PostgreSQL, through the very same ``headway run``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem
from headway_cli.run import add_output

if TYPE_CHECKING:
    from headway_cli.embedded import EmbeddedPostgres

DATABASES = ("main", "analytics", "audit")
FIRST_REVISION = "create_shop"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "demo",
        help="the example shop, three databases to head on an embedded PostgreSQL",
        description="Starts a throw-away PostgreSQL, fills a shop's database, and takes its three databases to head.",
    )
    parser.add_argument(
        "--users", type=_count, default=500_000, help="how many users the shop has (default: 500000)"
    )
    add_output(parser)
    parser.set_defaults(start=start)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Run the demo; returns its exit code. Raises :class:`BadInput`."""
    shop = example_folder()
    from headway_cli.embedded import EmbeddedPostgres, EmbeddedPostgresError

    say = _say if options.output != "json" else lambda text: None
    began = monotonic()
    say("Starting an embedded PostgreSQL, its data in a fresh folder …")
    try:
        server = EmbeddedPostgres.start()
    except EmbeddedPostgresError as error:
        raise BadInput(Problem("headway demo", "", str(error))) from None
    with server:
        for name in DATABASES:
            server.create_database(name)
        say(f"Filling the shop as it is before the release: {options.users:,} users at {FIRST_REVISION} …")
        _prepare(shop, server, options.users)
        say(f"Ready after {monotonic() - began:.0f} s. The release: headway run -f {_shown(shop)}\n")
        code, revisions = _release(shop, server, options.output)
        if code == 0:
            say(_last_words(shop, server, revisions, monotonic() - began))
    return code


def example_folder() -> Path:
    """The example, from the wheel or the source tree; raises :class:`BadInput` where there is none."""
    here = Path(__file__).resolve()
    for shop in (here.with_name("shop"), here.parents[2] / "examples" / "shop"):
        if (shop / "migration.yaml").is_file():
            return shop
    advice = "Install headway again: pip install --force-reinstall 'headway[demo]'"
    raise BadInput(Problem("headway demo", "", "the example is not part of this installation", advice))


def _prepare(shop: Path, server: EmbeddedPostgres, users: int) -> None:
    """The main database at its first revision, with plain Alembic, and filled."""
    environment = {**os.environ, "DATABASE_URL": server.url("main", "psycopg")}
    upgrade = ("-m", "alembic", "-n", "main", "upgrade", FIRST_REVISION)
    for arguments in (upgrade, ("seed.py", "--users", str(users))):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=shop,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"The demo could not be prepared ({' '.join(arguments)}):\n{done.stderr}")


def _release(shop: Path, server: EmbeddedPostgres, output: str) -> tuple[int, int]:
    """The exit code of the run and how many revisions it applied."""
    from headway_cli.documents import read_documents
    from headway_cli.intake import Options
    from headway_cli.launch import launch

    options = Options(urls={name: server.url(name, "psycopg") for name in DATABASES})
    outcome = launch(read_documents([str(shop / "migration.yaml")]), options, output, command=())
    return outcome.exit_code, outcome.ending.board.revisions_done


def _last_words(shop: Path, server: EmbeddedPostgres, revisions: int, seconds: float) -> str:
    """What was done, as the databases have it, and how to do it on a cluster."""
    import psycopg

    with psycopg.connect(server.url("main")) as connection:
        query = "SELECT count(*), count(*) FILTER (WHERE status IS NULL OR full_name IS NULL) FROM users"
        users, missed = connection.execute(query).fetchone() or (0, 0)
        (payments,) = connection.execute("SELECT count(*) FROM payments").fetchone() or (0,)
    return f"""
{revisions} revisions in {len(DATABASES)} databases; {seconds:.0f} s in all.
Status and full name of {users:,} users filled in batches, {missed} missed; {payments:,} payments made.
The embedded PostgreSQL and its data are gone now. The same on a cluster:
  kubectl apply -f {_shown(shop)}
  kubectl wait --for=condition=Ready dbmig/shop"""


def _shown(shop: Path) -> str:
    """The folder as a person here would write it."""
    return f"{shop.relative_to(Path.cwd())}/" if shop.is_relative_to(Path.cwd()) else f"{shop}/"


def _say(text: str) -> None:
    print(text, flush=True)
