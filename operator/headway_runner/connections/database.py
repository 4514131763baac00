"""The database's URL: from the environment, with a driver that the image has; and who the server says it is.

Rule: the password stays in the URL object. What is shown to people never comes from here.
"""

import difflib
import importlib.util
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from headway_contract.request import CredentialVariables, DatabaseRequest
from headway_contract.result import Failure
from headway_runner.words.run_failed import RunFailed
from headway_runner.words.secrecy import learn, show

_HOST = re.compile(r"[\w.:%,-]*|/.*")
"""A name, an address, several of them as libpq takes them, or a folder of sockets."""
POSTGRES_DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
"""In the order in which they are tried when the URL names none and SQLAlchemy's own choice is not installed."""
ASYNC_DRIVERS = ("asyncpg", "psycopg")
"""For an env.py that makes an asynchronous engine."""


def is_installed(module: str) -> bool:
    """Whether Python finds the module; nothing is imported."""
    return importlib.util.find_spec(module) is not None


def read_url(request: DatabaseRequest, environment: Mapping[str, str] = os.environ) -> URL | None:
    """The URL with a driver, None when the application's own configuration decides.

    Raises :class:`RunFailed` with ``InvalidUrl`` or ``DriverMissing``.
    """
    given = raw_url(request, environment)
    return None if given is None else with_driver(given)


def url_for(
    request: DatabaseRequest, asynchronous: bool = False, environment: Mapping[str, str] = os.environ
) -> URL | None:
    """The same with its driver loaded: one for ``asyncio`` where env.py wants such, and the choice of it is ours."""
    given, url = raw_url(request, environment), read_url(request, environment)
    if given is None or url is None:
        return None
    if asynchronous and given.drivername == "postgresql":
        url = with_async_driver(url) or url
    load_driver(url)
    return url


def raw_url(request: DatabaseRequest, environment: Mapping[str, str] = os.environ) -> URL | None:
    """The URL as it was given, or made of its parts; raises :class:`RunFailed` with ``InvalidUrl``."""
    text = environment.get(request.url_variable, "").strip() if request.url_variable else ""
    if text:
        return parse(text, request.url_variable)
    if request.credentials != CredentialVariables():
        return from_parts(request.credentials, environment)
    if request.url_variable:
        raise RunFailed(Failure("InvalidUrl", f"The environment variable {request.url_variable} is empty."))
    return None


def parse(text: str, variable: str) -> URL:
    """Read a URL; ``postgres://`` is read as ``postgresql://``."""
    if text.startswith("postgres://"):
        text = "postgresql" + text[len("postgres") :]
    learn(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise RunFailed(
            Failure("InvalidUrl", f"The value of the environment variable {variable} is not a database URL.")
        ) from None
    learn(url.password)
    show(url.username, url.host, url.database)
    if url.host and (not _HOST.fullmatch(url.host) or "@" in (url.database or "")):
        raise RunFailed(
            Failure(
                "InvalidUrl",
                f"The value of the environment variable {variable} has no host name where one should be: "
                "a character such as @, # or / in the user or password must be percent-encoded.",
            )
        )
    return url


def from_parts(names: CredentialVariables, environment: Mapping[str, str]) -> URL:
    """A PostgreSQL URL of the variables that are set; raises :class:`RunFailed` with ``InvalidUrl``."""

    def part(name: str) -> str | None:
        return environment.get(name) or None if name else None

    port = part(names.port)
    if port is not None and not port.isdigit():
        raise RunFailed(Failure("InvalidUrl", f"The environment variable {names.port} is not a port number."))
    learn(part(names.password))
    show(part(names.username), part(names.host), part(names.database))
    return URL.create(
        "postgresql",
        username=part(names.username),
        password=part(names.password),
        host=part(names.host),
        port=int(port) if port else None,
        database=part(names.database),
    )


def with_driver(url: URL, installed: Callable[[str], bool] = is_installed) -> URL:
    """The same URL with a driver that is installed; raises :class:`RunFailed` with ``DriverMissing``.

    A driver that the URL names is not replaced: its name is a decision of whoever wrote it.
    """
    try:
        dialect = url.get_dialect()
    except Exception as error:
        raise RunFailed(_unknown_dialect(url)) from error
    if "+" in url.drivername or url.drivername != "postgresql":
        return _checked(url, dialect.driver, installed)
    for driver in (dialect.driver, *POSTGRES_DRIVERS):
        candidate = url.set(drivername=f"postgresql+{driver}")
        if installed(driver) and _is_known(candidate):
            return candidate
    raise RunFailed(
        Failure("DriverMissing", f"None of the drivers is installed: {', '.join(POSTGRES_DRIVERS)}.")
    )


def _unknown_dialect(url: URL) -> Failure:
    """A misspelt name, or one that a package brings which is not installed."""
    name = url.drivername.split("+")[0]
    close = difflib.get_close_matches(name, ("postgresql", "mysql", "mariadb", "sqlite"), 1)
    if close and close[0] != name:
        return Failure("InvalidUrl", f"There is no dialect {name!r}; did you mean {close[0]}?")
    return Failure("DriverMissing", f"SQLAlchemy knows no dialect {url.drivername!r}.")


def with_async_driver(url: URL, installed: Callable[[str], bool] = is_installed) -> URL | None:
    """The same PostgreSQL URL with a driver for ``asyncio``, None when none is installed."""
    for driver in ASYNC_DRIVERS:
        candidate = url.set(drivername=f"postgresql+{driver}")
        if installed(driver) and _is_known(candidate):
            return candidate
    return None


def _checked(url: URL, driver: str, installed: Callable[[str], bool]) -> URL:
    module = "psycopg" if driver == "psycopg_async" else driver
    if module in POSTGRES_DRIVERS and not installed(module):
        raise RunFailed(
            Failure("DriverMissing", f"The URL names the driver {driver}, which is not installed.")
        )
    return url


def _is_known(url: URL) -> bool:
    """Whether this release of SQLAlchemy has a dialect for the driver (psycopg came with 2.0)."""
    try:
        url.get_dialect()
    except NoSuchModuleError:
        return False
    return True


def rendered(url: URL) -> str:
    """The whole URL, password included."""
    return url.render_as_string(hide_password=False)


def for_config(url: URL) -> str:
    """The whole URL as a value of a ConfigParser file."""
    return rendered(url).replace("%", "%%")


def load_driver(url: URL) -> None:
    """Import the driver; raises :class:`RunFailed` with ``DriverMissing``."""
    dialect = url.get_dialect()
    load: Any = getattr(dialect, "import_dbapi", None) or dialect.dbapi
    try:
        load()
    except ImportError as error:
        raise RunFailed(
            Failure("DriverMissing", f"The driver {dialect.driver} cannot be imported: {error}.")
        ) from None
