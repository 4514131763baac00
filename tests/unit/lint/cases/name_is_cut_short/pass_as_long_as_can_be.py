"""A revision."""

from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    name = "day_of_the_last_successful_confirmation_of_the_address_by_lette"
    assert len(name) == 63
    op.execute(f"ALTER TABLE users ADD COLUMN {name} date, ADD COLUMN other date")
    op.execute(f"CREATE TABLE notes (id bigint, {name} text DEFAULT '{name}_and_more')")
    op.execute(f"SELECT 1 AS {name}_and_more")
    op.create_index("grüße_für_später_von_überall_über_größere_entfernungen", "notes", ["id"])
