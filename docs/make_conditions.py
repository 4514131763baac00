"""Writes the tables of docs/reference/conditions.md from the tables that the operator itself uses.

Run it after each change of a condition, a reason or a failure class: `python docs/make_conditions.py`. What stands
above the marker is written by hand and kept.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from headway_contract.exit_codes import ExitCode
from headway_contract.failures import FAILURES
from headway_operator.api.conditions import TABLE
from headway_operator.api.reasons import REASONS
from headway_operator.manifests.job import PERMANENT_EXIT_CODES

PAGE = Path(__file__).parent / "reference" / "conditions.md"
MARKER = "<!-- Below: written by docs/make_conditions.py from the operator's own tables. -->\n"


def render(prose: str) -> str:
    """The whole page: the prose as it is, then the tables."""
    return prose + MARKER + "\n".join((*_states(), *_reasons(), *_failures(), *_exit_codes())) + "\n"


def _states() -> Iterator[str]:
    kinds = [kind for kind, _ in next(iter(TABLE.values()))]
    yield "\n## Conditions in each state\n"
    yield from _table(
        ("State", *kinds),
        ((str(state), *(status for _, status in row)) for state, row in TABLE.items()),
    )


def _reasons() -> Iterator[str]:
    yield "\n## Reasons that the operator gives\n"
    yield from _table(
        ("Reason", "Meaning", "What to do next", "Tried again"),
        ((f"`{one.name}`", one.meaning, one.next_step, "yes" if one.retry else "") for one in REASONS),
    )


def _failures() -> Iterator[str]:
    yield "\n## Reasons that a run fails for\n"
    yield from _table(
        ("Reason", "Meaning", "What to do next", "Tried again", "Exit code"),
        (
            (f"`{one.name}`", one.meaning, one.next_step, "yes" if one.retry else "", str(int(one.exit_code)))
            for one in FAILURES
        ),
    )


def _exit_codes() -> Iterator[str]:
    yield "\n## Exit codes of the runner\n"
    yield "An exit code alone never means success: the result in the container's termination message does.\n"
    yield from _table(
        ("Exit code", "Meaning", "Reasons", "The Job"),
        ((str(int(code)), code.meaning, _reasons_with(code), _what_the_job_does(code)) for code in ExitCode),
    )


def _reasons_with(code: ExitCode) -> str:
    return ", ".join(f"`{one.name}`" for one in FAILURES if one.exit_code is code)


def _what_the_job_does(code: ExitCode) -> str:
    if code is ExitCode.SUCCEEDED:
        return "is complete"
    return "fails at once" if int(code) in PERMANENT_EXIT_CODES else "fails; the next attempt is a new Job"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(tuple("---" for _ in head))
    yield from (_row(row) for row in rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def main() -> None:
    """Rewrites the page in place."""
    PAGE.write_text(render(PAGE.read_text().split(MARKER)[0]))


if __name__ == "__main__":
    main()
