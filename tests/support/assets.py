"""Where the Kubernetes binaries of the test bench are: found, or built once from pinned Go modules.

`KUBEBUILDER_ASSETS` names a folder that has them already. Otherwise `python -m support.assets` builds them into the
user's cache folder, one folder per version, and every later run finds them there. Rule: tests only ever *find* the
binaries (`find`); only this command builds them, because it takes minutes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.cache import cached, only_one_maker, say
from support.go_toolchain import find_go, install_go

KUBERNETES_VERSION = "v1.34.2"
PINS = Path(__file__).with_name("kubernetes")


class AssetsMissing(Exception):
    """The binaries are not there; the text says how to get them."""


@dataclass(frozen=True)
class Binary:
    """One program: its Go package, and how long it takes on two cores after those before it (minutes)."""

    name: str
    package: str
    minutes: float


BINARIES = (
    Binary("etcd", "go.etcd.io/etcd/server/v3", 1),
    Binary("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 4),
    Binary("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 1.5),
    Binary("kubectl", "k8s.io/kubernetes/cmd/kubectl", 0.5),
)


def find() -> Path:
    """The folder that holds all binaries. Raises AssetsMissing with what to do when there is none."""
    folder = _given_folder() or cached_folder()
    absent = [binary.name for binary in BINARIES if not os.access(folder / binary.name, os.X_OK)]
    if not absent:
        return folder
    if _given_folder():
        raise AssetsMissing(
            f"KUBEBUILDER_ASSETS is {folder}, but there is no {', '.join(absent)} in it. "
            "Point it to a folder that has them, or unset it and run: make test"
        )
    raise AssetsMissing(
        f"The Kubernetes binaries for the tests are not built yet (looked in {folder}). "
        "Build them once, in about seven minutes: PYTHONPATH=tests python -m support.assets"
    )


def cached_folder() -> Path:
    """Where this version's binaries are kept once they are built."""
    return cached(f"kubernetes-{KUBERNETES_VERSION}")


def obtain() -> Path:
    """Like `find`, but builds what is missing. Raises AssetsMissing when it cannot be built."""
    try:
        return find()
    except AssetsMissing:
        if _given_folder():
            raise
    folder = cached_folder()
    with only_one_maker(folder, "the Kubernetes binaries"):
        if not folder.exists():
            _build_into(folder)
    return find()


def _given_folder() -> Path | None:
    given = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(given) if given else None


def _build_into(folder: Path) -> None:
    """Builds beside the final folder and renames, so a half-built folder is never found.

    What an interrupted build left behind is used by the next one.
    """
    workshop = folder.with_name(folder.name + ".building")
    (workshop / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("go.mod", "go.sum"):
        shutil.copy(PINS / name, workshop / name)
    go = find_go() or install_go(say)
    if go is None:
        raise AssetsMissing(
            "Building the Kubernetes binaries needs Go 1.24 or newer, and neither the PATH nor pip has one. "
            "Install Go, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, "
            "kube-controller-manager and kubectl."
        )
    minutes = sum(binary.minutes for binary in BINARIES)
    say(
        f"building Kubernetes {KUBERNETES_VERSION} for the tests, once: about {minutes:.0f} minutes on two cores"
    )
    environment = go_environment(workshop)
    for number, binary in enumerate(BINARIES, 1):
        say(f"  {number}/{len(BINARIES)} {binary.name} (about {binary.minutes:g} min)")
        _build(go, binary, workshop, environment)
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


def _build(go: Path, binary: Binary, workshop: Path, environment: Mapping[str, str]) -> None:
    command = [str(go), "build", "-mod=readonly", "-ldflags", _linker_flags(), "-o", f"bin/{binary.name}"]
    done = subprocess.run(
        [*command, binary.package],
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
            f"{workshop.parent}, or too old a Go. Set KUBEBUILDER_ASSETS to use binaries you already have."
        )


def _linker_flags() -> str:
    package = "k8s.io/component-base/version"
    _, minor, _ = KUBERNETES_VERSION.split(".")
    stamps = {"gitVersion": KUBERNETES_VERSION, "gitMajor": "1", "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X {package}.{name}={value}" for name, value in stamps.items())])


def main() -> int:
    """Makes sure that the binaries are there; exit code 1 and a sentence when they cannot be had."""
    try:
        folder = obtain()
    except AssetsMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the next build goes on from here", file=sys.stderr)
        return 130
    say(f"Kubernetes binaries: {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
