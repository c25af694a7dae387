"""``up`` tries nine servers as each of four kinds: only servers of the right kind are called ``ok``."""

import asyncio
import re

import pytest

from bot.commands.up import Conversation
from bot.providers import read_connections
from tests.commands.first_settings import begins, folder  # noqa: F401 - fixtures
from tests.rigs.strangers import KINDS, OWN, OWNER, SERVERS, TOKEN, stranger


class Newcomer:
    """A person who names a kind and an address, gives a token if asked, and leaves at any other question."""

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
        # If the server is of another kind, its address is never accepted, so ``up`` doesn't offer to link
        # later.
        assert "Enter to link later" not in said
        assert (good, is_written) == ([], False), said
        return
    # Some servers identify themselves only to signed-in people, so they are recognised by the person's token.
    assert (f"ok   connection {kind}: {server.url} answers (" in good[0]) == (kind != "posit")
    assert read_connections(folder / "connections.toml")[1] == []
    if kind != "sphere":
        assert re.search(
            rf"your account: ({OWNER} on .*|.* accepts that token)\. Workspaces: .*{OWN} \(", good[-1]
        )
    # A person's own token isn't in any file. Sphere's token belongs to the connection, so it is in the
    # connections file.
    texts = "".join(one.read_text() for one in folder.iterdir())
    assert (TOKEN in texts) == (kind == "sphere")
