"""A terminal or a file that knows no UTF-8: what is said comes in plain characters, and no command ends by it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.command_line import HEADWAY, resource
from support.projects import from_template

LOCALES = {
    "a locale without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "an encoding of its own": {"PYTHONIOENCODING": "ascii:strict"},
}
SHOP = "--url=main=sqlite:///shop.db"
COMMANDS = {
    "plan": (("plan", "shop.yaml", "--offline"), 0, "base -> "),
    "lint": (("lint", "--level", "notice"), 1, "1 revision"),
    "live": (("run", "shop.yaml", SHOP, "--output=live"), 0, "+ "),
    "plain": (("run", "shop.yaml", SHOP, "--output=plain"), 0, "users"),
    "JSON": (("run", "shop.yaml", SHOP, "--output=json"), 0, '"phase"'),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from_template(tmp_path).tables("users")
    (tmp_path / "shop.yaml").write_text(resource({"main": {}}))
    return tmp_path


def headway(folder: Path, locale: dict[str, str], *words: str) -> tuple[int, bytes]:
    """Its exit code, and what it wrote to both streams."""
    done = subprocess.run(
        [HEADWAY, *words],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), **locale},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("locale", LOCALES.values(), ids=LOCALES.keys())
@pytest.mark.parametrize(("words", "code", "said"), COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_says_all_it_has_to_say_in_plain_characters(
    folder: Path, words: tuple[str, ...], code: int, said: str, locale: dict[str, str]
) -> None:
    ended, output = headway(folder, locale, *words)
    told = output.decode("ascii")
    assert ended == code, told
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("locale", "name"),
    list(zip(LOCALES.values(), ("a → b.yaml", "a -> b.yaml"), strict=True)),
    ids=LOCALES.keys(),
)
def test_the_name_of_a_file_comes_out_as_it_was_given_or_in_plain_characters(
    folder: Path, locale: dict[str, str], name: str
) -> None:
    ended, output = headway(folder, locale, "run", "a → b.yaml")
    assert ended == 2
    assert output.decode().startswith(f"error: {name}: there is no such file")
