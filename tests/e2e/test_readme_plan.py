"""README's screen of `headway plan` is the program's, whole; only digest and sizes are those of another machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import psycopg
import yaml

from support.command_line import Headway
from support.tree import ROOT

SHOP = ROOT / "examples" / "shop"
USERS = "12000"
"""More than the lint calls small."""
OTHERS = re.compile(r"sha256:\w+|PostgreSQL [\d.]+|about [\d.]+[kM]? rows, [\d.]+ \w?B")


def test_the_plan_in_readme_is_what_the_program_shows_of_the_example(tmp_path, database):
    url = database.url()
    environment = {**os.environ, "DATABASE_URL": url}
    for arguments in (
        ("-m", "alembic", "-n", "main", "upgrade", "create_shop"),
        ("seed.py", "--users", USERS),
    ):
        subprocess.run(
            [sys.executable, *arguments], cwd=SHOP, env=environment, check=True, capture_output=True
        )
    with psycopg.connect(database.address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE users, orders")
    (document,) = yaml.safe_load_all((SHOP / "migration.yaml").read_text())
    document["spec"]["databases"] = document["spec"]["databases"][:1]
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(document))
    options = ("--url", "main=env:MAIN_URL", "--project", str(SHOP))
    run = Headway(tmp_path, "plan", "shop.yaml", *options, environment={"MAIN_URL": url, "COLUMNS": "120"})
    assert run.wait() == 0, run.err
    (shown,) = re.findall(r"```\n(shop: \d+ revisions.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert OTHERS.sub("…", run.out).splitlines() == OTHERS.sub("…", shown).splitlines()
