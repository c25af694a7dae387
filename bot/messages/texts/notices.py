"""Text of messages that people must not miss, including messages to administrators about outages."""

from collections.abc import Mapping
from typing import Final

from bot.domain.workspaces import State
from bot.support.environment import command

READY: Final = "{mark} *{name}* is ready."
READY_ALREADY: Final = "{mark} *{name}* is already running."
READY_UNTIL: Final[Mapping[State, str]] = {
    State.STARTING: "*{name}* {was} {at}, and was started again later.",
    State.STOPPING: "*{name}* {was} {at}, and was stopped later.",
    State.STOPPED: "*{name}* {was} {at}, and was stopped later.",
    State.SUSPENDED: "*{name}* {was} {at}, and was suspended later.",
    State.FAILED: "*{name}* {was} {at}, and failed later.",
    State.GONE: "*{name}* {was} {at}. It {gone}.",
}
STOPPED: Final = "*{name}* has stopped on {title}."
STOPPED_ALREADY: Final = "*{name}* was already stopped on {title}."
ENDED: Final = "*{name}* on {title} has ended. It can't be started again."
STOPPED_ELSEWHERE: Final = "*{name}* was stopped on {title}, not by me. Start it again if you need it."
#: Says why a workspace was stopped, if that is known. The key is the kind of automatic stop that the provider
#: had scheduled, or ``others`` if someone else stopped the workspace.
STOPPED_BECAUSE: Final[Mapping[str, str]] = {
    "others": "Somebody else who uses *{name}* stopped it on {title}. Start it again if you need it.",
    "stops": "{title} stopped *{name}*, because nobody was using it. Start it again if you need it.",
    "stops_anyway": "{title} stopped *{name}*, because its time was up. Start it again if you need it.",
}
#: Says that a workspace no longer exists, however it ended.
NO_LONGER_EXISTS: Final = "*{name}* {gone}."
FAILED_ELSEWHERE: Final = "*{name}* was running, but has failed on {title}. {because}"
#: Corrections of earlier messages. The keys say what the earlier messages reported.
TURNED_OUT: Final[dict[str, str]] = {
    "not_started": "I told you that *{name}* couldn't be started. It's running on {title} after all.",
    "not_made": "*{name}* is on {title} now: it may be the one that I couldn't create. {state}",
    "not_stopped": "I told you that *{name}* went on running. It's down on {title} now.",
    "stopped": "*{name}* had stopped, but it's running on {title} again. I didn't start it.",
    "gone": "I told you that *{name}* was gone from {title}. It's there after all. {state}",
}
SUSPENDED: Final = "*{name}* was suspended on {title}, just as you left it."
REMOVED: Final = "*{name}* has been removed from {title} and from your list."
NOT_MADE: Final = "I cancelled the creation of *{name}* before anything was created on {title}."
ENDING_STOPS: Final = (
    "{title} stops *{name}* in {left}, {at}, because nobody is using it. To keep it running, press *Open*."
)
ENDING_REGARDLESS: Final = "{title} stops *{name}* in {left}, {at}, even if it's used. Save your work."
EXTENDED: Final = "{title} will stop *{name}* {at} instead."
ENDING_REMOVED: Final = (
    "{title} removes *{name}* in {left}, {at}, with everything stored only in it. To keep it, press *Start*."
)
WAITING: Final = (
    "I'm still {doing} *{name}* on {title}. It's taking longer than usual. "
    "I'll keep checking and tell you when it's done."
)
#: Used instead of ``WAITING``, the message about a slow operation, for a start that hasn't taken longer than
#: usual yet. ``{usual}`` says how long a start usually takes.
WAITING_ON_TIME: Final = (
    "I'm still {doing} *{name}* on {title}.",
    "{usual} I'll keep checking and tell you when it's done.",
)
#: Used instead of ``WAITING``, the message about a slow operation, if nothing has been sent to the provider
#: yet. A sentence about what happens next may follow.
WAITING_UNSENT: Final = "I haven't been able to {do} *{name}* on {title} yet."
#: Used instead of ``WAITING``, the message about a slow operation, for a planned start that hasn't been sent
#: to the provider yet. People aren't asked whether to keep waiting for planned starts.
WAITING_PLANNED: Final = (
    "I haven't been able to start *{name}* on {title} yet, as planned for {at}.",
    "I'll start it as soon as I can, until {until}.",
)
NOT_YET: Final = "I couldn't {do} *{name}* on {title} yet: {why}."
ASKED: Final = (
    "{title} didn't answer, so I can't tell whether *{name}* was created there. "
    "I'll keep checking. Starting another may leave you with two."
)
#: Replaces ``ASKED``, the question whether to create another workspace, if the first one has turned up after
#: all.
ASKED_FOUND: Final = (
    "I asked whether to start another one like *{name}*. It has shown up on {title}, so there's no need."
)
ASKED_ANOTHER: Final = (
    "I asked whether to start another one like *{name}* on {title}. You chose to start another."
)
ASKED_OVER: Final = (
    "I asked whether to start another one like *{name}* on {title}. Its card says how that ended."
)
LINKED_AS: Final = "{title} is linked as *{username}*."
LINKED: Final = "{title} is linked."
OPENS_AS: Final = "Sign in there as {username} to open workspaces."
OPENS: Final = "Sign in there to open workspaces."
LINKED_UNTIL: Final = "The link lasts until {at}."
LINK_AGAIN: Final = (
    "{title} no longer accepts your link: it may have been revoked, or your account there deleted. "
    "Link again and I'll carry on with what's under way. Your list stays as it is."
)
LINK_RENAMED: Final = (
    "You're called *{renamed}* on {title} now, and your link is for *{username}*. "
    "Link again and I'll carry on with what's under way. Your list stays as it is."
)
LINK_RESTING: Final = (
    "I've stopped using your link to {title}: *{username}* is another account there now. I show nothing and "
    "do nothing through it. Link your own account again. If it's the account that you had linked, I'll carry "
    "on with what's waiting."
)
LINK_UNREADABLE: Final = (
    "I can no longer read your link to {title}. Link again and I'll carry on with what's under way. "
    "Your list stays as it is."
)
LINK_EXPIRED: Final = (
    "Your link to {title} has expired. Link again and I'll carry on with what's under way. "
    "Your list stays as it is."
)
LINK_ENDING: Final = (
    "Your link to {title} expires in {left}, {at}. Link again before then to keep using it from Slack. "
    "Your list stays as it is."
)
SIGN_IN_REFUSED: Final = (
    "{title} has refused your sign-in since {since}. It may be a problem there, so I've kept your link. "
    "I'll keep trying, and what's waiting will carry on once it's accepted again. "
    "If you've changed or revoked it, link again."
)
UNLINKED_BECAUSE: Final[dict[str, str]] = {
    "administrator": "An Usher admin removed the link.",
    "left": "Your Slack account was deactivated.",
    "retired": "{title} isn't connected to me any more.",
    "guest": "You're a guest in Slack now, and guests can't use me.",
    "uninstalled": "I was removed from the Slack workspace.",
    "proven": (
        "Somebody else has proven that this account is theirs. If it's yours, tell your Usher admin. "
        "Otherwise link again with your own."
    ),
    "refused": "{title} no longer accepted your link.",
    "revoked": (
        "Slack says that you, or one of its admins, took back the access you gave me by signing in with "
        "Slack. If you still want to use {title} from here, link again."
    ),
    "replaced": "A new link took its place.",
}

#: Says whether the provider has revoked Usher's access to an unlinked account.
REVOKED: Final[dict[str, str]] = {
    "deleted": "{title} has deleted my access to your account there. Nothing of the link is left.",
    "refused": "{title} no longer accepts my access to your account there. Nothing of the link is left.",
    "forbidden": (
        "{title} didn't let me delete my access to your account there. I've erased my copy of it. "
        "To be sure that it's gone, delete my token on {title}."
    ),
    "lapsed": (
        "In 30 days {title} hasn't confirmed that it deleted my access to your account there. "
        "I've erased my copy of it. To be sure that it's gone, delete my token on {title}."
    ),
}
NOT_REVOKED: Final = (
    "{title} hasn't confirmed that it deleted the tokens I had for people who have unlinked. I've "
    "erased my copies, but they may still work there. The audit has their names: look for "
    "`account.revoked`."
)
#: Tells administrators why a person's links ended. A list of the workspaces left running follows.
LEFT: Final[dict[str, str]] = {
    "left": "{who} has left Slack, so I've ended their links. This is still running:",
    "guest": "{who} is a guest now and can't use me, so I've ended their links. This is still running:",
}
LEFT_UNSTOPPED: Final = "*{name}* on {title}, as of {seen}. It should have been stopped, but I couldn't."
LEFT_MORE: Final = "{count} more. The audit names them: look for `account.left_running`."
LEFT_NEXT: Final = "I can't stop anything there any more. Please have it stopped if nobody needs it."
#: Introduces a summary of what happened while Usher couldn't send messages. The ``…_TOGETHER`` strings are
#: lines of this summary, each in the singular and the plural.
SUMMARY: Final = "*While I couldn't message you* ({since} to {until}):"
READY_TOGETHER: Final = ("🟢 {names} is ready.", "🟢 {names} are ready.")
STOPPED_TOGETHER: Final = ("{names} has stopped.", "{names} have stopped.")
PLANNED_TOGETHER: Final = ("{names} has stopped as planned.", "{names} have stopped as planned.")

#: Shown in the channel if Slack rejects direct messages to the person.
NOT_DIRECT: Final = (
    "I have a message for you, but Slack doesn't let me send you direct messages. "
    "Open a conversation with me, then type `list` to see where things stand."
)
CARD_NOT_UPDATED: Final = (
    "I can't update your card in <#{channel}> any more (Slack says `{code}`), so what it shows may be out "
    "of date. What people press still counts. Unarchive the channel or invite me there, or post the card in "
    "another channel."
)
NOT_DELIVERED: Final = (
    "Slack didn't accept one of my messages to you (`{code}`), so you may have missed something. "
    "Type `list` to see where things stand."
)
NOT_CONFIRMED: Final = (
    "Slack may not have shown you my last answer. If you don't see it, type `list` to see where things stand."
)
#: Ends the plain text of a message that had to be truncated.
TEXT_CUT: Final = "There's more, but this message would be too long for Slack."
FORM_REFUSED: Final = (
    "Slack didn't accept this form, so I can't show it. "
    "Close it and type the command with its options instead."
)


UNWARNED_STOPPED: Final = (
    "I couldn't warn {who} before stopping *{name}* on {title} as planned. It can be started again."
)
UNWARNED_LEFT: Final = (
    "I couldn't warn {who} that *{name}* on {title} was about to end for good, so I've left it running. "
    "Please ask them whether they still need it."
)

#: Sent after a failover to people whose acknowledged requests are no longer in the database.
LOST: Final = "I lost my records of the last few seconds. *{name}* is {state} on {title}."
LOST_REQUEST: Final = "I lost my records of the last few seconds. Check what became of *{name}* on {title}."

#: Tells administrators what has happened to a connection or to Usher itself.
OUTAGES: Final[dict[str, str]] = {
    "away": (
        "*{title}* stopped answering {at}. People waiting for it can see that on their cards, and "
        "nothing is lost: I'll keep trying and tell you when it answers again. "
        f"If this lasts, {command('doctor')} may say why."
    ),
    "back": (
        "*{title}* is answering again. It hadn't been available since {since} ({lasted}). "
        "I'm carrying on with what was waiting."
    ),
    "locked_out": (
        "*{title}* has refused the key that I was given for it, so I can't do anything there. "
        "Put a working one in the connections file and restart me. I'll then carry on with what's "
        f"waiting. {command('doctor')} checks the key."
    ),
    "let_in": ("*{title}* accepts my key again. I'm carrying on with what was waiting."),
    "people_out": (
        "*{title}* has refused the sign-ins of several people at once. That looks like a problem there, "
        "so nobody has to link again. I'll keep trying, and what's waiting will carry on once they're "
        "accepted again."
    ),
    "token": (
        "I couldn't renew my access to *{place}* in Slack, and trying again won't help. I'll stop "
        "working there at {until}. To prevent that, ask somebody who may install apps in {place} to open "
        "{page} and press *Add to Slack*. Everyone's links and workspaces stay as they are."
    ),
    "twice": (
        "Two copies of me are connected to the same Slack app. Each gets only some of people's requests "
        "and has its own records, so some people are told that they haven't linked. This message is from "
        "the copy on *{place}*. Stop one of them, or give it its own app."
    ),
    "alone": ("Only one copy of me is connected again. There had been two since {since} ({lasted})."),
    "failover": (
        "My database has moved to another server, and may have lost what it recorded since {since}. "
        f"I'm telling everyone whose request is gone. After restoring a backup, run {command('restored')}."
    ),
    "primaries": ("Somebody has to look at my database, as one of its servers lives in the past: {place}."),
    "restored": (
        "My records were restored from a backup of {since}. I've put on hold what was planned then, and "
        "asked everyone concerned whether they still want it. ({place})"
    ),
    "restored_whole": "My records were restored from a backup of {since}. Nothing was planned in it.",
    "people_in": (
        "*{title}* accepts people's sign-ins again. Anyone it still refuses will be asked to link again."
    ),
}
