"""What the site needs beside the pages: links to files that are no pages become their paths."""

import re
from pathlib import Path

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\((\.\./[^)]+)\)")


def on_page_markdown(markdown, page, **_):
    """Replaces links out of docs/: the site has no such pages. Figures that lie outside are left out."""
    if page.file.src_uri.startswith("api/"):
        return markdown
    markdown = IMAGE.sub(lambda found: f"*{found[1]}: `{Path(found[2]).as_posix().removeprefix('../')}`*", markdown)
    return LINK.sub(lambda found: f"{found[1]} (`{found[2].removeprefix('../')}`)", markdown)
