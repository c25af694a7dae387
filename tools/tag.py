"""Check that a tag fits its commit's release, and print the changelog's section on it.

    python -m tools.tag vVERSION

If the tag isn't ``v`` followed by ``RELEASE``, or the changelog has no section on that release, it prints a
sentence that says so, and exits with status 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from bot.support.release import RELEASE

ROOT = Path(__file__).resolve().parent.parent


def find_news(tag: str, changelog: str) -> str:
    """Return the changelog's section on a tag's release, or raise ValueError with a sentence."""
    if tag != f"v{RELEASE}":
        raise ValueError(
            f"the tag is {tag}, and RELEASE in bot/support/release.py is {RELEASE}: one is wrong"
        )
    parts = re.split(r"^## \[([^]]+)\].*$", changelog, flags=re.MULTILINE)
    news = dict(zip(parts[1::2], parts[2::2], strict=True)).get(RELEASE, "").strip()
    if not news:
        raise ValueError(
            f"CHANGELOG.md says nothing below a heading [{RELEASE}]: put the version and date there"
        )
    return news


def main(tag: str) -> int:
    """Print the changelog's section on a tag's release."""
    try:
        print(find_news(tag, (ROOT / "CHANGELOG.md").read_text("utf-8")))
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
