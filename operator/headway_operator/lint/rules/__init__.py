"""One file for each rule, unaware of the others; their order is in ``lint.ordered``."""
