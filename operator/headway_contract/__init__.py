"""What crosses the pod boundary: the request, the events, the result and the exit codes.

Both sides import it, each in its own version, so a reader skips kinds and fields that it does not know.
Standard library only; pure: no I/O, no clock.
"""
