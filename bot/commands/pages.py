"""Finds the pages of ``docs/``, which are inside the package in a wheel and next to it in a checkout."""

import argparse
import re
from pathlib import Path

from bot.commands import complain


def docs(arguments: argparse.Namespace) -> int:
    """Print a page, one of its sections, or the names of the pages in a folder."""
    name, _, anchor = arguments.page.partition("#")
    name, room = name.strip("./").removeprefix("docs/").removesuffix(".md"), Path(__file__).parents[1]
    folder = next((place for place in (room / "docs", room.parent / "docs") if place.is_dir()), room)
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.md"))}
    text = "\n".join(page for page in found if page.startswith(f"{name}/"))
    # A page in a folder is also found by its bare name, which other pages in that folder use.
    within = [page for page in found if f"/{page}".endswith(f"/{name}.md")]
    if f"{name}.md" in found or len(within) == 1:
        page = f"{name}.md" if f"{name}.md" in found else within[0]
        text = found[page].read_text(encoding="utf-8").rstrip()
    if not (text := find_section(text, anchor) if anchor else text):
        complain(f"There's no page or section {arguments.page}. `usher docs` lists all that there are.")
        return 2
    text = re.sub(r"^ *<!-- .* -->\n\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r'<img [^>]*alt="([^"]*)">', r"[Picture: \1]", text)
    # A link labelled with its own target is printed as just that target, in the form that this command
    # accepts.
    print(re.sub(r"\[([^][]+)\]\((?:\.\./)*(\1[^)]*)\)", r"\2", text))
    return 0


def find_section(text: str, anchor: str) -> str:
    """Return the section whose heading has this anchor, with its subsections, or "" if there is none."""
    # Search only deeper headings, since a single # marks the page's title or a comment in an example.
    for heading in re.finditer(r"^(#{2,}) (.+)$", text, re.MULTILINE):
        if to_anchor(heading[2]) == anchor:
            end = re.compile(rf"^#{{2,{len(heading[1])}}} ", re.MULTILINE).search(text, heading.end())
            return text[heading.start() : end.start() if end else None].rstrip()
    return ""


def to_anchor(heading: str) -> str:
    """Return the anchor that GitHub generates for a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
