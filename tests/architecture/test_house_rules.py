"""The sizes, docstrings and words that the house has agreed on."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys

import pytest

from support.tree import ROOT, SOURCE, files, length, modules

PLACES = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/")
INDEXES = ("pypi" + ".org", "pythonhosted" + ".org", "proxy.golang" + ".org", "goproxy" + ".io")
ADDRESS = re.compile(r"(?:index|registry|proxy)[-_]?url\s*[=:]\s*https?://", re.IGNORECASE)


def test_no_module_is_longer_than_500_lines_and_half_are_shorter_than_200():
    assert [one.name for one in modules() if one.lines > 500] == []
    assert statistics.median(one.lines for one in modules()) <= 200


def test_half_of_all_functions_have_at_most_10_lines_and_nine_of_ten_at_most_40():
    lengths = [length(function) for module in modules() for function in module.functions()]
    assert statistics.median(lengths) <= 10
    assert sum(number <= 40 for number in lengths) >= 0.9 * len(lengths)


def test_every_module_says_in_at_most_10_lines_what_it_is_for():
    docstrings = {one.name: ast.get_docstring(one.tree) for one in modules()}
    assert [name for name, text in docstrings.items() if not text or len(text.splitlines()) > 10] == []


def test_every_public_name_has_a_docstring():
    assert [f"{one.name}: {name}" for one in modules() for name in one.undocumented()] == []


def test_operator_is_a_folder_of_packages_and_no_package():
    """As a package it would hide the standard library's ``operator``."""
    assert not (SOURCE / "__init__.py").exists()
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_init_file_does_anything():
    """Importing a package costs nothing and hides nothing; only the users' library has names to offer there."""
    inits = [one for one in modules() if one.path.name == "__init__.py" and one.path.parent.name != "headway"]
    assert [one.name for one in inits if len(one.tree.body) > 1] == []


def test_what_starts_with_each_job_compiles_no_methods_of_frozen_dataclasses():
    """They are most of what its own modules take to load; ``headway_contract/records.py`` makes them without."""
    of_the_library = re.compile(r"^from dataclasses import .*\bdataclass\b", re.M)
    found = [
        one.name
        for one in modules()
        if one.name.startswith(("headway_contract", "headway_runner"))
        and "@dataclass(frozen=True)" in one.text
        and of_the_library.search(one.text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "package",
    ["headway_contract", *(f"headway_operator/{one}" for one in ("api", "lint", "planner", "manifests"))],
)
def test_the_clock_is_read_in_no_pure_module(package):
    """The methods of ``datetime`` slip past rules about imports."""
    ways = ("datetime.now(UTC)", "datetime.utcnow()", "datetime.today()", "date.today()")
    lines = [f"NOW_{number} = {way}" for number, way in enumerate(ways)]
    code = "\n".join(['"""A module."""', "from datetime import UTC, date, datetime", "", *lines, ""])
    path = f"operator/{package}/breach.py"
    options = ("--output-format", "concise", "--stdin-filename", path, "-")
    command = [sys.executable, "-m", "ruff", "check", *options]
    done = subprocess.run(command, input=code, cwd=ROOT, capture_output=True, text=True, check=False)
    told = [line for line in done.stdout.splitlines() if " TID251 " in line]
    assert [f"breach.py:{4 + number}:" in line for number, line in enumerate(told)] == [True] * len(ways)


def test_no_file_names_a_place_on_somebodys_machine_or_a_package_index():
    found = []
    for path in files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        words = [word for word in (*PLACES, *INDEXES) if word in text]
        words += ADDRESS.findall(text)
        found += [f"{path.relative_to(ROOT)}: {word}" for word in words]
    assert found == []


def test_no_two_files_of_fixtures_have_one_of_the_same_name():
    """The later one would take the place of the other in every test, without a word."""
    named = re.compile(r"^@pytest\.fixture.*?\n(?:@.*\n)*(?:async )?def (\w+)\(", re.M)
    files = sorted((ROOT / "tests" / "support").glob("fix_*.py"))
    found = [name for file in files for name in named.findall(file.read_text())]
    assert len(found) > 20
    assert sorted(name for name in set(found) if found.count(name) > 1) == []
