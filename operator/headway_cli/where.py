"""The arguments that say which cluster and which namespace are meant."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """As kubectl has them."""
    parser.add_argument("-n", "--namespace", default="", help="default: that of the kubeconfig's context")
    parser.add_argument("--context", default="", help="of the kubeconfig (default: the current one)")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="default: as kubectl finds it")
