"""Alembic's differences as sentences: each kind, with where it is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from headway_runner.looks.differences import differences_of

TABLE = sa.Table("users", sa.MetaData(schema="shop"), sa.Column("id", sa.Integer))
INDEX = sa.Index("ix_id", TABLE.c.id)
UNIQUE = sa.UniqueConstraint(TABLE.c.id, name="uq_id")
KEY = sa.ForeignKeyConstraint([TABLE.c.id], ["shop.users.id"], name="fk_id")
TABLE.append_constraint(KEY)
COLUMN = ("shop", "users", "id", {})


@pytest.mark.parametrize(
    ("diff", "sentence"),
    [
        (("add_table", TABLE), "table shop.users is in the models and not in the database"),
        (("remove_table", TABLE), "table shop.users is in the database and not in the models"),
        (
            ("add_column", "shop", "users", TABLE.c.id),
            "column shop.users.id is in the models and not in the database",
        ),
        (("remove_index", INDEX), "index ix_id on shop.users is in the database and not in the models"),
        (
            ("add_constraint", UNIQUE),
            "constraint uq_id on shop.users is in the models and not in the database",
        ),
        (("add_fk", KEY), "foreign key fk_id on shop.users is in the models and not in the database"),
        (
            ("add_table_comment", TABLE, None),
            "the comment of table shop.users is in the models and not in the database",
        ),
        (
            ("modify_nullable", *COLUMN, False, True),
            "shop.users.id: NULL is allowed in the models and not in the database",
        ),
        (
            ("modify_type", *COLUMN, sa.Integer(), sa.String(5)),
            "shop.users.id: the type is Integer() in the database and String(length=5) in the models",
        ),
        (
            ("modify_default", *COLUMN, sa.DefaultClause("secret"), None),
            "shop.users.id: the server default is another one in the models than in the database",
        ),
        (
            ("modify_comment", *COLUMN, "a", "b"),
            "shop.users.id: the comment is another one in the models than in the database",
        ),
        (
            ("modify_newer_thing", *COLUMN, 1, 2),
            "shop.users.id: newer thing is another in the models than in the database",
        ),
    ],
    ids=lambda part: part[0] if isinstance(part, tuple) else "",
)
def test_a_difference_says_what_is_where(diff, sentence):
    ((found,), (in_a_list,)) = differences_of([diff]), differences_of([[diff]])
    assert found == in_a_list
    assert (found.kind, found.sentence) == (diff[0], sentence)
    assert found.name in sentence
