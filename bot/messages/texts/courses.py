"""Text about classes and courses: cards, joining and leaving, lessons, and the ends of classes."""

from datetime import date
from typing import Final, NamedTuple

from bot.messages.texts.times import format_weekday

# -- the card ----------------------------------------------------------------------------------------------

CARD_TITLE: Final = "*{name}*"
DOES_START: Final = "Your own workspace *{name}* on {title}."
CONSENT: Final = (
    "It {does} {ends} {who} or an Usher admin ends the class; you'll be warned and can keep it.{means}{sees} "
    "Pressing means you agree."
)
#: Three wordings for what the end of a class does to a workspace: a participle (after "will be" or "was"), a
#: verb (after "it"), and an explanation, which may be empty.
STOP_WORDS: Final = ("stopped", "stops", "")
SUSPEND_WORDS: Final = ("suspended", "is suspended", "What's in its memory stays.")
END_WORDS: Final = ("ended for good", "ends for good", "It can't be started again after that. {lost}")
SUSPENDS_OR_ENDS: Final = (
    "suspended (or ended for good where that isn't possible)",
    "is suspended or ends for good",
    "If it's suspended, what's in its memory stays. If it ends, it can't be started again. {lost}",
)
PROBLEMS: Final = "Show problems"
NOT_YOURS: Final = "*Show problems* and *{end}* are for {who}, who posted this card, and for Usher admins."
HOW_MANY: Final = {True: "{ready} of {expected} is ready", False: "{ready} of {expected} are ready"}
NOBODY_YET: Final = "Nobody has pressed it yet"
READY_COUNT: Final = "*{ready} of {joined} ready*"
COUNTS_OVER: Final = "*{got} of {joined} got a workspace*"
CLOSING: Final = "{who} has ended the class. Its workspaces will be {done} {at}."
CLOSING_UNTIL: Final = "The class is over. Its workspaces are being {done}."
CONFIRM_STOP_ALL: Final = (
    "End the class?",
    "Everyone gets 5 minutes to keep theirs. The rest are then {done}.",
    "Stop all",
    "Not yet",
)

# -- courses, which are cards with a timetable ---------------------------------------------------------------

COURSE_TITLE: Final = "*{name}* · {lessons}."
_JOIN_NEXT: Final = "You'll be warned before each stop, and you can leave at any time."
COURSE_JOIN: Final = (
    "Join once: I'll start your own workspace *{name}* on {title} before each lesson and stop it "
    f"afterwards. {_JOIN_NEXT}"
)
#: Shown on the card of a course that creates workspaces. The text names the template, because each workspace
#: will have its own name.
COURSE_JOIN_MAKE: Final = (
    "Join once: I'll create a workspace from *{name}* for you on {title}, start it before each lesson and "
    f"stop it afterwards. {_JOIN_NEXT}"
)
COURSE_SEES_HOURS: Final = "Your teachers and Usher admins can see how long it runs during the course."
JOIN: Final = "Join"
JOINED_COUNT: Final = "{people} joined."
#: Says how many people who joined still have to link an account. The first text is for one person, the second
#: for several.
PENDING_COUNT: Final = ("{pending} still has to link an account.", "{pending} still have to link an account.")
COURSE_OVER: Final = "The course has ended."
CONFIRM_END_COURSE: Final = (
    "End the course?",
    "There'll be no more lessons, and the card will say so. A lesson that is on ends as planned.",
    "End course",
    "Not yet",
)
END_COURSE: Final = (
    "This will end *{course}*: there'll be no more lessons, and the card will say so. "
    "A lesson that is on ends as planned."
)
END_CLASS: Final = (
    "This will end the class *{course}*. Everyone gets 5 minutes to keep their workspace; the rest are then "
    "{done}."
)
COURSE_POSTED: Final = (
    "Everyone who joins gets a workspace for each lesson: {lessons}. I'll start early, so that "
    "workspaces are ready when a lesson begins."
)
CO_TEACHERS: Final = "{who} can change it, too."
ENROLLED: Final = (
    "You've joined *{course}*: {lessons}. I'll have your workspace *{name}* on {title} ready when a lesson "
    "begins, and stop it afterwards if I started it. You'll be warned first and can keep it running."
)
#: Text for providers where creating a workspace also starts it.
_MAKING: Final = "I'm creating it now; on {title}, that also starts it, so you can have a look."
ENROLLED_MAKING: Final = f"{_MAKING} I'll stop it in an hour."
#: Used instead of ``ENROLLED_MAKING``, which announces a stop in an hour, if a lesson begins before then.
ENROLLED_SOON: Final = f"{_MAKING} A lesson begins soon, so I'll keep it running until that's over."
ENROLLED_NOW: Final = (
    "A lesson is on or about to begin, so I'm starting it now. I'll message you when it's ready."
)
LEAVE_COURSE: Final = "Leave"
#: Lists a course's lessons in messages about a workspace used for the course.
COURSE_HOURS: Final = "Lessons of *{course}*: {lessons}."
COURSE_USAGE: Final = (
    "Type `{command}card {course} skip 24 Dec` or `skip 24 Dec to 6 Jan`, `resume` to restore cancelled "
    "lessons, or `end`."
)
HOLD_ALL: Final = "Restore cancelled lessons"
LESSON_MISSED: Final = (
    "I couldn't start *{name}* on {title} in time for *{course}*: too little of it is left."
)
LESSON_MISSED_WHOLLY: Final = (
    "I couldn't start *{name}* on {title} for *{course}*: the lesson was over before I could."
)
LEFT_BY_AGREEMENT: Final = (
    "The lessons of *{course}* have changed since you joined: {lessons}. You haven't agreed to all of them, "
    "so I've taken you out of the course. If you want its lessons, press *Join*."
)
LEFT_BY_SKIPS: Final = (
    "You skipped *{course}* {days}, and I can't leave out lessons for one person any more. So I've taken you "
    "out of the course instead of starting your workspace then. To have it started for every lesson, press "
    "*Join*."
)
ONE_COURSE: Final = "{name} \u00b7 <#{channel}>"
#: Replies to a command about days without lessons by saying when the next ones are. The first text is used if
#: there are no more lessons, the second if there is one, and the third if there are several.
NEXT_LESSONS: Final = (
    "There are no more lessons.",
    "The next one is on {days}.",
    "The next ones are on {days}.",
)
NO_MENTION: Final = (
    "I don't know who {name} is. Mention co-teachers as Slack suggests them: `with @colleague`."
)
BAD_TEACHER: Final = "{who} {why}, so I haven't done anything."
NO_TEACHER: Final = {"bot": "isn't a person", "unknown_person": "couldn't be found in Slack"}
LEFT_NEXT: Final = "I won't start or stop your workspace for it any more."


def format_span(first: str, last: str, today: date) -> str:
    """Format a single day or a span of days, with weekdays."""
    said = format_weekday(first, today)
    return f"on {said}" if first == last else f"from {said} to {format_weekday(last, today)}"


LAST_LESSON: Final = "The lesson that is on ends {at}, as planned."
LESSON_READY: Final = "*{course}* is starting, and your workspace is ready."
#: Tells teachers how many workspaces can be started in time for a lesson. When the lesson begins,
#: ``REPORT_WHY`` says why some people don't have one yet.
IN_TIME: Final = (
    "That works for at most {count} people: {title} can't start more workspaces in the 45 minutes before."
)
_FULL: Final = "waiting for room (*{why}*), and I'm trying again until {until}"
REPORT_WHY: Final = {
    "unlinked": ("hasn't linked their account", "haven't linked their account"),
    "no_workspace": ("has no workspace for it", "have no workspace for it"),
    "failed": ("start failed: *{why}*", "starts failed: *{why}*"),
    "no_room": (f"is {_FULL}", f"are {_FULL}"),
    "starting": ("has been starting since {since}", "have been starting since {since}"),
    "coming": ("hasn't been started yet", "haven't been started yet"),
    "down": ("isn't running any more", "aren't running any more"),
}
LESSON_OVER: Final = "*{course}* is over, and *{name}* on {title} was {done}."
#: Sent on the evening before a lesson to a member whose workspace won't be ready. It says what is missing.
MEMBER_NOT_READY: Final = "*{course}* begins {at}, and I can't get your workspace ready: {why}"
MISSING: Final = {
    "unlinked": "you haven't linked your {title} account. Link it and I'll do the rest.",
    "refused": "{title} no longer accepts your link. Link again and I'll do the rest.",
    "no_workspace": "you don't have a workspace called *{pattern}* on {title}. Create one, then join again.",
    "many_workspaces": "more than one of your workspaces on {title} matches *{pattern}*.",
    "gone": "it's gone from {title}. Join again and I'll create another one.",
    "withheld": "its template on {title} is only available to some people, and you aren't one of them.",
}
LESSON_DELAYED: Final = (
    "*{course}* is starting, and I haven't been able to start your workspace yet. {hold}",
    "I'll start it as soon as I can, until {until}.",
)
LESSON_STARTING: Final = (
    "Your workspace for *{course}* is still starting. I'll send the link when it's ready."
)

# -- posting one -------------------------------------------------------------------------------------------

USAGE: Final = (
    "Type `{command}card CONNECTION/TEMPLATE` or `{command}card NAME`, or press the button for a form."
)
UNKNOWN_NAME: Final = (
    "None of your workspaces is called *{name}*. Which card should I post? "
    "To give everyone a new workspace, type `{command}card CONNECTION/TEMPLATE`."
)
IN_A_CHANNEL: Final = "A class card belongs in a channel. Write this in the channel that your class reads."
POSTED_ENDS: Final = "The workspaces it starts will be {done} {at}."
BAD_MAX: Final = "`--max` takes a whole number from 1 to {most}. For example: `--max 60`."
BAD_HOURS: Final = "I can't read that timetable. Give weekdays and times: `--hours tue,thu 8:00-9:30`."
NO_ZONE: Final = (
    "A course's times are in your own time zone, so leave the zone out: `--hours tue,thu 8:00-9:30`."
)
BAD_FLAG: Final = "`card` has no option `--{flag}`, so I haven't posted anything."
LONG_TITLE: Final = "A title can have 1 to {most} characters."
NO_SUCH_TEMPLATE: Final = "There's no template called *{name}* for you on {title}. Choose from: {known}."
NO_TEMPLATES: Final = (
    "There are no templates for you on {title} yet. Type `{command}new` to see what you can create."
)
WHICH_TEMPLATE: Final = (
    "Which template on {title}? Type `{command}card {title}/TEMPLATE` with one of these: {known}."
)
WHICH_CONNECTION: Final = (
    "Which connection is *{name}* on? Type `{command}card {name}@CONNECTION` with one of these: {known}."
)
INCOMPLETE: Final = "{title} needs more information to create that: {problems}"
READING_OFFER: Final = "Checking what {title} offers. I'll post the card right after."
NO_OFFER: Final = "{title} hasn't told me what it offers. Try again in a moment."

# -- messages for the card's poster ------------------------------------------------------------------------

NOT_POSTED: Final = "Slack doesn't let me post the card for *{name}* in <#{channel}>. {helps}"
NOT_POSTED_ELSE: Final = (
    "I couldn't post the card for *{name}* in <#{channel}>: Slack answered `{code}`. "
    "Post it again, and tell your Usher admin if that doesn't help."
)
NOT_POSTED_BROKEN: Final = (
    "I couldn't post the card for *{name}* in <#{channel}>, because something broke while I was putting it "
    "together. Post it again, and tell your Usher admin if that doesn't help."
)
#: Advice for the person whose card Slack refused, keyed by Slack's error code.
HELPS: Final = dict.fromkeys(
    ("channel_not_found", "no_permission", "not_in_channel"), "Invite me there, then post it again."
) | {
    "access_denied": "Ask a Slack admin to allow it, then post it again.",
    "ekm_access_denied": "Slack admins have suspended messages there. Post it in another channel.",
    "is_archived": "The channel is archived. Post it in another one, or unarchive it and post it again.",
    "restricted_action": (
        "A setting of this Slack workspace keeps me from posting there. Ask a Slack admin to allow it, then "
        "post it again."
    ),
    "restricted_action_read_only_channel": (
        "Only some members may post there. Ask whoever manages the channel to add me in its posting "
        "permissions, then post it again. Or post it in another channel."
    ),
    "restricted_action_thread_only_channel": (
        "New messages aren't allowed there, only replies. Ask whoever manages the channel to change that, "
        "then post it again. Or post it in another channel."
    ),
}
COURSE_SUMMARY: Final = ("The course *{name}* is over.", "{people} joined.")
SUMMARY_COUNTS: Final = "{joined} joined, {got} got a workspace, {failed} failed."
SUMMARY_LEFT: Final = "{left} couldn't be stopped yet. I'm keeping their owners posted."
SUMMARY_REST: Final = (
    "I left {rest} alone: already stopped, no longer linked, planned to stop later, or at risk of being lost."
)

# -- a press -----------------------------------------------------------------------------------------------

STARTING: Final = "Starting your workspace *{name}* on {title}."
MAKING: Final = "Creating your workspace *{name}* on {title}."
NAME_IN_USE: Final = (
    "You already have a workspace called *{name}* there that wasn't made by this card, "
    "so I'm leaving it alone."
)
WORKSPACE_RUNNING: Final = "Your workspace *{name}* is running."
UNKNOWN_CARD: Final = "That card is no longer in use. Ask for a new one."
CLASS_ENDED: Final = "This class has ended. To start your workspace yourself, type `{command}start`."
#: Replies to people who can't join because the class is full or they have no suitable workspace. In each
#: pair, the second text is for the person who posted the card, and the first for everyone else.
FULL: Final = (
    "*{name}* is full: it has {places}. Ask {who} if you need one.",
    "*{name}* is full: it has {places}.",
)
NO_WORKSPACE: Final = (
    (
        "You don't have a workspace called *{pattern}* on {title}. {who} can see that you're waiting for "
        "one; press again when it's there."
    ),
    "You don't have a workspace called *{pattern}* on {title}. Press again when it's there.",
)
SEVERAL_MATCH: Final = (
    "More than one of your workspaces on {title} matches *{pattern}*. "
    "Start the one you mean with `{command}start NAME`."
)
NOT_LINKED: Final = (
    "You haven't linked your {title} account yet. Link it and I'll carry on; no need to press again."
)
LINK_REFUSED: Final = (
    "{title} no longer accepts your link. Link again and I'll carry on; no need to press again."
)
NOT_LINKED_ASK: Final = (
    "On {title}, an Usher admin has to approve your link. Ask with your username there; "
    "once you're linked, I'll carry on. No need to press again."
)

# -- problems, and the end of a class ----------------------------------------------------------------------

NO_PROBLEMS: Final = "Nobody is waiting, and nothing has failed: {how_many}."
NO_PROBLEMS_COURSE: Final = "Nobody is waiting, and nothing has failed. {people} joined."
WHY_UNLINKED: Final = "hasn't linked a {title} account yet"
WHY_CAUSE: Final = {
    "cancelled": "cancelled it",
    "credential_refused": "has to link their {title} account again",
    "another_account": "has to link their {title} account again",
    "renamed": "has to link their {title} account again",
    "sign_in_refused": "can't sign in to {title} right now",
    "forbidden": "isn't allowed to do that on {title}.{said}",
    "token_lacks": "has to link {title} again with a token that may do that.{said}",
    "forgotten": "took it off their list",
    "gave_up": "{title} kept failing",
    "gone": "it no longer exists on {title}",
    "guest": "is a guest, and guests can't use me",
    "invalid": "{title} refused the request.{said}",
    "conflict": "{title} refused the request.{said}",
    "left": "has a deactivated Slack account",
    "limit": "has reached a limit on {title}.{said}",
    "spent": "can't spend any more on {title}.{said}",
    "misconfigured": "{title} isn't set up for it.{said}",
    "not_found": "{title} can't find it",
    "provider_failed": "it failed on {title}.{said}",
    "secret": "has to link their {title} account again",
    "stopped_elsewhere": "it didn't come up on {title}, or somebody stopped it there",
    "unanswered": "{title} never answered",
    "unlinked": "is no longer linked to {title}",
    "withheld": "can't use this card's template on {title}",
}
WHY_ELSE: Final = "it couldn't be started on {title}"
WHY_STARTING: Final = "starting on {title}"
CLASS_CLOSED: Final = (
    "*{title}* is ending. I'm telling everyone, so that they can keep theirs.",
    "The rest will be stopped {at}. I'll send you a summary.",
)
#: Messages about the end of a class, in pairs. The second of each pair is for the person who ended the class,
#: or who posted its card if nobody ended it. The first is for everyone else.
WARNED: Final = (
    "{who} is ending the class *{course}*, so *{name}* on {title} will be {done} in {left}, {at}.",
    "You're ending the class *{course}*, so *{name}* on {title} will be {done} in {left}, {at}.",
)
WARNED_BY_TIME: Final = (
    "{who}'s class *{course}* is ending, so *{name}* on {title} will be {done} in {left}, {at}.",
    "Your class *{course}* is ending, so *{name}* on {title} will be {done} in {left}, {at}.",
)
STOPPED_BY: Final = (
    "*{name}* on {title} has been {done}: {who} ended the class *{course}*.",
    "*{name}* on {title} has been {done}: you ended the class *{course}*.",
)
STOPPED_BY_TIME: Final = (
    "*{name}* on {title} has been {done}: {who}'s class *{course}* is over.",
    "*{name}* on {title} has been {done}: your class *{course}* is over.",
)
STOP_FAILED_BY: Final = (
    "{who} ended the class *{course}*, but *{name}* on {title} couldn't be stopped.",
    "You ended the class *{course}*, but *{name}* on {title} couldn't be stopped.",
)
STOP_FAILED_BY_TIME: Final = (
    "{who}'s class *{course}* is over, but *{name}* on {title} couldn't be stopped.",
    "Your class *{course}* is over, but *{name}* on {title} couldn't be stopped.",
)


class Words(NamedTuple):
    """The wording that differs between classes and courses."""

    press: str
    end: tuple[str, str, str, str]
    #: Replies to people who press the card's button after the class is over. The first is for cards that
    #: start people's own workspaces, the second for cards that create workspaces.
    over: tuple[str, str]
    summary: tuple[str, ...]


_SUMMARIES: Final = ("The class *{name}* is over.", SUMMARY_COUNTS, "{stopped} stopped, {kept} kept running.")
_OVER: Final = (CLASS_ENDED, "This class has ended. To create a workspace yourself, type `{command}new`.")
OF_CLASS: Final = Words("Get my workspace", CONFIRM_STOP_ALL, _OVER, _SUMMARIES)
OF_COURSE: Final = Words(JOIN, CONFIRM_END_COURSE, (COURSE_OVER, COURSE_OVER), COURSE_SUMMARY)
