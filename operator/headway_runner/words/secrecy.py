"""What must never be shown: the credentials that this process has seen, and whatever looks like some.

They are learnt from the environment, from what each connection is opened with, and from the open connection itself;
forked phases inherit what their parent knows. A phase learns things that its parent never sees (env.py may fetch a
password itself), so each process masks what it hands on, and the parent masks once more what it writes.
"""

from collections.abc import Mapping
from typing import TypeVar

from headway_contract.masking import Masker
from headway_contract.request import VARIABLE, DatabaseRequest
from headway_contract.texts import with_texts

T = TypeVar("T")

_masker = Masker()

learn = _masker.learn
learn_within = _masker.learn_within
show = _masker.show
mask = _masker.mask


known = _masker.known
know = _masker.know


def masked(value: T) -> T:
    """An event, a result or a plan with all its texts masked; identifiers stay as they are."""
    return with_texts(value, mask)


def prepare_to_mask() -> None:
    """Make the pattern of what is known by now, once for all phases that are forked from here."""
    mask("")


def learn_database(request: DatabaseRequest, environment: Mapping[str, str]) -> None:
    """What its URL holds, or the parts of one, where nothing takes a URL apart."""
    names = request.credentials
    learn(environment.get(request.url_variable), environment.get(names.password))
    show(*(environment.get(name) for name in (names.username, names.host, names.database)))


def learn_way_back(arguments: Mapping[str, str]) -> None:
    """What a connection was opened with."""
    _masker.learn_variables(arguments)
    show(*(arguments.get(name) for name in ("user", "host", "dbname")))


def learn_environment(environment: Mapping[str, str]) -> None:
    """All that is secret in it; our own request is not: it only names variables."""
    _masker.learn_variables({name: value for name, value in environment.items() if name != VARIABLE})
