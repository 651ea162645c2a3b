"""Messages of a run, in lines of the terminal's width."""

import shutil
import textwrap


def wrapped(text: str) -> str:
    """A paragraph in lines of the terminal's width, of 80 letters where that is not known; no word is cut."""
    width = shutil.get_terminal_size().columns
    return textwrap.fill(text, max(width, 40), break_long_words=False, break_on_hyphens=False)
