"""The rows' Python environments: a venv whose packages are three layers, each made once by pip and shared.

Layers: the drivers (per Python), SQLAlchemy (per version and Python), Alembic (per version). So forty environments
cost one minute and half a gigabyte, not four minutes and three. Rule: tests only `find`; `obtain` makes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from support.cache import cached, made, only_one_maker, say
from support.matrix import interpreters
from support.matrix.dimensions import Row

DRIVERS = Path(__file__).with_name("drivers.txt")
HOME = "matrix"


def python_of(row: Row) -> Path:
    """Its interpreter, whether it is there or not."""
    return _environment(row) / "bin" / "python"


def obtain(row: Row) -> bool:
    """Make what is missing for a row; False when there is no such Python."""
    interpreter = interpreters.obtain(row.python)
    if interpreter is None:
        return False
    with only_one_maker(cached(HOME), "environments of the matrix"):
        layers = [
            _layer(interpreter, _drivers_folder(row), ["-r", str(DRIVERS)]),
            _layer(
                interpreter,
                f"sqlalchemy-{row.sqlalchemy}-{row.python}",
                _exactly("sqlalchemy", row.sqlalchemy),
            ),
            _layer(interpreter, f"alembic-{row.alembic}", _exactly("alembic", row.alembic)),
        ]
        if not python_of(row).exists():
            _make_venv(interpreter, _environment(row), layers)
    return True


def _environment(row: Row) -> Path:
    name = f"python{row.python}-alembic{row.alembic}-sqlalchemy{row.sqlalchemy}"
    return cached(HOME) / f"{name}-{_drivers_digest()}"


def _drivers_digest() -> str:
    return hashlib.sha256(DRIVERS.read_bytes()).hexdigest()[:8]


def _drivers_folder(row: Row) -> str:
    return f"drivers-{row.python}-{_drivers_digest()}"


def _exactly(package: str, version: str) -> list[str]:
    return ["--no-deps", f"{package}=={version}"]


def _layer(interpreter: Path, name: str, what: list[str]) -> Path:
    def install(folder: Path) -> None:
        say(f"  {name}")
        pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"]
        quiet = ["--disable-pip-version-check", "--no-warn-script-location", "--no-compile"]
        environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PYTHONWARNINGS": "ignore"}
        subprocess.run([*pip, *quiet, "--target", str(folder), *what], check=True, env=environment)

    return made(cached(HOME) / name, install)


def _make_venv(interpreter: Path, folder: Path, layers: list[Path]) -> None:
    command = [str(interpreter), "-m", "venv", "--clear", "--without-pip", str(folder)]
    subprocess.run(command, check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "layers.pth").write_text("".join(f"{layer}\n" for layer in layers))
