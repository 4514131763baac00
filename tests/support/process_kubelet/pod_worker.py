"""One pod from its binding to its end, in a thread of its own.

Volumes, init containers in order, then all others together; then the end, or a stop in between. What the watch tells
(`update`, `vanish`) only changes fields and wakes the thread. A pod that ended waits without a thread to be deleted.
"""

import datetime
import http.client
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from support.apiclient import STRATEGIC_PATCH, ApiClient, ApiError
from support.process_kubelet.container_log import ContainerLog
from support.process_kubelet.log_server import LogsUnavailable
from support.process_kubelet.obstacles import NeverStarts, NotYet
from support.process_kubelet.pod_status import PodStatus, Running, State, Terminated, Waiting
from support.process_kubelet.runtime import Container, Exit, Sandbox

RETRY_SECONDS = 0.3
KILL_TAKES_AT_MOST = 10.0
Value = TypeVar("Value")


@dataclass(frozen=True)
class Stop:
    """Why and how the pod has to stop; `silent`: it is not there any more, nobody wants a report."""

    grace: float
    silent: bool = False
    disruption: str = ""
    ended_ago: float = 0.0


class _Stopped(Exception):
    """The thread's way out of whatever it waits for."""


class PodWorker:
    """Call `begin` once; the other methods from any thread at any time."""

    def __init__(self, pod: dict[str, Any], sandbox: Sandbox, folder: Path, client: ApiClient) -> None:
        self._pod = pod
        self._sandbox = sandbox
        self._folder = folder
        self._client = client
        self._changed = threading.Condition()
        self._stop: Stop | None = None
        self._ended = False
        self._released = False
        self._started = _now()
        self._containers: dict[str, Container] = {}
        self._logs: dict[str, ContainerLog] = {}
        init_containers = pod["spec"].get("initContainers") or []
        reason = "PodInitializing" if init_containers else "ContainerCreating"
        everyone = [*init_containers, *pod["spec"]["containers"]]
        self._states: dict[str, State] = {each["name"]: Waiting(reason) for each in everyone}
        self._thread = threading.Thread(target=self._run, name=f"pod-{pod['metadata']['name']}", daemon=True)

    def begin(self) -> None:
        """Starts the thread."""
        self._thread.start()
        self.update(self._pod)

    def update(self, pod: dict[str, Any]) -> None:
        """The pod as the watch last saw it. While it terminates its files do not change any more."""
        self._pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self.stop(Stop(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)))
            self._release()
        elif self._stop is None and not self._ended:
            self._sandbox.refresh(pod)

    def vanish(self) -> None:
        """The pod is not there any more: kill what runs."""
        self.stop(Stop(0.0, silent=True))

    def stop(self, stop: Stop) -> None:
        """Ends the pod; the first stop counts, except that a silent one always does."""
        with self._changed:
            if self._stop is None or stop.silent:
                self._stop = stop
            self._changed.notify_all()

    def join(self) -> None:
        """Waits for the thread's end."""
        self._thread.join()

    def log(self, name: str) -> ContainerLog:
        """The log of a container. Raises LogsUnavailable before its start, in the kubelet's words."""
        if name not in self._states:
            raise LogsUnavailable(404, f"container {name} not found in pod {self._pod['metadata']['name']}")
        if log := self._logs.get(name):
            return log
        state = self._states[name]
        reason = state.reason if isinstance(state, Waiting) else "ContainerCreating"
        pod = self._pod["metadata"]["name"]
        message = f'container "{name}" in pod "{pod}" is waiting to start: {reason}'
        raise LogsUnavailable(400, message)

    def send(self, name: str, number: signal.Signals) -> None:
        """A signal to the first process of a container. Raises LookupError when it was not started."""
        self._containers[name].send(number)

    def _run(self) -> None:
        with suppress(_Stopped):
            self._run_containers()
        stop = self._stop
        if stop is not None:
            self._bring_down(stop)
        if not (stop and stop.silent):
            self._report_end(stop or Stop(0.0))
        with self._changed:
            self._ended = True
        self._release()

    def _run_containers(self) -> None:
        spec = self._pod["spec"]
        if refusal := _unsupported(spec):
            self._states = {name: _never_ran(refusal) for name in self._states}
            return
        self._until_possible(lambda: self._sandbox.prepare(self._pod), tuple(self._states))
        for container in spec.get("initContainers") or []:
            self._start(container)
            self._wait_for((container["name"],))
            if self._exit_code(container["name"]):
                return
        for container in spec["containers"]:
            self._start(container)
        self._wait_for(tuple(each["name"] for each in spec["containers"]))

    def _start(self, container: dict[str, Any]) -> None:
        name = container["name"]
        log = ContainerLog(self._folder / name / "log")
        try:
            self._containers[name] = self._until_possible(
                lambda: self._sandbox.start(self._pod, container, log, self._wake), (name,)
            )
        except NeverStarts as never:
            log.close()
            self._states[name] = _never_ran(str(never))
        except _Stopped:
            log.close()
            raise
        else:
            self._states[name] = Running(_now())
        self._logs[name] = log

    def _until_possible(self, action: Callable[[], Value], names: tuple[str, ...]) -> Value:
        """Tries until no obstacle is left; meanwhile the pod shows it. Raises _Stopped."""
        while True:
            try:
                return action()
            except NotYet as obstacle:
                self._show_waiting(Waiting(obstacle.reason, obstacle.message), names)
            except (OSError, http.client.HTTPException, ApiError) as away:
                # The API server cannot be asked now; what the pod needs may still be there.
                self._show_waiting(Waiting("ContainerCreating", str(away)), names)
            self._sleep(RETRY_SECONDS)

    def _show_waiting(self, state: Waiting, names: tuple[str, ...]) -> None:
        if any(self._states[name] != state for name in names):
            self._states.update(dict.fromkeys(names, state))
            self._report(PodStatus("Pending", self._started, self._states))

    def _wait_for(self, names: tuple[str, ...]) -> None:
        """Reports that these containers run, and returns when they have ended. Raises _Stopped."""
        if not self._have_ended(names):
            is_main = names[0] in {each["name"] for each in self._pod["spec"]["containers"]}
            phase = "Running" if is_main else "Pending"
            self._report(PodStatus(phase, self._started, self._states))
        with self._changed:
            self._changed.wait_for(lambda: self._stop or self._have_ended(names))
        self._note_ends(0.0)
        if self._stop and not self._have_ended(names):
            raise _Stopped

    def _have_ended(self, names: tuple[str, ...]) -> bool:
        return all(self._exit_code(name) is not None for name in names)

    def _exit_code(self, name: str) -> int | None:
        state, container = self._states[name], self._containers.get(name)
        if isinstance(state, Terminated):
            return state.exit.code
        return container.exit.code if container and container.exit else None

    def _note_ends(self, ended_ago: float) -> None:
        finished = _now() - datetime.timedelta(seconds=ended_ago)
        for name, container in self._containers.items():
            state = self._states[name]
            if isinstance(state, Running) and container.exit:
                self._states[name] = Terminated(container.exit, min(state.started, finished), finished)

    def _bring_down(self, stop: Stop) -> None:
        """SIGTERM, the grace period, SIGKILL. A pod that vanishes meanwhile is killed at once."""
        running = tuple(name for name, container in self._containers.items() if container.exit is None)
        if stop.grace:
            for name in running:
                self._containers[name].send(signal.SIGTERM)
            with self._changed:
                self._changed.wait_for(
                    lambda: self._have_ended(running) or (self._stop and self._stop.silent), stop.grace
                )
        for name in running:
            self._containers[name].send(signal.SIGKILL)
        with self._changed:
            self._changed.wait_for(lambda: self._have_ended(running), KILL_TAKES_AT_MOST)
        self._note_ends(stop.ended_ago)

    def _report_end(self, stop: Stop) -> None:
        mains = [self._exit_code(each["name"]) for each in self._pod["spec"]["containers"]]
        phase = "Succeeded" if not any(code is None or code for code in mains) else "Failed"
        if stop.disruption:
            status = PodStatus(
                "Failed", self._started, self._states, "Evicted", stop.disruption, stop.disruption
            )
        else:
            status = PodStatus(phase, self._started, self._states)
        self._report(status)

    def _report(self, status: PodStatus) -> None:
        """Writes the status; while the API server is away, again and again."""
        metadata = self._pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        self._insist(lambda: self._client.patch(path, status.document(self._pod), STRATEGIC_PATCH))

    def _release(self) -> None:
        """The pod has ended and its deletion is wanted: only now it may go, and only its kubelet can say so."""
        with self._changed:
            if not self._ended or self._released or "deletionTimestamp" not in self._pod["metadata"]:
                return
            self._released = True
        threading.Thread(target=self._delete, name="release", daemon=True).start()

    def _delete(self) -> None:
        metadata = self._pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        self._insist(lambda: self._client.delete(path, options))

    def _insist(self, action: Callable[[], object]) -> None:
        """Repeats until the API server has answered; that the pod is gone or another by now is an answer.

        Raises ApiError when the server does not understand what this kubelet says: that is a bug of ours. A server
        that has just started may forbid what it will allow in a moment.
        """
        while not (self._stop and self._stop.silent):
            try:
                action()
                return
            except ApiError as error:
                if error.status in (404, 409):
                    return
                if error.status in (400, 422):
                    raise
            except (OSError, http.client.HTTPException):
                pass
            with self._changed:
                self._changed.wait(RETRY_SECONDS)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _sleep(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stop, seconds)
        if self._stop:
            raise _Stopped


def _unsupported(spec: dict[str, Any]) -> str:
    """What this kubelet does not do, said instead of done wrong; empty when there is nothing."""
    if spec.get("restartPolicy") != "Never":
        return "the process kubelet runs only pods with restartPolicy Never"
    if any("restartPolicy" in each for each in spec.get("initContainers") or []):
        return "the process kubelet runs no sidecar containers"
    return ""


def _never_ran(why: str) -> Terminated:
    return Terminated(Exit(128, why), None, _now(), "StartError")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
