"""Start of the runner: ``python <folder>/headway_runner`` or ``python -m headway_runner``.

Rule: this file is read by whatever Python the image has, so it keeps to syntax that every Python 3 knows and looks
at the version before anything else is imported. A folder that is started puts itself first on ``sys.path``, where
its modules would shadow the user's; its parent takes that place, and the injected copy wins over an installed one.
"""

import gc
import os
import sys

OLDEST = (3, 10)
EXIT_OLD_PYTHON = 79  # ExitCode.OLD_PYTHON, which cannot be imported here


def tell_old_python():
    # type: () -> int
    """Write a result that the operator can read, without the contract; returns the exit code."""
    import json

    try:
        request = json.loads(os.environ.get("HEADWAY_REQUEST", "{}"))
    except ValueError:
        request = {}
    needed = "Python %d.%d, but %d.%d or newer is needed." % (sys.version_info[:2] + OLDEST)
    message = "%s is %s" % (sys.executable, needed)
    result = {
        "outcome": "Failed",
        "run": str(request.get("run", "")),
        "failure": {"name": "OldPython", "message": message},
    }
    sys.stderr.write(message + "\n")
    path = request.get("terminationLog")
    if path:
        with open(path, "w") as log:
            log.write(json.dumps(result))
    return EXIT_OLD_PYTHON


def start():
    # type: () -> int
    """Check the version, set the path, run; returns the exit code."""
    if sys.version_info < OLDEST:
        return tell_old_python()
    if not __package__:
        sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.argv[1:2] == ["gate"]:
        from headway_runner import gate

        return gate.main(sys.argv[2:])
    # What is imported stays: looking for garbage in it meanwhile takes a tenth of the time of importing it.
    gc.disable()
    from headway_runner.main import main

    return main()


if __name__ == "__main__":
    code = start()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written; taking the interpreter apart would only take time.
    os._exit(code)
