"""A fake Slack that stores messages, enforces rate limits by the clock, and fails when told to."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.slack.calls import SlackAnswer
from bot.slack.methods import METHODS
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent
from playground.slack.history import History
from tests.rigs.clock import FakeClock
from tests.rigs.faults import Faulty

#: Phrases that say that a stop, suspension or removal has ended. Only the operation's card contains them.
ON_CARDS = {
    "stopped": ("has stopped on", "was already stopped on", "has ended."),
    "suspended": ("was suspended on",),
    "removed": ("has been removed from",),
}
#: Kinds of messages that can say that an operation has ended. A stop's warning is replaced by such a message.
SAYS_END = ("card", "stop_warning")


def key_of(message: Mapping[str, Any]) -> str:
    """Return the key with which the bot looks for a message that it may have sent."""
    return str(message["metadata"]["event_payload"]["key"])


class FakeSlack(Faulty):
    """A fake SlackCaller. Its clock is ``ahead`` seconds ahead of the bot's."""

    def __init__(self, clock: FakeClock, *, ahead: float = 0.0) -> None:
        self._clock = clock
        self._ahead = ahead
        self.messages: list[dict[str, Any]] = []
        self.ephemerals: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        #: Everything that people have read, timed by the monotonic clock.
        self.history = History(clock.monotonic)
        self.users: dict[str, dict[str, Any]] = {}
        #: The hash and the view of each person's Home tab.
        self.homes: dict[str, tuple[str, dict[str, Any]]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        #: The views with which forms were updated.
        self.views: list[dict[str, Any]] = []
        #: Page size of ``users.list``, whatever the caller asks for.
        self.page = 2
        #: Page size of conversations, whatever the caller asks for. It is small, so that tests cover paging.
        self.history_page = 2
        #: Whether updates are refused because of their blocks.
        self.refuses_blocks = False
        #: Conversations that refuse every message, and the error for each.
        self.closed: dict[str, SlackFailed] = {}
        #: The number of calls that the real Slack would have answered with 429.
        self.over_budget = 0
        self._faults = defaultdict(list)
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._posted: dict[str, float] = {}
        self._last_ts = 0.0
        #: Files by id: first their name and length, then their contents, and finally where they were shared.
        self.files: dict[str, dict[str, Any]] = {}

    def add_user(self, user_id: str, team_id: str = "T1", **keys: Any) -> None:
        self.users[user_id] = {"id": user_id, "team_id": team_id, "name": user_id.lower(), **keys}

    def fail_in(self, channel: str, error: SlackFailed) -> None:
        """Refuse every message to a conversation."""
        self.closed[channel] = error

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def keys(self) -> list[str]:
        """Return the keys of the messages that haven't been deleted."""
        return [key_of(message) for message in self.messages if "metadata" in message]

    def kinds(self) -> list[str]:
        """Return the kinds of the notices that haven't been deleted, in order."""
        return [key.rsplit("/", 2)[1] for key in self.keys()]

    def sent(self, channel: str = "") -> list[str]:
        """Return the keys of all messages that were posted, in order, even if they were deleted later."""
        arrived = sorted([*self.messages, *self.deleted], key=lambda message: float(message["ts"]))
        there = [message for message in arrived if not channel or message["channel"] == channel]
        return [key_of(message) for message in there if "metadata" in message]

    def sent_kinds(self) -> list[str]:
        """Return the kinds of all notices that were posted, in order, even if they were deleted later."""
        return [key.rsplit("/", 2)[1] for key in self.sent()]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a kind. For the end of a stop, this includes cards that say so."""
        says = ON_CARDS.get(kind, ())
        found = zip(self.kinds(), (one for one in self.messages if "metadata" in one), strict=True)
        return [
            message
            for one, message in found
            if one == kind or (one in SAYS_END and any(words in message["text"] for words in says))
        ]

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        self.calls.append((method, dict(arguments)))
        self._limit(method, arguments)
        self._raise(method, after=False)
        if arguments.get("channel") in self.closed:
            raise self.closed[arguments["channel"]]
        answer = getattr(self, "_" + method.replace(".", "_"))(dict(arguments))
        self._raise(method, after=True)
        return SlackAnswer({"ok": True, **answer}, self._now())

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        self.calls.append(("upload_url", {"url": url, "size": size}))
        self._raise("upload_url", after=False)
        content = b"".join([piece async for piece in pieces])
        file = self.files[url.rpartition("/")[2]]
        assert len(content) == size == file["length"]
        file["content"] = content
        self._raise("upload_url", after=True)

    def shared(self) -> list[dict[str, Any]]:
        """Return the messages with files."""
        return [message for message in self.messages if message.get("files")]

    # -- methods -------------------------------------------------------------------------------------------

    def _chat_postMessage(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        channel = arguments["channel"]
        stands_in = f"D{channel}" if channel.startswith("U") else channel
        ts = self._new_ts()
        self.messages.append({**arguments, "channel": stands_in, "ts": ts})
        self.note("posted", self.messages[-1])
        return {"channel": stands_in, "ts": ts}

    def _chat_postEphemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self.ephemerals.append(arguments)
        return {"message_ts": self._new_ts()}

    def _chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.refuses_blocks and arguments["blocks"]:
            raise SlackPermanent("chat.update", "msg_blocks_too_long")
        for message in self.messages:
            if (message["channel"], message["ts"]) == (arguments["channel"], arguments["ts"]):
                message.update(arguments)
                self.note("changed", message)
                self.updates.append(arguments)
                return {"channel": message["channel"], "ts": message["ts"]}
        raise SlackPermanent("chat.update", "message_not_found")

    def _chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        place = arguments["channel"], arguments["ts"]
        for message in self.messages:
            if (message["channel"], message["ts"]) == place:
                self.messages.remove(message)
                self.note("deleted", message)
                self.deleted.append(message)
                return {"channel": message["channel"], "ts": message["ts"]}
        raise SlackPermanent("chat.delete", "message_not_found")

    def _views_publish(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = arguments["user_id"]
        if arguments.get("hash") and arguments["hash"] != self.homes.get(user, ("", {}))[0]:
            raise SlackFailed("views.publish", "hash_conflict")
        self.homes[user] = f"hash {len(self.calls)}", arguments["view"]
        return {"view": {"hash": self.homes[user][0]}}

    def _views_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.views.append(arguments)
        return {"view": {"id": arguments.get("view_id", "V1")}}

    def _auth_test(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": "T1"}

    def _conversations_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{arguments['users']}"}}

    def _conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        found = [
            each
            for each in reversed(self.messages)
            if each["channel"] == arguments["channel"] and each.get("thread_ts") is None
        ]
        return self._page("messages", found, arguments, self.history_page)

    def _conversations_replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        ts = arguments["ts"]
        found = [
            each
            for each in self.messages
            if each["channel"] == arguments["channel"] and ts in (each["ts"], each.get("thread_ts"))
        ]
        if not found:
            raise SlackPermanent("conversations.replies", "thread_not_found")
        return self._page("messages", found, arguments, self.history_page)

    def _files_getUploadURLExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's
        file_id = f"F{len(self.files) + 1}"
        self.files[file_id] = {"name": arguments["filename"], "length": arguments["length"]}
        return {"file_id": file_id, "upload_url": f"https://files.slack.com/upload/v1/{file_id}"}

    def _files_completeUploadExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's
        assert arguments["channel_id"].startswith(("C", "D")), "people's ids are no conversations here"
        shown = []
        for each in arguments["files"]:
            file = self.files.get(each["id"])
            if file is None or "content" not in file or file.get("is_shared"):
                raise SlackPermanent("files.completeUploadExternal", "file_not_found")
            file["is_shared"] = True
            shown.append({"id": each["id"], "name": file["name"], "content": file["content"]})
        message = {"channel": arguments["channel_id"], "ts": self._new_ts(), "files": shown}
        if arguments.get("thread_ts"):
            message["thread_ts"] = arguments["thread_ts"]
        self.messages.append({**message, "text": arguments.get("initial_comment", "")})
        return {"files": [{"id": each["id"]} for each in shown]}

    def _users_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["user"] not in self.users:
            raise SlackPermanent("users.info", "user_not_found")
        return {"user": self.users[arguments["user"]]}

    def _users_list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._page("members", list(self.users.values()), arguments, self.page)

    @staticmethod
    def _page(name: str, found: list[Any], arguments: Mapping[str, Any], most: int) -> dict[str, Any]:
        begin = int(arguments.get("cursor") or 0)
        end = begin + min(int(arguments["limit"]), most)
        cursor = str(end) if end < len(found) else ""
        return {name: found[begin:end], "response_metadata": {"next_cursor": cursor}}

    def note(self, what: str, message: Mapping[str, Any]) -> None:
        """Record a change of a message in the history."""
        self.history.note(
            what, message["channel"], message["ts"], message.get("text", ""), message.get("metadata")
        )

    # -- inside --------------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self._clock.now() + self._ahead

    def _new_ts(self) -> str:
        self._last_ts = max(self._last_ts + 0.000001, self._now())
        return f"{self._last_ts:.6f}"

    def _limit(self, method: str, arguments: Mapping[str, Any]) -> None:
        now = self._clock.monotonic()
        known = METHODS.get(method)
        most = 50 if known is None else known.per_minute
        recent = self._recent[method]
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if most is not None and len(recent) >= most:
            self.over_budget += 1
            raise SlackLimited(method, recent[0] + 60 - now)
        if method == "chat.postMessage":
            last = self._posted.get(arguments["channel"])
            if last is not None and now - last < 1.0:
                self.over_budget += 1
                raise SlackLimited(method, 1.0)
            self._posted[arguments["channel"]] = now
        recent.append(now)
