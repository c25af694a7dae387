"""axe, which finds what keeps people from a page who see, hear or move otherwise.

``axe.4.14.1.min.js`` is ``axe.min.js`` of npm's package axe-core 4.14.1, unchanged, under the Mozilla Public
License 2.0.
"""

from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("axe.4.14.1.min.js").read_text(encoding="utf-8")
#: Phones and desktops, in CSS pixels.
SIZES: Final = ((375, 812), (1280, 800))
#: In the dark a page is the same but for its colours. The size of targets is left out unless it's asked for.
LOOKS: Final = {
    "light": {"rules": {"target-size": {"enabled": True}}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
