"""`headway run` shows no credential and no value of a statement: on the screen, in lines, in JSON, however it ends.

The log files that it keeps after a failure are the user's own, as in a pod; only their ends are shown, masked.
"""

import os
import pty
import subprocess

import pytest

from support.command_line import HEADWAY, Headway, resource, secret
from support.projects import from_template

LEAKY = """
import os, sys
url = op.get_bind().engine.url
said = [url.password, url.render_as_string(False), os.environ["APP_SECRET"], os.environ["PGPASSWORD"]]
print("USER: ", *said, flush=True)
sys.stderr.write(repr(said) + "\\n")
"""
STATEMENT = "op.get_bind().execute(sa.text('SELECT CAST(CAST(:a AS text) AS int)'), {{'a': {canary!r}}})"
ENDS = {
    "done": "",
    "an exception": "raise RuntimeError(' '.join(said))",
    "a failing statement": STATEMENT,
    "an exit": "sys.exit(said[1])",
    "a crash": "os._exit(9)",
    "a kill": "os.kill(os.getpid(), 9)",
}


@pytest.fixture
def folder(tmp_path, place):
    """A resource with its Secrets, which hold what the database needs and what the application needs."""
    source = {"urlFrom": {"secretKeyRef": {"name": "shop-main", "key": "uri"}}}
    job = {"envFrom": [{"secretRef": {"name": "app"}}]}
    secrets = (
        secret("shop-main", uri=place.url()),
        secret("app", APP_SECRET=place.canaries.plant("a Secret of the application", odd=True)),
        secret("other", note=place.canaries.plant("a Secret that nothing needs")),
    )
    text = "---\n".join([resource({"main": source}, job=job, retry={"limit": 0}), *secrets])
    (tmp_path / "shop.yaml").write_text(text)
    return tmp_path


def environment(place):
    return {"PGPASSWORD": place.canaries.plant("PGPASSWORD"), "API_TOKEN": place.token}


def a_project(folder, place, end):
    canary = place.canaries.plant("a parameter")
    return from_template(folder).revision(
        "a1", LEAKY + end.format(canary=canary), title=f"rotate {place.password!r}"
    )


@pytest.mark.parametrize("output", ["plain", "json"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_nothing_of_a_run_is_told(folder, place, end, output):
    a_project(folder, place, end)
    run = Headway(folder, "run", "-f", "shop.yaml", "--output", output, environment=environment(place))
    assert run.wait() == (1 if end else 0), run.out + run.err
    assert "a1" in run.out
    assert place.canaries.found_in({"stdout": run.out, "stderr": run.err}) == []


@pytest.mark.parametrize("wrong", ["port", "password"])
def test_nothing_of_a_plan_that_fails_is_told(folder, place, wrong):
    from_template(folder).tables("a1")
    value = {"port": 1, "password": place.canaries.plant("a wrong password", odd=True)}[wrong]
    arguments = ("run", "-f", "shop.yaml", "--url", f"main={place.url(**{wrong: value})}")
    run = Headway(folder, *arguments, environment=environment(place))
    assert run.wait() == 1
    assert ("DatabaseUnreachable" if wrong == "port" else "AuthenticationFailed") in run.out
    assert "the same command goes on from here" in run.out
    assert place.canaries.found_in({"stdout": run.out, "stderr": run.err}) == []


@pytest.mark.parametrize(
    "arguments", [("main={url}",), ("--url", "mian={url}"), ("--urls={url}",), ("--url", "{url}")]
)
def test_nothing_of_a_command_line_that_is_wrong_is_told(folder, place, arguments):
    from_template(folder).tables("a1")
    words = [word.format(url=place.url()) for word in arguments]
    run = Headway(folder, "run", "-f", "shop.yaml", *words, environment=environment(place))
    assert run.wait() == 2, run.out + run.err
    assert "error: " in run.err
    assert place.canaries.found_in({"stdout": run.out, "stderr": run.err}) == []


def test_nothing_is_on_the_screen_of_a_terminal(folder, place):
    a_project(folder, place, ENDS["an exception"])
    screen, terminal = pty.openpty()
    variables = {**os.environ, **environment(place), "TERM": "xterm", "COLUMNS": "300", "TMPDIR": str(folder)}
    command = [HEADWAY, "run", "-f", "shop.yaml"]
    run = subprocess.Popen(command, cwd=folder, env=variables, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b"".join(iter(lambda: read(screen), b"")).decode()
    assert run.wait(60) == 1
    assert "RevisionFailed" in shown
    assert place.canaries.found_in({"the screen": shown}) == []


def test_the_log_file_that_is_kept_is_the_user_s_own_and_only_theirs_to_read(folder, place):
    a_project(folder, place, ENDS["an exception"])
    run = Headway(folder, "run", "-f", "shop.yaml", environment=environment(place))
    assert run.wait() == 1
    (kept,) = folder.glob("headway-run-*")
    assert kept.stat().st_mode & 0o077 == 0
    lines = [line for log in kept.glob("*/log") for line in log.read_text().splitlines()]
    assert any(line.startswith("USER: ") and place.password in line for line in lines)
    ours = "\n".join(
        line for line in lines if line.startswith(("##headway ", "headway: ", "  File ", "    "))
    )
    assert place.canaries.found_in({"our lines in the log": ours}) == []
    messages = "\n".join(path.read_text() for path in kept.glob("*/termination"))
    assert place.canaries.found_in({"the termination messages": messages}) == []


def read(screen):
    try:
        return os.read(screen, 4096)
    except OSError:
        return b""
