"""What is decided of a column's new name or type without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.columns import refusals
from headway.columns.belongings import Belongings, Constraint, Index
from headway.columns.conversions import is_lossless, sequence_type
from headway.columns.copies import RENAME, TYPE, copies_of
from headway.columns.settling import is_in_place
from headway.columns.swap import Swap, locked, statements, undoing
from headway.columns.wanted import Wanted, unfilled
from headway.drift import Left, is_left
from headway.sync.pair import Mark


def index(name, **more):
    facts = {
        "is_unique": False, "is_valid": True, "is_primary": False, "is_replica_identity": False,
        "constraint": None, "constraint_kind": None, "is_deferrable": False, "is_deferred": False,
        "definition": "USING btree (x)",
    }  # fmt: skip
    return Index(name, **(facts | more))


def key(name, kind="f", schema="public", table="users", **more):
    return Constraint(name, kind, True, 1, "CHECK (x)", schema, table, **more)


PRIMARY = index("users_pkey", is_unique=True, is_primary=True, constraint="users_pkey", constraint_kind="p")
UNIQUE = index(
    "uq_users_id", is_unique=True, constraint="uq_users_id", constraint_kind="u", is_deferrable=True
)
ALL = Belongings(
    (PRIMARY, UNIQUE, index("ix_users_id")),
    (key("users_id_check", "c"),),
    (key("orders_user_id_fkey", table="orders"), key("users_friend_fkey")),
)


def swap(kind, **more):
    old, new = ("id", "number") if kind == RENAME else ("id", "id__new")
    mark = Mark("op", "users", old, new, kind, default="nextval('s')")
    return Swap(
        "public", mark, '"public"."f"', ("t1", "t2"), copies_of(ALL, kind, old, new), "public.s", **more
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "copy", "final"),
    [
        ("ix_users_name", "name", "full_name", "ix_users_full_name", "ix_users_full_name"),
        ("ix_names", "name", "full_name", "ix_names__new", "ix_names"),
        ("name_ix_name", "name", "full_name", "name_ix_full_name", "name_ix_full_name"),
        ("users_pkey", "id", "number", "users_pkey__new", "users_pkey"),
        ("ix_a.b", "a.b", "c", "ix_c", "ix_c"),
    ],
)
def test_a_copy_for_a_new_name_is_named_after_it_where_the_original_was_named_after_the_old_one(
    name, old, new, copy, final
):
    (found,) = copies_of(Belongings((index(name),)), RENAME, old, new).indexes
    assert (found.name, found.final) == (copy, final)


@given(st.text("abcü_ ", min_size=1, max_size=63))
def test_a_copy_for_a_new_type_gets_the_original_s_name_in_the_end(name):
    (found,) = copies_of(Belongings((index(name),)), TYPE, "a", "a__new").indexes
    assert found.final == name
    assert found.name != name
    assert len(found.name.encode()) <= 63


def test_other_tables_constraints_keep_their_names():
    copies = copies_of(ALL, RENAME, "id", "number")
    assert [(one.name, one.final) for one in copies.incoming] == [
        ("orders_user_id_fkey__new", "orders_user_id_fkey"),
        ("users_friend_fkey__new", "users_friend_fkey"),
    ]


def test_the_swap_of_a_type_in_its_order():
    assert statements(swap(TYPE, sequence_type="bigint", not_null=("new_nn", "old_nn"))) == (
        'LOCK TABLE "public"."orders", "public"."users" IN ACCESS EXCLUSIVE MODE',
        'DROP TRIGGER IF EXISTS "t1" ON "public"."users"',
        'DROP TRIGGER IF EXISTS "t2" ON "public"."users"',
        'ALTER SEQUENCE public.s AS bigint OWNED BY "public"."users"."id__new"',
        """ALTER TABLE "public"."users" ALTER COLUMN "id__new" SET DEFAULT nextval('s')""",
        'ALTER TABLE "public"."orders" DROP CONSTRAINT IF EXISTS "orders_user_id_fkey"',
        'ALTER TABLE "public"."users" DROP CONSTRAINT IF EXISTS "users_friend_fkey"',
        'ALTER TABLE "public"."users" DROP CONSTRAINT IF EXISTS "users_pkey"',
        'ALTER TABLE "public"."users" DROP COLUMN "id"',
        'ALTER TABLE "public"."users" ADD CONSTRAINT "users_pkey" PRIMARY KEY USING INDEX "users_pkey__new"',
        'ALTER TABLE "public"."users" RENAME COLUMN "id__new" TO "id"',
        'ALTER TABLE "public"."users" RENAME CONSTRAINT "new_nn" TO "old_nn"',
        'ALTER TABLE "public"."users" RENAME CONSTRAINT "uq_users_id__new" TO "uq_users_id"',
        'ALTER INDEX "public"."ix_users_id__new" RENAME TO "ix_users_id"',
        'ALTER TABLE "public"."users" RENAME CONSTRAINT "users_id__new_check" TO "users_id_check"',
        'ALTER TABLE "public"."orders" RENAME CONSTRAINT "orders_user_id_fkey__new" TO "orders_user_id_fkey"',
        'ALTER TABLE "public"."users" RENAME CONSTRAINT "users_friend_fkey__new" TO "users_friend_fkey"',
        'DROP FUNCTION IF EXISTS "public"."f"()',
    )


def test_the_swap_of_a_name_leaves_what_has_its_final_name_already():
    found = statements(swap(RENAME, not_null=("new_nn", "old_nn")))
    assert [one for one in found if "RENAME" in one] == [
        'ALTER TABLE "public"."orders" RENAME CONSTRAINT "orders_user_id_fkey__new" TO "orders_user_id_fkey"',
        'ALTER TABLE "public"."users" RENAME CONSTRAINT "users_friend_fkey__new" TO "users_friend_fkey"',
    ]


def test_tables_are_locked_in_the_order_of_their_names():
    assert locked(swap(TYPE)) == ('"public"."orders"', '"public"."users"')


def test_a_replica_identity_goes_along():
    belongings = Belongings((index("ix_users_id", is_unique=True, is_replica_identity=True),))
    found = statements(
        Swap(
            "public",
            Mark("op", "users", "id", "id__new", TYPE),
            '"public"."f"',
            (),
            copies_of(belongings, TYPE, "id", "id__new"),
        )
    )
    identity = 'ALTER TABLE "public"."users" REPLICA IDENTITY USING INDEX "ix_users_id__new"'
    assert found.index(identity) > found.index('ALTER TABLE "public"."users" DROP COLUMN "id"')


def test_undoing_drops_what_refers_to_the_new_column_before_it():
    found = undoing("public", swap(TYPE).mark, '"public"."f"', ("t1",), copies_of(ALL, TYPE, "id", "id__new"))
    assert found[1] == 'ALTER TABLE "public"."orders" DROP CONSTRAINT IF EXISTS "orders_user_id_fkey__new"'
    assert found[3] == 'ALTER TABLE "public"."users" DROP COLUMN IF EXISTS "id__new"'


def test_a_statement_of_an_index_copy_is_for_any_table():
    (copy,) = copies_of(Belongings((index("ix_id", is_unique=True),)), TYPE, "id", "id__new").indexes
    assert copy.statement(copy.name, "users", "public", concurrently=True) == (
        'CREATE UNIQUE INDEX CONCURRENTLY "ix_id__new" ON "public"."users" USING btree (x)'
    )
    assert (
        copy.statement("i", "users", None, only=True)
        == 'CREATE UNIQUE INDEX "i" ON ONLY "users" USING btree (x)'
    )


@pytest.mark.parametrize(
    ("old", "new", "lossless"),
    [
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("bigint", "double precision", False),
        ("integer", "numeric", True),
        ("integer", "numeric(5,2)", False),
        ("numeric(5,2)", "numeric", True),
        ("numeric", "numeric(5,2)", False),
        ("character varying(5)", "text", True),
        ("text", "character varying", True),
        ("text", "character varying(5)", False),
        ("character varying(5)", "character varying(6)", True),
        ("character varying(6)", "character varying(5)", False),
        ("character varying", "character varying(5)", False),
        ("timestamp without time zone", "timestamp with time zone", False),
        ("character(5)", "text", False),
    ],
)
def test_only_what_surely_comes_back_is_called_lossless(old, new, lossless):
    assert is_lossless(old, new) == lossless


def test_what_needs_no_rewrite_is_known():
    assert is_in_place("character varying(5)", "text")
    assert is_in_place("numeric(5,2)", "numeric")
    assert not is_in_place("integer", "bigint")
    assert not is_in_place("text", "text")


def test_a_sequence_grows_with_its_column_and_never_shrinks():
    assert sequence_type("integer", "bigint") == "bigint"
    assert sequence_type("bigint", "integer") is None
    assert sequence_type("integer", "numeric") is None


def test_a_row_is_filled_when_the_conversion_has_something_for_it():
    assert unfilled(Wanted(RENAME, "a", "b").mark("s", "t", "")) == '"b" IS NULL AND "a" IS NOT NULL'
    mark = Wanted(TYPE, "a", "b", "integer", using="NULLIF(a, '')::int").mark("s", "t", "")
    assert unfilled(mark) == "\"b\" IS NULL AND (NULLIF(a, '')::int) IS NOT NULL"


def test_the_rules_of_a_refusal_are_asked_in_this_order():
    assert [rule.__name__ for rule in refusals.EXPAND] == [
        "relation_is_no_table",
        "table_is_a_partition",
        "another_change_is_under_way",
        "others_inherit_from_it",
        "type_is_a_domain_with_rules",
        "server_has_no_trigger_for_it",
        "column_is_generated",
        "not_null_is_not_valid",
        "column_is_a_partition_key",
        "column_is_in_an_exclusion",
        "constraint_cannot_be_copied_to_partitions",
        "references_would_not_fit",
    ]


@pytest.mark.parametrize(
    ("one", "other", "is_family"),
    [("integer", "bigint", True), ("text", "character varying(5)", True), ("integer", "text", False)],
)
def test_types_that_an_index_compares_are_a_family(one, other, is_family):
    assert refusals.is_family(one, other) == is_family


def test_only_what_was_left_is_no_difference():
    from alembic.operations import ops

    left = Left("public", frozenset({("public", "users", "name")}), frozenset({("public", "users", "ix")}))
    assert is_left(left, ops.DropColumnOp("users", "name"))
    assert is_left(left, ops.DropColumnOp("users", "name", schema="public"))
    assert not is_left(left, ops.DropColumnOp("users", "name", schema="app"))
    assert not is_left(left, ops.DropColumnOp("users", "age"))
    assert is_left(left, ops.DropIndexOp("ix", "users"))
    assert not is_left(left, ops.DropIndexOp("ix", "orders"))
    assert is_left(left, ops.DropConstraintOp("ix", "users"))
    assert not is_left(left, ops.DropTableOp("users"))
