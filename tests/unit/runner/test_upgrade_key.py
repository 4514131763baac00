"""Two tries of one upgrade are known as the same, and two upgrades are told apart."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from headway_runner.attach.upgrade_key import UpgradeKeys, key_of


def config(**options):
    made = Config()
    for name, value in {"sqlalchemy.url": "driver://user:pass@localhost/dbname", **options}.items():
        made.set_main_option(name, value)
    return made


def upgrade(made, target="head", folder="migrations"):
    return EnvironmentContext(made, ScriptDirectory(folder), destination_rev=target)


@pytest.fixture(autouse=True)
def history(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("migrations", "others"):
        (tmp_path / folder).mkdir()


def change_the_url(made, monkeypatch):
    made.set_main_option("sqlalchemy.url", "postgresql://localhost/shop")


def change_the_attributes(made, monkeypatch):
    made.attributes["schema"] = "shop"


def change_the_arguments(made, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["migrate.py", "shop"])


CHANGES = [change_the_url, change_the_attributes, change_the_arguments]


@pytest.mark.parametrize("change", CHANGES)
def test_another_try_with_a_configuration_that_env_py_has_changed_is_the_same_upgrade(change, monkeypatch):
    keys, made = UpgradeKeys(), config()
    first = keys.begins(upgrade(made))
    change(made, monkeypatch)
    keys.ends(upgrade(made), first)
    assert keys.begins(upgrade(made)) == first
    assert keys.begins(upgrade(made, target="a1")) != first


def test_so_is_one_after_several_tries_of_which_each_has_changed_it_again():
    keys, made = UpgradeKeys(), config()
    begun = []
    for number in range(3):
        begun.append(keys.begins(upgrade(made)))
        made.attributes["tries"] = number
        keys.ends(upgrade(made), begun[-1])
    assert len(set(begun)) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_what_its_caller_changes_makes_it_another_upgrade(change, monkeypatch):
    keys, made = UpgradeKeys(), config()
    first = keys.begins(upgrade(made))
    keys.ends(upgrade(made), first)
    change(made, monkeypatch)
    assert keys.begins(upgrade(made)) != first


def test_upgrades_of_two_histories_are_told_apart():
    assert key_of(upgrade(config())) != key_of(upgrade(config(), folder="others"))


def test_a_token_that_each_try_fetches_anew_makes_no_other_upgrade_of_it(monkeypatch):
    first = key_of(upgrade(config(**{"sqlalchemy.url": "postgresql://app:one@db/shop"})))
    monkeypatch.setenv("PGPASSWORD", "two")
    assert key_of(upgrade(config(**{"sqlalchemy.url": "postgresql://app:two@db/shop"}))) == first
    assert key_of(upgrade(config(**{"sqlalchemy.url": "postgresql://app:two@db/other"}))) != first


def test_a_url_that_is_none_tells_upgrades_apart_as_it_stands():
    one, other = (key_of(upgrade(config(**{"sqlalchemy.url": url}))) for url in ("of a", "of b"))
    assert one != other


def test_a_connection_that_each_try_has_of_its_own_is_no_difference():
    keys = []
    for connection in (object(), object()):
        made = config()
        made.attributes["connection"] = cast(Any, connection)
        keys.append(key_of(upgrade(made)))
    assert keys[0] == keys[1]
