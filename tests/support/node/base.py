"""A file system with Debian's Python and a shell, unpacked from this machine's package sources.

Small, as an image for one program is: no package manager, no Perl. Nothing is configured by the packages' scripts;
the few things that they would have made and that a Python needs are made here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from support.matrix.debian import download
from support.node.commands import run

PACKAGES = ("python3", "python3-venv", "dash", "coreutils", "base-files", "libc-bin")
_MERGED = ("bin", "sbin", "lib", "lib64")
_UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
_ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"


def suite() -> str:
    """The Debian of this machine."""
    lines = Path("/etc/os-release").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if "=" in line)
    return named.get("VERSION_CODENAME", "stable").strip('"')


def unpack_base(root: Path, apt: Path) -> None:
    """Fill the folder. Raises CommandFailed, or LookupError when the machine's sources name no Debian."""
    root.mkdir(mode=0o755)
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in download(suite(), PACKAGES, apt):
        _unpack(package, root)
    shutil.rmtree(apt)
    for part in _UNUSED:
        shutil.rmtree(root / part, ignore_errors=True)
    if not (root / "bin" / "sh").exists():
        (root / "bin" / "sh").symlink_to("dash")
    (root / "etc" / "passwd").write_text(_ACCOUNTS)
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")


def _unpack(package: Path, root: Path) -> None:
    """Through the links of a merged /usr, which dpkg-deb alone would replace by folders."""
    files = root.with_name("files.tar")
    run("sh", "-c", 'dpkg-deb --fsys-tarfile "$1" > "$2"', "unpack", str(package), str(files))
    run("tar", "--extract", "--keep-directory-symlink", "--file", str(files), "--directory", str(root))
    files.unlink()
