"""The fixtures that every test can use."""

pytest_plugins = ["support.fix_postgres"]
