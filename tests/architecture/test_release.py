"""The version of a release is the same wherever it stands."""

from __future__ import annotations

import re
import tomllib

import yaml

from headway_operator.settings import Settings
from support.tree import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
IMAGE = f"ghcr.io/headway-dev/headway:{VERSION}"


def test_the_chart_is_of_the_distribution_s_version_and_installs_it():
    chart = yaml.safe_load((ROOT / "charts" / "headway" / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_the_runner_is_by_default_that_of_the_same_version_and_the_page_says_so():
    assert Settings().runner_image == IMAGE
    assert f"| `HEADWAY_RUNNER_IMAGE` | `{IMAGE}` |" in (ROOT / "docs/reference/operator.md").read_text()


def test_the_recipes_of_the_gate_bring_along_the_runner_of_the_same_version():
    for path in (ROOT / "docs" / "gate.md", *(ROOT / "contrib" / "helm").glob("*.yaml")):
        named = set(re.findall(r"ghcr\.io/headway-dev/headway\S*", path.read_text()))
        assert named == {IMAGE}, path
