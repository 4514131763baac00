"""The images of a node: made here, from the project's own recipes, and kept as archives named by what is in them.

    PYTHONPATH=tests python -m support.node.imagery

The base, in the place of python:slim, is Debian's Python, so no registry is asked for anything.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from support.cache import cached, only_one_maker, say
from support.node.base import PACKAGES, suite, unpack_base
from support.node.buildah import Buildah, wheel_of
from support.node.commands import CommandFailed, run
from support.tree import ROOT

RECIPES = Path(__file__).with_name("images")
SHOP = ROOT / "examples" / "shop"
_CONTEXT = ("Dockerfile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE", "crds", "operator")


@dataclass(frozen=True)
class Image:
    """An image: its archive's name has the digest of everything that it is made from."""

    title: str
    digest: str
    make: Callable[[Buildah, str], None]

    @property
    def name(self) -> str:
        """As pods name it."""
        return f"localhost/headway-e2e/{self.title}:{self.digest}"

    @property
    def archive(self) -> Path:
        """Where it is kept once it is made."""
        return cached("images") / f"{self.title}-{self.digest}.tar"


@dataclass(frozen=True)
class Images:
    """All that the tests run on a node."""

    pause: Image
    base: Image
    python: Image
    headway: Image
    shop: Image

    @property
    def imported(self) -> tuple[Image, ...]:
        """Those that pods are made of; the others are what these were built from."""
        return (self.pause, self.headway, self.shop)


def images(root: Path = ROOT) -> Images:
    """What there must be for the sources as they are now, here or in another checkout."""
    pause = Image("pause", _digest([RECIPES / "pause.c", RECIPES / "pause.Dockerfile"]), _make_pause)
    base = Image("base", _digest([RECIPES / "base.Dockerfile"], suite(), *PACKAGES), _make_base)
    python = Image(
        "python",
        _digest([RECIPES / "python.Dockerfile"], base.digest),
        lambda buildah, name: buildah.build(
            name, RECIPES / "python.Dockerfile", RECIPES, arguments={"BASE": base.name}
        ),
    )
    shop_sources = root / SHOP.relative_to(ROOT)
    sources = [*(root / one for one in _CONTEXT), shop_sources]
    headway = Image(
        "headway",
        _digest(sources, base.digest),
        lambda buildah, name: buildah.build(name, ROOT / "Dockerfile", ROOT, arguments={"BASE": base.name}),
    )
    shop = Image(
        "shop",
        _digest([shop_sources], python.digest, headway.digest),
        lambda buildah, name: _make_shop(buildah, name, python.name),
    )
    return Images(pause, base, python, headway, shop)


def obtain() -> Images:
    """The same, with every archive there. Raises CommandFailed with the words of what could not be done."""
    wanted = images()
    folder = cached("images")
    buildah = Buildah(folder / "buildah")
    with only_one_maker(folder, "the images"):
        folder.mkdir(exist_ok=True)
        for image in (wanted.pause, wanted.base, wanted.python, wanted.headway, wanted.shop):
            if not image.archive.exists() or (
                image in (wanted.base, wanted.python) and not buildah.has(image.name)
            ):
                _make(buildah, image)
    return wanted


def _make(buildah: Buildah, image: Image) -> None:
    say(f"making the image {image.title}, once for what is in it …")
    if not buildah.has(image.name):
        image.make(buildah, image.name)
    buildah.save(image.name, image.archive)
    for old in image.archive.parent.glob(f"{image.title}-*.tar"):
        if old != image.archive:
            old.unlink()
            buildah.remove(f"localhost/headway-e2e/{image.title}:{old.stem.rsplit('-', 1)[1]}")


def _make_pause(buildah: Buildah, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run("gcc", "-Os", "-static", "-s", "-o", f"{folder}/pause", str(RECIPES / "pause.c"))
        buildah.build(name, RECIPES / "pause.Dockerfile", Path(folder))


def _make_base(buildah: Buildah, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="headway-base-") as folder:
        root = Path(folder, "root")
        unpack_base(root, Path(folder, "apt"))
        buildah.build(name, RECIPES / "base.Dockerfile", root)


def _make_shop(buildah: Buildah, name: str, base: str) -> None:
    """As README does: with the library's wheel beside the sources."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "shop")
        shutil.copytree(SHOP, context, ignore=shutil.ignore_patterns("__pycache__", "*.whl"))
        wheel_of(ROOT, context)
        buildah.build(name, context / "Dockerfile", context, base=base)


def _digest(paths: Iterable[Path], *words: str) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".whl":
                digest.update(f"\n{file.name} {file.stat().st_size}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def main() -> int:
    """Make what is missing, and tell how large each is."""
    try:
        found = obtain()
    except CommandFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    for image in (found.pause, found.headway, found.shop):
        say(f"{image.name}: {image.archive.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
