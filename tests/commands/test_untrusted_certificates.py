"""Test that doctor recognises certificates that aren't trusted, and says how to trust them."""

import asyncio

from bot.commands.connection_checks import check_connection
from bot.commands.doctor import check_address
from bot.commands.slack_checks import check_slack
from bot.providers import build_providers
from bot.support.http import Http
from bot.support.settings import Settings
from tests.app.command_line import environment
from tests.rigs.connections import load_connections
from tests.support.certificates import own_certificate


async def test_certificates_that_are_not_trusted_are_reported_with_what_to_do(tmp_path):
    """An organisation's own authority has signed them."""

    async def serve(_reader, writer):
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own_certificate(tmp_path))
    async with listening, Http.new_session() as session:
        http, url = Http(session), f"https://localhost:{listening.sockets[0].getsockname()[1]}"
        path = tmp_path / "connections.toml"
        path.write_text(f'[connections.saturn]\nprovider = "saturn"\nbase_url = "{url}"\n')
        path.chmod(0o600)
        given = Settings(**environment(tmp_path, USHER_PUBLIC_URL=url, USHER_SLACK_API_URL=f"{url}/api/"))
        saturn = build_providers(load_connections(path), http)["saturn"]
        checks = [
            await check_address(given, http),
            *await check_slack(given, http),
            await check_connection("saturn", saturn),
        ]
    for check in checks:
        assert "certificate is not trusted" in check.found, check
        assert "nothing answers" not in check.found, check
        assert "SSL_CERT_FILE" in check.advice, check
