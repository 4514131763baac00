"""``headway init``: writes a first resource for the Alembic project of a folder."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headway_cli.problems import BadInput, Problem

if TYPE_CHECKING:
    from headway_cli.first.found import FoundProject

FILE = "databasemigration.yaml"
STANDARD_OUTPUT = "-"
EXIT_WRITTEN = 0


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verb's arguments."""
    parser = verbs.add_parser(
        "init",
        help="write a first DatabaseMigration for the Alembic project of a folder",
        description="Looks at the project's configuration, revisions and env.py, without running env.py or asking "
        "a database, and writes the resource that fits. Each line in it that you must change has a comment.",
    )
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="the project's folder (default: this one)"
    )
    parser.add_argument(
        "-c", "--config", default="", metavar="FILE", help="default: alembic.ini, else pyproject.toml"
    )
    parser.add_argument(
        "-n",
        "--name",
        default="",
        metavar="SECTION",
        help="of the configuration (default: alembic; else each section that is a project of its own)",
    )
    parser.add_argument("--image", default="", help="the application's image, with a version tag or a digest")
    parser.add_argument(
        "--secret", default="", metavar="NAME", help="the Secret that holds the URLs of all databases"
    )
    parser.add_argument(
        "--secret-key",
        default="",
        metavar="KEY",
        help="the key of a URL in its Secret (default: uri; in one Secret for several databases, their names)",
    )
    parser.add_argument(
        "-o", "--output", default=FILE, metavar="FILE", help=f"- for standard output (default: {FILE})"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.set_defaults(start=start)


def start(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Look, write and say what is next; raises :class:`BadInput`."""
    from headway_cli.first.draft import Wishes, draft
    from headway_cli.first.project import project_at

    is_file = options.output != STANDARD_OUTPUT
    if is_file and not options.force:
        _refuse_to_overwrite(Path(options.output))
    project = project_at(Path(options.path), options.config, options.name)
    _check_secret(options, project)
    text = draft(project, Wishes(options.image, options.secret, options.secret_key))
    _check(text)
    if is_file:
        _write(Path(options.output), text)
    else:
        sys.stdout.write(text)
    for line in _last_words(project, text, options):
        print(line, file=sys.stdout if is_file else sys.stderr)
    return EXIT_WRITTEN


def _refuse_to_overwrite(file: Path) -> None:
    if file.exists():
        advice = "Write over it with --force, or name another file with -o FILE."
        raise BadInput(Problem(str(file), "", "is there already; it was not touched", advice))


def _check_secret(options: argparse.Namespace, project: FoundProject) -> None:
    """The definition does not say what the name of a Secret may be: the kubelet would refuse it, much later."""
    if options.secret and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", options.secret):
        what = f"{options.secret!r} is no name of a Secret"
        raise BadInput(Problem("--secret", "", what, "Write lower-case letters, digits and dashes."))
    count = len(project.databases)
    if options.secret_key and count > 1 and (options.secret or project.shares_variables):
        what = f"one key of one Secret cannot hold the URLs of {count} databases"
        raise BadInput(
            Problem("--secret-key", "", what, "Leave it out: each database has a key of its own then.")
        )


def _check(text: str) -> None:
    """As an API server would; raises :class:`BadInput` where an option does not fit."""
    import yaml

    from headway_cli.admission import broken_rules
    from headway_cli.schema import checked

    where = "the resource would not be accepted"
    problems = broken_rules(checked(yaml.safe_load(text), where), where)
    if problems:
        raise BadInput(*problems)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(Problem(str(file), "", f"cannot be written: {error.strerror}")) from None


def _last_words(project: FoundProject, text: str, options: argparse.Namespace) -> Iterator[str]:
    from headway_cli.first.draft import CHANGE

    names = [one.name for one in project.databases]
    many = f"{len(names)} databases" if len(names) > 1 else "database"
    is_file = options.output != STANDARD_OUTPUT
    yield f"{options.output if is_file else 'The resource'}: {project.name}, with the {many} {', '.join(names)}."
    changes = [str(number) for number, line in enumerate(text.splitlines(), 1) if f"# {CHANGE}:" in line]
    if changes:
        yield f"To change before it goes to a cluster: line{'s' if len(changes) > 1 else ''} {', '.join(changes)}."
    yield f"Next: {_next(names, options)}"


def _next(names: Sequence[str], options: argparse.Namespace) -> str:
    """Of the plan: it needs a URL, and neither a cluster nor the image."""
    file = Path(options.output if options.output != STANDARD_OUTPUT else FILE)
    path = Path(options.path)
    folder = path if path.is_dir() else path.parent
    project = (
        "" if file.parent.resolve() == folder.resolve() else f" --project {shlex.quote(folder.as_posix())}"
    )
    urls = "".join(f" --url {name}=env:{name.replace('-', '_').upper()}_URL" for name in names)
    return f"headway plan {shlex.quote(file.as_posix())}{project}{urls}"
