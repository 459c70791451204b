"""Holds the pages to be complete in themselves: nothing is loaded from elsewhere."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

# What a browser fetches by itself; a link that somebody follows is none.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["'](?:https?:)?//[^"']+"""
    r"""|<link\b(?=[^>]*\brel=["'](?:stylesheet|preload|preconnect|icon))[^>]*?"""
    r"""\bhref=["'](?:https?:)?//[^"']+|@import\s+(?:url\()?["']?(?:https?:)?//\S+"""
)


def remote(folder: Path) -> list[str]:
    """What the pages and style sheets of a folder load from elsewhere, with the file."""
    return [
        f"{path.relative_to(folder)}: {found[0]}"
        for kind in ("html", "css")
        for path in sorted(folder.rglob(f"*.{kind}"))
        for found in FETCHED.finditer(path.read_text("utf-8"))
    ]


def check(app: Sphinx, failure: Exception | None) -> None:
    """End the build with an error if a page loads anything."""
    if failure is None and app.builder.format == "html" and (found := remote(Path(app.outdir))):
        raise SphinxError("pages load from elsewhere:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
