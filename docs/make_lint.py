"""Writes the rules' part of docs/lint.md from the docstrings of the rules, and the catalogue from their numbers.

Run it after each change of a rule: `python docs/make_lint.py`. What stands above the marker is written by hand.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from headway_operator.lint.ordered import RULES
from headway_operator.lint.rule import Rule

PAGE = Path(__file__).parent / "lint.md"
MARKER = "<!-- Below: written by docs/make_lint.py from the rules. -->\n"
DANGERS = 60
LEFT_OUT = {
    3: "a default that rewrites the table before PostgreSQL 11: no release that old is supported any more",
    30: "whether rows break a new constraint stands in the data: the operations of `headway` tell, and take it back",
    39: "several ALTER TABLE where one would do: Alembic writes one for each operation, and the lock is held anyway",
    41: "what only a traced run shows: nothing is run before it is to run",
    54: "small and new tables are exempt: that is no rule, every rule asks it",
}
"""Numbers of the catalogue without a rule, and why."""


def render(prose: str) -> str:
    """The whole page: the prose as it is, then the rules and the catalogue."""
    rules = "\n".join(line for rule in RULES for line in _section(rule))
    return (
        f"{prose}{MARKER}\n## Rules\n\n{rules}\n## Catalogue\n\n{_PREFACE}\n" + "\n".join(_catalogue()) + "\n"
    )


_PREFACE = """\
The dangers that linters of migrations and our own measurements know of, by number, and the rule that finds each.

| | found by |
| --- | --- |"""


def numbers_of(rule: Rule) -> tuple[int, ...]:
    """The numbers of the catalogue that a rule is about, as its module's docstring ends with them."""
    text = sys.modules[rule.check.__module__].__doc__ or ""
    found = re.search(r"\(([\d, ]+)\)\.?$", text.strip())
    return () if found is None else tuple(int(number) for number in found[1].split(","))


def _section(rule: Rule) -> Iterator[str]:
    yield f"### `{rule.name}`\n\n{' or '.join(rule.severities)}. {_markdown(inspect.getdoc(rule.check) or '')}\n"


def _markdown(text: str) -> str:
    """``Anti-pattern::`` and what is indented below it, as fenced code; double backquotes as single ones."""
    blocks: list[str] = []
    code: list[str] = []
    for block in [*text.split("\n\n"), ""]:
        if block.startswith("    "):
            code.append(block)
            continue
        if code:
            joined = textwrap.dedent("\n\n".join(code)).replace("\n\ndef ", "\n\n\ndef ")
            blocks.append(f"```python\n{joined}\n```")
            code = []
        blocks.append(block.replace("::", ":").replace("``", "`"))
    return "\n\n".join(blocks).rstrip()


def _catalogue() -> Iterator[str]:
    for number in range(1, DANGERS + 1):
        found = [f"`{rule.name}`" for rule in RULES if number in numbers_of(rule)]
        if found:
            yield f"| {number} | {', '.join(found)} |"
        elif number in LEFT_OUT:
            yield f"| {number} | – {LEFT_OUT[number]} |"


def main() -> None:
    """Write the page."""
    prose, _, _ = PAGE.read_text().partition(MARKER)
    PAGE.write_text(render(prose))


if __name__ == "__main__":
    main()
