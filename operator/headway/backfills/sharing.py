"""Give half of a lane's share away, to whoever has nothing to do: both halves are written down in one transaction."""

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.backfills import lanes
from headway.backfills.board import Board
from headway.backfills.failures import Cause, failure_of
from headway.backfills.orders import Leaf
from headway.backfills.places import Place
from headway.backfills.state import State
from headway.backfills.worker import Worker


def share(worker: Worker, board: Board, leaf: Leaf) -> None:
    """If it can be; what goes wrong costs only the help. Raises what says that the connection is lost, and TakenOver.

    Whether a commit that was cut has come through is seen when the lanes are read again, at the end of the leaf.
    """
    lane = worker.checkpoint.lane
    number, other = board.reserve()
    try:
        halves = _halves(worker, leaf)
        states = halves and _written(
            worker, leaf, number, lanes.halved(worker.state, lane == 0, other, halves)
        )
        if states:
            worker.state, given = states
            board.divided(lane, worker.state, number, given)
        else:
            board.cannot_be_divided(lane)
    except DBAPIError as error:
        if failure_of(error).cause is Cause.LOST:
            raise
        board.cannot_be_divided(lane)
    board.unreserve(number)


def _halves(worker: Worker, leaf: Leaf) -> "tuple[Place, Place] | None":
    place = worker.state.place
    if place is None or not lanes.is_worth_halving(worker.state, leaf):
        return None
    server, sweep = worker.task.server, worker.task.sweep

    def find(connection: Connection) -> "tuple[Place, Place] | None":
        with server.transaction(connection):
            server.begin(connection, leaf, worker.target_ms)
            return sweep.halves(connection, leaf, place)

    return worker.session.do(find)


def _written(
    worker: Worker, leaf: Leaf, number: int, states: "tuple[State, State]"
) -> "tuple[State, State] | None":
    kept, given = states
    server = worker.task.server

    def write(connection: Connection) -> bool:
        with server.transaction(connection):
            server.begin(connection, leaf, worker.target_ms)
            if not worker.checkpoint.open(connection, number, given):
                return False
            server.save(connection, leaf, worker.checkpoint, worker.fence, worker.with_time(kept))
            return True

    return (kept, given) if worker.session.do(write) else None
