"""How people are named to others."""

from __future__ import annotations

from typing import Final

#: Somebody whose name isn't known.
SOMEBODY: Final = "somebody"
#: Somebody of a Slack workspace that the reader has to be told; then the same without formatting.
IN_WORKSPACE: Final = "{who} (*{workspace}*)"
IN_WORKSPACE_PLAIN: Final = "{who} ({workspace})"
#: Somebody where Usher isn't installed any more.
ELSEWHERE: Final = "{who} (in another Slack workspace)"
