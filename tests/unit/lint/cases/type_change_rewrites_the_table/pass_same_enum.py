"""A revision."""

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None


def upgrade():
    with op.batch_alter_table("trials") as batch:
        batch.alter_column(
            "state",
            type_=sa.Enum("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", name="trialstate"),
            existing_type=sa.Enum("RUNNING", "COMPLETE", "PRUNED", "FAIL", name="trialstate"),
        )
    op.alter_column(
        "trials",
        "reason",
        type_=sa.Enum(*(f"A_LONG_NAME_OF_A_REASON_{number}" for number in range(20)), name="reason"),
        existing_type=sa.Enum(
            "A_LONG_NAME_OF_A_REASON_0",
            "A_LONG_NAME_OF_A_REASON_1",
            "A_LONG_NAME_OF_A_REASON_2",
            "A_LONG_NAME_OF_A_REASON_3",
            "A_LONG_NAME_OF_A_REASON_4",
            "A_LONG_NAME_OF_A_REASON_5",
            "A_LONG_NAME_OF_A_REASON_6",
            "A_LONG_NAME_OF_A_REASON_7",
            name="reason",
        ),
    )
