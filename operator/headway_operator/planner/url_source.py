"""Where the operator was told to take a database's URL from: said of failures that are mended there. Pure.

It names Secrets, keys and variables, never what they hold; the runner knows but the variables that the kubelet fills.
"""

from dataclasses import fields

from headway_contract.result import shorten
from headway_contract.sentences import sentence
from headway_operator.api.migration import CredentialsFrom, Database, Spec
from headway_operator.api.reasons import Reason

MENDED_IN_THE_URL = (
    "InvalidUrl",
    "DriverMissing",
    "DatabaseUnreachable",
    "AuthenticationFailed",
    "DatabaseDoesNotExist",
    "PoolerDetected",
)
SEEN_CHARACTERS = 500
"""Of what was seen of the failure, so that the source is not what a message has no room for."""


def with_source(reason: Reason, happened: str, spec: Spec, name: str) -> str:
    """What happened, and where the URL of the database of this name comes from where that is to be looked at."""
    database = next((one for one in spec.databases if one.name == name), None)
    if database is None or reason.name not in MENDED_IN_THE_URL:
        return happened
    return " ".join(filter(None, (sentence(shorten(happened, SEEN_CHARACTERS)), url_source(database))))


def url_source(database: Database) -> str:
    """The Secret and the keys in it, as a sentence."""
    source = _source(database)
    if not source:
        return (
            "Its URL is the application's own, from spec.job.env, spec.job.envFrom or the image: "
            "it has neither urlFrom nor credentialsFrom."
        )
    also = f", and env.py has it as {database.url_env}" if database.url_env else ""
    return f"Its URL {source}{also}."


def _source(database: Database) -> str:
    if database.url_from is not None:
        reference = database.url_from.secret_key_ref
        return f"comes from key {reference.key} of Secret {reference.name}"
    if database.credentials_from is not None:
        return _of_parts(database.credentials_from)
    return ""


def _of_parts(credentials: CredentialsFrom) -> str:
    keys, secret = credentials.keys_in_force, credentials.secret_ref.name
    if keys.uri:
        return f"comes from key {keys.uri} of Secret {secret}"
    named = (getattr(keys, field.name) for field in fields(keys))
    return f"is made of keys {', '.join(filter(None, named))} of Secret {secret}"
