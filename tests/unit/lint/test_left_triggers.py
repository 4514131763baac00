"""A trigger that an applied revision left, as the catalog tells it: what breaks in it, and what takes it away."""

from __future__ import annotations

import pytest

from headway_contract.facts import (
    Argument,
    Call,
    DatabaseFacts,
    RevisionFacts,
    Statement,
    TableFacts,
    TriggerFacts,
)
from headway_operator.lint.lint import findings

RULE = "column_is_read_by_a_trigger_of_the_library"
FILLS = TriggerFacts("add_column_with_backfill", ("shelf",), ("'S' || (pages / 10)", "lower(title)"))
RENAMES = TriggerFacts("rename_column_expand", ("pages", "sheets"))
RETYPES = TriggerFacts("change_type_expand", ("price", "price__new"))
DROP = "ALTER TABLE books DROP COLUMN {}"
RENAME = "ALTER TABLE books RENAME COLUMN {} TO other"
RETYPE = "ALTER TABLE books ALTER COLUMN {} TYPE numeric"


def books(*triggers: TriggerFacts, schema: str = "public") -> TableFacts:
    return TableFacts("books", schema, 10**6, 10**9, triggers=triggers)


def a_call(name: str, *arguments: object, line: int = 3, **named: object) -> Call:
    given = [("", one) for one in arguments] + list(named.items())
    return Call(f"headway.{name}", line, line, tuple(Argument(repr(one), key, True) for key, one in given))


def found(*revisions: str | Call | tuple[str | Call, ...], tables: tuple[TableFacts, ...]) -> list[str]:
    """What the rule says of a run; each revision is SQL or a call, or some of them, one in each line from 3 on."""
    told = []
    for number, revision in enumerate(revisions, 1):
        parts = list(enumerate(revision if isinstance(revision, tuple) else (revision,), 3))
        told.append(
            RevisionFacts(
                f"r{number}",
                file=f"r{number}.py",
                statements=tuple(Statement(one, line) for line, one in parts if isinstance(one, str)),
                calls=tuple(
                    Call(one.name, line, line, one.arguments) for line, one in parts if isinstance(one, Call)
                ),
            )
        )
    facts = DatabaseFacts("postgresql", revisions=tuple(told), tables=tables, tables_known=True)
    return [one.message for one in findings(facts) if one.rule == RULE]


@pytest.mark.parametrize("column", ["pages", "title"])
@pytest.mark.parametrize("change", [DROP, RENAME, RETYPE])
def test_what_a_filling_trigger_reads_is_found_for_its_value_and_for_earlier_ones(change, column):
    (message,) = found(change.format(column), tables=(books(FILLS),))
    done = {DROP: "dropped", RENAME: "renamed", RETYPE: "given another type"}[change]
    assert message.startswith(
        f"books.{column} is {done} while the trigger that fills books.shelf, which an applied revision has left, "
        "reads it. The application's next INSERT or UPDATE fails in the trigger"
    )
    assert "Call `headway.stop_filling_column('books', 'shelf')` in a revision before this one" in message


def test_the_filled_column_is_refused_by_postgresql_or_breaks_the_trigger_by_its_new_name():
    drop, rename, retype = (
        found(one.format("shelf"), tables=(books(FILLS),))[0] for one in (DROP, RENAME, RETYPE)
    )
    assert "PostgreSQL refuses it, because the trigger depends on the column, and the run ends there." in drop
    assert "`headway.drop_column_with_backfill('books', 'shelf')`, which takes the trigger away" in drop
    assert "PostgreSQL refuses it" in retype
    assert "The application's next INSERT or UPDATE fails in the trigger." in rename


@pytest.mark.parametrize(
    ("trigger", "old", "new", "step"),
    [
        (RENAMES, "pages", "sheets", "rename_column"),
        (RETYPES, "price", "price__new", "change_type"),
    ],
)
def test_of_two_columns_that_are_kept_the_same_neither_is_changed_by_hand(trigger, old, new, step):
    for column, other, end in ((old, new, "contract"), (new, old, "undo")):
        (drop,) = found(DROP.format(column), tables=(books(trigger),))
        assert (
            f"books.{column} is dropped while a trigger, which an applied revision has left, keeps it and "
            f"books.{other} the same. PostgreSQL refuses it"
        ) in drop
        assert f"Let `headway.{step}_{end}` take the trigger and the column away." in drop
        (rename,) = found(RENAME.format(column), tables=(books(trigger),))
        assert "next INSERT or UPDATE fails in the trigger. " + f"Let `headway.{step}_contract`" in rename
        assert "PostgreSQL refuses it" in found(RETYPE.format(column), tables=(books(trigger),))[0]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (
            a_call("drop_column_with_backfill", "books", "pages"),
            "The application's next INSERT or UPDATE fails",
        ),
        (
            a_call("rename_column_undo", "books", "author", "pages"),
            "The application's next INSERT or UPDATE fails",
        ),
        (
            a_call("change_type_undo", "books", "x", shadow="pages"),
            "The application's next INSERT or UPDATE fails",
        ),
        (
            a_call("rename_column_contract", "books", "pages", "sheets"),
            "The step refuses it, and the run ends there.",
        ),
    ],
)
def test_a_column_that_a_step_of_the_library_drops_may_be_read_by_another_trigger(step, why):
    tables = (books(FILLS, RENAMES) if "contract" in step.name else books(FILLS),)
    (message,) = found(step, tables=tables)
    assert "books.pages is dropped while the trigger that fills books.shelf, which an applied" in message
    assert why in message
    assert "Call `headway.stop_filling_column('books', 'shelf')` in a revision before this one" in message
    stop = a_call("stop_filling_column", "books", "shelf")
    assert found((stop, step), tables=tables) == []
    assert len(found((step, stop), tables=tables)) == 1


def test_a_filled_column_that_gets_another_name_is_not_filled_any_more_before_it_goes():
    pair = TriggerFacts("rename_column_expand", ("shelf", "place"))
    step = a_call("rename_column_contract", "books", "shelf", "place")
    (message,) = found(step, tables=(books(FILLS, pair),))
    assert message.startswith("books.shelf is dropped while the trigger that fills books.shelf")
    assert "Call `headway.stop_filling_column('books', 'shelf')` in a revision before this one" in message


def test_steps_of_the_library_end_their_own_triggers_and_break_nothing():
    for trigger, step in (
        (FILLS, a_call("drop_column_with_backfill", "books", "shelf")),
        (RENAMES, a_call("rename_column_contract", "books", "pages", "sheets")),
        (RENAMES, a_call("rename_column_undo", "books", "pages", "sheets")),
        (RETYPES, a_call("change_type_contract", "books", "price")),
        (RETYPES, a_call("change_type_undo", "books", "price")),
    ):
        assert found(step, tables=(books(trigger),)) == []


def test_what_no_trigger_names_is_left_alone():
    tables = (books(FILLS), TableFacts("papers"))
    assert found(DROP.format("author"), "ALTER TABLE papers DROP COLUMN pages", tables=tables) == []
    assert found(DROP.format("pages"), tables=(books(),)) == []


def test_a_word_that_is_no_column_in_the_value_is_not_taken_for_one():
    told = TriggerFacts("add_column_with_backfill", ("shelf",), ("'pages of ' || lower(title)::text",))
    assert found(*map(DROP.format, ("pages", "lower", "text")), tables=(books(told),)) == []


def test_a_column_of_another_table_in_the_value_is_none_of_this_one():
    value = (
        "(SELECT max(s.pages + grades.score + b.title) FROM s, shop.grades, books b WHERE s.id = books.ref)"
    )
    tables = (books(TriggerFacts("add_column_with_backfill", ("shelf",), (value,))),)
    assert found(*map(DROP.format, ("pages", "score", "id")), tables=tables) == []
    assert len(found(*map(DROP.format, ("title", "ref")), tables=tables)) == 2


def test_a_value_that_is_no_sql_of_this_grammar_tells_nothing_and_harms_nothing():
    told = TriggerFacts("add_column_with_backfill", ("shelf",), ("pages +",))
    assert found(DROP.format("pages"), tables=(books(told),)) == []


def test_a_drop_that_takes_the_trigger_along_breaks_nothing():
    tables = (books(FILLS, RENAMES),)
    cascade = DROP.format("shelf") + " CASCADE"
    assert found(cascade, DROP.format("title"), tables=tables) == []
    assert len(found(DROP.format("title") + " CASCADE", tables=tables)) == 1


@pytest.mark.parametrize(
    ("trigger", "end", "column"),
    [
        (FILLS, a_call("stop_filling_column", "books", "shelf"), "pages"),
        (FILLS, a_call("drop_column_with_backfill", "books", "shelf"), "pages"),
        (RENAMES, a_call("rename_column_contract", "books", "pages", "sheets"), "sheets"),
        (RENAMES, a_call("rename_column_undo", "books", "pages", "sheets"), "pages"),
        (RENAMES, a_call("rename_column_undo", "books", "sheets", "pages"), "pages"),
        (RETYPES, a_call("change_type_contract", "books", "price"), "price"),
        (RETYPES, a_call("change_type_undo", "books", "price"), "price"),
        (FILLS, "DROP TABLE books", "pages"),
        (FILLS, "DROP TRIGGER zz_headway_fill_shelf_insert ON books", "pages"),
        (RENAMES, "DROP TRIGGER zz_headway_sync_insert_pages_sheets_0a1b2c3d ON books", "pages"),
    ],
)
def test_what_ends_it_earlier_in_the_run_allows_the_change(trigger, end, column):
    tables = (books(trigger),)
    for change in (DROP, RENAME, RETYPE):
        assert len(found(change.format(column), tables=tables)) == 1
        assert found(end, change.format(column), tables=tables) == []
        assert found((end, change.format(column)), tables=tables) == []
        assert len(found((change.format(column), end), tables=tables)) == 1


@pytest.mark.parametrize(
    "end",
    [
        a_call("stop_filling_column", "books", "row"),
        a_call("stop_filling_column", "papers", "shelf"),
        a_call("rename_column_contract", "books", "author", "writer"),
        a_call("change_type_contract", "books", "shelf"),
        "DROP TRIGGER zz_headway_fill_shelf_two_insert ON books",
        "DROP TRIGGER zz_headway_fill_shelf_insert ON papers",
        "DROP TABLE papers",
    ],
)
def test_what_ends_another_one_does_not(end):
    assert len(found(end, DROP.format("pages"), tables=(books(FILLS),))) == 1


def test_a_step_that_does_not_say_which_it_ends_may_end_it():
    loop = Call("headway.stop_filling_column", 3, 3, (Argument("table"), Argument("'shelf'", "", True)))
    any_column = Call(
        "headway.stop_filling_column", 3, 3, (Argument("'books'", "", True), Argument("column"))
    )
    for end in (loop, any_column):
        assert found(end, DROP.format("pages"), tables=(books(FILLS),)) == []


def test_a_revision_that_is_run_again_after_it_was_interrupted_is_found_once():
    again = a_call("rename_column_expand", "books", "pages", "sheets")
    (message,) = found(again, DROP.format("pages"), tables=(books(RENAMES),))
    assert "more at this place" not in message


def test_a_table_of_another_schema_is_found_with_and_without_its_name():
    tables = (books(FILLS, schema="shop"),)
    (message,) = found("ALTER TABLE shop.books DROP COLUMN pages", tables=tables)
    assert "`headway.stop_filling_column('books', 'shelf', schema='shop')`" in message
    assert len(found(DROP.format("pages"), tables=tables)) == 1
    stop = a_call("stop_filling_column", "books", "shelf", schema="shop")
    assert found(stop, DROP.format("pages"), tables=tables) == []
    both = (*tables, TableFacts("books", "archive"))
    assert found(DROP.format("pages"), tables=both) == []


def test_a_new_name_of_the_table_is_followed_and_another_table_may_take_the_old_one():
    away = "ALTER TABLE books RENAME TO volumes"
    tables = (books(FILLS),)
    of_volumes = DROP.replace("books", "volumes").format("pages")
    assert len(found(away, of_volumes, tables=tables)) == 1
    assert found(away, a_call("stop_filling_column", "volumes", "shelf"), of_volumes, tables=tables) == []
    assert found(away, "CREATE TABLE books (pages int)", DROP.format("pages"), tables=tables) == []
    to_shop, of_shop = "ALTER TABLE books SET SCHEMA shop", "ALTER TABLE shop.books DROP COLUMN pages"
    assert len(found(to_shop, of_shop, tables=tables)) == 1
    assert found(to_shop, "CREATE TABLE books (pages int)", DROP.format("pages"), tables=tables) == []


def test_a_column_that_an_applied_trigger_fills_has_a_value_in_new_rows():
    required = (
        "UPDATE books SET shelf = 'S' WHERE shelf IS NULL",
        "ALTER TABLE books ALTER COLUMN shelf SET NOT NULL",
    )

    def is_found(*triggers, end=()):
        revision = RevisionFacts(
            "r1", file="r1.py", statements=tuple(map(Statement, required, (5, 6))), calls=end
        )
        facts = DatabaseFacts(
            "postgresql", revisions=(revision,), tables=(books(*triggers),), tables_known=True
        )
        return "contract_step_runs_with_its_backfill" in [one.rule for one in findings(facts)]

    assert is_found()
    assert not is_found(FILLS)
    assert is_found(FILLS, end=(a_call("stop_filling_column", "books", "shelf", line=7),))
