"""The creation of a workspace, as it is requested: the request and its provisional row."""

from bot.domain.forms import Spec
from bot.domain.workspaces import PROVISIONAL, Workspace
from tests.rigs.store import ALICE, accept_creation, gate_key

SPEC = Spec("analysis", {"ide": "RStudio", "hooks": ("a", "b")})


def provisional(number=1, *, principal=ALICE, **fields):
    remote_id = f"{PROVISIONAL}ws{number}"
    key = gate_key("posit", f"#{remote_id}")
    return Workspace(f"ws{number}", principal, "posit", remote_id, key, "analysis", spec=SPEC, **fields)


async def asked(store, workspace=None, interaction="i1", **more):
    workspace = workspace or provisional()
    return await accept_creation(store, workspace, interaction=interaction, channel_id="C1", **more)
