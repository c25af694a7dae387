"""The results of checking an installation, with advice on each problem, and their display as text or JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bot.support import errors


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``advice`` says what to do about a problem, and is "" if there is none.

    A check that passed may still be a warning (``is_warning``).
    """

    name: str
    is_good: bool
    found: str
    advice: str = ""
    is_warning: bool = False


def format_plain(value: object) -> str:
    """Make text from outside safe to show in a terminal, as one short line without control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    return text[:120] or "nothing"


def explain_failure(failed: errors.ProviderError) -> str:
    """Return a sentence that explains why a server's response can't be used."""
    return (
        format_plain(failed)
        if isinstance(failed, errors.PermanentError)
        else f"no usable answer: {format_plain(failed)}"
    )


#: Advice about an untrusted certificate. Some organisations sign certificates themselves, for their servers
#: or for a proxy that decrypts traffic.
_TRUST: Final = (
    "If the certificate is the right one, add its issuer to those that this machine trusts, or to the file "
    "that SSL_CERT_FILE names."
)


def add_trust(advice: str, failed: errors.ProviderError) -> str:
    """Return the advice and, if a certificate isn't trusted, how to trust it."""
    return f"{advice} {_TRUST}" if isinstance(failed, errors.UntrustedCertificate) else advice


def exit_status(checks: Iterable[Check]) -> int:
    """Return 0 if every check passed, otherwise 1."""
    return 0 if all(check.is_good for check in checks) else 1


def as_text(checks: Sequence[Check]) -> str:
    """Return one line per check, followed by advice if the check has any."""
    lines = []
    for check in checks:
        mark = "warn" if check.is_warning else "ok  " if check.is_good else "BAD "
        lines.append(f"{mark} {check.name}: {check.found}")
        if check.advice:
            lines.append(f"     {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Format the checks as one JSON object."""
    return json.dumps({"ok": exit_status(checks) == 0, "checks": [asdict(check) for check in checks]})
