"""The rules in the order in which they are asked: one line for each, in groups, by name within a group."""

from headway_operator.lint.findings import Severity
from headway_operator.lint.rule import Rule
from headway_operator.lint.rules.backfill_is_not_safe_to_repeat import backfill_is_not_safe_to_repeat
from headway_operator.lint.rules.backfill_shares_the_transaction_of_a_schema_change import (
    backfill_shares_the_transaction_of_a_schema_change,
)
from headway_operator.lint.rules.batches_are_paged_by_a_predicate_or_an_offset import (
    batches_are_paged_by_a_predicate_or_an_offset,
)
from headway_operator.lint.rules.column_is_added_with_a_volatile_default import (
    column_is_added_with_a_volatile_default,
)
from headway_operator.lint.rules.column_is_dropped import column_is_dropped
from headway_operator.lint.rules.column_is_renamed import column_is_renamed
from headway_operator.lint.rules.concurrently_is_used_in_a_transaction import (
    concurrently_is_used_in_a_transaction,
)
from headway_operator.lint.rules.contract_step_runs_with_its_backfill import (
    contract_step_runs_with_its_backfill,
)
from headway_operator.lint.rules.index_is_created_without_concurrently import (
    index_is_created_without_concurrently,
)
from headway_operator.lint.rules.index_precedes_its_backfill import index_precedes_its_backfill
from headway_operator.lint.rules.lock_timeout_is_short_around_a_concurrent_build import (
    lock_timeout_is_short_around_a_concurrent_build,
)
from headway_operator.lint.rules.not_null_is_set_on_an_existing_column import (
    not_null_is_set_on_an_existing_column,
)
from headway_operator.lint.rules.revision_is_not_rendered import revision_is_not_rendered
from headway_operator.lint.rules.statement_cannot_be_read import statement_cannot_be_read
from headway_operator.lint.rules.update_is_not_batched import update_is_not_batched

ERROR, WARNING, NOTICE = Severity
RULES: tuple[Rule, ...] = (
    # Backfills.
    Rule(WARNING, backfill_is_not_safe_to_repeat),
    Rule(ERROR, backfill_shares_the_transaction_of_a_schema_change),
    Rule(WARNING, batches_are_paged_by_a_predicate_or_an_offset),
    Rule(ERROR, contract_step_runs_with_its_backfill),
    Rule(WARNING, index_precedes_its_backfill),
    Rule(ERROR, update_is_not_batched),
    # Columns.
    Rule(ERROR, column_is_added_with_a_volatile_default),
    Rule(WARNING, column_is_dropped),
    Rule(WARNING, column_is_renamed),
    Rule(ERROR, not_null_is_set_on_an_existing_column),
    # Indexes.
    Rule(ERROR, concurrently_is_used_in_a_transaction),
    Rule(ERROR, index_is_created_without_concurrently),
    Rule(WARNING, lock_timeout_is_short_around_a_concurrent_build),
    # Constraints.
    # Tables and types.
    # What cannot be judged.
    Rule(NOTICE, revision_is_not_rendered),
    Rule(NOTICE, statement_cannot_be_read),
)
"""Each with the worst severity that it gives."""

NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)
