"""PostgreSQL as in production: over TCP and TLS, with a role that needs a password.

The wheel's server doesn't support TLS, so a proxy in front of it does, as PostgreSQL's protocol describes:
the client requests TLS with one message, and everything after the answer is encrypted.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.rigs import postgres
from tests.rigs.relays import listening, relay

_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")


@contextmanager
def owned_by(url: str, role: str, password: str) -> Iterator[None]:
    """Create a role that owns the database of a URL and has to give a password to connect to it."""
    name = urlsplit(url).path.strip("/")
    with postgres.connected(url) as connection:
        if connection.execute("SELECT to_regrole(%s)", [postgres.ASKED]).fetchone() == (None,):
            pytest.skip("the server asks nobody for a password: it isn't the wheel's")
        connection.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD '{password}' IN ROLE {postgres.ASKED}".encode()
        )
        connection.execute(f"ALTER DATABASE {name} OWNER TO {role}".encode())
        connection.execute(f"ALTER SCHEMA public OWNER TO {role}".encode())
        try:
            # The server rereads its rules with a delay, so wait until it no longer lets the role in without a
            # password.
            while _is_let_in(url, role):
                pass
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} OWNER TO CURRENT_USER".encode())
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def _is_let_in(url: str, role: str) -> bool:
    try:
        psycopg.connect(url, user=role, password="not this one").close()
    except psycopg.OperationalError:
        return False
    return True


@asynccontextmanager
async def tls_before(url: str, certificate: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Listen on TCP in front of a server, with TLS if there is a certificate, and yield the port."""
    place = f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(len(_ASKS_FOR_TLS))
        if first == _ASKS_FOR_TLS:
            writer.write(b"N" if certificate is None else b"S")
            if certificate is not None:
                # A client that doesn't trust the certificate closes the connection.
                await writer.start_tls(certificate)
            first = b""
        server = await asyncio.open_unix_connection(place)
        server[1].write(first)
        await relay(reader, writer, server)

    async with listening(serve) as port:
        yield port
