"""Facts of revision files as the lint is given them: gathered as of a project, in a folder of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from alembic.script import ScriptDirectory

from headway_cli.lint_project import Seen, facts_of
from headway_contract.facts import DatabaseFacts


def facts_of_files(*files: Path, dialect: str = "postgresql") -> DatabaseFacts:
    """Of files that form a history; their paths are told as their names."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            shutil.copy(file, folder)
        os.chdir(folder)
        try:
            return facts_of(ScriptDirectory(folder, version_locations=[folder]), (), Seen(dialect))
        finally:
            os.chdir(before)
