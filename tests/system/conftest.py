"""Fixtures of the tests that need packages of the system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.matrix import mysql as own_mysql
from support.system_servers import mariadb, mysql

MYSQL = own_mysql.find()


@pytest.fixture(params=["mariadb", "mysql"] if MYSQL else ["mariadb"])
def mysql_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two servers it is; only what is on this machine."""
    return str(request.param)


@pytest.fixture
def mysql_url(mysql_kind: str, public_tmp_path: Path) -> Iterator[str]:
    """URL of an empty database on a server of this kind."""
    folder = public_tmp_path / mysql_kind
    folder.mkdir()
    with mysql(folder, MYSQL) if mysql_kind == "mysql" and MYSQL else mariadb(folder) as url:
        yield url
