"""The arguments that say which cluster, which namespace and which resource are meant."""

from __future__ import annotations

import argparse

from headway_cli.completers import resource_names


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """As kubectl has them."""
    parser.add_argument("-n", "--namespace", default="", help="default: that of the kubeconfig's context")
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl finds it")


def add_name(parser: argparse._ActionsContainer, *, may_be_left_out: str = "") -> None:
    """Of one resource; ``may_be_left_out`` says what is meant then. A shell completes it from the cluster."""
    usual = f" ({may_be_left_out})" if may_be_left_out else ""
    name = parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?" if may_be_left_out else None,
        default="",
        help=f"of the DatabaseMigration{usual}",
    )
    setattr(name, "completer", resource_names)  # noqa: B010 - argcomplete looks for it there
