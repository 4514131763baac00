"""A team with the shop in a namespace of its own: databases, Secrets, the example's resource, its pods."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import yaml

from support.apiclient import ApiError
from support.node.place import Place
from support.node.release import RESTRICTED
from support.postgres import Database
from support.resources import Resources
from support.tree import ROOT
from support.waiting import wait_until

SHOP = ROOT / "examples" / "shop"
PATIENCE = 240.0
"""Seconds for anything that a pod must do: machines of CI are slow, and start several at once."""

_numbers = itertools.count(1)


class Team(Resources):
    """What `Resources` has, and the example's shop."""

    def __init__(self, place: Place, namespace: str) -> None:
        super().__init__(place.cluster.client, namespace)
        self._place = place

    @classmethod
    def arrive(cls, place: Place, label: str) -> Team:
        """A fresh namespace that takes restricted pods only."""
        words = re.sub(r"[^a-z0-9]+", "-", label.removeprefix("test_").lower())[:40].strip("-")
        team = cls(place, f"{words}-{next(_numbers)}-{place.postgres.session}")
        place.cluster.client.post(
            "/api/v1/namespaces", {"metadata": {"name": team.namespace, "labels": RESTRICTED}}
        )
        account = f"{team.core}/serviceaccounts?fieldSelector=metadata.name=default"
        wait_until(lambda: team.client.get(account)["items"], what="the namespace's account")
        return team

    def leave(self) -> None:
        """Ask for the end of the namespace and of all that is in it."""
        self.client.delete(f"/api/v1/namespaces/{self.namespace}")

    def secret_of(self, database: Database, name: str) -> None:
        """A Secret with the keys that CloudNativePG gives the application of a cluster."""
        url = urlsplit(database.address)
        host, port, user, password = url.hostname or "", str(url.port), url.username or "", url.password or ""
        self.secret(
            name,
            uri=database.address,
            host=host,
            port=port,
            dbname=database.name,
            user=user,
            username=user,
            password=password,
            pgpass=f"{host}:{port}:{database.name}:{user}:{password}\n",
            **{
                "jdbc-uri": f"jdbc:postgresql://{host}:{port}/{database.name}?user={user}&password={password}"
            },
        )

    def apply_shop(self, databases: dict[str, Database], target: str = "") -> None:
        """`kubectl apply` of the example's resource, for those of its databases that are given."""
        for name, database in databases.items():
            self.secret_of(database, f"shop-{name}-app")
        body = yaml.safe_load((SHOP / "migration.yaml").read_text())
        body["spec"]["image"] = self._place.shop_image
        entries = [entry for entry in body["spec"]["databases"] if entry["name"] in databases]
        body["spec"]["databases"] = [entry | ({"target": target} if target else {}) for entry in entries]
        done = self._place.cluster.kubectl("-n", self.namespace, "apply", "-f", "-", input=json.dumps(body))
        assert done.returncode == 0, done.stderr

    def wait_until_ready(self) -> None:
        """Until the run has succeeded, behind the gate, too."""
        self.wait_for_condition("shop", "Ready", timeout=PATIENCE)
        self.wait_for_condition("shop", "Succeeded", timeout=PATIENCE)

    def wait_until_filling(self) -> dict[str, Any]:
        """Until the backfill of `main` has told of rows; its entry in the status."""

        def entry() -> dict[str, Any]:
            found: dict[str, Any] = self.database("shop", "main").get("backfill") or {}
            return found if found.get("rowsDone") else {}

        try:
            return wait_until(entry, PATIENCE, "rows of the backfill")
        except TimeoutError as late:
            late.add_note(f"status: {self.get('shop').get('status')}")
            raise

    def job(self) -> str:
        """The name of the only Job that migrates."""
        (job,) = self.jobs()
        return str(job["metadata"]["name"])

    def pods_of(self, job: str) -> list[dict[str, Any]]:
        """The Job's pods, oldest first."""
        items = self.client.get(f"{self.core}/pods?labelSelector=job-name={job}")["items"]
        return sorted(items, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def log_of(self, pod: str) -> str:
        """The end of its log, empty while its kubelet gives out none."""
        with suppress(ApiError):
            return self.client.text(f"{self.core}/pods/{pod}/log?tailLines=5")
        return ""

    def evict(self, pod: str) -> None:
        """As a drained node does: through the eviction API."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        self.client.post(f"{self.core}/pods/{pod}/eviction", body)


@contextmanager
def a_row_held(database: Database) -> Iterator[None]:
    """Somebody holds a row in the middle of the users, so that no backfill of them ends meanwhile."""
    session = database.connect(autocommit=False)
    session.execute("SELECT FROM users WHERE id = (SELECT max(id) / 2 FROM users) FOR UPDATE")
    try:
        yield
    finally:
        session.close()
