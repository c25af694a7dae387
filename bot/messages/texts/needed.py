"""What people are asked about workspaces that were left running."""

from collections.abc import Mapping
from typing import Final

#: By whether the provider says when it was last used.
ASK: Final[Mapping[bool, str]] = {
    False: "*{name}* on {title} has been running since {since}. Still needed?",
    True: "*{name}* on {title} is running, but hasn't been used since {since}. Still needed?",
}
SHORT: Final = "Is {name} on {title} still needed?"
STOPS: Final[Mapping[str, str]] = {
    "stop": "If you don't answer, I'll stop it {at}.",
    "suspend": "If you don't answer, I'll suspend it {at}.",
}
KEEP: Final = "Keep"
AT_SIX: Final[Mapping[str, str]] = {"stop": "Stop at 18:00", "suspend": "Suspend at 18:00"}
