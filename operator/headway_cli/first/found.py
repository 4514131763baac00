"""What an Alembic project tells of itself to somebody who writes its first resource. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FoundDatabase:
    """One database that the project migrates."""

    name: str
    """As the resource calls it."""
    section: str = ""
    """Of the configuration file; empty: that of the project."""
    target: str = ""
    """Empty: heads, which is the default."""
    variable: str = ""
    """The environment variable in which env.py looks for the URL; empty: none is known."""


@dataclass(frozen=True)
class FoundProject:
    """The project of a folder."""

    name: str
    """One that a resource may have."""
    config: str
    """The configuration file as seen from the folder."""
    section: str
    """Of all databases without one of their own."""
    databases: tuple[FoundDatabase, ...]
    command: tuple[str, ...] = ()
    """The application's own, where Alembic is not called by itself."""
    shares_variables: bool = False
    """One env.py reads the variables of all databases, also where it is to migrate only one."""
    notes: tuple[str, ...] = ()
    """What a person should know of the databases, a sentence each."""
