"""Linking an account through a web page: open the link, prove who you are, check a token, confirm.

Each step is a use case. Checking a token involves the provider, so this step takes two use cases. One counts
the attempt before the provider is called, and the other stores the result. ``docs/internals/rules.md``
explains why the steps are needed ("Linking proves both sides"). Every refusal is a ``Refused`` whose
message is shown to the person, and whose rule determines the HTTP status of the page.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from pydantic import SecretStr

from bot.domain.accounts import Account, Link, defer_after
from bot.domain.audit import AuditEntry
from bot.domain.people import Person, Principal
from bot.domain.tasks import TaskKind
from bot.providers import base, facets
from bot.services import accounts
from bot.services.caller import Caller, concerns_caller
from bot.services.context import Context
from bot.store import accounts as rows
from bot.store import links, people
from bot.store.audit import append_audit
from bot.store.notices import find_direct_channel
from bot.store.tables import LINKS, TASKS
from bot.store.tasks import NewTask, add_tasks
from bot.store.transaction import Transaction
from bot.support.cleaning import MAX_SHOWN_LENGTH, SLACK_TOKEN, clean, escape
from bot.support.errors import CredentialRefused, ProviderError, Refused, TemporaryError, UnknownOutcome
from bot.support.logs import mark_as_known
from bot.support.vault import row_key

#: Lifetime, in seconds, of a page for linking an account.
LINK_SECONDS = 600.0
#: Lifetime, in seconds, of a code that a link page shows for the person to type in Slack. The page then lasts
#: as long as the code.
CODE_SECONDS = 600.0
#: How long, in seconds, a credential that Usher obtained for a link page is kept if the person doesn't
#: confirm the link. The credential is then revoked. By that time, the page and its code have expired.
UNUSED_SECONDS = LINK_SECONDS + CODE_SECONDS + 60.0
#: Time limit for checking a token, in seconds.
CHECK_TIMEOUT_SECONDS = 10.0
MAX_ATTEMPTS = 5
CODE_LENGTH = 8
#: Maximum length of a token, in characters. Real providers' tokens are shorter.
MAX_TOKEN_LENGTH = 4096
#: Number of characters of a link's digest in the URLs of its pages.
NAME_LENGTH: Final = 12

#: Characters used in codes: none that are easily confused, and no vowels, so that codes don't form words.
_CODE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
_NONCE_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")


#: Column values of a link for which no account has been checked. Writing them discards a checked account.
_WITHOUT_ACCOUNT: Final[Mapping[str, Any]] = dict.fromkeys(("secret", "username", "remote_id")) | {
    "stage": "open"
}
_USERNAME_PATTERN: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


def is_username(text: str) -> bool:
    """Return whether a username can be approved. It must be short and have no invisible characters."""
    return (
        _USERNAME_PATTERN.fullmatch(text) is not None
        and clean(text) == text
        and len(escape(text)) <= MAX_SHOWN_LENGTH
    )


class Visit(NamedTuple):
    """A browser's visit to a link's page, identified by the link's nonce and the browser's own secret."""

    nonce: str
    browser: str

    @property
    def name(self) -> str:
        """Return the name that identifies the link in page URLs. The name alone can't open the link."""
        return compute_digest(self.nonce)[:NAME_LENGTH]


class LinkPage(NamedTuple):
    """The contents of a link's page.

    ``signs_in`` says whether the person can sign in at the provider instead of pasting a token. ``former`` is
    the username of the person's existing link on this connection, or "". ``channel`` is the channel of the
    person's direct messages with Usher, if known.
    """

    link: Link
    title: str
    person: str
    workspace: str
    help: facets.TokenHelp
    needs_sign_in: bool
    signs_in: bool = False
    former: str = ""
    channel: str | None = None

    @property
    def is_another(self) -> bool:
        """Return whether confirming would replace the person's linked account with a different one."""
        return bool(self.former and self.link.username and self.former != self.link.username)

    @property
    def mark(self) -> str:
        """Return a digest of the checked token. A confirmation applies only to the token with this digest."""
        return compute_digest(self.link.secret or "")[:16]


class Confirmed(NamedTuple):
    """The result of a confirmation: the linked account, or else the code to type in Slack."""

    opened: LinkPage
    account: Account | None = None
    code: str | None = None


def compute_digest(text: str) -> str:
    """Return the SHA-256 digest of a string, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def create_nonce() -> str:
    """Return a random 256-bit nonce for a link's URL."""
    return secrets.token_urlsafe(32)


def is_nonce(text: str) -> bool:
    """Return whether a string has the form of a nonce."""
    return _NONCE_PATTERN.fullmatch(text) is not None


def create_code() -> str:
    """Return a random code of eight characters, none of which are easily confused."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(CODE_LENGTH))


def normalise_code(typed: str) -> str:
    """Return the code that a person typed, in upper case and without separators."""
    return "".join(letter for letter in typed.upper() if letter in _CODE_ALPHABET)[: CODE_LENGTH * 2]


def is_token(text: str) -> bool:
    """Return whether a string can be sent as a token: printable ASCII without spaces."""
    return 0 < len(text) <= MAX_TOKEN_LENGTH and text.isascii() and text.isprintable() and " " not in text


def get_return_address(public_url: str, connection: str) -> str:
    """Return the URL to which a connection's provider redirects people after they have signed in."""
    return f"{public_url.rstrip('/')}/link/back/{connection}"


def format_person_name(principal: Principal, person: Person | None) -> str:
    """Return the name that pages show for a person, or the person's Slack id if no name is known yet."""
    return person.name if person is not None and person.name.strip() else principal.user_id


# -- in Slack ------------------------------------------------------------------------------------------------


@concerns_caller
def create_links(
    tx: Transaction, caller: Caller, deferred_commands: Mapping[str, dict[str, Any] | None]
) -> dict[str, str]:
    """Create a link for each connection and return the URLs.

    A link for a single connection replaces the person's older links for it. Links for several connections are
    only offers, so pages on which the person is already linking an account remain valid.
    ``deferred_commands`` maps each connection to the command to run once its account is linked. Raises
    Refused if Usher has no public URL (``link.no_address``), if a connection can't be linked in this way
    (``link.unknown_connection``, ``link.not_by_token``), or if the request is delivered again
    (``link.repeated``).
    """
    caller.check(tx, "link")
    if not caller.is_first_delivery(tx):
        raise Refused("link.repeated")
    nonces = {name: create_nonce() for name in deferred_commands}
    for name, body in deferred_commands.items():
        create = _replace_links if len(deferred_commands) == 1 else _create_link
        create(tx, caller, name, body, nonces[name])
    origin = (caller.context.public_url or "").rstrip("/")
    return {name: f"{origin}/link/{nonce}" for name, nonce in nonces.items()}


def _replace_links(
    tx: Transaction, caller: Caller, connection: str, deferred_command: dict[str, Any] | None, nonce: str
) -> None:
    """Replace the person's links on a connection with a new one.

    The commands that were waiting for the old links now wait for the new one.
    """
    earlier = links.list_deferred_commands(tx, caller.principal, connection)
    links.expire(tx, caller.principal.key, connection)
    _create_link(tx, caller, connection, defer_after(earlier, deferred_command), nonce)


def _create_link(
    tx: Transaction, caller: Caller, connection: str, deferred_command: dict[str, Any] | None, nonce: str
) -> None:
    context, principal = caller.context, caller.principal
    provider = context.connections.get(connection)
    if provider is None or not provider.is_available_to(principal):
        raise accounts.refuse_unknown_connection(
            context, connection, context.list_linkable("token", principal)
        )
    if not provider.has_link_method("token"):
        raise Refused("link.not_by_token", title=provider.settings.title)
    if context.public_url is None:
        raise Refused("link.no_address")
    now = tx.now()
    link = Link(
        compute_digest(nonce),
        principal,
        connection,
        deferred_command,
        now,
        now + LINK_SECONDS,
        attempts_left=MAX_ATTEMPTS,
    )
    LINKS.add(tx, link)
    _audit(tx, link, "link.invited", "ok")


def keep_response_url(
    tx: Transaction, caller: Caller, connection: str, response_url: str, until: float
) -> None:
    """Store the response URL of the message that contains the link, so that the message can be replaced.

    ``until`` is when the URL expires.
    """
    link = links.find_open_link(tx, caller.principal, "open", connection)
    if link is not None and link.deferred_command is not None:
        body = link.deferred_command | {"response_url": response_url, "response_until": until}
        _change_link(tx, link, deferred_command=body)


def wait_for_proof(
    tx: Transaction, caller: Caller, connection: str, identity: base.Identity, pasted: str
) -> str | Refused:
    """Create a link with a token that has already been checked. Return the link's URL.

    On the link's page, the person just has to prove who they are.
    """
    url = create_links(tx, caller, {connection: None})[connection]
    visit = Visit(url.rpartition("/")[2], "")
    kept = keep_credential(tx, caller, visit, _require_usable(tx, caller, visit), identity, pasted)
    return kept if isinstance(kept, Refused) else url


def confirm_code(tx: Transaction, caller: Caller, code: str) -> Account | Refused:
    """Link the account whose code the person typed.

    Raises Refused if none of the person's links is waiting for a code. If the code is wrong, the refusal is
    returned instead, so that the attempt still counts.
    """
    caller.check(tx, "link")
    command = caller.context.command
    link = links.find_open_link(tx, caller.principal, "code")
    if (
        link is None
        or link.code_hash is None
        or link.code_attempts_left <= 0
        # The operator may have changed the connections since the link was created.
        or link.connection not in caller.context.list_linkable("token", caller.principal)
    ):
        raise Refused("code.none", command=command)
    # Every attempt counts towards the limit, whatever its result. `is_first_delivery` can't be used here,
    # because after a wrong code the form stays open and is submitted again with the same key.
    left = link.code_attempts_left - 1
    tried = _change_link(tx, link, code_attempts_left=left, attempts_left=left)
    expected = caller.context.vault.open(_get_code_key(link), link.code_hash)["code"]
    if not hmac.compare_digest(expected.encode(), compute_digest(normalise_code(code)).encode()):
        _audit(tx, link, "link.code", "refused", attempts_left=left)
        return Refused("code.wrong", attempts_left=left, command=command)
    return _use_link(tx, caller, tried, proof="code")


# -- on the page ---------------------------------------------------------------------------------------------


async def find_caller(context: Context, visit: Visit) -> Caller:
    """Return a caller for the person a link was created for. Raise Refused if there is no such link."""
    link = (
        await context.store.read(links.find_link, compute_digest(visit.nonce))
        if is_nonce(visit.nonce)
        else None
    )
    if link is None:
        raise _refuse_unknown(context)
    mark_as_known()
    return Caller(context, link.principal)


def show_page(tx: Transaction, caller: Caller, visit: Visit) -> LinkPage:
    """Return a link's page without changing anything. Raise Refused if the link can't be used."""
    link = _require_usable(tx, caller, visit)
    if not caller.context.sign_in:
        _check_browser(caller, link, visit)
    if link.stage == "open" and link.attempts_left <= 0:
        raise _refuse_without_attempts(caller, link)
    return _build_page(tx, caller, link, visit)


def start_link(tx: Transaction, caller: Caller, visit: Visit, connection: str) -> LinkPage | Refused:
    """Create a link for a person who signed in with Slack on a connection's permanent page.

    All commands that were waiting for the person's earlier links now wait for the new one.
    """
    _replace_links(tx, caller, connection, None, visit.nonce)
    return accept_proof(tx, caller, visit, caller.principal)


def accept_proof(tx: Transaction, caller: Caller, visit: Visit, proven: Principal) -> LinkPage | Refused:
    """Let a person who has signed in with Slack continue with a link that was created for them.

    If the link was created for someone else, return a refusal with the rule ``link.mismatch``, and record
    both people in the audit log. If a browser has already used the link, discard the token that was checked
    there, if any. If no browser has used it yet, keep a token that was checked when the link was created
    (``wait_for_proof``).
    """
    link = _require_usable(tx, caller, visit)
    if not caller.context.installation.is_same_person(link.principal, proven):
        _audit(tx, link, "link.sign_in", "mismatch", signed_in=proven.key)
        other = {"link_of": link.principal.key}
        append_audit(tx, [AuditEntry(proven.key, "link.sign_in", _get_audit_target(link), "mismatch", other)])
        opened = _build_page(tx, caller, link, visit)
        return Refused("link.mismatch", person=opened.person, workspace=opened.workspace)
    begun: Mapping[str, Any] = {} if link.browser_hash is None else _WITHOUT_ACCOUNT
    fresh = _change_link(tx, link, **begun, proven=True, browser_hash=compute_digest(visit.browser))
    _audit(tx, link, "link.sign_in", "ok")
    return _build_page(tx, caller, fresh, visit)


def sign_in_page(tx: Transaction, caller: Caller, visit: Visit, state: str, challenge: str) -> str:
    """Return the URL for signing in at the provider, or "" if the person can't or needn't sign in there.

    This only reads the link. The provider must return ``state`` unchanged. ``challenge`` protects the code
    that the provider returns.
    """
    link = _require_attempts(tx, caller, visit)
    client = caller.context.connections[link.connection].oauth
    if client is None or link.stage != "open":
        return ""
    back = get_return_address(caller.context.public_url or "", link.connection)
    return client.authorization_url(back, state, challenge)


async def check_token(caller: Caller, visit: Visit, pasted: str) -> LinkPage:
    """Have the provider identify a token's owner, within ten seconds. Each link allows five attempts.

    If the token can't be used, raise Refused with a message that says what to do next. An attempt doesn't
    count if the provider fails.
    """
    tried = await caller.run(count_attempt, visit, pasted)
    provider = caller.context.connections[tried.connection]
    token = provider.clean_token(pasted)
    asking = provider.check_credential(base.Credential(SecretStr(token)))
    is_usual = re.fullmatch(provider.require_facet(facets.Tokens).token_help().pattern, token) is not None
    cause = "failed_check" if is_usual else "failed_check_of_odd_token"
    return await _identify_account(caller, visit, tried, asking, "token", cause, token)


async def check_sign_in(caller: Caller, visit: Visit, code: str, verifier: str) -> LinkPage:
    """Have the provider identify the owner of a sign-in code, as ``check_token`` does for a token."""
    tried = await caller.run(count_attempt, visit)
    client = caller.context.connections[tried.connection].oauth
    assert client is not None, "somebody was sent there"
    back = get_return_address(caller.context.public_url or "", tried.connection)
    asking = client.exchange_code(code, verifier, back)
    return await _identify_account(caller, visit, tried, asking, "sign_in", "failed_sign_in")


@concerns_caller
def count_attempt(tx: Transaction, caller: Caller, visit: Visit, pasted: str | None = None) -> Link | Refused:
    """Count an attempt before the provider is called, so that concurrent attempts can't exceed the limit.

    If the ``pasted`` text can't be a token for this connection, it isn't sent anywhere and the attempt isn't
    counted.
    """
    link = _require_attempts(tx, caller, visit)
    provider = caller.context.connections[link.connection]
    title = provider.settings.title
    if pasted is None:
        if provider.oauth is None or link.stage != "open":
            raise Refused("link.changed")
    else:
        token = provider.clean_token(pasted)
        foreign = refuse_foreign_token(token, title, caller.context.connections.values())
        if foreign is not None:
            _audit(tx, link, "link.check", "refused", error=foreign.rule)
            return foreign
        if not is_token(token):
            raise Refused("token.shape", title=title)
    left, browser = link.attempts_left - 1, compute_digest(visit.browser)
    return _change_link(tx, link, **_WITHOUT_ACCOUNT, attempts_left=left, browser_hash=browser)


@concerns_caller
def keep_credential(
    tx: Transaction, caller: Caller, visit: Visit, tried: Link, identity: base.Identity, pasted: str
) -> LinkPage | Refused:
    """Store the credential of an account that the provider has identified, until the link is confirmed.

    A credential that Usher obtained itself, by a sign-in or in exchange for a pasted token, is revoked if it
    is never used.
    """
    provider, credential = caller.context.connections[tried.connection], identity.credential
    sealed = accounts.seal_credential(caller, tried.connection, credential)
    if isinstance(provider, facets.Revocation) and credential.token.get_secret_value() != pasted:
        # Queue the revocation even if the link has changed or expired, so that no credential is left behind
        # at the provider.
        revoked = {"principal": tried.principal.key, "connection": tried.connection}
        revoked |= {"username": identity.username, "secret": sealed}
        subject = compute_digest(sealed)
        add_tasks(tx, [NewTask(TaskKind.REVOKE_UNUSED, subject, revoked, due_in=UNUSED_SECONDS)])
    if not _is_unchanged_since(tx, tried):
        return Refused("link.changed")
    checked = _change_link(
        tx,
        tried,
        stage="checked",
        secret=sealed,
        username=identity.username,
        credential_expires_at=credential.expires_at,
        link_source="token" if pasted else "sign_in",
        remote_id=credential.account_id,
    )
    _audit(tx, checked, "link.check", "ok", username=identity.username)
    return _build_page(tx, caller, checked, visit)


@concerns_caller
def record_failed_attempt(tx: Transaction, caller: Caller, tried: Link, error: ProviderError) -> None:  # noqa: ARG001 - a use case
    """Record in the audit log that the provider didn't identify an account.

    A temporary failure doesn't use up one of the link's attempts.
    """
    if isinstance(error, TemporaryError) and _is_unchanged_since(tx, tried):
        _change_link(tx, tried, attempts_left=tried.attempts_left + 1)
    kind = type(error).__name__
    _audit(tx, tried, "link.check", "refused", error=kind)


def discard_token(tx: Transaction, caller: Caller, visit: Visit) -> LinkPage:
    """Discard the checked credential. The person can then use another one."""
    link = _require_writable(tx, caller, visit)
    fresh = _change_link(tx, link, **_WITHOUT_ACCOUNT)
    return _build_page(tx, caller, fresh, visit)


def confirm_link(tx: Transaction, caller: Caller, visit: Visit, mark: str) -> Confirmed | Refused:
    """Link the checked account, or return a code to type in Slack. ``mark`` identifies the checked token."""
    link = _require_writable(tx, caller, visit)
    opened = _build_page(tx, caller, link, visit)
    if link.stage != "checked" or not hmac.compare_digest(opened.mark.encode(), mark.encode()):
        raise Refused("link.changed")
    if caller.context.sign_in:
        account = _use_link(tx, caller, link, proof="sign_in")
        return account if isinstance(account, Refused) else Confirmed(opened, account=account)
    code = create_code()
    changed = _change_link(
        tx,
        link,
        stage="code",
        browser_hash=compute_digest(visit.browser),
        # Encrypt the digest. The code is so short that someone who stole the database could find it by
        # computing the digests of all possible codes.
        code_hash=caller.context.vault.seal(_get_code_key(link), {"code": compute_digest(code)}),
        code_attempts_left=MAX_ATTEMPTS,
        attempts_left=MAX_ATTEMPTS,
        expires_at=tx.now() + CODE_SECONDS,
    )
    _audit(tx, link, "link.confirmed", "ok", username=link.username)
    return Confirmed(_build_page(tx, caller, changed, visit), code=code)


# -- inside --------------------------------------------------------------------------------------------------


def refuse_foreign_token(token: str, title: str, connections: Iterable[base.Provider]) -> Refused | None:
    """Return a refusal if a token is a Slack token or a secret from any connection's settings.

    Neither may be sent to a provider.
    """
    if SLACK_TOKEN.match(token):
        return Refused("token.slack", title=title)
    own = (secret for provider in connections for secret in provider.settings.secrets())
    if any(hmac.compare_digest(token.encode(), secret.encode()) for secret in own):
        return Refused("token.own", title=title)
    return None


async def _identify_account(
    caller: Caller,
    visit: Visit,
    tried: Link,
    asking: Awaitable[base.Identity],
    way: str,
    cause: str,
    pasted: str = "",
) -> LinkPage:
    """Wait for the provider to identify the account, and store its credential. Raise Refused if this fails.

    ``way`` is "token" or "sign_in". If the provider rejects the credential, the refusal's rule is
    ``{way}.refused``. If the check fails for another reason, the rule is ``{way}.failed``. If the link has
    changed in the meantime, it is ``link.changed``. ``cause`` selects the text that explains the refusal.
    """
    try:
        identity = await _wait_in_time(asking)
    except ProviderError as error:
        await caller.run(record_failed_attempt, tried, error)
        rule = f"{way}.{'refused' if isinstance(error, CredentialRefused) else 'failed'}"
        title = caller.context.title(tried.connection)
        raise Refused(
            rule, cause=cause, title=title, error=error, attempts_left=tried.attempts_left
        ) from None
    return await caller.run(keep_credential, visit, tried, identity, pasted)


async def _wait_in_time(asking: Awaitable[base.Identity]) -> base.Identity:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            return await asking
    except TimeoutError:
        raise UnknownOutcome("no answer in time") from None


def _require_usable(tx: Transaction, caller: Caller, visit: Visit) -> Link:
    link, command = links.find_link(tx, compute_digest(visit.nonce)), caller.context.command
    if link is None or link.principal != caller.principal:
        raise _refuse_unknown(caller.context)
    if link.stage == "used":
        raise _refuse_used(caller, link)
    if link.expires_at <= tx.now():
        raise Refused("link.expired", title=caller.context.title(link.connection), command=command)
    provider = caller.context.connections.get(link.connection)
    if provider is None or not provider.is_available_to(link.principal):
        raise Refused("link.connection", command=command)
    person = people.find_person(tx, link.principal)
    if person is not None and person.is_deleted:
        raise Refused("link.person", person=person.name)
    caller.check(tx, "link")
    return link


def _require_writable(tx: Transaction, caller: Caller, visit: Visit) -> Link:
    """Return the link if this browser may change it, or else raise Refused.

    Once the page shows the code to type in Slack, no browser may change the link.
    """
    link = _require_usable(tx, caller, visit)
    if caller.context.sign_in and not _is_proven(link, visit):
        raise Refused("link.sign_in_first")
    _check_browser(caller, link, visit)
    if link.stage == "code":
        raise _refuse_used(caller, link)
    return link


def _require_attempts(tx: Transaction, caller: Caller, visit: Visit) -> Link:
    link = _require_writable(tx, caller, visit)
    if link.attempts_left <= 0:
        raise _refuse_without_attempts(caller, link)
    return link


def _is_unchanged_since(tx: Transaction, tried: Link) -> bool:
    return links.find_link(tx, tried.nonce_hash) == tried and tried.expires_at > tx.now()


def _check_browser(caller: Caller, link: Link, visit: Visit) -> None:
    if link.browser_hash is not None and not hmac.compare_digest(
        link.browser_hash, compute_digest(visit.browser)
    ):
        title = caller.context.title(link.connection)
        raise Refused("link.other_browser", title=title, command=caller.context.command)


def _is_proven(link: Link, visit: Visit) -> bool:
    return link.proven and hmac.compare_digest(link.browser_hash or "", compute_digest(visit.browser))


def _change_link(tx: Transaction, link: Link, **changes: Any) -> Link:
    LINKS.change(tx, {"nonce_hash": link.nonce_hash}, **changes)
    return replace(link, **changes)


def _use_link(tx: Transaction, caller: Caller, link: Link, *, proof: str) -> Account | Refused:
    """Link the account and use up the link. Refuse (``link.taken``) if the account is someone else's."""
    username, secret = link.username or "", link.secret or ""
    account = accounts.link_account(
        tx,
        caller,
        link.connection,
        username,
        secret,
        link.credential_expires_at,
        actor=link.principal.key,
        proof=proof,
        link_source=link.link_source,
        remote_id=link.remote_id or "",
        deferred_command=defer_after(links.list_deferred_commands(tx, link.principal, link.connection), None),
        more={"link": _get_short_id(link)},
    )
    if account is None:
        _audit(tx, link, "account.linked", "taken", username=username)
        accounts.warn_holders(tx, link.connection, username, link.principal, _get_short_id(link))
        return Refused("link.taken", title=caller.context.title(link.connection), username=username)
    _change_link(tx, link, stage="used", secret=None, code_hash=None, deferred_command=None)
    # Now that the account is linked, the person's other open links on this connection aren't needed. The
    # commands that were waiting for those links are part of ``deferred_command``, so they aren't lost.
    links.expire(tx, link.principal.key, link.connection)
    TASKS.delete(tx, kind=TaskKind.REVOKE_UNUSED, subject=compute_digest(secret))
    return account


def _build_page(tx: Transaction, caller: Caller, link: Link, visit: Visit) -> LinkPage:
    context, provider = caller.context, caller.context.connections[link.connection]
    account = rows.find_account(tx, link.principal, link.connection)
    team = context.installation.find_for(link.principal).team_name.strip()
    return LinkPage(
        link=link,
        title=provider.settings.title,
        person=format_person_name(link.principal, people.find_person(tx, link.principal)),
        workspace=team or link.principal.team_id,
        help=provider.require_facet(facets.Tokens).token_help(),
        needs_sign_in=context.sign_in and not _is_proven(link, visit),
        signs_in=provider.oauth is not None,
        former=account.username if account is not None and account.state != "revoking" else "",
        channel=find_direct_channel(tx, link.principal),
    )


def _get_code_key(link: Link) -> str:
    return f"{row_key(link.principal.key, link.connection)}/code/{link.nonce_hash}"


def _refuse_unknown(context: Context) -> Refused:
    return Refused("link.unknown", command=context.command)


def _refuse_used(caller: Caller, link: Link) -> Refused:
    return Refused("link.used", title=caller.context.title(link.connection), command=caller.context.command)


def _refuse_without_attempts(caller: Caller, link: Link) -> Refused:
    return Refused("link.tries", title=caller.context.title(link.connection), command=caller.context.command)


def _get_short_id(link: Link) -> str:
    # A prefix of the digest is enough to identify a link, but not enough to open it.
    return link.nonce_hash[:12]


def _get_audit_target(link: Link) -> str:
    return f"{link.principal.key}/{link.connection}"


def _audit(tx: Transaction, link: Link, action: str, result: str, **detail: Any) -> None:
    detail = {"link": _get_short_id(link), **detail}
    append_audit(tx, [AuditEntry(link.principal.key, action, _get_audit_target(link), result, detail)])
