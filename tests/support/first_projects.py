"""Projects in the shapes in which `headway init` finds them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from support.projects import from_template

EXAMPLES = Path(__file__).parents[2] / "examples"


def generic(folder: Path) -> None:
    from_template(folder).tables("a1")


def pyproject(folder: Path) -> None:
    """As `alembic init -t pyproject` leaves it: the scripts in one file, URL and logging in the other."""
    from_template(folder, "pyproject").tables("a1")


def pyproject_alone(folder: Path) -> None:
    """The same without its alembic.ini, which had only the logging; and with a distribution's name."""
    pyproject(folder)
    (folder / "alembic.ini").unlink()
    env = folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("fileConfig(config.config_file_name)", "pass"))
    file = folder / "pyproject.toml"
    file.write_text('[project]\nname = "Acme.Shop_API"\n' + file.read_text())


def multidb(folder: Path) -> None:
    from_template(folder, "multidb")


def sections(folder: Path) -> None:
    """One env.py, and a section with a history of its own for each database."""
    shutil.copytree(EXAMPLES / "shop", folder, dirs_exist_ok=True)
    (folder / "migration.yaml").unlink()
    shutil.rmtree(folder / "guide")


def branches(folder: Path) -> None:
    """One env.py that loops over three databases, each with a branch of one history."""
    shutil.copytree(EXAMPLES / "shop" / "guide", folder, dirs_exist_ok=True)


def two_heads(folder: Path) -> None:
    from_template(folder).tables("a1").tables("b1", after=None, label="billing")


def below(folder: Path) -> None:
    """The configuration is not in the folder in which Alembic is started."""
    from_template(folder, scripts="db/migrations").tables("a1")
    (folder / "alembic.ini").rename(folder / "db" / "alembic.ini")
    file = folder / "db" / "alembic.ini"
    file.write_text(file.read_text().replace("%(here)s/db/migrations", "%(here)s/migrations"))


def flask(folder: Path) -> None:
    shutil.copytree(EXAMPLES / "flask", folder, dirs_exist_ok=True)


SHAPES: dict[str, Callable[[Path], None]] = {
    one.__name__: one
    for one in (generic, pyproject, pyproject_alone, multidb, sections, branches, two_heads, below, flask)
}
OPTIONS = {"below": ("-c", "db/alembic.ini")}
"""What has to be said beside `headway init`."""
