"""The state of a backfill as the text that its checkpoint keeps. Pure.

Rule: a field that a later version has added is missing in what an earlier one wrote, and has its default
then; one that is not known here is left out.
"""

import json
from dataclasses import fields
from typing import Any, TypeVar

from headway.backfills.orders import Parked
from headway.backfills.places import Blocks, Keys, Place
from headway.backfills.sizes import Size
from headway.backfills.state import State
from headway.backfills.tally import Tally

T = TypeVar("T")
_PLACES = {"blocks": Blocks, "keys": Keys}
# What is in a state, down to its values, has the fields of its dataclass and nothing else.
_JSON = json.JSONEncoder(separators=(",", ":"), default=vars)


def as_text(state: State) -> str:
    """JSON on one line."""
    place = state.place
    found = {**vars(state), "leftovers": ()}
    if place is not None:
        found["place"] = {**vars(place), "kind": "keys" if isinstance(place, Keys) else "blocks"}
    return _JSON.encode(found)


def state_of(text: str) -> State:
    """Raises ValueError or TypeError for what :func:`as_text` has not written."""
    found = json.loads(text)
    found["place"] = _place(found.get("place"))
    found.pop("leftovers", None)
    found["parked"] = [_made(Parked, one) for one in found.get("parked", ())]
    found["size"] = _made(Size, found.get("size", {}))
    found["tally"] = _made(Tally, found.get("tally", {}))
    return _made(State, found)


def _place(found: Any) -> Place | None:
    if not found:
        return None
    place: Place = _made(_PLACES[found["kind"]], found)
    return place


def _made(kind: type[T], values: dict[str, Any]) -> T:
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _frozen(value) for name, value in values.items() if name in known})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
