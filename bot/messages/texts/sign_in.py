"""What the pages of linking say where people sign in at the provider, instead of pasting a token."""

from __future__ import annotations

from bot.messages.texts.pages import check_failed
from bot.support.errors import CredentialRefused, Forbidden, ProviderError, TemporaryError, Untrusted

ACCOUNT_TO_COME = "the one you sign in to"
AGAIN_BUTTON = "Use another account"
PASTE_INSTEAD = "Paste a token instead"


def after_slack(title: str) -> str:
    """Say what follows Sign in with Slack where people then sign in at the provider."""
    return (
        f"Sign in with Slack to confirm, then sign in to {title}. "
        "Usher shows you both accounts before it links anything."
    )


def button(title: str) -> str:
    """Label the button that leads to the provider's own page."""
    return f"Sign in to {title}"


def text(title: str) -> str:
    """Say what happens next, and which account it will be."""
    return (
        f"Usher sends you to {title} to sign in, and shows you both accounts before it links anything. "
        f"If you're signed in to {title} as somebody else, sign out there first."
    )


def cancelled(title: str) -> str:
    """Answer when a person didn't sign in at the provider."""
    return f"You didn't finish signing in to {title}. Nothing was linked. Try again when you're ready."


def unset(title: str) -> str:
    """Answer when the provider doesn't let Usher ask people to sign in."""
    return (
        f"{title} doesn't let Usher sign people in. Nothing was linked. Tell your Usher admin to compare how "
        "Usher is registered there with docs/install.md. Until then, go back and paste a token instead."
    )


def failed(error: ProviderError, title: str, tries_left: int) -> str:
    """Say why signing in at the provider led nowhere, with what to do."""
    if isinstance(error, CredentialRefused):
        return f"{title} no longer accepts this sign-in. Nothing was linked. Go back and sign in again."
    if isinstance(error, Untrusted):
        return unset(title)
    if isinstance(error, Forbidden):
        return (
            f"{title} doesn't let Usher create the token that it needs. Nothing was linked. Tell your Usher "
            "admin to compare the permissions that it has there with docs/install.md."
        )
    if isinstance(error, TemporaryError):
        return check_failed(error, title, tries_left)
    return (
        f"{title} didn't finish signing you in. Nothing was linked. "
        "If it happens again, tell your Usher admin."
    )
