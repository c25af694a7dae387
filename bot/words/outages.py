"""What administrators read when a connection stops answering, and when it answers again."""

from __future__ import annotations

from typing import Final

AWAY: Final = (
    "*{title}* has not answered since {since}. Whoever waits for it reads so on their card, and nothing "
    "is lost: I keep trying, and tell you when it answers again. "
    "If it stays, `doctor` may know more."
)
AWAY_SHORT: Final = "{title} does not answer."
BACK: Final = (
    "*{title}* answers again. It had not since {since}, for {lasted}. What waited goes on by itself."
)
BACK_SHORT: Final = "{title} answers again."
