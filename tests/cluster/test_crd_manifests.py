"""Every DatabaseMigration that users are shown is one that the API server admits as it stands."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from support.apiclient import ApiClient
from support.crd import Schema

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def texts() -> Iterator[tuple[Path, str]]:
    """The YAML of the examples, and of the fenced blocks in the documentation."""
    for path in sorted((ROOT / "examples").rglob("*.yaml")):
        yield path, path.read_text()
    for path in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "examples").rglob("*.md")),
    ]:
        for block in FENCED.findall(path.read_text()):
            yield path, block


def migrations() -> list[tuple[str, Schema]]:
    """Each DatabaseMigration with the file that shows it."""
    shown = [(path, document) for path, text in texts() for document in yaml.safe_load_all(text)]
    return [
        (str(p.relative_to(ROOT)), d)
        for p, d in shown
        if isinstance(d, dict) and d.get("kind") == "DatabaseMigration"
    ]


@pytest.mark.parametrize("resource", [pytest.param(resource, id=file) for file, resource in migrations()])
def test_what_is_shown_is_admitted(client: ApiClient, resource: Schema) -> None:
    path = "/apis/headway.dev/v1alpha1/namespaces/default/databasemigrations"
    admitted = client.post(f"{path}?dryRun=All&fieldValidation=Strict", resource)
    assert admitted["metadata"]["name"] == resource["metadata"]["name"]


def test_the_reference_and_the_readme_show_one() -> None:
    files = {file for file, _ in migrations()}
    assert {"README.md", "docs/reference/databasemigration.md"} <= files
