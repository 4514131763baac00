"""The URL: where it comes from, which driver it gets, and that its password survives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.engine.url import URL

from headway_contract.request import CredentialVariables, DatabaseRequest
from headway_runner.connections.database import for_config, read_url, rendered, with_async_driver, with_driver
from headway_runner.words.run_failed import RunFailed

REQUEST = DatabaseRequest("main", url_variable="DB", credentials=CredentialVariables("H", "P", "N", "U", "W"))


def only(*drivers):
    return lambda module: module in drivers


@pytest.mark.parametrize(
    ("installed", "driver"),
    [
        (("psycopg", "psycopg2", "asyncpg"), "psycopg"),
        (("psycopg2", "asyncpg"), "psycopg2"),
        (("asyncpg",), "asyncpg"),
        (("pg8000",), "pg8000"),
    ],
)
def test_a_url_without_a_driver_gets_one_that_is_installed(installed, driver):
    url = make_url("postgresql://u:p@h/d")
    default = url.get_dialect().driver
    expected = default if default in installed else driver
    assert with_driver(url, only(*installed)).drivername == f"postgresql+{expected}"


def test_no_driver_at_all_is_said_with_the_names_that_would_do():
    with pytest.raises(RunFailed) as failed:
        with_driver(make_url("postgresql://h/d"), only())
    assert failed.value.failure.name == "DriverMissing"
    assert "psycopg2" in failed.value.failure.message


def test_a_driver_that_the_url_names_is_never_replaced():
    with pytest.raises(RunFailed, match="asyncpg"):
        with_driver(make_url("postgresql+asyncpg://h/d"), only("psycopg"))
    with pytest.raises(RunFailed, match="nosql"):
        with_driver(make_url("nosql://h/d"))


def test_an_asynchronous_driver_is_found_when_env_py_needs_one():
    url = make_url("postgresql+psycopg2://h/d")
    assert with_async_driver(url, only("psycopg2", "asyncpg")).drivername == "postgresql+asyncpg"
    assert with_async_driver(url, only("psycopg2")) is None


def test_the_short_scheme_of_other_tools_is_read():
    assert read_url(REQUEST, {"DB": "postgres://u:p@h/d"}).get_backend_name() == "postgresql"


def test_the_url_wins_over_its_parts_and_parts_make_a_url():
    parts = {"H": "db", "P": "6432", "N": "shop", "U": "me", "W": "p@:/%"}
    assert read_url(REQUEST, {"DB": "postgresql://u@h/d", **parts}).host == "h"
    url = read_url(REQUEST, parts)
    assert (url.host, url.port, url.database, url.username, url.password) == (
        "db",
        6432,
        "shop",
        "me",
        "p@:/%",
    )


@pytest.mark.parametrize(
    ("environment", "named"), [({"DB": "s3cret nonsense"}, "DB"), ({"P": "s3cret"}, "P")], ids=["url", "port"]
)
def test_what_is_no_url_is_named_by_its_variable_only(environment, named):
    with pytest.raises(RunFailed) as failed:
        read_url(REQUEST, environment)
    assert failed.value.failure.name == "InvalidUrl"
    assert f"variable {named} " in failed.value.failure.message
    assert "s3cret" not in failed.value.failure.message


def test_an_empty_variable_is_a_failure_and_none_at_all_leaves_it_to_the_application():
    with pytest.raises(RunFailed, match="DB is empty"):
        read_url(DatabaseRequest("main", url_variable="DB"), {"DB": " "})
    assert read_url(DatabaseRequest("main"), {}) is None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_any_password_survives_the_configuration_file(password):
    from configparser import ConfigParser

    url = URL.create("postgresql+psycopg", "u", password, "h", 5432, "d")
    config = ConfigParser()
    config.read_dict({"alembic": {"sqlalchemy.url": for_config(url)}})
    assert make_url(config["alembic"]["sqlalchemy.url"]).password == password
    assert make_url(rendered(url)).password == password


@pytest.mark.parametrize("url", ["app:Hun@ter#2/x@127.0.0.1:5432/main", "app:Hun@ter/x@127.0.0.1:5432/main"])
def test_a_password_that_is_not_encoded_is_refused_and_no_part_of_it_shown(url):
    with pytest.raises(RunFailed) as failed:
        read_url(DatabaseRequest("main", url_variable="U"), {"U": f"postgresql://{url}"})
    assert failed.value.failure.name == "InvalidUrl"
    assert "percent-encoded" in failed.value.failure.message
    assert "ter" not in failed.value.failure.message.replace("character", "")


def test_an_at_sign_in_the_path_of_a_file_is_no_mistake():
    url = read_url(DatabaseRequest("main", url_variable="U"), {"U": "sqlite:////data/a@b.db"})
    assert url is not None
    assert url.database == "/data/a@b.db"


@pytest.mark.parametrize("host", ["h1,h2", "db", "db-1.shop_x.svc", "127.0.0.1", "[::1]", ""])
def test_hosts_are_read(host):
    assert read_url(DatabaseRequest("main", url_variable="U"), {"U": f"postgresql://a:b@{host}/main"})


def test_a_misspelt_dialect_is_the_url_s_fault():
    with pytest.raises(RunFailed) as failed:
        read_url(DatabaseRequest("main", url_variable="U"), {"U": "postgresq://a:b@h/main"})
    assert failed.value.failure.message == "There is no dialect 'postgresq'; did you mean postgresql?"
