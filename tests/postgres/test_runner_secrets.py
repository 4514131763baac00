"""No credential and no value of a statement leaves the runner: canaries everywhere, a search in all that comes out.

What the user's own code prints, and what Alembic's own log says, is the user's log: their lines are taken out of
stderr before the search, by their beginnings, and one test says that they are there.
"""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from headway_contract.events import DocumentPart, Planned, RevisionStarted
from headway_contract.request import Mode
from headway_contract.result import Outcome
from headway_contract.wire import join_document
from support.canaries import Canaries
from support.commands import admin, application, attach
from support.projects import from_template
from support.runner import Run, database_request, only_events, request_for, run_runner

DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
USERS_OWN = ("USER: ", "INFO  [alembic")


def a_project(folder, driver="psycopg"):
    return from_template(folder, "async" if driver == "asyncpg" else "generic")


def run(project, place, url, mode=Mode.MIGRATE, target="heads", planned=None):
    """Run it with canaries in the environment and on Alembic's command line, too."""
    planted = {
        "API_TOKEN": place.token,
        "BROKER_URL": f"amqp://u:{place.canaries.plant('the password of another URL')}@mq/x",
    }
    x = (("key", place.canaries.plant("-x")),)
    request = request_for(database_request(x=x, target=target, planned=planned), mode=mode)
    return run_runner(project, request, {"main": url}, **planted)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("end", ["confirmed", "refused", "failed"])
def test_what_a_run_entrusts_to_its_parent_alone_is_told_to_nobody(tmp_path, place, driver, end):
    """The connection of the run, credentials and all, for the look by libpq; also when that look is refused."""
    fresh = place.canaries.plant("the next password", odd=True).replace("'", "''").replace("%", "%%")
    does = {
        "confirmed": "",
        "refused": f'op.execute("""ALTER ROLE {place.user} PASSWORD \'{fresh}\'""".replace("%%", "%"))',
        "failed": "raise RuntimeError(op.get_bind().engine.url.password)",
    }
    project = a_project(tmp_path).revision("a1", does[end], title=f"rotate {place.password!r}")
    url = place.url(driver)
    asked = request_for(database_request(), mode=Mode.PLAN)
    expected = run_runner(project, asked, {"main": url}).result.plan.databases[0].planned
    assert expected.env.libpq
    request = request_for(database_request(planned=expected))
    ended = run_runner(project, request, {"main": url}, API_TOKEN=place.token)
    failure = {"confirmed": None, "refused": "AuthenticationFailed", "failed": "RevisionFailed"}[end]
    assert getattr(ended.result.failure, "name", None) == failure, ended.stderr
    assert ("could not be read by libpq alone" in ended.stderr) is (end == "refused")
    nothing_left(ended, place.canaries)


def nothing_left(run: Run, canaries: Canaries, *, by_command: bool = False) -> None:
    """`by_command`: the application's own program prints its own tracebacks; only marked lines are ours."""
    lines = [line for line in run.stderr.splitlines() if line.startswith("headway: ") or not by_command]
    outputs = {
        "the events": run.stdout,
        "the termination message": run.result.to_json(),
        "stderr": "\n".join(line for line in lines if not line.startswith(USERS_OWN)),
    }
    assert canaries.found_in(outputs) == []
    assert only_events(run.stdout)


def failed(run: Run, name: str, *words: str) -> None:
    """It failed in this way, and a person still reads these words."""
    assert run.result.outcome is Outcome.FAILED, run.stderr
    assert run.result.failure.name == name, run.result.failure
    for word in words:
        assert word in run.result.failure.message


@pytest.mark.parametrize("driver", DRIVERS)
def test_when_the_password_is_refused(tmp_path, place, driver):
    wrong = place.canaries.plant("a wrong password", odd=True)
    ended = run(a_project(tmp_path, driver).tables("a1"), place, place.url(driver, password=wrong))
    failed(ended, "AuthenticationFailed", place.user)
    nothing_left(ended, place.canaries)


@pytest.mark.parametrize("driver", DRIVERS)
def test_when_the_server_is_away(tmp_path, place, driver):
    ended = run(a_project(tmp_path, driver).tables("a1"), place, place.url(driver, port=1))
    failed(ended, "DatabaseUnreachable")
    nothing_left(ended, place.canaries)


BIND = "op.get_bind().execute(sa.text('''{}'''), {})\n"
FAILING = {
    "a row that is there twice": (
        BIND.format("INSERT INTO people (email) VALUES (:e)", "{{'e': '{canary}'}}") * 2,
        ('unique constraint "people_email_key"',),
    ),
    "a parameter of a wrong type": (
        "age = sa.bindparam('a', type_=sa.Integer)\n"
        "op.get_bind().execute(sa.text('INSERT INTO people (age) VALUES (:a)').bindparams(age), {{'a': '{canary}'}})",
        (),
    ),
    "a parameter that is no number": (
        BIND.format("INSERT INTO people (age) VALUES (CAST(CAST(:a AS text) AS int))", "{{'a': '{canary}'}}"),
        ("invalid input syntax for type integer",),
    ),
    "a literal that is no number": (
        "op.execute(\"INSERT INTO people (age) VALUES ('{canary}')\")",
        ("invalid input syntax for type integer",),
    ),
    "a literal that is not closed": (
        'op.execute("INSERT INTO people (email) VALUES (\'{canary})")',
        ("unterminated",),
    ),
    "a text that is too long": (
        "op.execute(\"INSERT INTO people (code) VALUES ('{canary}')\")",
        ("value too long for type character varying(3)",),
    ),
    "rows that were there before": (
        "op.execute('CREATE UNIQUE INDEX once ON rows (email)')",
        ('could not create unique index "once"',),
    ),
    "rows that were there before, in an exception of the user's": (
        "try:\n    op.execute('CREATE UNIQUE INDEX once ON rows (email)')\n"
        "except Exception as error:\n    raise RuntimeError(f'{{error.orig}}, {{error.orig!r}}') from None",
        ('could not create unique index "once"',),
    ),
    "a row that a check refuses": (
        BIND.format("INSERT INTO people (email, age) VALUES (:e, -1)", "{{'e': '{canary}'}}"),
        ('check constraint "people_age_check"', '"people"'),
    ),
    "a message of the database's own code": (
        "op.execute(\"DO $$ BEGIN RAISE EXCEPTION 'no customer %', '{canary}'; END $$\")",
        ("no customer …",),
    ),
    "an exception of the user's with the whole of the database's": (
        "try:\n    op.execute(\"INSERT INTO people (age) VALUES ('{canary}')\")\n"
        "except Exception as error:\n    raise RuntimeError(f'import failed: {{error}}, {{error!r}}') from error",
        ("import failed", "invalid input syntax for type integer"),
    ),
}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("statement", "words"), FAILING.values(), ids=FAILING)
def test_when_a_statement_fails(tmp_path, place, driver, statement, words):
    canary = place.canaries.plant("a value of the statement")
    table = "CREATE TABLE people (email text UNIQUE, age int CHECK (age > 0), code varchar(3))"
    project = a_project(tmp_path, driver).revision(
        "a1", f"op.execute('{table}'); op.execute('CREATE TABLE rows (email text)')"
    )
    project.revision("a2", statement.format(canary=canary))
    assert run(project, place, place.url(driver), target="a1").exit_code == 0
    place.database.execute("INSERT INTO rows VALUES (%s), (%s)", (canary, canary))
    ended = run(project, place, place.url(driver))
    failed(ended, "RevisionFailed", "a2", *words)
    nothing_left(ended, place.canaries)


OWN_WORDS = {
    "an exception of a revision": ("raise RuntimeError(op.get_bind().engine.url.password)", "RevisionFailed"),
    "the URL in an exception": (
        "raise RuntimeError(op.get_bind().engine.url.render_as_string(False))",
        "RevisionFailed",
    ),
    "what is left of sys.exit": ("import sys; sys.exit(op.get_bind().engine.url.password)", "RevisionFailed"),
    "a cause and a note": (
        "error = RuntimeError('x'); error.add_note(op.get_bind().engine.url.password)\n"
        "raise error from ValueError(op.get_bind().engine.url.password)",
        "RevisionFailed",
    ),
    "a process that ends itself": (
        "import os; print('USER: ', op.get_bind().engine.url.password, flush=True); os._exit(3)",
        "RevisionFailed",
    ),
    "a process that is killed": ("import os; os.kill(os.getpid(), 9)", "Unexpected"),
}


@pytest.mark.parametrize(("code", "name"), OWN_WORDS.values(), ids=OWN_WORDS)
def test_when_the_user_s_code_ends_a_revision(tmp_path, place, code, name):
    project = a_project(tmp_path).revision("a1", code, title=f"for {place.password!r} by {place.token}")
    ended = run(project, place, place.url())
    failed(ended, name)
    (started,) = ended.of(RevisionStarted)
    assert started.title.endswith(" by ***")
    nothing_left(ended, place.canaries)


def test_when_env_py_swallows_what_a_revision_raised(tmp_path, place):
    project = a_project(tmp_path).revision("a1", "raise RuntimeError(op.get_bind().engine.url.password)")
    code = project.env.read_text().replace("    run_migrations_online()", "    RUN", 1)
    swallowing = "try:\n        run_migrations_online()\n    except Exception:\n        pass"
    project.env.write_text(code.replace("RUN", swallowing))
    ended = run(project, place, place.url())
    failed(ended, "Swallowed", "***")
    nothing_left(ended, place.canaries)


ENV = """
import os, sys
import sqlalchemy as sa
from alembic import context

{code}
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
GIVEN = {
    "a URL in an exception": "raise RuntimeError('cannot use ' + context.config.get_main_option('sqlalchemy.url'))",
    "a URL in sys.exit": "sys.exit(context.config.get_main_option('sqlalchemy.url'))",
    "a DSN that nobody has seen": "raise RuntimeError('host=db password=' + open('new').read() + ' user=shop')",
    "a URL that nobody has seen": "raise RuntimeError('postgresql://shop:' + open('new').read() + '@db/shop')",
}
FETCHED = {
    "a token that a listener sets": (
        "engine = sa.create_engine('{address}')\n"
        "@sa.event.listens_for(engine, 'do_connect')\n"
        "def token(dialect, record, positional, named):\n"
        "    named['password'] = open('token').read()\n"
        "engine.connect().close()\nraise RuntimeError(open('token').read())"
    ),
    "a token that is refused": (
        "engine = sa.create_engine('{address}', connect_args=dict(password=open('token').read() + 'x'))\n"
        "try:\n    engine.connect()\nexcept sa.exc.OperationalError:\n"
        "    raise RuntimeError(open('token').read() + 'x')"
    ),
    "an engine with a creator": (
        "import psycopg2\nengine = sa.create_engine('postgresql+psycopg2://', creator=lambda: psycopg2.connect("
        "'{address}'.replace('+psycopg', ''), password=open('token').read()))\n"
        "engine.connect().close()\nraise RuntimeError(open('token').read())"
    ),
    "a variable that env.py sets": (
        "os.environ['PGPASSWORD'] = open('token').read()\nengine = sa.create_engine('{address}')\n"
        "engine.connect().close()\nraise RuntimeError(open('token').read())"
    ),
}


@pytest.mark.parametrize("mode", [Mode.PLAN, Mode.MIGRATE])
@pytest.mark.parametrize("code", GIVEN.values(), ids=GIVEN)
def test_when_env_py_fails_with_what_it_was_given(tmp_path, place, code, mode):
    (tmp_path / "new").write_text(place.canaries.plant("a password that is nowhere else"))
    project = a_project(tmp_path).tables("a1").write_env(ENV.format(code=code))
    ended = run(project, place, place.url(), mode)
    failed(ended, "ProjectFailed", "***")
    nothing_left(ended, place.canaries)


@pytest.mark.parametrize("code", FETCHED.values(), ids=FETCHED)
def test_when_env_py_fails_with_what_it_fetched_itself(tmp_path, place, code):
    """Nobody else knows this password: the request names no URL, and the parent process never sees it."""
    (tmp_path / "token").write_text(place.password)
    url = make_url(place.database.url())
    address = f"postgresql+psycopg://{place.user}@{url.host}:{url.port}/{url.database}"
    project = a_project(tmp_path).tables("a1").write_env(ENV.format(code=code.replace("{address}", address)))
    ended = run_runner(project, request_for(database_request(url_variable="")), {})
    failed(ended, "ProjectFailed", "RuntimeError: ***")
    nothing_left(ended, place.canaries)


def test_a_plan_that_is_split_has_no_secret_in_its_titles_and_the_digest_of_any_other(tmp_path, place):
    project = a_project(tmp_path)
    for number in range(40):
        project.revision(
            f"a{number}", title=f"{number}: rotate {place.password!r} and then some more words of it"
        )
    ended = run(project, place, place.url(), Mode.PLAN)
    assert ended.result.outcome is Outcome.SUCCEEDED
    assert ended.of(DocumentPart)
    document = join_document(ended.result.plan_sha256, ended.stdout.splitlines())
    assert document is not None, "the pieces must still have the digest that the result names"
    assert place.canaries.found_in({"the document": document}) == []
    assert "rotate '***'" in document or 'rotate "***"' in document
    nothing_left(ended, place.canaries)
    other = make_url(place.database.url()).render_as_string(hide_password=False)
    assert run(project, place, other, Mode.PLAN).result.plan_sha256 != ended.result.plan_sha256
    digests = {run(project, place, url, Mode.PLAN).result.plan_sha256 for url in (place.url(), place.url())}
    assert digests == {ended.result.plan_sha256}


@pytest.mark.parametrize("is_planned", [False, True], ids=["no plan", "planned"])
def test_a_password_that_is_the_name_of_the_database_damages_nothing(tmp_path, place, is_planned):
    name = place.database.name
    place.database.execute(f"ALTER ROLE \"{place.user}\" PASSWORD '{name}'")
    project = a_project(tmp_path).tables("a1").revision(name, title=f"for {name}")
    url = place.url(password=name)
    shown = run(project, place, url, Mode.PLAN).result.plan.databases[0].planned if is_planned else None
    ended = run(project, place, url, planned=shown)
    assert ended.exit_code == 0, ended.stderr
    assert ended.result.to_revision == (name,)
    assert ended.of(Planned)[0].revisions == ("a1", name)
    assert ended.of(RevisionStarted)[1].title == f"for {name}"
    wrong = run(project, place, place.url(password=name, database="nowhere"))
    failed(wrong, "DatabaseDoesNotExist", 'database "nowhere" does not exist')
    assert f":{name}@" not in ended.stdout + ended.stderr + wrong.stdout + wrong.stderr


def test_what_the_user_s_own_code_prints_is_in_the_user_s_own_log_as_it_is(tmp_path, place):
    """Not an event, not the result, not a line of ours: docs/reference/secrets.md says that it is not masked."""
    code = (
        "import sys; print('USER: ', op.get_bind().engine.url.password); sys.stderr.write('USER: on stderr')"
    )
    ended = run(a_project(tmp_path).revision("a1", code), place, place.url())
    assert ended.exit_code == 0, ended.stderr
    assert f"USER:  {place.password}" in ended.stderr
    nothing_left(ended, place.canaries)


FETCHES = """
import os
from alembic import context
import sqlalchemy as sa

engine = sa.create_engine("{address}", connect_args=dict(password=open("token").read()))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
UPGRADE = "command.upgrade(config, 'heads')"
COMMANDS = {
    "an exception of a revision": ("raise RuntimeError(op.get_bind().engine.url.password)", UPGRADE),
    "a token that env.py fetched": ("raise RuntimeError(open('token').read())", UPGRADE),
    "a value of a statement": ("op.execute(\"SELECT '{canary}'::int\")", UPGRADE),
    "an exit of the command": ("", "sys.exit('USER: ' + os.environ['DATABASE_URL'])"),
    "a word of the command": ("", "sys.exit(1)"),
}


@pytest.mark.parametrize(("revision", "body"), COMMANDS.values(), ids=COMMANDS)
def test_when_the_application_s_own_command_fails(tmp_path, place, revision, body):
    (tmp_path / "token").write_text(place.password)
    url = make_url(place.database.url())
    address = f"postgresql+psycopg://{place.user}@{url.host}:{url.port}/{url.database}"
    fetches = "token" in revision
    project = application(tmp_path, FETCHES.format(address=address)) if fetches else application(tmp_path)
    canary = place.canaries.plant("a value of the statement")
    project.revision(
        "a1", revision.format(canary=canary), title=f"rotate {place.password!r} by {place.token}"
    )
    command = (*admin(project, body), "--token", place.token)
    given = {} if not fetches else {"url_variable": "", "export_url_as": ""}
    ended = attach(project, place.url(), command, environment={"API_TOKEN": place.token}, **given)
    assert ended.result.outcome is Outcome.FAILED, ended.stderr
    nothing_left(ended, place.canaries, by_command=True)
