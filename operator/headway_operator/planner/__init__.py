"""Decides, in pure code: a snapshot of everything in, a decision as data out. No I/O, no clock, no logging."""
