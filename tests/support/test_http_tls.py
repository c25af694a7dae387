"""A server whose certificate nobody vouches for gets nothing."""

import asyncio
import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.support.errors import Unreachable
from tests.support.http_rig import HEADERS, chain, http


def own_certificate(folder, host: str = "localhost") -> ssl.SSLContext:
    """Make a certificate that nobody vouches for, in ``both.pem``; return what a server presents it with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = folder / "both.pem"
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    both.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


async def test_an_untrusted_certificate_ends_the_call_before_the_token_leaves(tmp_path):
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own_certificate(tmp_path))
    async with server, http() as client:
        address = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(Unreachable, match="certificate is not trusted: self-signed") as caught:
            await client.request("GET", address, headers=HEADERS)
    assert seen == []
    assert chain(caught.value) == [caught.value]


async def test_a_server_without_encryption_is_unreachable_by_https():
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, http() as client:
        with pytest.raises(Unreachable):
            await client.request("GET", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
