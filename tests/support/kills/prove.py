"""Kills backfills a thousand times and looks whether a row was missed or changed twice.

    PYTHONPATH=operator:tests python -m support.kills.prove [--kills 1000] [--seed WORD] [--scene NAME …]

On the embedded PostgreSQL, or the server of HEADWAY_TEST_DSN. Exit code 1 when anything was wrong, or when one
took longer to go on than it may.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headway_cli.embedded import EmbeddedPostgres
from support.kills.judged import HEADWAY, Engine, reference
from support.kills.scenes import BY_NAME, SCENES, Scene
from support.kills.story import RESUME_SECONDS, Stage, Told
from support.postgres import DSN_VARIABLE, PostgresServer


def main() -> int:
    """Prove, and print the figures."""
    options = _options()
    seed = options.seed or secrets.token_hex(4)
    engine = reference(options.engine) if options.engine else HEADWAY
    scenes = [BY_NAME[name] for name in options.scene] or list(SCENES)
    print(f"{options.kills} kills of {engine.name}, seed {seed}", flush=True)
    whole, start = Told(), time.monotonic()
    with _server() as server, tempfile.TemporaryDirectory() as folder:
        for scene, kills in zip(scenes, shares(options.kills, len(scenes)), strict=True):
            told = prove(server, scene, engine, Path(folder), f"{seed}/{scene.name}", kills)
            whole.add(told)
    print(f"{'together':24} {whole}\n{whole.moments()}\n{time.monotonic() - start:.0f} s")
    return exit_code(whole)


def exit_code(told: Told) -> int:
    """0 when nothing was wrong and nothing took too long."""
    return int(bool(told.wrong) or told.worst_resume > RESUME_SECONDS)


def prove(server: PostgresServer, scene: Scene, engine: Engine, folder: Path, seed: str, kills: int) -> Told:
    """One scene; its figures are printed at its end."""
    stage = Stage(server, scene, engine, folder / scene.name)
    told = stage.tell_many(seed, kills)
    stage.close()
    print(f"{scene.name:24} {told}", flush=True)
    return told


def shares(kills: int, scenes: int) -> list[int]:
    """Of each scene; together as many as wanted."""
    return [kills // scenes + (number < kills % scenes) for number in range(scenes)]


@contextmanager
def _server() -> Iterator[PostgresServer]:
    if given := os.environ.get(DSN_VARIABLE):
        server = PostgresServer(given)
        try:
            yield server
        finally:
            server.drop_all()
        return
    with EmbeddedPostgres.start() as embedded:
        yield PostgresServer(embedded.url())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", default="")
    parser.add_argument("--scene", action="append", default=[], choices=list(BY_NAME))
    parser.add_argument(
        "--engine", default="", help="one of support.kills.engines, in place of the library's"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
