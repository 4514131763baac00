"""Container states → a pod's status as a kubelet reports it. Pure."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from support.process_kubelet.runtime import Exit


@dataclass(frozen=True)
class Waiting:
    """Not started."""

    reason: str
    message: str = ""


@dataclass(frozen=True)
class Running:
    """Started and not ended."""

    started: datetime.datetime


@dataclass(frozen=True)
class Terminated:
    """Ended; `reason` replaces the exit's own."""

    exit: Exit
    started: datetime.datetime | None
    finished: datetime.datetime
    reason: str = ""


State = Waiting | Running | Terminated


@dataclass(frozen=True)
class PodStatus:
    """Everything that is reported; `disruption` is the message of a DisruptionTarget condition."""

    phase: str
    started: datetime.datetime
    states: Mapping[str, State]
    reason: str = ""
    message: str = ""
    disruption: str = ""

    def document(self, pod: dict[str, Any]) -> dict[str, Any]:
        """A strategic merge patch of `pod`'s status: it leaves conditions of others alone.

        The uid makes the API server refuse it for a later pod of the same name.
        """
        spec, states = pod["spec"], self.states
        document: dict[str, Any] = {
            "phase": self.phase,
            "startTime": _text(self.started),
            "hostIP": "127.0.0.1",
            "hostIPs": [{"ip": "127.0.0.1"}],
            "podIP": "127.0.0.1",
            "podIPs": [{"ip": "127.0.0.1"}],
            "conditions": self._conditions(spec),
            "initContainerStatuses": [_container(each, states) for each in spec.get("initContainers") or []],
            "containerStatuses": [_container(each, states) for each in spec["containers"]],
        }
        if self.reason:
            document |= {"reason": self.reason, "message": self.message}
        return {"metadata": {"uid": pod["metadata"]["uid"]}, "status": document}

    def _conditions(self, spec: dict[str, Any]) -> list[dict[str, Any]]:
        init_states = [self.states[each["name"]] for each in spec.get("initContainers") or []]
        main_states = [self.states[each["name"]] for each in spec["containers"]]
        initialized = all(isinstance(each, Terminated) and each.exit.code == 0 for each in init_states)
        ready = all(isinstance(each, Running) for each in main_states)
        conditions = [
            _condition("Initialized", initialized),
            _condition("ContainersReady", ready),
            _condition("Ready", ready),
        ]
        if self.disruption:
            cause = {"reason": "TerminationByKubelet", "message": self.disruption}
            conditions.append(_condition("DisruptionTarget", True) | cause)
        return conditions


def _condition(name: str, value: bool) -> dict[str, Any]:
    return {"type": name, "status": str(value)}


def _container(container: dict[str, Any], states: Mapping[str, State]) -> dict[str, Any]:
    state = states[container["name"]]
    done = isinstance(state, Terminated) and state.exit.code == 0
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "ready": isinstance(state, Running) or done,
        "started": isinstance(state, Running),
        "restartCount": 0,
        "state": _state(state),
    }


def _state(state: State) -> dict[str, Any]:
    match state:
        case Waiting(reason, message):
            return {"waiting": {"reason": reason, "message": message}}
        case Running(started):
            return {"running": {"startedAt": _text(started)}}
        case Terminated(exit, started, finished, reason):
            return {
                "terminated": {
                    "exitCode": exit.code,
                    "reason": reason or exit.reason,
                    "message": exit.message,
                    "startedAt": _text(started or finished),
                    "finishedAt": _text(finished),
                }
            }


def _text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
