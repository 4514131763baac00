"""A namespace as a user of Headway works with it: Secrets and resources go in, conditions come out."""

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from support.apiclient import ApiClient, ApiError
from support.waiting import wait_until

IMAGE = "shop:1"
QUICK_RETRY = {"limit": 3, "backoffSeconds": 1, "maxBackoffSeconds": 2}
Body = dict[str, Any]


class Resources:
    """Everything of one namespace that the tests of the operator touch."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.client = client
        self.namespace = namespace
        self.core = f"/api/v1/namespaces/{namespace}"
        self.batch = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self.migrations = f"/apis/headway.dev/v1alpha1/namespaces/{namespace}/databasemigrations"

    def secret(self, name: str, **values: str) -> None:
        """Create or change a Secret."""
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        self.client.apply(
            f"{self.core}/secrets/{name}",
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data},
        )

    def create(self, name: str, databases: Mapping[str, str] | list[Body], **spec: Any) -> Body:
        """Create a resource. A mapping of names to URLs makes a Secret for each database."""
        if not isinstance(databases, list):
            for database, url in databases.items():
                self.secret(f"{name}-{database}", uri=url)
            databases = [a_database(name, database) for database in databases]
        body = {
            "apiVersion": "headway.dev/v1alpha1",
            "kind": "DatabaseMigration",
            "metadata": {"name": name},
            "spec": {"image": IMAGE, "retry": QUICK_RETRY, "databases": databases, **spec},
        }
        made: Body = self.client.post(f"{self.migrations}?fieldValidation=Strict", body)
        return made

    def get(self, name: str) -> Body:
        """The resource."""
        found: Body = self.client.get(f"{self.migrations}/{name}")
        return found

    def exists(self, name: str) -> bool:
        """Whether there is such a resource."""
        with suppress(ApiError):
            return bool(self.get(name))
        return False

    def change(self, name: str, **spec: Any) -> None:
        """Change fields of the specification."""
        self.client.patch(f"{self.migrations}/{name}", {"spec": spec})

    def annotate(self, name: str, **annotations: str | None) -> None:
        """Set `headway.dev/…` annotations; None takes one away."""
        values = {f"headway.dev/{key}": value for key, value in annotations.items()}
        self.client.patch(f"{self.migrations}/{name}", {"metadata": {"annotations": values}})

    def delete(self, name: str) -> None:
        """Ask for the resource's deletion."""
        self.client.delete(f"{self.migrations}/{name}")

    def database(self, name: str, database: str) -> Body:
        """One database's status."""
        entries = self.get(name)["status"].get("databases") or []
        return next((entry for entry in entries if entry["name"] == database), {})

    def condition(self, name: str, kind: str) -> Body:
        """A condition of the current generation, {} when there is none yet."""
        body = self.get(name)
        for condition in body["status"].get("conditions") or []:
            is_current = condition.get("observedGeneration") == body["metadata"]["generation"]
            if condition["type"] == kind and is_current:
                found: Body = condition
                return found
        return {}

    def wait_for_condition(
        self, name: str, kind: str, status: str = "True", reason: str = "", timeout: float = 60
    ) -> Body:
        """The condition, once it has this status (and reason) for the current generation."""

        def holds() -> Body:
            found = self.condition(name, kind)
            is_so = found.get("status") == status and reason in ("", found.get("reason"))
            return found if is_so else {}

        return self._wait(holds, f"{kind}={status} {reason}", name, timeout)

    def wait_for_database(self, name: str, database: str, phase: str, timeout: float = 60) -> Body:
        """The database's status, once it is in this phase."""

        def holds() -> Body:
            found = self.database(name, database)
            return found if found.get("phase") == phase else {}

        return self._wait(holds, f"{database} {phase}", name, timeout)

    def jobs(self, stage: str = "Migrate") -> list[Body]:
        """The Jobs of this stage, oldest first."""
        selector = f"?labelSelector=headway.dev/stage={stage}"
        items: list[Body] = self.client.get(f"{self.batch}{selector}")["items"]
        return sorted(items, key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"]))

    def attempts(self, database: str) -> list[str]:
        """The numbers of the attempts that have a Job."""
        marks = [job["metadata"]["labels"] for job in self.jobs()]
        return sorted(
            mark["headway.dev/attempt"] for mark in marks if mark["headway.dev/database"] == database
        )

    def pod_of(self, job: str) -> Body:
        """The Job's pod, once there is one."""
        path = f"{self.core}/pods?labelSelector=job-name={job}"
        return wait_until(lambda: next(iter(self.client.get(path)["items"]), {}), what=f"a pod of {job}")

    def events(self, reason: str = "") -> list[Body]:
        """Those in this namespace that are ours, of this reason where one is named, oldest first."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"
        items: list[Body] = self.client.get(path)["items"]
        ours = [one for one in items if one.get("reportingController") == "headway.dev/operator"]
        return sorted(
            (one for one in ours if reason in ("", one["reason"])), key=lambda one: str(one["eventTime"])
        )

    def event_reasons(self) -> list[str]:
        """Of the events in this namespace that are ours."""
        return sorted(one["reason"] for one in self.events())

    def wait_for_event(self, reason: str) -> Body:
        """The first event of ours with this reason, once there is one."""
        return wait_until(lambda: next(iter(self.events(reason)), {}), what=f"an event {reason}")

    def _wait(self, holds: Callable[[], Body], what: str, name: str, timeout: float) -> Body:
        try:
            return wait_until(holds, timeout, f"{what} of {name}")
        except TimeoutError as late:
            late.add_note(f"status: {self.get(name)['status']}")
            raise


def a_database(name: str, database: str, **fields: Any) -> Body:
    """An entry of spec.databases that takes its URL from the Secret of `Resources.create`."""
    reference = {"name": f"{name}-{database}", "key": "uri"}
    return {"name": database, "urlFrom": {"secretKeyRef": reference}, **fields}
