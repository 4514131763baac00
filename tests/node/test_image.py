"""Headway's image, as the project's own Dockerfile makes it."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.node import imagery

pytestmark = [pytest.mark.own_node, pytest.mark.timeout(120)]

MOST_BYTES = 200_000_000
MOST_OF_OUR_OWN = 90_000_000
"""What is left for Headway on a python:slim, which takes some 110 MB without what is removed from it."""
COMPILERS = re.compile(r"bin/([a-z0-9_]+-)*(gcc|g\+\+|cc|c\+\+|clang|cpp|ld|as)(-[\d.]+)?$")
BEGINNING = "opt/headway/"


class Unpacked:
    """An image's configuration, and the names of all files of its layers with their content and size (bytes)."""

    def __init__(self, archive: Path) -> None:
        self.sizes: dict[str, int] = {}
        with tarfile.open(archive) as whole:
            (manifest,) = json.load(_member(whole, "manifest.json"))
            self.configuration: dict[str, Any] = json.load(_member(whole, manifest["Config"]))["config"]
            self.files = dict(self._files(whole, manifest["Layers"]))

    def _files(self, whole: tarfile.TarFile, layers: list[str]) -> Iterator[tuple[str, bytes]]:
        for layer in layers:
            with tarfile.open(fileobj=_member(whole, layer)) as files:
                for one in files:
                    small = one.isfile() and one.size < 100_000
                    content = files.extractfile(one) if small else None
                    self.sizes[one.name.lstrip("./")] = one.size
                    yield one.name.lstrip("./"), content.read() if content else b""


def _member(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def unpacked() -> Unpacked:
    return Unpacked(imagery.images().headway.archive)


def test_it_is_small() -> None:
    size = imagery.images().headway.archive.stat().st_size
    print(f"Headway's image: {size / 1e6:.0f} MB with Debian's Python")
    assert size < MOST_BYTES


def test_it_runs_as_a_number_that_is_not_root(unpacked: Unpacked) -> None:
    user = unpacked.configuration["User"].split(":")[0]
    assert user.isdigit()
    assert user != "0"


def test_most_of_its_size_is_left_to_its_base(unpacked: Unpacked) -> None:
    own = sum(size for name, size in unpacked.sizes.items() if name.startswith(BEGINNING))
    assert own < MOST_OF_OUR_OWN


def test_nothing_in_it_installs_packages_of_python(unpacked: Unpacked) -> None:
    assert any("/headway_operator/" in name for name in unpacked.files)
    installers = ("/pip/", "/ensurepip/", "/setuptools/", "python-wheels/", "bin/pip")
    assert not [name for name in unpacked.files if any(one in name for one in installers)]


def test_nothing_in_it_compiles_c(unpacked: Unpacked) -> None:
    assert not [name for name in unpacked.files if COMPILERS.search(name)]


def test_the_users_images_bring_alembic_and_sqlalchemy(unpacked: Unpacked) -> None:
    assert not [name for name in unpacked.files if "/sqlalchemy/" in name or "/alembic/" in name]


def test_its_modules_are_compiled_because_nothing_can_be_written_where_it_runs(unpacked: Unpacked) -> None:
    own = [name for name in unpacked.files if name.startswith(BEGINNING) and "/headway_operator/" in name]
    sources = {name for name in own if name.endswith(".py")}
    compiled = {
        name.replace("__pycache__/", "").split(".cpython-")[0] + ".py" for name in own if ".cpython-" in name
    }
    assert sources
    assert sources <= compiled


def test_nothing_of_the_machine_that_built_it_is_in_it(unpacked: Unpacked) -> None:
    settings = [name for name in unpacked.files if name.endswith(("pip.conf", ".netrc"))]
    assert [name for name in settings if unpacked.files[name]] == []
    assert [name for name in unpacked.configuration["Env"] if name.startswith("PIP_")] == []
