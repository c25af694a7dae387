"""The phrases of sentences: how requests begin and end, courtesy, small talk, and what comes again. Tables.

Words are separated by blanks, phrases by commas.
"""

from collections.abc import Mapping
from typing import Final

from handlers import vocabulary
from handlers.synonyms import split_words


def _split_phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases as words, the longest first, so that none hides a longer one."""
    return tuple(sorted((tuple(phrase.split()) for phrase in text.split(",")), key=len, reverse=True))


def _index_phrases(table: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    verbs = {phrase: verb for verb, phrases in table.items() for phrase in _split_phrases(phrases)}
    return dict(sorted(verbs.items(), key=lambda item: -len(item[0])))


#: The second word of a verb, which may follow the name: ``turn notebook off``.
PARTICLES: Final = split_words("on off up down")
#: Say that something is to be down.
DOWN_PARTICLES: Final = split_words("off down aus")


def _index_openings(table: Mapping[str, str]) -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Return openings with their verbs by first word, those with a name in between last."""
    verbs = _index_phrases(table)
    verbs |= {
        (phrase[0], "…", phrase[1]): verb
        for phrase, verb in verbs.items()
        if len(phrase) == 2 and phrase[1] in PARTICLES
    }
    ranked = sorted(verbs.items(), key=lambda item: ("…" in item[0], -len(item[0])))
    return {
        first: tuple(phrase for phrase in ranked if phrase[0][0] == first)
        for first in {phrase[0] for phrase in verbs}
    }


#: The openings of a request in several words, by its verb. ``…`` stands for a name, of the words after it
#: only the first belongs to the verb, and a particle may follow it, too: ``turn notebook off``.
OPENINGS: Final = _index_openings(
    {
        "start": """start up, turn on, switch on, power on, power up, spin up, fire up, boot up, bring up,
            kick off, get … started, get … running, bring … back, get … back, mach … an, schalt … an,
            schalte … an, schalt … ein, schalte … ein, fahr … hoch""",
        "stop": """shut down, turn off, switch off, power off, power down, spin down, bring down, take down,
            tear down, wind down, close down, mach … aus, schalt … aus, schalte … aus, fahr … runter,
            fahr … herunter""",
        "resume": "wake up",
        "keep": "leave … running, leave … on, lass … laufen, lass … an, extend, prolong",
        "remove": "get rid of",
        "new": "set up",
        "link": "log in, log into, log in to, sign in, sign into, sign in to",
        "unlink": "log out, log out of, sign out, sign out of",
        "open": "go to, link to, take me to",
        "whoami": "who am i",
        "status": "status of, state of",
    }
)
#: The words of a start that waits for capacity.
AND_WAIT: Final = _split_phrases(
    """and wait, and wait for room, and wait for a gpu, and wait for a free gpu, and keep trying,
    when there is room, when there's room, when a gpu is free, as soon as there is room"""
)
#: Questions about the line for room, as whole texts: none of their words is a name.
WAITLIST_QUESTIONS: Final = frozenset(
    _split_phrases(
        """who is waiting, who's waiting, who is waiting for room, who is waiting for a gpu, who else
        is waiting, my place, how many are waiting, how many people are waiting, is there a free
        gpu, is there a gpu free, is there any free gpu, are there free gpus, are there any free
        gpus, is a gpu free, any free gpu, any gpu free, is there room, is there any room, ist eine
        gpu frei, wer wartet, wie viele sind vor mir"""
    )
)
#: Mean the same as *longer*.
EXTENDING: Final = split_words("extend prolong")
#: Put off what is planned, by a length.
POSTPONING: Final = split_words("push delay postpone shift")
#: The fillers of such a request beside *longer* or *more*.
GIVING: Final = split_words("give me add get have let i we need want can could run keep leave on to stay")
#: Greetings and reactions to the last answer: whole texts, by their topic. Other texts are ranked
#: (``sentences``).
SMALL_TALK: Final = _index_phrases(
    {
        "hello": "hi, hello, hey, hallo, moin, hola, bonjour, good morning, good afternoon, good evening",
        "thanks": """thanks, thank you, thx, ty, cheers, danke, merci, gracias, perfect, great, cool, nice,
            danke dir, danke schön, dankeschön, vielen dank, ok danke, thanks a lot, many thanks""",
        "nothing": "nothing, no thanks, no thank you, not now, sorry, later, done, i'm done, that's all",
        "undo": """undo, undo it, undo that, take it back, take that back, no, nope, no wait, wait, no no,
            don't, dont, don't do it, don't do that, never mind, nevermind, nvm, forget it, forget that,
            leave it, oops, scratch that, stop that, revert, revert it, revert that, wait don't,
            no don't, wait no, please don't, no stop that, wait stop that, not that one, no not that one,
            wait not that one, wait no not that one, wrong one, oops wrong one, better not, jk, kidding,
            just kidding, only kidding, ignore, ignore it, ignore that, ignore this, ignore me""",
        "again": "try again, retry, again, same again, do it again, do that again, try it again, once more",
        "yes": """yes, yep, yeah, sure, ok, okay, y, do it, go ahead, confirm, yes please, ok do it,
            go for it, please do, correct, right, exactly, yes pls, yes plz, ja, ja bitte, jo, genau,
            yes do it, ok do that, do that, then do it, ok then do it, ok good then do it, mach das,
            thumbsup, +1, ok_hand, white_check_mark, heavy_check_mark, 👍, 👌, ✅""",
    }
)

#: Take back a request at whose end they stand; others of them may mean something that they are said of.
WITHDRAWING: Final = (
    *(
        phrase
        for phrase, topic in SMALL_TALK.items()
        if topic == "undo" and phrase not in {("wait",), ("oops",), ("leave", "it"), ("stop", "that")}
    ),
    ("no", "thanks"),
    ("no", "thank", "you"),
)
#: The courtesies before or after a request. No more than 60: any other unread word keeps a request from
#: being done.
COURTESIES: Final = _split_phrases(
    """please, pls, plz, bitte, kindly, mal, thanks, thank you, thx, ty, cheers, danke, merci, gracias, a lot,
    so much, in advance, hi, hello, hey, hallo, moin, there, good morning, good afternoon, good evening,
    usher, bot, sorry, oops, oh, ah, hm, hmm, um, uh, actually, btw, by the way, so, well, ok, okay, fine,
    alright, great, perfect, cool, yes, yeah, sure, just, quickly, asap, if you can, if you don't mind,
    if possible, when you can, whenever you can, when you get a chance"""
)
#: The phrases before a request's verb.
OPENERS: Final = _split_phrases(
    """can you, can u, could you, would you, will you, i want to, i want you to, i would like to, i would
    like you to, i'd like to, i'd like you to, i need to, i need you to, i have to, i wanna, wanna, gotta,
    let's, lets, let us, go ahead and, do it, you can, help me, help me to, and, also, now, kannst du,
    könntest du, kannst du mir, ich möchte, ich will, dann"""
)
#: The times of a request that is done at once.
AT_ONCE: Final = _split_phrases(
    """now, right now, for now, for today, for the day, for the night, for tonight, today, from now on,
    at once, immediately, right away, again, then, too, as well, for me, will you, would you, could you"""
)
#: The requests for messages that Usher sends anyway.
_NOTIFY_PHRASES: Final = ", ".join(
    f"{tell} when {it} {ready}"
    for tell in ("let me know", "tell me", "ping me", "message me")
    for it in ("it's", "its", "it is", "they're")
    for ready in ("ready", "up", "done", "running")
)
_ANYWAY: Final = _split_phrases(f"{_NOTIFY_PHRASES}, open it, send me the link, give me the link")
#: The phrases that are stripped before and after a request.
COURTESY: Final = tuple(sorted({*COURTESIES, *OPENERS}, key=len, reverse=True))
AFTERTHOUGHTS: Final = tuple(sorted({*COURTESIES, *AT_ONCE, *_ANYWAY}, key=len, reverse=True))
#: The question words that ask for a list of the matching ones.
WHICH_WORDS: Final = split_words("what what's whats which anything any")
#: The conditions that only contrast two things.
CONTRASTS: Final = split_words("but instead rather only")
OF_ALL_HOURS: Final = split_words("all both everything")
ASKING_HOURS: Final = split_words("what what's whats are is show list when do does tell me see which any all")
#: The words that set hours, join a start and a stop, or forbid an automatic start.
SETTING_HOURS: Final = split_words("set change make give update adjust put schedule")
AND_STOP: Final = _split_phrases(
    """stop it again, stop it, stop, shut it down, shut down it, turn it off, turn off it, switch it off,
    suspend it, end it"""
)
AND_START: Final = _split_phrases("start it again, start it, start, turn it on, turn on it, switch it on")
BY_ITSELF: Final = frozenset({"automatically"})
NOT_BY_ITSELF: Final = BY_ITSELF | split_words(
    "don't dont do not no never stop start starting stopping run running anymore any more longer"
)
EXCEPTION_PHRASES: Final = _split_phrases(
    """except, except for, only exception is, the only exception is, exception is, but, but not, besides,
    without, apart from, other than, not, excluding, ausser, nicht, aber nicht, bis auf, sauf, pas, excepto,
    salvo, menos"""
)

#: Lead to why something is wanted.
REASONS: Final = split_words("because cause cuz since so")
BESIDES_HOURS: Final = (
    vocabulary.BEFORE_A_NAME
    | vocabulary.PLEASE_WORDS
    | split_words(
        """can could would will you i we want need let's just ok have has on at turn work working it's it
        one"""
    )
)
#: The number of entries in a list, from a place in it.
COUNT_WORDS: Final = split_words("two three four five both 2 3 4 5")
#: The phrases for all objects of a verb.
ALL_PHRASES: Final = _split_phrases(
    """all, everything, all of them, all of it, it all, all my workspaces, all workspaces, every workspace,
    my workspaces, workspaces, all my notebooks, all notebooks, all servers, all my servers, alles, alle,
    tout, tous, todo, todos, all the workspaces, all of my workspaces, them all, all my stuff, every one,
    all of mine, all runs, all jobs, all my runs, all my jobs, my runs, my jobs"""
)
#: The phrases for all other objects.
REST_PHRASES: Final = _split_phrases(
    """everything else, anything else, all else, the others, all others, all the others, the rest,
    all the rest, the rest of them, the other ones, all the other ones, the other workspaces,
    all other workspaces, alles andere, alle anderen, le reste, el resto"""
)
#: The criteria that Usher can't see.
UNKNOWABLE: Final = split_words(
    "idle unused busy expensive cheap old older oldest new newest big bigger biggest small"
)
#: The states of several objects: ``all that are running``.
RUNNING_WORDS: Final = split_words("running started active up on")
STOPPED_WORDS: Final = split_words("stopped down off inactive")
#: The verbs that show an object, or everything.
SHOWING_WORDS: Final = split_words("send show see display view get give print find zeig zeige look")
#: The prepositions between a name and its connection.
PLACE_PREPOSITIONS: Final = split_words("on at in from @ under")
