"""The reference page follows the schema."""

import importlib.util
from pathlib import Path
from types import ModuleType

from support.crd import fields, load_crd, resource_schema

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "databasemigration.md").read_text()


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_field_of_the_spec_has_its_row() -> None:
    named = [
        path for path, _ in fields(resource_schema("spec"), "spec") if not path.endswith(("[]", "{}", "spec"))
    ]
    assert [path for path in named if f"| `{path.removeprefix('spec.')}`" not in PAGE] == []


def test_the_page_is_what_the_generator_makes() -> None:
    """If not: python docs/make_reference.py"""
    maker = generator()
    prose = PAGE.split(maker.MARKER)[0]
    assert maker.render(prose, load_crd()) == PAGE
