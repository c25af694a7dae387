"""What people ask about Usher itself, and the true answers: one table, whose facts the docs have, too.

``asks`` recognises a question: alternatives between commas, of which every word must be said, in any order;
``/`` parts words of which one is enough, and a word of four letters or more is also a beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fact:
    """Hold what is asked, what is answered, and the page of the docs that says so."""

    asks: str
    says: str
    page: str


FACTS: Final[Mapping[str, Fact]] = {
    "token": Fact(
        (
            "token/tokens/password/secret/credential/login safe/secure/trust/encrypt/steal/leak/stored/store/"
            "hack, trust you/bot/bots/usher"
        ),
        (
            "What links your account is stored encrypted, used only for what you ask for, and never shown "
            "again. Never type a token or a password here: the page behind *Link* takes it. `{command}unlink "
            "CONNECTION` ends its use at once."
        ),
        "rules",
    ),
    "privacy": Fact(
        (
            "who/people/anyone/anybody/everyone/everybody/boss/manager/colleague/colleagues/admin/admins/others/"
            "they see/sees/watch/spy/track/monitor/know, private, privacy, visible, confidential, secure"
        ),
        (
            "Here in Slack, only you see your workspaces and get their links. Usher admins see how much is "
            "running and where, not what you do in it. `--share` shows an answer to everyone in the channel, "
            "without the links."
        ),
        "commands",
    ),
    "stored": Fact(
        (
            "what/which/do you store/keep/save/collect/record about/data/information, what you know me, "
            "delete/erase my/all data/information/everything, gdpr"
        ),
        (
            "I keep who you are in Slack, your links (encrypted), the names and states of your workspaces "
            "and runs, and a record of what was asked for. Your files stay with the provider. "
            "`{command}unlink all` ends all links; for the rest, ask your Usher admin."
        ),
        "security",
    ),
    "reads": Fact(
        "you/usher/bot read/listen/watch/see we/write/say/messages/conversation/chats/chat/dms/everything",
        (
            "No, I only get what's meant for me: direct messages to me, mentions, slash commands, shortcuts "
            "and buttons."
        ),
        "scopes",
    ),
    "control": Fact(
        "anyone/anybody/somebody/someone/others/admin/admins/else stop/start/use/delete/control my/mine",
        (
            "Only you start and stop your workspaces here, always with your own account. The one exception "
            "is a class that you joined: who gives it can stop what it started, after a warning."
        ),
        "rules",
    ),
    "cost": Fact(
        (
            "cost/costs/price/prices/pricing/paid/pay/bill/billed/billing/charge/charged/charges/invoice/"
            "expensive/cheap/cheaper/money/budget/credits/spend/spending/free"
        ),
        (
            "I don't see prices or bills; your cloud's own pages do. To keep costs down, `{command}list "
            "running` shows what's on, and `{command}stop NAME at 6pm` stops it later."
        ),
        "commands",
    ),
    "messages": Fact(
        (
            "why/fewer/less/many/often/mute/silence/quiet/spam/annoying message/messages/messaging/"
            "notification/notifications/notifying/dms/pings/pinging/reminders/texting, why/stop bothering/"
            "pinging/messaging/asking me"
        ),
        (
            "I message you when what you asked for is ready, has failed or has stopped, before a stop, and "
            "when something was left running. For fewer, `{command}settings` chooses which, and "
            "`{command}notify NAME off` quiets one workspace."
        ),
        "commands",
    ),
    "data": Fact(
        (
            "file/files/data/work/changes/progress/results/notebooks/disk happen/happens/lose/lost/losing/"
            "loss/safe/gone/keep/kept/survive/remain/deleted/stay, kernel/kernels/variable/variables/memory/"
            "session/outputs survive/survives/lose/lost/keep/kept/happen/happens/gone/stay/die/there, lose, "
            "losing, unsaved"
        ),
        (
            "Files that you saved stay when a workspace stops. What's only in memory is lost: kernels, "
            "variables, unsaved work. If a stop would lose more than that, I ask first. Where the provider "
            "supports it, `{command}suspend NAME` keeps the memory, too."
        ),
        "commands",
    ),
    "where": Fact(
        "where file/files/data/results/notebooks/work stored/saved/live/located/kept/are",
        (
            "Your files are in your workspace, on its provider. I don't have or move any of them. "
            "`{command}open NAME` takes you there."
        ),
        "commands",
    ),
    "laptop": Fact(
        (
            "close/closing/shut/shutting/switch/turn/leave/sleep laptop/lid/browser/tab/window/computer/pc/"
            "mac, laptop/computer off/sleeps/dies"
        ),
        (
            "You can: a workspace runs on its provider, not on your computer. It keeps running until you "
            "stop it, its hours or a planned stop come, or its provider ends it. `{command}stop NAME at 6pm` "
            "plans a stop."
        ),
        "commands",
    ),
    "link": Fact(
        (
            "link/url/address/page/site/website broken/expired/dead/work/working/works/404/403/500/error/"
            "load/loads/loading/blank/empty, 404, 403"
        ),
        (
            "A workspace's link only works while it's running, and only for you: sign in to its provider "
            "with your own account first. `{command}open NAME` gets you the current one. A page for linking "
            "works once, for 10 minutes: `{command}link` gets you a new one."
        ),
        "known-limits",
    ),
    "size": Fact(
        (
            "gpu/gpus/cpu/cpus/ram/memory/cores/disk/storage/size/sizes/bigger/larger/smaller/faster/resize/"
            "upgrade/power/powerful"
        ),
        (
            "I can't see or change how big a workspace is; its provider's own pages can. For a new one, the "
            "form of `{command}new` shows which templates and sizes you can have."
        ),
        "commands",
    ),
    "slow": Fact(
        "slow/slower/slowly/sluggish/laggy/lagging/lags",
        (
            "I can't see why something is slow. `{command}restart NAME` sometimes helps; unsaved work may be "
            "lost. Its provider's own pages may say more."
        ),
        "commands",
    ),
    "share": Fact(
        "share/sharing/invite/collaborate, with/let colleague/teammate/someone/somebody/friend",
        "I can't share a workspace: everyone works in their own, with their own account.",
        "rules",
    ),
    "class": Fact(
        "class/classes/student/students/lesson/seminar, post/make/create card, show problems, who waiting",
        (
            "For a class, type `{command}card NAME` or `{command}card CONNECTION/TEMPLATE` in its channel. "
            "The card gives everyone there a workspace of their own. *Show problems* on it tells you alone "
            "who is waiting, and *Stop all* ends the class there."
        ),
        "classes",
    ),
    "totals": Fact(
        "who running/using/online/runs/uses what/it/this/something, many people, totals",
        (
            "Usher admins see how much is running, and where, on my *Home* tab: they press *Show everybody's "
            "totals* there."
        ),
        "commands",
    ),
    "itself": Fact(
        (
            "stop/stops/shut/end/ends/turn/off/kill/start automatically/automatic/itself/themselves/"
            "overnight/idle/weekend/weekends, auto-stop/autostop, if/do/what you forget/forgot"
        ),
        (
            "I only stop what I'm asked to: at a planned time, by its hours, or at the end of a class that "
            "you joined. If something was left running, I ask whether you still need it. Its provider may "
            "stop what nobody uses. `{command}hours` shows what's planned."
        ),
        "commands",
    ),
    "channel": Fact(
        "use/work/works/type/write/call/add/talk/ask/available channel/channels/thread/threads/group",
        (
            "Type `/workspace` in any channel, or mention me. Only you see the answers, unless you add "
            "`--share`. In a direct message to me, leave the `/workspace` out."
        ),
        "commands",
    ),
    "limit": Fact(
        (
            "limit/limits/quota/maximum/max, how many workspaces/servers/machines/jobs/notebooks at/once/run/"
            "start/allowed/can"
        ),
        (
            "How many you can run is up to each provider; if it refuses one more, the card says why. Where "
            "starts have to wait their turn, the card says that, too."
        ),
        "operate",
    ),
    "schedule": Fact(
        (
            "how/can every/nightly/daily/weekly/schedule/scheduled/scheduling/cron/regularly/repeat/"
            "recurring run/start/schedule/job/jobs/notebook/script/workspace/do"
        ),
        (
            "`{command}hours NAME weekdays 9:00-18:00` starts and stops a workspace on its days. For a job, "
            '`{job}schedule NAME "0 3 * * *"` runs it every night at three, where its provider supports that.'
        ),
        "commands",
    ),
    "template": Fact(
        "what/which/explain template/templates",
        (
            "A template is what a new workspace or run is made from: its image, size and settings. The form "
            "of `{command}new` shows those that you can use."
        ),
        "glossary",
    ),
    "install": Fact(
        "install/pip/conda/apt/package/packages/library/libraries",
        (
            "I can't change what's in a workspace. Open it and install there, or ask who looks after its "
            "template."
        ),
        "commands",
    ),
    "admin": Fact(
        (
            "who/whom/where ask/contact/support/admin/responsible/complain/maintains/runs/report you/help/"
            "this/it/usher/problem/bug/i"
        ),
        (
            "Ask your Usher admin about me, and your provider's admin about what happens there. If something "
            "broke, give them the reference below the message. `{command}help` shows what I can do."
        ),
        "operate",
    ),
}
