"""The fixtures that every test can use."""

pytest_plugins = [
    "support.fix_canaries",
    "support.fix_chart",
    "support.fix_cluster",
    "support.fix_depth",
    "support.fix_garbage",
    "support.fix_interrupts",
    "support.fix_kills",
    "support.fix_matrix",
    "support.fix_node",
    "support.fix_operator",
    "support.fix_postgres",
    "support.fix_workers",
]
