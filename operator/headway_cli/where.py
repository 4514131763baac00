"""The arguments that say which cluster, which namespace and which resource are meant, and as whom one acts there."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from headway_cli.completers import resource_names

if TYPE_CHECKING:
    from headway_operator.cluster.access import Access


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """As kubectl has them."""
    parser.add_argument("-n", "--namespace", default="", help="default: that of the kubeconfig's context")
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl finds it")
    parser.add_argument(
        "--as", dest="as_user", default="", metavar="USER", help="act as this user, as kubectl does"
    )
    parser.add_argument(
        "--as-group",
        dest="as_groups",
        action="append",
        default=[],
        metavar="GROUP",
        help="and as a member of this group; may be given several times",
    )


def access_of(options: argparse.Namespace) -> tuple[Access, str]:
    """The way to the API server, and the namespace that is meant where none is named; raises ``NoAccess``."""
    from headway_operator.cluster.access import for_a_person

    acting = {"as": options.as_user, "as-groups": options.as_groups}
    given = {key: value for key, value in acting.items() if value}
    return for_a_person(options.kubeconfig, options.context, given)


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
