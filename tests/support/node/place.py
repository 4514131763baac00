"""Where `tests/node` runs: a cluster with nodes, images that it can start, a PostgreSQL that both sides reach."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from headway_cli.embedded import EmbeddedPostgres
from support import assets
from support.controlplane import Cluster
from support.node import imagery
from support.node.network import GATEWAY, SUBNET
from support.node.node import Node, node
from support.postgres import Database, PostgresServer

CLUSTER_VARIABLE = "HEADWAY_E2E_KUBECONFIG"
GIVEN = {
    "HEADWAY_E2E_IMAGE": "Headway's image with its tag, which the cluster can pull",
    "HEADWAY_E2E_SHOP_IMAGE": "the image of examples/shop",
    "HEADWAY_E2E_DSN": "URL of a PostgreSQL, reached from here and from pods, whose role may create databases",
}
"""What a given cluster cannot have by itself."""


@dataclass(frozen=True)
class Place:
    """`node` is None in a given cluster."""

    cluster: Cluster
    operator_image: str
    shop_image: str
    postgres: PostgresServer
    node: Node | None = None


def missing_of_a_given_cluster() -> str:
    """One line about the variables that a given cluster needs beside, empty when all are there."""
    missing = [f"{name} ({what})" for name, what in GIVEN.items() if not os.environ.get(name)]
    return f"with {CLUSTER_VARIABLE} these are needed, too: {'; '.join(missing)}" if missing else ""


@contextmanager
def place() -> Iterator[Place]:
    """The cluster that the user names, else a node of our own."""
    given = os.environ.get(CLUSTER_VARIABLE)
    with _given(Path(given)) if given else _own() as found:
        yield found


@contextmanager
def _given(kubeconfig: Path) -> Iterator[Place]:
    kubectl = shutil.which("kubectl") or assets.find() / "kubectl"
    server = PostgresServer(os.environ["HEADWAY_E2E_DSN"])
    images = (os.environ["HEADWAY_E2E_IMAGE"], os.environ["HEADWAY_E2E_SHOP_IMAGE"])
    cluster = Cluster(kubeconfig, Path(kubectl))
    try:
        yield Place(cluster, *images, server)
    finally:
        server.drop_all()
        cluster.client.close()


@contextmanager
def _own() -> Iterator[Place]:
    images = imagery.images()
    with ExitStack() as stack:
        running = stack.enter_context(node(images.pause, (images.headway, images.shop)))
        address = stack.enter_context(_postgres_for_pods())
        plane = running.control_plane
        yield Place(plane, images.headway.name, images.shop.name, PostgresServer(address), running)


@contextmanager
def _postgres_for_pods() -> Iterator[str]:
    """The embedded server, on the bridge too; its administrator's URL there."""
    settings = {"listen_addresses": f"127.0.0.1,{GATEWAY}"}
    with EmbeddedPostgres.start(settings=settings) as server:
        with (server.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {SUBNET} scram-sha-256\n")
        Database("postgres", server.url()).rows("SELECT pg_reload_conf()")
        yield server.url().replace("127.0.0.1", GATEWAY)
