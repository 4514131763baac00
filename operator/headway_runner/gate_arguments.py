"""What a gate is told on its command line, which ``headway gate`` has too."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All of them."""
    parser.add_argument("--target", default="heads", help="as in spec.target: heads, a revision, LABEL@head")
    parser.add_argument(
        "--url-env", default="", help="the variable with the database's URL; left out, env.py's own way"
    )
    parser.add_argument("--config", default="alembic.ini")
    parser.add_argument("--section", default="alembic")
    parser.add_argument("--version-table", default="")
    parser.add_argument("--version-table-schema", default="")
    parser.add_argument("-x", action="append", default=[], metavar="NAME=VALUE", help="as Alembic's -x")
    parser.add_argument(
        "--timeout", type=float, default=600.0, help="seconds; then exit code 1 (default 600)"
    )
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two looks (default 3)")
