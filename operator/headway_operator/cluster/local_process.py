"""One Job's container as a process of this machine: from its manifest to a command, an environment and folders.

What a kubelet resolves is resolved here: literal variables, Secrets and ConfigMaps by name, mount paths. The process
reads and writes only files below a folder of its own, and never outlives the one who started it (on Linux).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headway_contract.control import ANNOTATION
from headway_contract.request import VARIABLE, RunRequest
from headway_operator.cluster.interface import Body, Invalid
from headway_operator.cluster.lines import LIMIT_BYTES, split_lines

POLL_SECONDS = 0.05
"""Between two looks at a log that is being written."""

# Arguments: the expected parent, then the command. 1 is PR_SET_PDEATHSIG: with us gone, the runner stops in order.
_LAUNCHER = (
    "import ctypes, os, signal, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, signal.SIGTERM)\n"
    "if os.getppid() != int(sys.argv[1]): os._exit(125)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)

Entries = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Sources:
    """Secrets and ConfigMaps by name, each a mapping of its keys."""

    secrets: Entries = field(default_factory=dict, repr=False)
    config_maps: Entries = field(default_factory=dict)


@dataclass(frozen=True)
class Launch:
    """What to start, and the files through which it is spoken with."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: str | None
    log: Path
    termination_log: Path
    control_file: Path | None
    deadline_seconds: float | None


def launch_of(job: Body, sources: Sources, runner: Path, folder: Path, base: Mapping[str, str]) -> Launch:
    """The main container of this Job; ``runner`` is the folder that its init container would fill.

    Raises :class:`Invalid` when a Secret, ConfigMap or key is missing.
    """
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    filled = {mount["name"] for one in pod.get("initContainers", ()) for mount in one.get("volumeMounts", ())}
    termination_log = folder / "termination"
    places = {container.get("terminationMessagePath", "/dev/termination-log"): str(termination_log)}
    control_file = None
    for mount in container.get("volumeMounts", ()):
        volume = next(one for one in pod["volumes"] if one["name"] == mount["name"])
        own = runner if mount["name"] in filled else folder / "volumes" / mount["name"]
        places[mount["mountPath"]] = str(own)
        control_file = _control_file(volume, own) or control_file
    environment = {name: value for name, value in base.items() if not name.startswith("HEADWAY_")}
    environment |= resolved_environment(job, sources)
    environment[VARIABLE] = _with_local_files(environment[VARIABLE], places)
    return Launch(
        command=tuple(_moved(word, places) for word in (*container["command"], *container.get("args", ()))),
        environment=environment,
        directory=container.get("workingDir"),
        log=folder / "log",
        termination_log=termination_log,
        control_file=control_file,
        deadline_seconds=job["spec"].get("activeDeadlineSeconds"),
    )


def resolved_environment(job: Body, sources: Sources) -> dict[str, str]:
    """The container's variables; raises :class:`Invalid` with the first thing that is missing."""
    container = job["spec"]["template"]["spec"]["containers"][0]
    environment: dict[str, str] = {}
    for entry in container.get("envFrom", ()):
        for kind, entries in (("secretRef", sources.secrets), ("configMapRef", sources.config_maps)):
            if kind in entry:
                found = _entry(entries, kind, entry[kind])
                prefix = entry.get("prefix", "")
                environment |= {prefix + key: value for key, value in found.items()}
    for variable in container.get("env", ()):
        if "valueFrom" not in variable:
            environment[variable["name"]] = _expanded(variable.get("value", ""), environment)
        elif (value := _value(variable["valueFrom"], job, sources)) is not None:
            environment[variable["name"]] = value
    return environment


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    """``$(NAME)`` is a variable set before this one, ``$$`` a dollar, as Kubernetes documents it for ``env``."""

    def found(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else environment.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]+)\)", found, text)


def _value(source: Mapping[str, Any], job: Body, sources: Sources) -> str | None:
    """What a ``valueFrom`` names; None: it is optional and not there."""
    if "fieldRef" in source:
        return _field(job, source["fieldRef"]["fieldPath"])
    for kind, entries in (("secretKeyRef", sources.secrets), ("configMapKeyRef", sources.config_maps)):
        if kind in source:
            reference = source[kind]
            found = _entry(entries, kind, reference)
            if reference["key"] not in found and not reference.get("optional"):
                raise Invalid(f"the {_KINDS[kind]} {reference['name']} has no key {reference['key']}")
            return found.get(reference["key"])
    raise Invalid(f"a variable's value can not be had from {', '.join(source)} without a cluster")


_KINDS = {
    "secretRef": "Secret",
    "secretKeyRef": "Secret",
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
}


def _entry(entries: Entries, kind: str, reference: Mapping[str, Any]) -> Mapping[str, str]:
    found = entries.get(reference["name"])
    if found is None and not reference.get("optional"):
        raise Invalid(f"there is no {_KINDS[kind]} {reference['name']}")
    return found or {}


def _field(job: Body, path: str) -> str:
    fields = {
        "metadata.name": job["metadata"]["name"],
        "metadata.namespace": job["metadata"].get("namespace", ""),
    }
    if path not in fields:
        raise Invalid(f"the pod's field {path} does not exist without a cluster")
    return str(fields[path])


def _control_file(volume: Mapping[str, Any], folder: Path) -> Path | None:
    """The file into which the annotation with the operator's wishes is projected."""
    for item in volume.get("downwardAPI", {}).get("items", ()):
        if ANNOTATION in item.get("fieldRef", {}).get("fieldPath", ""):
            return folder / str(item["path"])
    return None


def _with_local_files(request: str, places: Mapping[str, str]) -> str:
    """The runner's request, with the files of this machine."""
    asked = RunRequest.from_json(request)
    control_file = _moved(asked.control_file, places)
    return replace(
        asked, control_file=control_file, termination_log=_moved(asked.termination_log, places)
    ).to_json()


def _moved(text: str, places: Mapping[str, str]) -> str:
    """A path of the container as one of this machine; another text as it is."""
    for path, local in places.items():
        if text == path or text.startswith(f"{path}/"):
            return local + text[len(path) :]
    return text


class LocalProcess:
    """A started container."""

    def __init__(self, launch: Launch, process: asyncio.subprocess.Process) -> None:
        self.launch = launch
        self._process = process
        self.deadline_exceeded = False

    @classmethod
    async def start(cls, launch: Launch) -> LocalProcess:
        """Start it in a session of its own, so that Ctrl-C at the terminal is ours to handle."""
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        if launch.control_file is not None:
            launch.control_file.parent.mkdir(parents=True, exist_ok=True)
        with launch.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *launch.command),
                cwd=launch.directory,
                env=dict(launch.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(launch, process)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code as a container has it (128 and the signal); enforces the deadline."""
        try:
            code = await asyncio.wait_for(self._process.wait(), self.launch.deadline_seconds)
        except TimeoutError:
            self.deadline_exceeded = True
            self.send(signal.SIGTERM)
            code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.is_running:
            self._process.send_signal(number)

    async def end(self, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL when the grace period is over."""
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()

    def tell(self, annotation: str, value: str) -> None:
        """Put the operator's wishes where the process looks for them; a reader never sees half of it."""
        if annotation == ANNOTATION and self.launch.control_file is not None:
            fresh = self.launch.control_file.with_suffix(".new")
            fresh.write_text(value, encoding="utf-8")
            fresh.replace(self.launch.control_file)

    @property
    def last_word(self) -> str:
        """The termination message, empty when it left none."""
        path = self.launch.termination_log
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


async def follow(log: Path, is_running: Callable[[], bool]) -> AsyncGenerator[str, None]:
    """Whole lines of a growing file, until its writer has ended and everything is read."""
    async with aclosing(_chunks(log, is_running)) as chunks:
        async for line in split_lines(chunks):
            yield line


async def _chunks(log: Path, is_running: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    with log.open("rb") as file:
        while True:
            may_grow = is_running()
            while chunk := file.read(LIMIT_BYTES):
                yield chunk
                # A file that grows as fast as it is read would let nobody else go on.
                await asyncio.sleep(0)
            if not may_grow:
                return
            await asyncio.sleep(POLL_SECONDS)
