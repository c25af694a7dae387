"""The checks at the end of a scenario: whether any rule was broken, and who could read what."""

import io
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.support.logs import Redactor, shorten_exception
from playground.saturn import SaturnServer
from playground.slack import SlackServer
from playground.slack.records import Message

#: Matches the address of an IDE at Saturn Cloud, a Workbench or a hub, and the id or person that it belongs
#: to.
_IDE = re.compile(r"/(?:ide/([0-9a-f]{32})|s/([0-9a-f]{21})|user/([^/\"]+))/")
_LINK_PAGE = re.compile(r"/link/[A-Za-z0-9_-]{20,}")


@dataclass
class Watch:
    """Records every version of every message, every page, and every line of the log."""

    versions: list[tuple[Message, str]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    #: For each Slack user, the provider accounts whose addresses the user may see.
    readers: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    #: Maps the id of each workspace to its owner's name. Removed workspaces stay in it.
    owners: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def follow(self, slack: SlackServer) -> None:
        """Record every version of each message, from its posting on."""

        def heard(_what: str, message: Message, _before: dict[str, Any] | None) -> None:
            self.versions.append((message, json.dumps(message.to_json(), ensure_ascii=False)))

        slack.state.listeners.append(heard)
        given = slack.credentials
        self.secrets |= {given[key] for key in ("bot_token", "app_token", "signing_secret", "client_secret")}

    def learn(self, saturn: SaturnServer) -> None:
        """Note the server's secrets and the owner of each of its workspaces."""
        self.owners |= {key: resource.owner for key, resource in saturn.state.resources.items()}
        accounts = saturn.state.accounts
        self.secrets |= set(accounts._tokens) | set(accounts._refresh_tokens)

    def may_read(self, user_id: str, account: str) -> None:
        """Note that a Slack user has linked an account, and may see its addresses."""
        self.readers[user_id].add(account)

    def lines(self) -> list[dict[str, Any]]:
        """Return the log so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def check(self, slack: SlackServer, *more: Any) -> None:
        """Fail if a server's rule was broken, an error was logged, or an address or a secret was leaked."""
        assert slack.harness.violations == [], slack.harness.violations
        for server in more:
            assert server.harness.violations == [], server.harness.violations
        for message, text in self.versions:
            readers = self._readers(slack, message)
            for found in _IDE.finditer(text):
                owner = self.owners.get(found[1] or found[2], found[3] or "nobody")
                assert readers, f"an address for everybody: {text}"
                assert all(owner in self.readers[reader] for reader in readers), (readers, text)
            assert readers or not _LINK_PAGE.search(text), f"a link for everybody: {text}"
        for reader, view in slack.state.homes.items():
            for found in _IDE.finditer(json.dumps(slack.state.views[view].definition)):
                owner = self.owners.get(found[1] or found[2], found[3] or "nobody")
                assert owner in self.readers[reader], (reader, owner)
        log = self.log.getvalue()
        assert not _IDE.search(log)
        assert not _LINK_PAGE.search(log)
        for sink in (log, *(text for _, text in self.versions), *self.pages):
            assert not [secret for secret in self.secrets if secret in sink], sink
        broken = [line for line in self.lines() if "exception" in line or line.get("level") == "critical"]
        assert not broken

    @staticmethod
    def _readers(slack: SlackServer, message: Message) -> list[str]:
        """Return the users who can read a message. An empty list means everybody in the channel."""
        if message.only_for is not None:
            return [message.only_for]
        owner = slack.state.channels[message.channel].user
        return [owner] if owner is not None else []


@contextmanager
def listening(watch: Watch, secrets: Redactor) -> Iterator[None]:
    """Send all logs through the bot's own processors into the watch, for the duration of a block."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        shorten_exception,
        secrets,
    ]
    before = structlog.get_config()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(watch.log)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    # The access logs of the local servers aren't the bot's.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.getLogger("aiohttp.access").setLevel(logging.NOTSET)
        structlog.configure(**before)
