"""TLS to the database as docs/reference/operator.md has it: the driver does it, told by the URL or by variables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from support.certificates import Authority
from support.env_passes import counted, passes
from support.matrix import postgresqls
from support.matrix.servers import Servers
from support.postgres import PostgresServer
from support.projects import from_template
from support.runner import migrate, plan
from support.waiting import wait_until

WITH_TLS = [one for one in postgresqls.VERSIONS if not postgresqls.why_not(one)][-1:]
"""The wheel's PostgreSQL was built without; the newest of the others was built with it."""


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("trusted") / "authority")
    authority.issue_server("server", ["127.0.0.1"])
    return authority


@pytest.fixture(scope="module", params=WITH_TLS)
def server(request: pytest.FixtureRequest, trusted: Authority) -> Iterator[PostgresServer]:
    """A server of its own that answers with a certificate of this authority."""
    servers = Servers()
    try:
        made = servers.postgres(request.param)
        with psycopg.connect(made.address, autocommit=True) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
            owner = Path(folder).stat()
            for file in (Path(folder) / "server.crt", Path(folder) / "server.key"):
                shutil.copy(trusted.folder / file.name, file)
                os.chown(file, owner.st_uid, owner.st_gid)
                file.chmod(0o600)
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: speaks_tls(made), what="the server to speak TLS")
        yield made
    finally:
        servers.close()


def speaks_tls(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.address, sslmode="require").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("way", ["url", "environment"])
def test_a_server_is_migrated_when_its_authority_is_trusted_and_refused_when_not(
    way: str, driver: str, server: PostgresServer, trusted: Authority, tmp_path: Path
) -> None:
    database = server.make_database("tls")
    project = from_template(tmp_path / "app").tables("users")
    other = Authority(tmp_path / "other")

    def run(authority: Authority) -> tuple[int, str]:
        url, file = database.url(driver), authority.certificate
        if way == "url":
            done = migrate(project, f"{url}?sslmode=verify-full&sslrootcert={file}")
        else:
            done = migrate(project, url, {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(file)})
        return done.exit_code, "" if done.result.failure is None else done.result.failure.name

    assert run(other) == (69, "DatabaseUnreachable")
    assert run(trusted) == (0, "")
    assert "users" in database.tables()
    database.close()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_the_end_of_a_run_is_confirmed_by_libpq_alone_over_tls(
    driver: str, server: PostgresServer, trusted: Authority, tmp_path: Path
) -> None:
    database = server.make_database("tls")
    project = counted(from_template(tmp_path / "app").tables("users"))
    url = f"{database.url(driver)}?sslmode=verify-full&sslrootcert={trusted.certificate}"
    expected = plan(project, {"main": url}).result.plan.databases[0].planned
    passes(project)
    done = migrate(project, url, planned=expected)
    assert (done.exit_code, passes(project)) == (0, 1), done.stderr
    database.close()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_an_authority_that_is_not_trusted_any_more_confirms_nothing(
    driver: str, server: PostgresServer, trusted: Authority, tmp_path: Path
) -> None:
    """The new connection is checked as that of the run was."""
    database, file = server.make_database("tls"), tmp_path / "authority"
    other = Authority(tmp_path / "other").certificate
    file.write_bytes(Path(trusted.certificate).read_bytes())
    change = f"import shutil; shutil.copy({str(other)!r}, {str(file)!r})"
    project = from_template(tmp_path / "app").revision("a1", change)
    url = f"{database.url(driver)}?sslmode=verify-full&sslrootcert={file}"
    expected = plan(project, {"main": url}).result.plan.databases[0].planned
    done = migrate(project, url, planned=expected)
    assert done.result.failure is not None
    assert "could not be read by libpq alone" in done.stderr
    assert done.result.failure.name == "DatabaseUnreachable"
    database.close()
