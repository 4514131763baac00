"""The bench itself: the process kubelet does for the tests what a kubelet would do."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.apiclient import ApiClient, ApiError
from support.controlplane import Cluster, ControlPlane
from support.fix_cluster import PYTHON_IMAGE
from support.process_kubelet.kubelet import ProcessKubelet
from support.process_kubelet.played import Outcome
from support.waiting import wait_until

Pod = dict[str, Any]
WAITS_FOR_TERM = (
    "import signal, sys, time\n"
    "def leave(*_): print('leaving', flush=True); sys.exit(7)\n"
    "signal.signal(signal.SIGTERM, leave)\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(0.02)\n"
)


class Bench:
    """A namespace with a kubelet, and what the tests ask of it."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.client = client
        self.core = f"/api/v1/namespaces/{namespace}"
        self.jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self.namespace = namespace

    def start_job(self, code: str, *, annotations: dict[str, str] | None = None, **pod_spec: Any) -> None:
        """A Job `job` of one Python program; `container` in `pod_spec` adds to its container."""
        extra = pod_spec.pop("container", {})
        container = {"name": "main", "image": PYTHON_IMAGE, "command": ["python", "-c", code]} | extra
        spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
        ignore_disruption = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
        template = {"metadata": {"annotations": annotations or {}}, "spec": spec | pod_spec}
        job = {
            "backoffLimit": 0,
            "podFailurePolicy": {"rules": [ignore_disruption]},
            "template": template,
        }
        self.client.post(self.jobs, {"metadata": {"name": "job"}, "spec": job})

    def pods(self) -> list[Pod]:
        pods: list[Pod] = self.client.get(f"{self.core}/pods")["items"]
        return pods

    def pod(self) -> Pod:
        """The newest pod, as soon as there is one."""
        pods = wait_until(self.pods, what="a pod")
        return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def wait_for_phase(self, *phases: str) -> Pod:
        return wait_until(
            lambda: next((pod for pod in self.pods() if pod["status"]["phase"] in phases), None),
            what=f"a pod to be {' or '.join(phases)}",
        ) or pytest.fail("unreachable")

    def wait_for_log(self, text: str) -> str:
        """The name of the pod, once its log has this text."""

        def has_said_it() -> str:
            for pod in self.pods():
                try:
                    log = self.client.text(f"{self.core}/pods/{pod['metadata']['name']}/log")
                except ApiError:
                    continue
                if text in log:
                    return str(pod["metadata"]["name"])
            return ""

        return wait_until(has_said_it, what=f"{text!r} in a log")

    def wait_for_job(self, condition: str) -> dict[str, Any]:
        def has_it() -> dict[str, Any] | None:
            conditions = self.client.get(f"{self.jobs}/job")["status"].get("conditions") or []
            return next((each for each in conditions if each["type"] == condition), None)

        return wait_until(has_it, what=f"the Job to be {condition}") or {}

    def waiting(self, container: str = "main") -> dict[str, Any]:
        """Reason and message of a container that waits; empty when it does not."""
        statuses = self.pod()["status"].get("containerStatuses") or []
        states = [each["state"] for each in statuses if each["name"] == container]
        return dict(states[0].get("waiting") or {}) if states else {}


@pytest.fixture
def bench(kubelet: ProcessKubelet, client: ApiClient, namespace: str) -> Bench:
    assert kubelet.name
    return Bench(client, namespace)


def terminated(pod: Pod) -> dict[str, Any]:
    state: dict[str, Any] = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return state


def test_main_finds_what_init_left_and_its_termination_message_arrives(bench: Bench) -> None:
    mounts = [{"name": "shared", "mountPath": "/headway"}]
    write = "open('/headway/note', 'w').write('from init')"
    init = {"name": "init", "image": PYTHON_IMAGE, "command": ["python", "-c", write], "volumeMounts": mounts}
    bench.start_job(
        "import os; open('/dev/termination-log', 'w').write(open(os.environ['NOTE']).read())",
        initContainers=[init],
        volumes=[{"name": "shared", "emptyDir": {}}],
        container={"volumeMounts": mounts, "env": [{"name": "NOTE", "value": "/headway/note"}]},
    )

    bench.wait_for_job("Complete")

    assert terminated(bench.pod()) | {"startedAt": 0, "finishedAt": 0} == {
        "exitCode": 0,
        "reason": "Completed",
        "message": "from init",
        "startedAt": 0,
        "finishedAt": 0,
    }


def test_a_failed_init_container_fails_the_pod_and_main_never_starts(bench: Bench) -> None:
    init = {"name": "init", "image": PYTHON_IMAGE, "command": ["python", "-c", "raise SystemExit(3)"]}
    bench.start_job("print('never')", initContainers=[init])

    bench.wait_for_job("Failed")

    status = bench.pod()["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
    assert bench.waiting()["reason"] == "PodInitializing"


def test_a_followed_log_comes_line_by_line_and_ends_with_the_container(bench: Bench) -> None:
    bench.start_job(WAITS_FOR_TERM)
    pod = bench.wait_for_log("up")

    with bench.client.stream(f"{bench.core}/pods/{pod}/log?follow=true&timestamps=true") as stream:
        lines = iter(stream)
        first = next(lines)
        bench.client.delete(f"{bench.core}/pods/{pod}")
        rest = list(lines)

    assert first.split(b" ", 1)[1] == b"up\n"
    assert [line.split(b" ", 1)[1] for line in rest] == [b"leaving\n"]


def test_a_finished_log_can_be_read_in_parts(bench: Bench, control_plane: Cluster) -> None:
    bench.start_job("import sys; print('one'); print('two', flush=True); print('three', file=sys.stderr)")
    name = bench.wait_for_phase("Succeeded")["metadata"]["name"]
    path = f"{bench.core}/pods/{name}/log"

    assert bench.client.text(path) == "one\ntwo\nthree\n"
    assert bench.client.text(f"{path}?tailLines=1") == "three\n"
    assert bench.client.text(f"{path}?limitBytes=5") == "one\nt"
    assert bench.client.text(f"{path}?sinceTime=2100-01-01T00:00:00Z") == ""
    shown = control_plane.kubectl("logs", "job/job", f"--namespace={bench.namespace}")
    assert shown.stdout == "one\ntwo\nthree\n", shown.stderr


def test_a_log_followed_from_a_time_on_has_what_comes_and_not_what_was_before_that_second(
    bench: Bench,
) -> None:
    bench.start_job(WAITS_FOR_TERM)
    pod = bench.wait_for_log("up")
    path = f"{bench.core}/pods/{pod}/log"
    said = datetime.fromisoformat(bench.client.text(f"{path}?timestamps=true").split()[0])
    # The API server hands on whole seconds: what a second has had before the time that is named comes again.
    with bench.client.stream(f"{path}?follow=true&sinceTime={said:%Y-%m-%dT%H:%M:%S}.999Z") as stream:
        assert next(iter(stream)) == b"up\n"

    since = said + timedelta(seconds=1)
    wait_until(lambda: datetime.now(UTC) > since, what="a second after that line")
    with bench.client.stream(f"{path}?follow=true&sinceTime={since:%Y-%m-%dT%H:%M:%S}.000Z") as stream:
        bench.client.delete(f"{bench.core}/pods/{pod}")
        assert list(stream) == [b"leaving\n"]


def test_a_changed_annotation_reaches_the_file(bench: Bench) -> None:
    item = {"path": "control", "fieldRef": {"fieldPath": "metadata.annotations['headway.dev/control']"}}
    bench.start_job(
        "import time\n"
        "while (seen := open('/podinfo/control').read()) != 'stop': time.sleep(0.01)\n"
        "print('stopped')",
        annotations={"headway.dev/control": "go"},
        volumes=[{"name": "podinfo", "downwardAPI": {"items": [item]}}],
        container={"volumeMounts": [{"name": "podinfo", "mountPath": "/podinfo"}]},
    )
    pod = bench.wait_for_phase("Running")["metadata"]["name"]

    annotations = {"headway.dev/control": "stop"}
    bench.client.patch(f"{bench.core}/pods/{pod}", {"metadata": {"annotations": annotations}})

    bench.wait_for_log("stopped")


def test_a_missing_secret_is_waited_for(bench: Bench) -> None:
    reference = {"secretKeyRef": {"name": "shop-main-app", "key": "uri"}}
    bench.start_job(
        "import os; print(os.environ['URL'])", container={"env": [{"name": "URL", "valueFrom": reference}]}
    )

    shown = (
        wait_until(lambda: bench.waiting() if "message" in bench.waiting() else None, what="a reason") or {}
    )
    assert shown == {
        "reason": "CreateContainerConfigError",
        "message": 'secret "shop-main-app" not found',
    }
    secret = {"metadata": {"name": "shop-main-app"}, "stringData": {"uri": "postgresql://db/shop"}}
    bench.client.post(f"{bench.core}/secrets", secret)

    bench.wait_for_log("postgresql://db/shop")


def test_an_unknown_image_backs_off_and_logs_say_so(bench: Bench) -> None:
    bench.start_job("", container={"image": "registry.test/nothing:1"})

    wait_until(lambda: bench.waiting().get("reason") == "ImagePullBackOff", what="the back-off")

    assert 'Back-off pulling image "registry.test/nothing:1"' in bench.waiting()["message"]
    name = bench.pod()["metadata"]["name"]
    with pytest.raises(ApiError, match="is waiting to start: ImagePullBackOff") as refused:
        bench.client.text(f"{bench.core}/pods/{name}/log")
    assert refused.value.status == 400


def test_a_deleted_pod_gets_term_and_its_grace(bench: Bench) -> None:
    bench.start_job(WAITS_FOR_TERM)
    pod = bench.wait_for_log("up")
    path = f"{bench.core}/pods?watch=true&fieldSelector=metadata.name={pod}"

    with bench.client.stream(path) as stream:
        bench.client.delete(f"{bench.core}/pods/{pod}")
        events = (json.loads(line) for line in stream)
        last = next(event["object"] for event in events if event["type"] == "DELETED")

    assert (last["status"]["phase"], terminated(last)["exitCode"]) == ("Failed", 7)
    bench.wait_for_job("Failed")


def test_a_process_that_ignores_term_is_killed_after_its_grace(bench: Bench) -> None:
    bench.start_job("import time; print('up', flush=True); time.sleep(60)", terminationGracePeriodSeconds=1)
    pod = bench.wait_for_log("up")
    path = f"{bench.core}/pods?watch=true&fieldSelector=metadata.name={pod}"

    with bench.client.stream(path) as stream:
        bench.client.delete(f"{bench.core}/pods/{pod}")
        events = (json.loads(line) for line in stream)
        last = next(event["object"] for event in events if event["type"] == "DELETED")

    assert terminated(last)["exitCode"] == 137


def test_an_evicted_pod_is_replaced_and_the_job_goes_on(bench: Bench, kubelet: ProcessKubelet) -> None:
    bench.start_job(WAITS_FOR_TERM)
    evicted = bench.wait_for_log("up")

    kubelet.evict(bench.namespace, evicted)

    wait_until(lambda: len(bench.pods()) == 2, what="a second pod")
    status = bench.client.get(f"{bench.core}/pods/{evicted}")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "Evicted")
    assert "DisruptionTarget" in [each["type"] for each in status["conditions"]]
    second = bench.wait_for_phase("Running")["metadata"]["name"]
    kubelet.kill_container(bench.namespace, second, signal.SIGKILL)
    bench.wait_for_job("Failed")
    assert bench.client.get(f"{bench.jobs}/job")["status"]["failed"] == 1, "the eviction is not counted"


def test_a_killed_container_ends_with_the_signals_code(bench: Bench, kubelet: ProcessKubelet) -> None:
    bench.start_job(WAITS_FOR_TERM)
    pod = bench.wait_for_log("up")

    kubelet.kill_container(bench.namespace, pod, signal.SIGKILL)

    assert terminated(bench.wait_for_phase("Failed"))["exitCode"] == 137
    bench.wait_for_job("Failed")


def test_a_pod_for_other_nodes_stays_pending(bench: Bench) -> None:
    bench.start_job("", nodeSelector={"disk": "fast"})

    def says_why() -> bool:
        conditions = bench.pod()["status"].get("conditions") or []
        return any(each.get("reason") == "Unschedulable" for each in conditions)

    wait_until(says_why, what="the pod to be unschedulable")


def test_played_outcomes_need_no_process(bench: Bench, kubelet: ProcessKubelet) -> None:
    kubelet.play(bench.namespace, lambda pod: Outcome(("planned",), '{"ok": true}', exit_code=65))
    bench.start_job("", container={"image": "registry.test/nothing:1"})

    bench.wait_for_job("Failed")

    assert (terminated(bench.pod())["exitCode"], terminated(bench.pod())["message"]) == (65, '{"ok": true}')
    bench.wait_for_log("planned")


def test_the_kubelet_survives_a_restart_of_the_api_server(
    bench: Bench, own_control_plane: ControlPlane
) -> None:
    bench.start_job(WAITS_FOR_TERM)
    running = bench.wait_for_log("up")

    own_control_plane.stop_api_server()
    own_control_plane.start_api_server()

    bench.client.delete(f"{bench.core}/pods/{running}")
    assert terminated(bench.wait_for_phase("Failed"))["exitCode"] == 7
