"""The oldest Kubernetes of the test bench is the oldest that chart and pages name."""

import re
from pathlib import Path

import pytest
import yaml

from support.kubernetes.versions import BENCHES, OLDEST

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "charts/headway/README.md",
    "docs/reference/databasemigration.md",
    "docs/reference/operator.md",
)


def test_the_table_is_in_order_so_that_its_ends_are_oldest_and_newest() -> None:
    assert sorted(BENCHES, key=lambda one: one.minor) == [*BENCHES]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_the_oldest_of_the_table(page: str) -> None:
    told = re.findall(r"Kubernetes (1\.\d+) or newer", (ROOT / page).read_text())
    assert set(told) == {OLDEST.name}


def test_the_chart_refuses_what_is_older_and_nothing_that_is_newer() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "headway" / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={OLDEST.name}.0-0"
