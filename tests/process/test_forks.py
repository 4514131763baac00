"""`pytest --forks`: whatever tests do in a fork is told as if there were none."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from support.tree import ROOT

COLLECTED_BY = "import os\nMADE_BY = os.getpid()\n"


@pytest.fixture
def run(tmp_path):
    """Runs files of tests, given by their names, in two forks; returns its exit code and what it says."""

    def forked(*options, **files):
        for name, text in files.items():
            (tmp_path / f"test_{name}.py").write_text(COLLECTED_BY + text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "support.fix_forks", "--forks=2", *options, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return forked


def test_each_test_runs_once_and_none_where_they_were_collected(run, tmp_path):
    body = "def test_it():\n    assert MADE_BY != os.getpid()\n    print(os.getpid(), file=open({!r}, 'a'))\n"
    code, said = run(**{f"f{n}": body.format(str(tmp_path / "ran.txt")) for n in range(20)})
    assert (code, "20 passed" in said) == (0, True), said
    assert len((tmp_path / "ran.txt").read_text().split()) == 20


def test_a_failure_is_told_with_its_place_and_with_what_that_test_wrote_alone(run):
    body = "def test_good():\n    print('of {0}')\n"
    body += "def test_bad():\n    os.system('echo from {0}')\n    assert 1 == {0}\n"
    code, said = run(**{f"f{n}": body.format(n) for n in range(6)})
    assert (code, "5 failed, 7 passed" in said) == (1, True), said
    told = re.split(r"_+ test_bad _+", said)[1:]
    assert len(told) == 5
    for one in told:
        number = re.search(r"assert 1 == (\d)", one)[1]
        assert re.findall(r"^(?:from|of) .*", one, re.M) == [f"from {number}"]


def test_fixtures_of_all_tests_are_ended_too(run, tmp_path):
    fixture = "@pytest.fixture(scope='session', autouse=True)\ndef one():\n    yield\n    1 / 0\n"
    (tmp_path / "conftest.py").write_text(f"import pytest\n{fixture}")
    code, said = run(f0="def test_it():\n    pass\n")
    assert (code, "1 passed, 1 error" in said) == (1, True), said
    assert "ZeroDivisionError" in said


def test_after_the_first_failure_no_more_is_begun_when_that_is_asked_for(run):
    body = "def test_bad():\n    assert 0\n" + "def test_more():\n    pass\n"
    code, said = run("-x", **{f"f{n}": body for n in range(50)})
    assert code == 1
    assert "stopping after 1 failures" in said
    assert "passed" not in said.splitlines()[-1]


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_fork_that_dies_fails_the_run_and_its_file_is_named(run, end):
    code, said = run(bad=f"def test_it():\n    {end}\n", good="def test_it():\n    pass\n")
    assert code == 1, said
    assert re.search(r"a fork has died in .*test_bad\.py", said), said


def test_a_hook_that_fails_in_a_fork_fails_the_run_with_its_words(run, tmp_path):
    (tmp_path / "conftest.py").write_text("def pytest_runtest_logfinish():\n    raise OSError('no more')\n")
    code, said = run(f0="def test_it():\n    pass\n")
    assert code != 0
    assert "OSError: no more" in said
