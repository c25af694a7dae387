"""FAQ: questions about Usher itself and their answers, one table; the docs have the same facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FaqEntry:
    """A question about Usher, its answer, and the page of the docs with the same facts."""

    question: str
    answer: str
    page: str


FAQ: Final[Mapping[str, FaqEntry]] = {
    "token": FaqEntry(
        "Is my token safe?",
        (
            "What links your account is stored encrypted, used only to show your workspaces and do what you "
            "ask for, and never shown again. Never type a token or a password here: the page behind *Link* "
            "takes it. `{command}unlink CONNECTION` ends its use at once."
        ),
        "internals/rules",
    ),
    "privacy": FaqEntry(
        "Who can see what I do?",
        (
            "Here in Slack, only you see your list and get the links. Usher admins see how much is running "
            "and where, and whose starts are slow or have failed and why. The people who run me have a "
            "record of who asked for what. In a class, its teachers and Usher admins see who isn't ready "
            "and why. I don't see what you do inside a workspace. An answer that you share is shown to "
            "everyone in the channel, without the links."
        ),
        "commands",
    ),
    "stored": FaqEntry(
        "What do you store about me?",
        (
            "I keep who you are in Slack, your links (encrypted), the names and states of your workspaces "
            "and runs, your hours, courses and settings, what you last filled into forms, and a record of "
            "what was asked for. Your files stay with the provider, and I only keep a run's output in "
            "Slack. `{command}unlink all` ends all links; for the rest, ask your Usher admin."
        ),
        "internals/security",
    ),
    "reads": FaqEntry(
        "Do you read our messages?",
        (
            "No, I only get what's meant for me: direct messages to me, mentions, slash commands, shortcuts "
            "and buttons."
        ),
        "slack-app",
    ),
    "control": FaqEntry(
        "Who else can stop my workspaces?",
        (
            "Only you start and stop your workspaces here, always with your own account. The one exception "
            "is a class or course that you joined: what it started is stopped when its time is over, or when "
            "the person who posted its card, or an Usher admin, ends the class. You're warned first and can "
            "keep it."
        ),
        "internals/rules",
    ),
    "cost": FaqEntry(
        "What does it cost?",
        (
            "I don't see prices or bills; your cloud's own pages do. To keep costs down, `{command}list "
            "running` shows what's on, and `{command}stop NAME at 6pm` stops it later."
        ),
        "commands",
    ),
    "messages": FaqEntry(
        "Why do you message me?",
        (
            "I message you when what you asked for is ready, has failed or has stopped, before a stop, and "
            "when something was left running. For fewer, `{command}settings` chooses which, and "
            "`{command}notify NAME off` quiets one workspace."
        ),
        "commands",
    ),
    "data": FaqEntry(
        "Are my files kept when it stops?",
        (
            "Files that you saved stay when a workspace stops. What's only in memory is lost: kernels, "
            "variables, unsaved work. If a stop would lose more than that, I ask first. Where the provider "
            "supports it, `{command}suspend NAME` keeps the memory, too. `{command}remove NAME` permanently "
            "deletes a workspace and everything stored only in it."
        ),
        "commands",
    ),
    "where": FaqEntry(
        "Where are my files?",
        (
            "Your files are in your workspace, on its provider. I don't have or move any of them. "
            "`{command}open NAME` takes you there."
        ),
        "commands",
    ),
    "laptop": FaqEntry(
        "Can I close my laptop?",
        (
            "You can: a workspace runs on its provider, not on your computer. It keeps running until you "
            "stop it, its hours or a planned stop come, or its provider ends it. `{command}stop NAME at 6pm` "
            "plans a stop."
        ),
        "commands",
    ),
    "link": FaqEntry(
        "Why doesn't my link work?",
        (
            "A workspace's link only works while it's running, and only for you: sign in with your own "
            "account first, on its provider or, where it opens on a page of mine, with Slack. `{command}open "
            "NAME` gets you the current one. A page for linking works once, for 10 minutes: `{command}link` "
            "gets you a new one."
        ),
        "known-limits",
    ),
    "size": FaqEntry(
        "Can I get more memory or a GPU?",
        (
            "I can't see or change how big a workspace is; its provider's own pages can. For a new one, the "
            "form of `{command}new` shows which templates and sizes you can have."
        ),
        "commands",
    ),
    "slow": FaqEntry(
        "Why is it slow?",
        (
            "I can't see why something is slow. `{command}restart NAME` sometimes helps; unsaved work may be "
            "lost. Its provider's own pages may say more."
        ),
        "commands",
    ),
    "share": FaqEntry(
        "Can I share a workspace?",
        "I can't share a workspace: everyone works in their own, with their own account.",
        "internals/rules",
    ),
    "class": FaqEntry(
        "How do I use it in class?",
        (
            "For a class, type `{command}card NAME` or `{command}card CONNECTION/TEMPLATE` in its channel. "
            "The card gives everyone there a workspace of their own. *Show problems* on it tells you alone "
            "who is waiting, and *Stop all* ends the class there."
        ),
        "classes",
    ),
    "totals": FaqEntry(
        "Who is using it right now?",
        (
            "Usher admins see how much is running, and where, on my *Home* tab: they press *Show everybody's "
            "totals* there."
        ),
        "commands",
    ),
    "itself": FaqEntry(
        "Does it stop by itself?",
        (
            "I stop a workspace when you ask me to, at a time that you planned, by its hours, and at the end "
            "of a class or lesson that you joined. One that you waited for is stopped if you don't use it. "
            "{idle} Its provider may also stop what nobody uses. `{command}hours` shows its hours, and "
            "`{command}status NAME` a planned stop."
        ),
        "commands",
    ),
    "channel": FaqEntry(
        "How do I use it in a channel?",
        (
            "Type `/workspace` in any channel, or mention me. Only you see the answers, unless you share "
            "them. In a direct message to me, leave the `/workspace` out."
        ),
        "commands",
    ),
    "limit": FaqEntry(
        "How many can I run?",
        (
            "How many you can run is up to each provider; if it refuses one more, the card says why. Where "
            "starts have to wait their turn, the card says that, too."
        ),
        "operate",
    ),
    "schedule": FaqEntry(
        "Can it run on a schedule?",
        (
            "`{command}hours NAME weekdays 9:00-18:00` starts and stops a workspace on its days. For a job, "
            '`{job}schedule NAME "0 3 * * *"` runs it every night at three, where its provider supports that.'
        ),
        "commands",
    ),
    "template": FaqEntry(
        "What is a template?",
        (
            "A template is what a new workspace or run is made from: its image, size and settings. The form "
            "of `{command}new` shows those that you can use."
        ),
        "internals/glossary",
    ),
    "install": FaqEntry(
        "Can I install packages?",
        (
            "I can't change what's in a workspace. Open it and install there, or ask who looks after its "
            "template."
        ),
        "commands",
    ),
    "admin": FaqEntry(
        "Whom can I ask?",
        (
            "Ask your Usher admin about me, and your provider's admin about what happens there. If something "
            "broke, give them the reference below the message. `{command}help` shows what I can do."
        ),
        "operate",
    ),
}
#: About what was left running, as ``{idle}``: without and with connections where that is stopped unanswered.
IDLE: Final = "If one was left running for hours, I may ask whether you still need it."
IDLE_STOPS: Final = (
    "If one was left running for hours, I may ask whether you still need it. On {titles}, I stop it that "
    "evening if you don't answer, after a warning, unless that would end it for good."
)
