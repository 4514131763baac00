"""The way to a cluster with a person's own rights, and what is said where it does not lead there."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headway_cli.problems import BadInput, Problem
from headway_cli.where import access_of
from headway_operator.cluster.access import NoAccess
from headway_operator.cluster.api_server import ApiServer
from headway_operator.cluster.interface import ClusterError, Forbidden, NotFound


@asynccontextmanager
async def reading(options: argparse.Namespace, what: str) -> AsyncIterator[tuple[ApiServer, str]]:
    """An API server that is only read, and the namespace; errors of the cluster become :class:`BadInput`.

    ``what`` is the resource; empty: all of them.
    """
    try:
        access, usual = access_of(options)
    except NoAccess as error:
        raise BadInput(Problem("kubeconfig", "", str(error))) from None
    api = ApiServer(access.session(), may_write=lambda: False)
    namespace = options.namespace or usual
    where = what or (
        "all namespaces" if getattr(options, "all_namespaces", False) else f"namespace {namespace}"
    )
    try:
        yield api, namespace
    except NotFound:
        if not what:
            there = "there is no kind DatabaseMigration in this cluster"
            raise BadInput(
                Problem(where, "", there, "Is it the cluster in which Headway is installed?")
            ) from None
        there = f"there is no DatabaseMigration {what} in the namespace {namespace}, or no such kind in this cluster"
        raise BadInput(Problem(what, "", there, "headway list -A shows all; -n names a namespace")) from None
    except Forbidden as error:
        raise BadInput(
            Problem(where, "", f"you may not: {error}", "Ask for the role that views migrations")
        ) from None
    except ClusterError as error:
        raise BadInput(Problem(where, "", str(error))) from None
    finally:
        await api.close()
