"""Requests to a hub, and the answers of the release in our lock file, match the hub's published document."""

import re
import tomllib

import pytest

from bot.domain.workspaces import State
from bot.providers import facets
from tests.project.repository import ROOT
from tests.rigs.open_api import Document, checking
from usher.conformance.facets import CONTRACTS, set_up
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

USED = tomllib.loads((ROOT / "tests/project/schemas/contracts.toml").read_text())["jupyterhub"]["operations"]
#: The hub answers null for fields that its document declares as strings, numbers or objects.
NULL = re.compile(r": answer \d+ \$\S+: None is not ")
SCHEMA = ROOT / "tests/project/schemas/jupyterhub-rest-api.6.1.1.yml"


async def test_a_hub_speaks_its_published_document(hubs):
    document = Document.read(SCHEMA)
    client = checking(document, "/hub/api")

    for facet in (facets.Lists, facets.Creation, facets.Revocation, facets.Removal):
        async with hubs.rig(client=client) as rig:
            set_up(rig, facet)
            await CONTRACTS[facet](rig)
    async with hubs.rig(client=client) as rig:
        await rig.provider.probe()
        await rig.provider.start(rig.access, build_row(rig.provider, rig.remote_id))
        await rig.read_until(State.RUNNING)
        await rig.provider.stop(rig.access, build_row(rig.provider, rig.remote_id))
    assert "\n".join(sorted({one for one in document.problems if not NULL.search(one)})) == ""
    assert document.used == set(USED)
