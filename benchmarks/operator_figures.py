"""The operator's figures on a real API server, each with its budget beside it.

    python benchmarks/operator_figures.py

Pods are only played, so what is measured is the operator and the API server. Requests are counted in the API
server's audit log, not by the operator itself. Prints a table; decides nothing. Times are worth what the first two
lines say: on a quiet machine of two cores one creation takes 3 to 5 ms.
(The file is not called operator.py: it would stand in for the standard library's module of that name.)
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT / "tests")]

from headway_contract.request import RunRequest  # noqa: E402
from support import assets  # noqa: E402
from support.apiclient import ApiClient  # noqa: E402
from support.controlplane import ControlPlane  # noqa: E402
from support.driver import all_goes_well  # noqa: E402
from support.operator_process import RULES, OperatorProcess  # noqa: E402
from support.process_kubelet.kubelet import ProcessKubelet  # noqa: E402
from support.process_kubelet.played import Outcome  # noqa: E402
from support.resources import Resources, a_database  # noqa: E402
from support.waiting import wait_until  # noqa: E402

USER = "headway-operator"
ALONE, AT_ONCE, WRITERS = 30, 100, 8
RESOURCES, DATABASES = 10, 3
IDLE_SECONDS = 20.0
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "users": [USER]}, {"level": "None"}],
}

Row = tuple[str, str, str]


class FirstJobs:
    """When the first Job of each resource was seen, by a watch of its own."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.seen: dict[str, float] = {}
        self._path = f"/apis/batch/v1/namespaces/{namespace}/jobs?watch=true"
        self._client = client
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        with self._client.stream(self._path) as lines:
            for line in lines:
                now = time.monotonic()
                metadata = json.loads(line)["object"]["metadata"]
                self.seen.setdefault(metadata["annotations"]["headway.dev/migration"], now)


def first_job_rows(bench: Resources, operator: OperatorProcess) -> list[Row]:
    """From a resource's creation until its first Job is seen, one resource at a time and many at once.

    The operator's processor time says more than the clock when others use the machine.
    """
    jobs = FirstJobs(bench.client, bench.namespace)
    sent: dict[str, float] = {}
    created: dict[str, float] = {}

    def create(name: str) -> None:
        sent[name] = time.monotonic()
        bench.create(name, [a_database("bench", "main")])
        created[name] = time.monotonic()

    names = [f"alone-{number}" for number in range(ALONE)]
    for name in names:
        create(name)
        wait_until(lambda name=name: name in jobs.seen, what=f"the first Job of {name}")
    alone = [1000 * (jobs.seen[name] - created[name]) for name in names]
    creating = [1000 * (created[name] - sent[name]) for name in names]
    # In a row they are a rush, whose reports come later: not into what is measured next.
    wait_until(
        lambda: all(body["status"].get("run") for body in everything(bench)), what="the reports about them"
    )
    names = [f"crowd-{number}" for number in range(AT_ONCE)]
    spent = -processor_time(operator.pid)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(create, names))
    wait_until(lambda: all(name in jobs.seen for name in names), what="all first Jobs")
    spent += processor_time(operator.pid)
    crowd = [1000 * (jobs.seen[name] - created[name]) for name in names]
    pouring = 1000 * (max(created[name] for name in names) - min(sent[name] for name in names))
    whole = 1000 * (max(jobs.seen[name] for name in names) - min(created[name] for name in names))
    return [
        ("this machine now: creating one resource, p50", millis(statistics.median(creating)), ""),
        (f"    creating {AT_ONCE} from {WRITERS} threads, in all", millis(pouring), ""),
        (f"created → first Job, p50 of {ALONE}, one at a time", millis(statistics.median(alone)), "30 ms"),
        ("    slowest of them", millis(max(alone)), ""),
        (f"{AT_ONCE} at once: p50", millis(statistics.median(crowd)), ""),
        ("    slowest", millis(max(crowd)), "1,000 ms"),
        ("    first creation → last first Job", millis(whole), ""),
        ("    the operator's processor time until then", millis(spent), ""),
    ]


def write_rows(bench: Resources, audit: Path) -> list[Row]:
    """What a run costs: requests of the operator, divided by the number of databases."""
    before = audited(audit)
    names = [f"run-{number}" for number in range(RESOURCES)]
    for name in names:
        bench.create(name, {f"db{number}": "postgresql://nowhere" for number in range(DATABASES)})
    for name in names:
        bench.wait_for_condition(name, "Ready", timeout=180)
    spent, count = audited(audit) - before, RESOURCES * DATABASES
    total = sum(number for (verb, _), number in spent.items() if verb != "watch")
    migrate = [
        job for job in bench.jobs() if job["metadata"]["annotations"]["headway.dev/migration"] in names
    ]
    return [
        ("Jobs that migrate, per database", f"{len(migrate) / count:.2f}", "1"),
        ("status writes per database", f"{spent['patch', 'databasemigrations/status'] / count:.2f}", "3"),
        ("all requests per database", f"{total / count:.1f}", ""),
    ]


def idle_rows(bench: Resources, operator: OperatorProcess, audit: Path) -> list[Row]:
    """What finished resources cost a restarted operator, beside its own lists and watches."""
    wait_until(lambda: all(is_over(body) for body in everything(bench)), 300, "all resources to be over")
    number = len(everything(bench))
    operator.stop()
    before = audited(audit)
    operator.start()
    time.sleep(IDLE_SECONDS)
    spent = audited(audit) - before
    lists = sum(count for (verb, _), count in spent.items() if verb in ("list", "watch"))
    other = {key: count for key, count in spent.items() if key[0] not in ("list", "watch") and key[1]}
    return [
        (
            f"requests per idle resource ({number} of them), restart included",
            f"{sum(other.values()) / number:g}",
            "0",
        ),
        ("    lists and watches in that time", str(lists), ""),
        ("resident memory", f"{resident(operator.pid):.0f} MiB", "100 MB"),
    ]


def everything(bench: Resources) -> list[dict[str, Any]]:
    """All resources of the namespace."""
    items: list[dict[str, Any]] = bench.client.get(bench.migrations)["items"]
    return items


def is_over(body: dict[str, Any]) -> bool:
    """Whether its run has ended and the operator has let go of it."""
    conditions = {one["type"]: one["status"] for one in body["status"].get("conditions") or []}
    return conditions.get("Reconciling") == "False" and not body["metadata"].get("finalizers")


def audited(audit: Path) -> Counter[tuple[str, str]]:
    """The operator's requests so far, by verb and resource."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in audit.read_text().splitlines():
        entry = json.loads(line)
        reference = entry.get("objectRef") or {}
        parts = (reference.get("resource", ""), reference.get("subresource", ""))
        counts[entry["verb"], "/".join(filter(None, parts))] += 1
    return counts


def played(pod: dict[str, Any]) -> Outcome:
    """What a runner would leave behind that found two revisions and applied them."""
    (container,) = pod["spec"]["containers"]
    values = {entry["name"]: entry.get("value", "") for entry in container["env"]}
    result = all_goes_well(RunRequest.from_json(values["HEADWAY_REQUEST"]))
    return Outcome(termination_message=result.to_json(), seconds=0.05)


def resident(pid: int) -> float:
    """MiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("VmRSS:"))) / 1024


def processor_time(pid: int) -> float:
    """Milliseconds that a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def millis(value: float) -> str:
    return f"{value:,.0f} ms"


def with_audit(plane: ControlPlane, folder: Path) -> Path:
    """Restart the API server with an audit log of the operator's requests; returns the log."""
    policy, log = folder / "policy.json", folder / "audit.log"
    policy.write_text(json.dumps(AUDIT_POLICY))
    log.touch()
    plane.stop_api_server()
    plane._api_server.arguments += (f"--audit-policy-file={policy}", f"--audit-log-path={log}")
    plane.start_api_server()
    return log


@contextmanager
def a_bench(folder: Path) -> Iterator[tuple[ControlPlane, ProcessKubelet, OperatorProcess]]:
    """A control plane with a namespace, the operator that watches it, and a kubelet that is not started yet."""
    plane = ControlPlane.start(folder, assets.find(), sorted((ROOT / "crds").glob("*.yaml")))
    kubelet = ProcessKubelet(ApiClient.from_kubeconfig(plane.kubeconfig), "bench")
    operator = OperatorProcess(plane.kubeconfig_for(USER, RULES), folder / "operator.log", "bench")
    try:
        plane.client.post("/api/v1/namespaces", {"metadata": {"name": "bench"}})
        yield plane, kubelet, operator.start()
    finally:
        operator.stop()
        kubelet.stop()
        plane.stop()


def show(rows: list[Row]) -> None:
    width = max(len(name) for name, _, _ in rows)
    print(f"{'':{width}}  {'measured':>10}  budget")
    for name, measured, budget in rows:
        print(f"{name:{width}}  {measured:>10}  {f'<= {budget}' if budget else ''}".rstrip())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as name:
        folder = Path(name)
        with a_bench(folder) as (plane, kubelet, operator):
            bench = Resources(plane.client, "bench")
            rows = first_job_rows(bench, operator)
            rows.append(("resident memory after that", f"{resident(operator.pid):.0f} MiB", "100 MB"))
            # Only now: it is Python too and would take its share of the machine from what is measured above.
            kubelet.play("bench", played)
            kubelet.start()
            audit = with_audit(plane, folder)
            wait_until(
                lambda: all(is_over(body) for body in everything(bench)), 300, "the first resources to end"
            )
            rows += write_rows(bench, audit)
            rows += idle_rows(bench, operator, audit)
    show(rows)


if __name__ == "__main__":
    main()
