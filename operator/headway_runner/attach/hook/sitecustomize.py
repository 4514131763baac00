"""Put first on the path of an application's own command: brings Headway in when the command starts Alembic.

Rule: every Python that the command starts reads this, whatever its version, so it keeps to syntax that each of them
knows, imports nothing else before Alembic's environment module is imported, and leaves the path as it found it. The
image's own ``sitecustomize`` is loaded after it.
"""

import os
import sys

OLDEST = (3, 10)
ALEMBIC = "alembic.runtime.environment"
HISTORY = "alembic.script.base"
OURS = ("headway_runner", "headway_contract")
MARK_LOADED, MARK_OLD = 1, 8  # as board.py reads them
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def mark(place, text=b"1"):
    # type: (int, bytes) -> None
    """Leave a mark on the board; without one the command is told to have never loaded this."""
    number, process, device, inode = (int(part) for part in os.environ["HEADWAY_ATTACH"].split(":")[:4])
    try:
        found = os.fstat(number)
        inherited = (found.st_dev, found.st_ino) == (device, inode)
    except OSError:
        inherited = False
    try:
        board = os.dup(number) if inherited else os.open("/proc/%d/fd/%d" % (process, number), os.O_RDWR)
        os.lseek(board, place, 0)
        os.write(board, text)
        os.close(board)
    except OSError:
        pass


class Finder(object):
    """Sees the import of Alembic's environment module, and finds our packages without a place on the path."""

    def find_spec(self, name, path=None, target=None):
        # type: (str, object, object) -> object
        """As the import system asks since Python 3.4."""
        if name in OURS:
            from importlib.machinery import PathFinder

            return PathFinder.find_spec(name, [ROOT])
        if name not in (ALEMBIC, HISTORY):
            return None
        refuse_old_python()
        others = list(sys.meta_path)
        others.remove(self)  # type: ignore[arg-type]
        for finder in others:
            spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]
            if spec is not None:
                hook_into(spec.loader, hold if name == ALEMBIC else hold_histories)
                return spec
        return None

    def find_module(self, name, path=None):
        # type: (str, object) -> None
        """As older Pythons ask."""
        if name == ALEMBIC:
            refuse_old_python()


def refuse_old_python():
    # type: () -> None
    """Alembic must not run unseen: raises ImportError where the rest of Headway cannot be loaded."""
    if sys.version_info < OLDEST:
        mark(MARK_OLD, ("%d.%d\n" % sys.version_info[:2]).encode())
        raise ImportError(
            "headway: Alembic is run by Python %d.%d, but 3.10 is needed" % sys.version_info[:2]
        )


def hook_into(loader, take):
    # type: (object, object) -> None
    """Let the module be executed, then take hold of its classes."""
    execute = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module):
        # type: (object) -> None
        execute(module)
        take(module)  # type: ignore[operator]

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def hold(module):
    # type: (object) -> None
    """Headway joins when the first one is made: by then all of Alembic can be imported."""
    environment, migration = module.EnvironmentContext, module.MigrationContext  # type: ignore[attr-defined]
    own, read = environment.__init__, migration.get_current_heads

    def begin(self, *positional, **named):
        # type: (object, *object, **object) -> None
        from headway_runner.attach.attached import join

        own(self, *positional, **named)
        join().begins(self)  # type: ignore[arg-type]

    def get_current_heads(self):
        # type: (object) -> object
        from headway_runner.attach.attached import join

        heads = read(self)
        join().answers(self, heads)  # type: ignore[arg-type]
        return heads

    environment.__init__ = begin
    migration.get_current_heads = get_current_heads


def hold_histories(module):
    # type: (object) -> None
    """A program that asks whether it must upgrade opens its history, and perhaps nothing else."""
    history = module.ScriptDirectory  # type: ignore[attr-defined]
    own = history.__init__

    def begin(self, *positional, **named):
        # type: (object, *object, **object) -> None
        from headway_runner.attach.attached import join

        own(self, *positional, **named)
        join().opened(self)  # type: ignore[arg-type]

    history.__init__ = begin


def restore_options():
    # type: () -> None
    """What keeps a look read-only where this file is not loaded; where it is, Headway sets up the sessions."""
    before = os.environ.pop("HEADWAY_PGOPTIONS", None)
    if before:
        os.environ["PGOPTIONS"] = before
    elif before is not None:
        os.environ.pop("PGOPTIONS", None)


def load_the_next():
    # type: () -> None
    """The ``sitecustomize`` that the image has itself, as if this one were not there."""
    ours = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)


sys.path[:] = [place for place in sys.path if place != HERE]
if "HEADWAY_ATTACH" in os.environ:
    mark(MARK_LOADED)
    restore_options()
    sys.meta_path.insert(0, Finder())  # type: ignore[arg-type]
if __name__ == "sitecustomize":
    load_the_next()
