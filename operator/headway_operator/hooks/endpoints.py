"""Endpoints that the cluster's administrator has set up: a file, read again when it changes; nothing of it is shown.

``endpoints:`` is a list of ``name``, ``url`` and, if wanted, ``headers``, ``secrets`` (``whsec_…``; two while a
receiver changes over, the new one first) and ``namespaces`` (left out: every namespace may use it).
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from headway_operator.hooks.signing import BadKey, SharedSecret

log = logging.getLogger(__name__)

MOST_SECRETS = 2
_KEYS = frozenset(("name", "url", "headers", "secrets", "namespaces"))
_OURS = re.compile(
    r"(webhook-|ce-).*|content-.*|transfer-encoding|connection|host|expect|upgrade|te|trailer", re.I
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")


class BadEndpoints(ValueError):
    """The file cannot be used; the message has a sentence for each problem and shows no value."""


@dataclass(frozen=True)
class Endpoint:
    """Where a hook goes that names it."""

    name: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[SharedSecret, ...] = ()
    namespaces: tuple[str, ...] = ()

    def may_be_used_in(self, namespace: str) -> bool:
        """Whether resources of this namespace may name it."""
        return not self.namespaces or namespace in self.namespaces


class Endpoints:
    """The endpoints of a file, as they are now; an empty ``path``: there are none."""

    def __init__(self, path: str = "") -> None:
        """Raises :class:`BadEndpoints`."""
        self._path = Path(path) if path else None
        self._seen: object = None
        self._found: Mapping[str, Endpoint] = {}
        if self._path is not None:
            self._seen = _sign_of(self._path)
            self._found = read(self._path)

    def find(self, name: str) -> Endpoint | None:
        """The endpoint of this name."""
        self._look_again()
        return self._found.get(name)

    def _look_again(self) -> None:
        """A file that has become unusable changes nothing: what was read last stays, and the log says so once."""
        if self._path is None or (sign := _sign_of(self._path)) == self._seen:
            return
        self._seen = sign
        try:
            self._found = read(self._path)
            log.info("the endpoints of hooks were read again: %d", len(self._found))
        except BadEndpoints as problem:
            log.error("%s; the endpoints stay as they were", problem)


def read(path: Path) -> Mapping[str, Endpoint]:
    """By name; raises :class:`BadEndpoints`."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadEndpoints(f"the endpoints of hooks cannot be read: {error.strerror} ({path})") from None
    except ValueError as problem:
        raise BadEndpoints(f"the endpoints of hooks in {path} cannot be used: {problem}") from None


def parse(text: str) -> Mapping[str, Endpoint]:
    """By name; raises :class:`BadEndpoints`."""
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        # The error's own text would show the line with what is secret in it.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadEndpoints(f"line {line} is no YAML") from None
    except yaml.YAMLError:
        raise BadEndpoints("it is no YAML") from None
    entries = document.get("endpoints") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise BadEndpoints("there should be a list under the key endpoints")
    problems = [f"endpoint {n}: {text}" for n, one in enumerate(entries, 1) for text in _problems(one)]
    names = [one["name"] for one in entries if not problems]
    problems += [
        f"there is more than one {name}" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if problems:
        raise BadEndpoints("; ".join(problems))
    return {one["name"]: _endpoint(one) for one in entries}


def _endpoint(entry: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        entry["name"],
        entry["url"],
        entry.get("headers") or {},
        tuple(map(SharedSecret.parse, entry.get("secrets") or ())),
        tuple(entry.get("namespaces") or ()),
    )


def _problems(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "it should have a name and a url"
        return
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    if unknown:
        yield f"unknown: {', '.join(unknown)} (there are {', '.join(sorted(_KEYS))})"
    for key in ("name", "url"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            yield f"{key} should be a text"
    yield from _problems_of_headers(entry.get("headers") or {})
    yield from _problems_of_secrets(entry.get("secrets") or [])
    namespaces = entry.get("namespaces", ["any"])
    if not _is_list_of_texts(namespaces) or not namespaces:
        yield "namespaces should be a list of names; left out, every namespace may use it"


def _problems_of_headers(headers: object) -> Iterator[str]:
    if not isinstance(headers, dict):
        yield "headers should be names and values"
        return
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            yield "a header's name has characters that it cannot have"
        elif _OURS.fullmatch(name):
            yield f"the header {name} is set by Headway"
        elif not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            yield f"the header {name} should be a text in one line of ASCII"


def _problems_of_secrets(secrets: object) -> Iterator[str]:
    if not isinstance(secrets, list) or not _is_list_of_texts(secrets) or len(secrets) > MOST_SECRETS:
        yield f"secrets should be a list of at most {MOST_SECRETS} texts, the new one first"
        return
    for number, text in enumerate(secrets, 1):
        try:
            SharedSecret.parse(text)
        except BadKey as problem:
            yield f"secret {number}: {problem}"


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)


def _sign_of(path: Path) -> object:
    """Something that differs when the file does, also when a mounted Secret is swapped by its link."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
