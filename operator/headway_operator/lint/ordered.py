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
from headway_operator.lint.rules.check_is_validated_at_once import check_is_validated_at_once
from headway_operator.lint.rules.column_is_added_generated_and_stored import (
    column_is_added_generated_and_stored,
)
from headway_operator.lint.rules.column_is_added_not_null_without_a_default import (
    column_is_added_not_null_without_a_default,
)
from headway_operator.lint.rules.column_is_added_with_a_foreign_key import column_is_added_with_a_foreign_key
from headway_operator.lint.rules.column_is_added_with_a_key_of_its_own import (
    column_is_added_with_a_key_of_its_own,
)
from headway_operator.lint.rules.column_is_added_with_a_sequence import column_is_added_with_a_sequence
from headway_operator.lint.rules.column_is_added_with_a_volatile_default import (
    column_is_added_with_a_volatile_default,
)
from headway_operator.lint.rules.column_is_dropped import column_is_dropped
from headway_operator.lint.rules.column_is_read_by_a_trigger_of_the_library import (
    column_is_read_by_a_trigger_of_the_library,
)
from headway_operator.lint.rules.column_is_renamed import column_is_renamed
from headway_operator.lint.rules.concurrent_build_runs_on_a_faulty_server import (
    concurrent_build_runs_on_a_faulty_server,
)
from headway_operator.lint.rules.concurrent_index_is_built_if_not_exists import (
    concurrent_index_is_built_if_not_exists,
)
from headway_operator.lint.rules.concurrently_is_used_in_a_transaction import (
    concurrently_is_used_in_a_transaction,
)
from headway_operator.lint.rules.constraint_is_validated_where_it_is_added import (
    constraint_is_validated_where_it_is_added,
)
from headway_operator.lint.rules.contract_step_runs_with_its_backfill import (
    contract_step_runs_with_its_backfill,
)
from headway_operator.lint.rules.default_changes_on_an_existing_column import (
    default_changes_on_an_existing_column,
)
from headway_operator.lint.rules.dependent_objects_go_too import dependent_objects_go_too
from headway_operator.lint.rules.domain_has_a_constraint import domain_has_a_constraint
from headway_operator.lint.rules.enum_is_created import enum_is_created
from headway_operator.lint.rules.enum_value_is_added_without_a_position import (
    enum_value_is_added_without_a_position,
)
from headway_operator.lint.rules.enum_value_is_renamed import enum_value_is_renamed
from headway_operator.lint.rules.exclusion_constraint_is_added import exclusion_constraint_is_added
from headway_operator.lint.rules.foreign_key_has_no_index import foreign_key_has_no_index
from headway_operator.lint.rules.foreign_key_is_validated_at_once import foreign_key_is_validated_at_once
from headway_operator.lint.rules.foreign_key_joins_different_types import (
    foreign_key_joins_different_types,
)
from headway_operator.lint.rules.index_is_created_without_concurrently import (
    index_is_created_without_concurrently,
)
from headway_operator.lint.rules.index_is_dropped_before_its_replacement import (
    index_is_dropped_before_its_replacement,
)
from headway_operator.lint.rules.index_is_dropped_without_concurrently import (
    index_is_dropped_without_concurrently,
)
from headway_operator.lint.rules.index_is_of_little_use import index_is_of_little_use
from headway_operator.lint.rules.index_precedes_its_backfill import index_precedes_its_backfill
from headway_operator.lint.rules.lock_timeout_is_short_around_a_concurrent_build import (
    lock_timeout_is_short_around_a_concurrent_build,
)
from headway_operator.lint.rules.lock_timeout_is_turned_off import lock_timeout_is_turned_off
from headway_operator.lint.rules.name_is_cut_short import name_is_cut_short
from headway_operator.lint.rules.not_null_is_dropped import not_null_is_dropped
from headway_operator.lint.rules.not_null_is_set_on_an_existing_column import (
    not_null_is_set_on_an_existing_column,
)
from headway_operator.lint.rules.partition_is_attached_without_a_check import (
    partition_is_attached_without_a_check,
)
from headway_operator.lint.rules.partition_is_detached_without_concurrently import (
    partition_is_detached_without_concurrently,
)
from headway_operator.lint.rules.primary_key_is_added_directly import primary_key_is_added_directly
from headway_operator.lint.rules.primary_key_takes_nullable_columns import (
    primary_key_takes_nullable_columns,
)
from headway_operator.lint.rules.privileges_or_an_extension_change import privileges_or_an_extension_change
from headway_operator.lint.rules.reindex_is_not_concurrent import reindex_is_not_concurrent
from headway_operator.lint.rules.revision_cannot_be_taken_back import revision_cannot_be_taken_back
from headway_operator.lint.rules.revision_is_not_rendered import revision_is_not_rendered
from headway_operator.lint.rules.rows_are_thrown_away import rows_are_thrown_away
from headway_operator.lint.rules.schema_is_renamed import schema_is_renamed
from headway_operator.lint.rules.several_foreign_keys_in_one_revision import (
    several_foreign_keys_in_one_revision,
)
from headway_operator.lint.rules.several_tables_are_locked_in_one_transaction import (
    several_tables_are_locked_in_one_transaction,
)
from headway_operator.lint.rules.statement_cannot_be_read import statement_cannot_be_read
from headway_operator.lint.rules.table_is_dropped import table_is_dropped
from headway_operator.lint.rules.table_is_renamed import table_is_renamed
from headway_operator.lint.rules.table_is_written_anew import table_is_written_anew
from headway_operator.lint.rules.transaction_is_ended_by_hand import transaction_is_ended_by_hand
from headway_operator.lint.rules.type_and_not_null_change_together import type_and_not_null_change_together
from headway_operator.lint.rules.type_change_checks_all_rows import type_change_checks_all_rows
from headway_operator.lint.rules.type_change_rewrites_the_table import type_change_rewrites_the_table
from headway_operator.lint.rules.type_is_seldom_what_is_meant import type_is_seldom_what_is_meant
from headway_operator.lint.rules.unique_constraint_is_added_directly import (
    unique_constraint_is_added_directly,
)
from headway_operator.lint.rules.update_is_not_batched import update_is_not_batched

ERROR, WARNING, NOTICE = Severity
RULES: tuple[Rule, ...] = (
    # Backfills.
    Rule(WARNING, backfill_is_not_safe_to_repeat),
    Rule(ERROR, backfill_shares_the_transaction_of_a_schema_change),
    Rule(WARNING, batches_are_paged_by_a_predicate_or_an_offset),
    Rule(ERROR, contract_step_runs_with_its_backfill, WARNING),
    Rule(WARNING, index_precedes_its_backfill),
    Rule(ERROR, update_is_not_batched, WARNING),
    # Columns.
    Rule(ERROR, column_is_added_generated_and_stored),
    Rule(ERROR, column_is_added_not_null_without_a_default),
    Rule(WARNING, column_is_added_with_a_foreign_key),
    Rule(ERROR, column_is_added_with_a_key_of_its_own),
    Rule(ERROR, column_is_added_with_a_sequence),
    Rule(ERROR, column_is_added_with_a_volatile_default, WARNING),
    Rule(WARNING, column_is_dropped),
    Rule(ERROR, column_is_read_by_a_trigger_of_the_library),
    Rule(ERROR, column_is_renamed),
    Rule(NOTICE, default_changes_on_an_existing_column),
    Rule(NOTICE, not_null_is_dropped),
    Rule(ERROR, not_null_is_set_on_an_existing_column),
    Rule(WARNING, type_and_not_null_change_together),
    Rule(WARNING, type_change_checks_all_rows),
    Rule(ERROR, type_change_rewrites_the_table, WARNING),
    Rule(NOTICE, type_is_seldom_what_is_meant),
    # Indexes.
    Rule(ERROR, concurrent_build_runs_on_a_faulty_server),
    Rule(WARNING, concurrent_index_is_built_if_not_exists),
    Rule(ERROR, concurrently_is_used_in_a_transaction, WARNING),
    Rule(ERROR, index_is_created_without_concurrently),
    Rule(WARNING, index_is_dropped_before_its_replacement),
    Rule(WARNING, index_is_dropped_without_concurrently),
    Rule(NOTICE, index_is_of_little_use),
    Rule(WARNING, lock_timeout_is_short_around_a_concurrent_build),
    Rule(ERROR, reindex_is_not_concurrent),
    # Constraints.
    Rule(ERROR, check_is_validated_at_once),
    Rule(WARNING, constraint_is_validated_where_it_is_added),
    Rule(WARNING, domain_has_a_constraint),
    Rule(ERROR, exclusion_constraint_is_added),
    Rule(NOTICE, foreign_key_has_no_index),
    Rule(ERROR, foreign_key_is_validated_at_once),
    Rule(WARNING, foreign_key_joins_different_types),
    Rule(ERROR, primary_key_is_added_directly),
    Rule(ERROR, primary_key_takes_nullable_columns),
    Rule(WARNING, several_foreign_keys_in_one_revision),
    Rule(ERROR, unique_constraint_is_added_directly),
    # Tables and types.
    Rule(WARNING, dependent_objects_go_too),
    Rule(NOTICE, enum_is_created),
    Rule(NOTICE, enum_value_is_added_without_a_position),
    Rule(ERROR, enum_value_is_renamed),
    Rule(WARNING, partition_is_attached_without_a_check),
    Rule(WARNING, partition_is_detached_without_concurrently),
    Rule(WARNING, name_is_cut_short),
    Rule(NOTICE, privileges_or_an_extension_change),
    Rule(ERROR, rows_are_thrown_away, WARNING),
    Rule(ERROR, schema_is_renamed),
    Rule(WARNING, table_is_dropped),
    Rule(ERROR, table_is_renamed),
    Rule(ERROR, table_is_written_anew),
    # Transactions.
    Rule(WARNING, lock_timeout_is_turned_off),
    Rule(NOTICE, revision_cannot_be_taken_back),
    Rule(WARNING, several_tables_are_locked_in_one_transaction),
    Rule(WARNING, transaction_is_ended_by_hand),
    # What cannot be judged.
    Rule(WARNING, revision_is_not_rendered, NOTICE),
    Rule(WARNING, statement_cannot_be_read),
)
"""Each with the worst severity that it gives, and the mildest where it gives more than one."""

NAMES: tuple[str, ...] = tuple(rule.name for rule in RULES)
