"""How sentences are put together: after a database's own words, which end without a full stop, and of numbers."""


def sentence(text: str) -> str:
    """The text as one that another may follow; '' stays empty."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else text + "."


def counted(number: int, noun: str) -> str:
    """``1 revision``, ``2 revisions``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
