"""axe, which finds accessibility problems in a page.

``axe.4.14.1.min.js`` is ``axe.min.js`` from the npm package axe-core 4.14.1, unchanged, under the Mozilla
Public License 2.0.
"""

from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("axe.4.14.1.min.js").read_text(encoding="utf-8")
#: Sizes of a phone's and of a desktop's screen, in CSS pixels.
SIZES: Final = ((375, 812), (1280, 800))
#: Rules of axe for light and dark mode. In dark mode, only the colours of a page differ, so only they are
#: checked. axe checks the size of targets only if that rule is enabled.
LOOKS: Final = {
    "light": {"rules": {"target-size": {"enabled": True}}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
