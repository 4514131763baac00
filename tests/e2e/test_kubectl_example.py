"""The example on a cluster by nothing but kubectl, as the README tells it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from support.controlplane import Cluster
from support.fix_operator import PATH, SOURCE
from support.fix_postgres import MakeDatabase
from support.operator_process import RUNNER_IMAGE, OperatorProcess
from support.postgres import Database
from support.process_kubelet.images import Image
from support.process_kubelet.kubelet import ProcessKubelet
from support.waiting import wait_until

SHOP = Path(__file__).parents[2] / "examples" / "shop"
NAMES = ("main", "analytics", "audit")


@pytest.fixture
def databases(make_database: MakeDatabase) -> dict[str, Database]:
    """The three databases; main has its first revision and some users."""
    made = {name: make_database(name) for name in NAMES}
    url = made["main"].url()
    command = [sys.executable, "-m", "alembic", "-n", "main", "-x", f"url={url}", "upgrade", "create_shop"]
    environment = {**PATH, "DATABASE_URL": url}
    subprocess.run(command, cwd=SHOP, env=environment, check=True, capture_output=True)
    seed = [sys.executable, "seed.py", "--users", "20000", url]
    subprocess.run(seed, cwd=SHOP, env=environment, check=True, capture_output=True)
    return made


@pytest.fixture
def manifests(tmp_path: Path, databases: dict[str, Database]) -> Path:
    """The example's own files; only the address of the databases is another one."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for file in SHOP.glob("*.yaml"):
        shutil.copy(file, folder)
    secrets = folder / "database-secrets.yaml"
    text = secrets.read_text()
    for name, database in databases.items():
        written = f"postgresql://shop:only-for-local-use@localhost:5432/{name}"
        assert written in text
        text = text.replace(written, urlunsplit(urlsplit(database.address)))
    secrets.write_text(text)
    return folder


@pytest.fixture
def watched(control_plane: Cluster, namespace: str, tmp_path: Path) -> Iterator[Path]:
    """What `kubectl get dbmig -w` prints, as a file that grows."""
    output = tmp_path / "watch"
    with output.open("w") as stream:
        watch = subprocess.Popen(
            control_plane.kubectl_command("-n", namespace, "get", "dbmig", "-w"), stdout=stream
        )
    yield output
    watch.terminate()
    watch.wait()


def assert_they_ended_in_their_order(control_plane: Cluster, namespace: str) -> None:
    """One after the other, as the list has them; times of status and Jobs are to the second, so two may be equal."""
    found = control_plane.kubectl("-n", namespace, "get", "dbmig/shop", "-o", "json")
    databases = json.loads(found.stdout)["status"]["databases"]
    assert [one["name"] for one in databases] == list(NAMES)
    times = [(one["startTime"], one["completionTime"]) for one in databases]
    moments = [moment for pair in times for moment in pair]
    assert moments == sorted(moments), times

    selector = "--selector=headway.dev/stage=Migrate"
    found = control_plane.kubectl("-n", namespace, "get", "jobs", selector, "-o", "json")
    jobs = [one["metadata"] for one in json.loads(found.stdout)["items"]]
    made = {one["labels"]["headway.dev/database"]: one["creationTimestamp"] for one in jobs}
    assert len(jobs) == len(NAMES)
    for before, then in pairwise(zip(NAMES, times, strict=True)):
        assert made[then[0]] >= before[1][1], (made, times)


def test_kubectl_apply_of_the_example_brings_three_databases_to_head_and_the_columns_move(
    control_plane: Cluster,
    kubelet: ProcessKubelet,
    operator: OperatorProcess,
    namespace: str,
    databases: dict[str, Database],
    manifests: Path,
    watched: Path,
) -> None:
    kubelet.images[RUNNER_IMAGE] = Image(environment={**PATH, "PYTHONPATH": str(SOURCE)})
    kubelet.images["registry.example.com/shop:2026.11.3"] = Image({"/app": SHOP}, PATH, working_dir="/app")

    applied = control_plane.kubectl("-n", namespace, "apply", "-f", str(manifests))
    assert applied.returncode == 0, applied.stderr
    waited = control_plane.kubectl(
        "-n", namespace, "wait", "--for=condition=Ready", "dbmig/shop", "--timeout=120s"
    )
    assert waited.stdout == "databasemigration.headway.dev/shop condition met\n", waited.stderr

    heads = {
        name: databases[name].scalar(f"SELECT version_num FROM alembic_version_{name}") for name in NAMES
    }
    assert heads == {"main": "backfill_payments", "analytics": "index_events", "audit": "add_audit_details"}
    assert (
        databases["main"].scalar("SELECT count(*) FROM users WHERE status IS NULL OR full_name IS NULL") == 0
    )

    assert_they_ended_in_their_order(control_plane, namespace)
    wait_until(lambda: "3/3 · 100%" in watched.read_text(), what="the last line of the watch")
    lines = watched.read_text().splitlines()
    assert lines[0].split() == ["NAME", "READY", "PHASE", "PROGRESS", "REVISION", "AGE"]
    text = "\n".join(lines)
    for seen in ("Planning", "Migrating", "0/3 · ", "1/3 · ", "2/3 · ", "Succeeded", "2026.11.3"):
        assert seen in text, text
