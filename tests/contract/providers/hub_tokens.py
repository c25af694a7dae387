"""The tokens that a hub lists for its server's owner, read through the hub's own API."""

from bot.support.http import Http
from tests.contract.providers.rigs import Rig


async def api(hub: Rig, method: str, path: str, **body: object) -> dict[str, object]:
    """Call the hub's API directly as the rig's person, without the provider."""
    async with Http.new_session() as session:
        token = hub.access.credential.token.get_secret_value()
        answer = await Http(session).request(
            method,
            hub.server.api_url + path,
            headers={"Authorization": f"token {token}"},
            json_body=body or None,
        )
        assert answer.status < 300
        return answer.json_object() if answer.body else {}


async def tokens(hub: Rig) -> dict[str, dict[str, object]]:
    listed = await api(hub, "GET", f"/users/{hub.access.username}/tokens")
    found = listed["api_tokens"]
    assert isinstance(found, list)
    return {token["id"]: token for token in found}
