"""What holds a backfill, as a label: the sentence that people read has numbers in it, and names without end."""

KINDS = (
    ("replication slot", "ReplicationSlot"),
    ("replica ", "ReplicaLag"),
    ("WAL", "ArchiveBacklog"),
    ("for the backfill", "BlockedSessions"),
    ("sessions", "BusySessions"),
    ("dead rows", "DeadRows"),
    ("commit", "SlowCommits"),
    ("outside its windows", "Window"),
    ("hook", "Hook"),
    ("paused", "Paused"),
    ("annotation", "Paused"),
    ("goes on at 0", "Query"),
)
"""Words of the sentence, in the order in which they are looked for."""


def kind_of(sentence: str) -> str:
    """One word of a dozen; ``Other`` for what the library of another release says."""
    return next((kind for words, kind in KINDS if words in sentence), "Other")
