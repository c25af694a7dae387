"""The database URL: recognises the kind of database, explains errors in the URL, and finds passwords."""

import re
from pathlib import Path
from urllib.parse import unquote

from bot.support.environment import REFERENCE_PREFIXES, read_variable, resolve_secret
from bot.support.logs import redact_from_now_on

#: Matches the part of a URL that libpq interprets as user and password.
_CREDENTIALS = re.compile(r"\w+://([^@/]*)@")
#: Matches an optional host, followed by an optional port. The host is a server's name or address, or the
#: percent-encoded directory of its socket.
_HOST_PATTERN = re.compile(r"(?:[\w.%~-]+|\[[0-9a-fA-F:.%\w]+\])?(?::[0-9]{0,5})?")
_SCHEME_AND_CREDENTIALS = re.compile(r"^\w+://(?:[^@/]*@)?")


def is_postgres(url: str) -> bool:
    """Return whether a URL refers to a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def find_database_file(url: str) -> Path | None:
    """Return the SQLite file that a database URL names, or None if it names none."""
    path = url.removeprefix("sqlite:///")
    return None if path == ":memory:" or is_postgres(url) else Path(path)


def explain_wrong_url(url: str) -> str:
    """Return what is wrong with the form of a database URL, or "" if nothing is.

    The result doesn't quote the URL.
    """
    if not is_postgres(url):
        is_file = url.startswith("sqlite:///") and len(url) > len("sqlite:///")
        form = "needs the form sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        return explain_wrong_path(url.removeprefix("sqlite:///")) if is_file else form
    place = _SCHEME_AND_CREDENTIALS.sub("", url).partition("?")[0]
    # libpq would take the part of the password after its ``@`` for the host, and show it in error messages.
    if "@" in place:
        return "percent-encode the password (@ is %40, / is %2F)"
    hosts = place.partition("/")[0].split(",")
    if not all(map(_HOST_PATTERN.fullmatch, hosts)):
        return "needs the name or address of the server, and a port that is a number"
    return ""


def explain_wrong_path(path: str) -> str:
    """Return why a path in a setting must be a mistake, or "" if it looks right."""
    if path.startswith("~"):
        return "needs the whole path: only a shell replaces ~"
    is_path = "?" not in path and not re.match(r"\w+:/", path) and not path.startswith(REFERENCE_PREFIXES)
    return "" if is_path else "needs a path of this machine, without parameters"


def list_passwords(url: str) -> list[str]:
    """Return the passwords in a database URL, both as written and percent-decoded."""
    if not is_postgres(url):
        return []
    credentials = _CREDENTIALS.match(url)
    password = credentials[1].partition(":")[2] if credentials else ""
    written = [password, *re.findall(r"[?&]password=([^&]*)", url)]
    return [form for password in written if password for form in (password, unquote(password))]


def read_sign_in_again(url: str) -> str:
    """Return a URL with its current user and password, from the file to which USHER_DATABASE_URL refers.

    If there is no file, or if the file's URL is for a different database, the URL is returned unchanged.
    """
    written = read_variable("USHER_DATABASE_URL")
    if not written.startswith(("file:", "credential:")):
        return url
    try:
        current = resolve_secret(written)
    except ValueError:
        return url
    if explain_wrong_url(current) or _leave_out_sign_in(current) != _leave_out_sign_in(url):
        return url
    redact_from_now_on(list_passwords(current))
    return current


def _leave_out_sign_in(url: str) -> tuple[str, list[str]]:
    address, _, parameters = url.partition("?")
    kept = [each for each in parameters.split("&") if each and not each.startswith(("user=", "password="))]
    return _SCHEME_AND_CREDENTIALS.sub("", address), sorted(kept)
