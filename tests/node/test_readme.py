"""README's way onto a cluster, typed as it stands there: installed, applied, watched, approved.

Only two values are put in the place of README's: the registry's name needs none, because a stand-in for `docker`
hands images to the node under any name; the server of the databases is the tests' own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from support import tools
from support.node.docker import NOTES, stand_in
from support.node.place import Place
from support.node.release import Release
from support.node.team import PATIENCE, Team
from support.node.terminal import CTRL_C, Terminal, terminal
from support.postgres import Database
from support.tree import ROOT, files

pytestmark = [pytest.mark.own_node, pytest.mark.timeout(900)]

SECTION = "## Use it on a cluster\n"
HEADS = {"main": "backfill_payments", "analytics": "index_events", "audit": "add_audit_details"}
WATCH = "kubectl get dbmig -w"
APPROVE = "headway approve shop"
BY_CTRL_C = 1
"""The exit code of a kubectl that watches."""

SERVER = re.compile(r"^export SERVER=\S+", re.M)


def commands() -> list[str]:
    """The section's commands as a person types them, a loop or a line that goes on as one."""
    (section,) = re.findall(rf"^{SECTION}(.*?)^## ", (ROOT / "README.md").read_text(), re.S | re.M)
    typed = "".join(re.findall(r"```console\n(.*?)```", section, re.S))
    return re.findall(r"^(?:for .*?^done|(?:[^\n]*\\\n)*[^\n]+)$", typed, re.S | re.M)


@pytest.fixture
def databases(node_place: Place) -> Iterator[dict[str, Database]]:
    """Empty ones, under the names that README has."""
    server = node_place.postgres
    for name in HEADS:
        server.administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    base = server.address.rpartition("/")[0]
    yield {name: Database(name, f"{base}/{name}") for name in HEADS}
    for name in HEADS:
        server.administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def shell(node_place: Place, team: Team, installed: Release, tmp_path: Path) -> Iterator[Terminal]:
    """In a fresh checkout, with the tools that README asks for and a cluster in which nothing is installed."""
    checkout, programs, kubeconfig = tmp_path / "checkout", tmp_path / "programs", tmp_path / "kubeconfig"
    for file in files():
        place = checkout / file.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    programs.mkdir()
    stand_in(programs)
    (programs / "kubectl").symlink_to(node_place.cluster.kubectl_command()[0])
    (programs / "helm").symlink_to(tools.find(tools.HELM))
    shutil.copy(node_place.cluster.kubeconfig, kubeconfig)
    context = ("config", "set-context", "--current", f"--namespace={team.namespace}")
    kubectl = [programs / "kubectl", f"--kubeconfig={kubeconfig}"]
    subprocess.run([*kubectl, *context], check=True, capture_output=True)
    here = {
        **os.environ,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{f"HELM_{one}_HOME": str(tmp_path / "helm" / one) for one in ("CACHE", "CONFIG", "DATA")},
        "KUBECONFIG": str(kubeconfig),
        NOTES: str(tmp_path / "built"),
    }
    with installed.away(), terminal(checkout, here) as opened:
        yield opened


def test_its_commands_bring_three_databases_to_head_once_their_plan_is_approved(
    node_place: Place, team: Team, databases: dict[str, Database], shell: Terminal
) -> None:
    server = node_place.postgres.address.rpartition("/")[0]
    shown: dict[str, str] = {}
    for line in commands():
        shell.type(SERVER.sub(f"export SERVER={server}", line))
        expected = 0
        if line.startswith(WATCH):
            shell.shows("Waiting", PATIENCE)
            assert [one.tables() for one in databases.values()] == [set()] * 3
            shell.press(CTRL_C)
            expected = BY_CTRL_C
        if line.startswith(APPROVE):
            shell.shows("Approve this plan? [y/N]", PATIENCE)
            shell.press("y\n")
        code, shown[line.partition(" #")[0]] = shell.ended(2 * PATIENCE)
        assert code == expected, shell.shown

    for name, database in databases.items():
        assert f"\n  {name}: " in shown[APPROVE]
        assert database.scalar(f"SELECT version_num FROM alembic_version_{name}") == HEADS[name]
    last = shown["kubectl get dbmig"].splitlines()[-2].split()
    assert last[:3] == ["shop", "True", "Succeeded"]
    assert "3/3 · 100%" in shown["kubectl get dbmig"]
