"""Small Alembic projects for tests, made by Alembic's own templates or written out."""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

ENVS = Path(__file__).parents[1] / "projects" / "env"
"""The env.py of other people: each in the shape in which it is found in the field."""


def indented(code: str) -> str:
    """A function body: pass when there is nothing to do."""
    return textwrap.indent(textwrap.dedent(code).strip() or "pass", "    ")


@dataclass
class Project:
    """A folder that holds an Alembic project; revisions are added to it one by one."""

    folder: Path
    scripts: str = "migrations"
    config: str = "alembic.ini"
    last: str | None = None
    revisions: list[str] = field(default_factory=list)

    @property
    def env(self) -> Path:
        """Its env.py."""
        return self.folder / self.scripts / "env.py"

    def configured(self, url: str, name: str) -> Path:
        """Another configuration file, `name`.ini, with this URL."""
        text = (self.folder / self.config).read_text()
        made = self.folder / f"{name}.ini"
        made.write_text(re.sub(r"(?m)^sqlalchemy\.url = .*$", lambda _: f"sqlalchemy.url = {url}", text))
        return made

    def write_env(self, code: str) -> Project:
        """Replace env.py."""
        self.env.write_text(textwrap.dedent(code))
        return self

    def use_env(self, name: str) -> Project:
        """Replace env.py by one of `tests/projects/env`."""
        self.env.write_text((ENVS / f"{name}.py").read_text())
        return self

    def revision(
        self,
        revision: str,
        upgrade: str = "",
        downgrade: str = "",
        *,
        after: str | tuple[str, ...] | None = "last",
        label: str | None = None,
        depends_on: str | None = None,
        title: str = "",
        functions: str = "",
        mark: str = "",
    ) -> Project:
        """Add a revision file; `upgrade` and `downgrade` are statements, `functions` replaces both.

        `mark` is a line at its top, such as `post_deploy = True`.
        """
        parent = self.last if after == "last" else after
        body = (
            functions or f"def upgrade():\n{indented(upgrade)}\n\ndef downgrade():\n{indented(downgrade)}\n"
        )
        path = self.folder / self.scripts / "versions" / f"{revision}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f'"""{title or "revision " + revision}"""\n'
            "from alembic import op\nimport sqlalchemy as sa\n\n"
            f"revision = {revision!r}\ndown_revision = {parent!r}\n"
            f"branch_labels = {label!r}\ndepends_on = {depends_on!r}\n{mark}\n\n" + textwrap.dedent(body)
        )
        self.last = revision
        self.revisions.append(revision)
        return self

    def tables(self, *names: str, **options: Any) -> Project:
        """One revision for each table, named like it; `options` are those of `revision`."""
        for name in names:
            self.revision(
                name,
                f"op.create_table({name!r}, sa.Column('id', sa.Integer, primary_key=True))",
                f"op.drop_table({name!r})",
                **options,
            )
        return self


def from_template(folder: Path, template: str = "generic", scripts: str = "migrations") -> Project:
    """`alembic init -t TEMPLATE`, nothing changed but the sample databases' names."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        config = Config("alembic.ini", **({"toml_file": "pyproject.toml"} if "pyproject" in template else {}))
        command.init(config, scripts, template=template)
    return Project(folder, scripts)


LOOP_ENV = """
    from alembic import context
    from sqlalchemy import engine_from_config, pool

    DATABASES = {databases!r}

    def run_migrations_online():
        for db_name, url in DATABASES.items():
            config = context.config
            config.set_main_option('sqlalchemy.url', url)

            connectable = engine_from_config(
                config.get_section(config.config_ini_section),
                prefix='sqlalchemy.',
                poolclass=pool.NullPool,
            )

            with connectable.connect() as connection:
                context.configure(
                    connection=connection,
                    version_table=f'alembic_version_{{db_name}}',
                )

                with context.begin_transaction():
                    context.run_migrations()

    run_migrations_online()
"""


def loop_over_databases(folder: Path, databases: dict[str, str]) -> Project:
    """A project whose env.py loops over several databases, with a version table for each."""
    return from_template(folder).write_env(textwrap.dedent(LOOP_ENV).format(databases=databases))
