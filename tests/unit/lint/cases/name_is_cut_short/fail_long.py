"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


NAME = "what_the_customer_said_in_the_interview_of_the_year_of_two_thousand"


def upgrade():
    op.create_table(NAME)  # found
    op.add_column("users", sa.Column(NAME, sa.Date))  # found
    op.rename_table("notes", NAME)  # found
    op.create_index("grüße_für_später_von_überall_über_größere_entfernungen_üübrig", "notes", ["id"])  # found
    op.execute(f'ALTER TABLE notes ADD "{NAME.replace("_", " ")}" text')  # found
    op.execute(f"CREATE INDEX {NAME.title()} ON notes (id)")  # found
