"""A database's own words end without a full stop, and sentences of ours come after them."""


def sentence(text: str) -> str:
    """The text as one that another may follow; '' stays empty."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else text + "."
