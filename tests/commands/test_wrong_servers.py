"""Nine servers by four kinds, each pair played by what ``up`` asks: only what is one is called ``ok``."""

import asyncio
import re

import pytest

from bot.commands.up import Conversation
from bot.providers import read_connections
from tests.commands.first_settings import begins, folder  # noqa: F401 - fixtures
from tests.rigs.strangers import KINDS, OWN, OWNER, SERVERS, TOKEN, stranger


class Newcomer:
    """Name a kind and an address, give a token wherever one is asked for, and leave at any other question."""

    def __init__(self, first):
        self.answers = [first]
        self.said = []

    def ask(self, question):
        self.said.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop()

    def ask_secret(self, question):
        self.said.append(question)
        if len([one for one in self.said if one == question]) > 1:
            return ""
        return TOKEN

    async def plays(self):
        with pytest.raises(EOFError):
            await asyncio.to_thread(Conversation(self.ask, self.ask_secret, self.said.append, None).run)
        return "\n".join(self.said)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("kind", KINDS)
async def test_no_server_is_taken_for_what_it_is_not(folder, begins, kind, name):  # noqa: F811
    begins()
    async with stranger(name) as server:
        said = await Newcomer(f"{kind} {server.url}").plays()
    good = re.findall(r"^ok .*$", said, re.MULTILINE)
    is_written = (folder / "connections.toml").exists()
    if name != kind:
        # Whoever is asked for a token there isn't told to link later: that address is never taken.
        assert "Enter to link later" not in said
        assert (good, is_written) == ([], False), said
        return
    # Some say what they are to people only: then it is the person's token that shows it.
    assert (f"ok   connection {kind}: {server.url} answers (" in good[0]) == (kind != "posit")
    assert read_connections(folder / "connections.toml")[1] == []
    if kind != "sphere":
        assert re.search(
            rf"your account: ({OWNER} on .*|.* accepts that token)\. Workspaces: .*{OWN} \(", good[-1]
        )
    # The person's own is in no file, and Sphere's, which is the connection's, where it belongs.
    texts = "".join(one.read_text() for one in folder.iterdir())
    assert (TOKEN in texts) == (kind == "sphere")
