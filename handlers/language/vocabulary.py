"""The words that people use: phrases, courtesy, and what only joins words. Tables.

Words are separated by blanks, phrases by commas.
"""

from collections.abc import Mapping
from typing import Final

from handlers.synonyms import SYNONYMS, by_word, words


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases as words, the longest first, so that none hides a longer one."""
    return tuple(sorted((tuple(phrase.split()) for phrase in text.split(",")), key=len, reverse=True))


def _by_phrase(table: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    found = {phrase: verb for verb, phrases in table.items() for phrase in _phrases(phrases)}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


#: The second word of a verb, which may follow the name: ``turn notebook off``.
PARTICLES: Final = words("on off up down")
#: Say that something is to be down.
DOWN_PARTICLES: Final = words("off down aus")


def _by_opening(table: Mapping[str, str]) -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Return openings with their verbs by their first word, those with what is named in between last."""
    found = _by_phrase(table)
    found |= {
        (one[0], "…", one[1]): verb for one, verb in found.items() if len(one) == 2 and one[1] in PARTICLES
    }
    ranked = sorted(found.items(), key=lambda item: ("…" in item[0], -len(item[0])))
    return {first: tuple(one for one in ranked if one[0][0] == first) for first in {one[0] for one in found}}


#: What begins a request in several words, by its verb. ``…`` stands for what is named, of what follows it
#: only the first word belongs to the verb, and a particle may follow it, too: ``turn notebook off``.
OPENINGS: Final = _by_opening(
    {
        "start": """start up, turn on, switch on, power on, power up, spin up, fire up, boot up, bring up,
            kick off, get … started, get … running, mach … an, schalt … an, schalte … an, schalt … ein,
            schalte … ein, fahr … hoch""",
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
#: What a start says that is to wait for room.
AND_WAIT: Final = _phrases(
    """and wait, and wait for room, and wait for a gpu, and wait for a free gpu, and keep trying,
    when there is room, when there's room, when a gpu is free, as soon as there is room"""
)
#: Questions about the line for room, as whole texts: none of their words is a name.
OF_WAITING: Final = frozenset(
    _phrases(
        """who is waiting, who's waiting, who is waiting for room, who is waiting for a gpu, who else
        is waiting, my place, how many are waiting, how many people are waiting, is there a free
        gpu, is there a gpu free, is there any free gpu, are there free gpus, are there any free
        gpus, is a gpu free, any free gpu, any gpu free, is there room, is there any room, ist eine
        gpu frei, wer wartet, wie viele sind vor mir"""
    )
)
#: A stop that is planned: to take it back keeps what it is about.
PLANS: Final = words("planned plan timer timers scheduled countdown")
#: Mean the same as *longer*.
EXTENDING: Final = words("extend prolong")
#: Put off what is planned, by a length.
POSTPONING: Final = words("push delay postpone shift")
#: What such a request may say besides, where *longer* or *more* says it.
GIVING: Final = words("give me add get have let i we need want can could run keep leave on to stay")
#: What is said about what was said or done before, or in greeting: whole texts, by what they mean. What is
#: put in other words is ranked (``sentences``).
TALK: Final = _by_phrase(
    {
        "hello": "hi, hello, hey, hallo, moin, hola, bonjour, good morning, good afternoon, good evening",
        "thanks": """thanks, thank you, thx, ty, cheers, danke, merci, gracias, perfect, great, cool, nice,
            danke dir, danke schön, dankeschön, vielen dank, ok danke, thanks a lot, many thanks""",
        "nothing": "nothing, no thanks, no thank you, not now, sorry, later, done, i'm done, that's all",
        "undo": """undo, undo it, undo that, take it back, take that back, no, nope, no wait, wait, no no,
            don't, dont, don't do it, don't do that, never mind, nevermind, nvm, forget it, forget that,
            leave it, oops, scratch that, stop that, revert, revert it, revert that, wait don't,
            no don't, wait no, please don't, no stop that, wait stop that, not that one, no not that one,
            wait not that one, wait no not that one, wrong one, oops wrong one""",
        "again": "try again, retry, again, same again, do it again, do that again, try it again, once more",
        "yes": """yes, yep, yeah, sure, ok, okay, y, do it, go ahead, confirm, yes please, ok do it,
            go for it, please do, correct, right, exactly, yes pls, yes plz, ja, ja bitte, jo, genau,
            yes do it, ok do that, do that, then do it, ok then do it, ok good then do it, mach das,
            thumbsup, +1, ok_hand, white_check_mark, heavy_check_mark, 👍, 👌, ✅""",
    }
)

#: What changes nothing about a request, before or after it. No more than 60: whatever else stands there and
#: isn't read keeps a request from being done.
COURTESIES: Final = _phrases(
    """please, pls, plz, bitte, kindly, mal, thanks, thank you, thx, ty, cheers, danke, merci, gracias, a lot,
    so much, in advance, hi, hello, hey, hallo, moin, there, good morning, good afternoon, good evening,
    usher, bot, sorry, oops, oh, ah, hm, hmm, um, uh, actually, btw, by the way, so, well, ok, okay, fine,
    alright, great, perfect, cool, yes, yeah, sure, just, quickly, asap, if you can, if you don't mind,
    if possible, when you can, whenever you can, when you get a chance"""
)
#: How a request is put, before its verb.
OPENERS: Final = _phrases(
    """can you, can u, could you, would you, will you, i want to, i want you to, i would like to, i would
    like you to, i'd like to, i'd like you to, i need to, i need you to, i have to, i wanna, wanna, gotta,
    let's, lets, let us, go ahead and, do it, you can, help me, help me to, and, also, now, kannst du,
    könntest du, kannst du mir, ich möchte, ich will, dann"""
)
#: When what has no other time is done.
AT_ONCE: Final = _phrases(
    """now, right now, for now, for today, for the day, for the night, for tonight, today, from now on,
    at once, immediately, right away, again, then, too, as well, for me, will you, would you, could you"""
)
#: What Usher does anyway.
_NEWS: Final = ", ".join(
    f"{tell} when {it} {ready}"
    for tell in ("let me know", "tell me", "ping me", "message me")
    for it in ("it's", "its", "it is", "they're")
    for ready in ("ready", "up", "done", "running")
)
_ANYWAY: Final = _phrases(f"{_NEWS}, open it, send me the link, give me the link")
#: What is taken off before and after a request.
COURTESY: Final = tuple(sorted({*COURTESIES, *OPENERS}, key=len, reverse=True))
AFTERTHOUGHTS: Final = tuple(sorted({*COURTESIES, *AT_ONCE, *_ANYWAY}, key=len, reverse=True))
#: Words that begin a question about how something is.
ASKING: Final = words(
    """is are was were has have had did does do am why when where how what what's whats which who who's whose
    isn't aren't wasn't hasn't haven't didn't doesn't won't will where's how's hows when's why's still tell
    wonder wondering any anything running since whens wheres whos know"""
)
#: What is said about a run.
RESULTS: Final = words("work worked succeed succeeded finish finished fail failed done ready over")
#: What asks about a connection itself.
HEALTH: Final = words(
    """down up working broken ok okay alive reachable available answering healthy wrong slow issues issue
    problem problems trouble outage offline online dead kaputt responding"""
)
#: Those that ask which ones: a list of only these is the answer.
WHICH: Final = words("what what's whats which anything any")
#: Words of such a question that aren't the name.
OF_QUESTIONS: Final = (
    ASKING
    | HEALTH
    | RESULTS
    | PLANS
    | words(
        """stopped stop start started starting stopping fine yet already off doing going currently complete
        completed there back be been it's me whether happened happening about long take takes status state
        open idle much time left taking gone accessible again stuck finally actually so really crash crashed
        something more longer reason happen happens uptime got get think see check there's you we i come
        itself last anymore else lately shut warum wieso weshalb wann wie ist sind war lange läuft laufen
        gerade noch schon wieder immer geht ging gescheitert fehlgeschlagen abgebrochen fertig"""
    )
)

#: Says that something can't be done or doesn't work.
INABILITY: Final = words(
    "can't cannot cant couldn't won't wouldn't doesn't didn't isn't aren't haven't hasn't unable"
)
#: Means that nothing should be done.
NEGATIONS: Final = INABILITY | words(
    "don't dont not never no without shouldn't mustn't needn't nicht nie kein keine keinen pas jamais nunca"
)
#: Sets a condition: nothing is done to what is named with it.
CONDITIONS: Final = words(
    """if when unless once while after before because but instead rather only whenever or later soon tomorrow
    tonight daily every someday eventually oder yesterday at by in until till til"""
)
#: Of these, what only sets one thing against another.
CONTRASTS: Final = words("but instead rather only")
#: What ends hours, lets them come again or pauses them, and what may be said with that.
ABOUT_HOURS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "off": (
        words("no off end remove delete cancel clear drop disable stop without"),
        words("more any anymore longer"),
    ),
    "on": (words("resume continue enable"), words("again")),
    "pause": (words("pause suspend"), frozenset()),
}
OF_ALL_HOURS: Final = words("all both everything")
#: Say before a day that nothing comes then, or until then.
LEAVING_OUT_HOURS: Final = words("skip pause off")
ASKING_HOURS: Final = words("what what's whats are is show list when do does tell me see which any all")
#: What else sets hours, joins a start and a stop, and says that nothing is done by itself.
SETTING_HOURS: Final = words("set change make give update adjust put schedule")
AND_STOP: Final = _phrases(
    """stop it again, stop it, stop, shut it down, shut down it, turn it off, turn off it, switch it off,
    suspend it, end it"""
)
AND_START: Final = _phrases("start it again, start it, start, turn it on, turn on it, switch it on")
BY_ITSELF: Final = frozenset({"automatically"})
NOT_BY_ITSELF: Final = BY_ITSELF | words(
    "don't dont do not no never stop start starting stopping run running anymore any more longer"
)
EXCEPT: Final = _phrases(
    """except, except for, only exception is, the only exception is, exception is, but, but not, besides,
    without, apart from, other than, not, excluding, ausser, nicht, aber nicht, bis auf, sauf, pas, excepto,
    salvo, menos"""
)

THEN: Final = words("and then & && und or ; plus")
PLEASE: Final = words("please pls plz bitte kindly")

#: Lead to why something is wanted.
REASONS: Final = words("because cause cuz since so")
#: What joins names.
JOINING: Final = words("and & + , und plus as well also then both")
#: What may come before a name without being part of it.
BEFORE_A_NAME: Final = words(
    """my own the a an our this that these those of for up to with named called both from using into
    mein meine meinen das der die den dem el la los las mi mis le les mon ma mes"""
)
#: What may stand between a verb and a name and says nothing.
IN_BETWEEN: Final = words("please pls plz bitte mal eben now just i we i'm im again anymore")
BESIDES_HOURS: Final = (
    BEFORE_A_NAME
    | PLEASE
    | words(
        """can could would will you i we want need let's just ok have has on at turn work working it's it
        one"""
    )
)
#: Says that something is somebody else's: only one's own is ever touched.
OF_OTHERS: Final = words(
    """his her hers their theirs somebody's someone's everybody's everyone's others' somebodys someones
    everybodys everyones"""
)
#: Say it after one of these, too: ``the notebook of somebody else``.
OTHERS: Final = words("somebody someone")
BEFORE_AN_OWNER: Final = words("of for from to")
#: What only looks like a possessive.
OF_ONESELF: Final = words("let's it's that's there's here's today's tonight's yesterday's tomorrow's week's")
#: Point at what was spoken of.
IT: Final = words("it that this one")
THEM: Final = words("them those these both two three ones they")
#: Count in a list, from its end if negative.
ORDINALS: Final[Mapping[str, int]] = {
        word: place
        for place, words_ in {
            1: "first 1st", 2: "second 2nd", 3: "third 3rd", 4: "fourth 4th", 5: "fifth 5th", -1: "last",
        }.items()
        for word in words_.split()
    }  # fmt: skip
#: How many of a list, from a place in it.
COUNTS: Final = words("two three four five both 2 3 4 5")
#: Words that distinguish workspaces without naming one.
POINTING: Final = words("""other same usual right wrong mine running up down on off""")
#: What a workspace is called in general; on its own it names none.
GENERIC: Final = words(
    """workspace server session machine instance environment env vm box container pod ide one it that this
    them thing computer"""
)
GENERICS: Final = words(
    """workspaces servers sessions machines instances environments vms boxes containers pods ides notebooks
    stuff"""
)
OF_JOBS: Final = words("job jobs run runs")
#: Everything that a verb can be done to.
ALL: Final = _phrases(
    """all, everything, all of them, all of it, it all, all my workspaces, all workspaces, every workspace,
    my workspaces, workspaces, all my notebooks, all notebooks, all servers, all my servers, alles, alle,
    tout, tous, todo, todos, all the workspaces, all of my workspaces, them all, all my stuff, every one,
    all of mine, all runs, all jobs, all my runs, all my jobs, my runs, my jobs"""
)
#: Everything else.
REST: Final = _phrases(
    """everything else, anything else, all else, the others, all others, all the others, the rest,
    all the rest, the rest of them, the other ones, all the other ones, the other workspaces,
    all other workspaces, alles andere, alle anderen, le reste, el resto"""
)
#: Which ones, by what Usher can't see.
UNKNOWABLE: Final = words(
    "idle unused busy expensive cheap old older oldest new newest big bigger biggest small"
)
#: Which ones, by their state, where several are meant: ``all that are running``.
RUNNING: Final = words("running started active up on")
STOPPED: Final = words("stopped down off inactive")
#: What means several with such a state, and what else may be said with it.
OF_A_STATE: Final = GENERICS | words("all every everything anything whatever ones")
WITH_A_STATE: Final = (
    OF_A_STATE | GENERIC | words("which are is my the of currently still that's thats there")
)
#: States that a list can be narrowed to, and what else may be said there.
STATES: Final = by_word(
    {
        "running": "running active up",
        "starting": "starting",
        "stopped": "stopped inactive down off",
        "suspended": "suspended paused",
        "failed": "failed broken",
    }
)
RUN_STATES: Final = by_word(
    {
        "running": "running active",
        "queued": "queued waiting pending",
        "failed": "failed broken",
        "succeeded": "succeeded successful done finished completed",
        "cancelled": "cancelled canceled stopped",
    }
)
OF_LISTS: Final = (
    WITH_A_STATE
    | BEFORE_A_NAME
    | OF_JOBS
    | words("and on at in page show me list what what's whats now right just please")
)
#: Shows something: of what follows, or of everything.
SHOWING: Final = words("send show see display view get give print find zeig zeige look")
#: Words of a connection's title that are no name for it.
NO_PLACES: Final = words("cloud team server servers the our my lab group project workspace workspaces test")
#: Where something is: between a name and its connection.
WHERE: Final = words("on at in from @ under")
#: A workspace of such a name is only meant where nothing else can be.
EVERYDAY: Final = (
    (OF_QUESTIONS - PLANS)
    | NEGATIONS
    | CONDITIONS
    | JOINING
    | BEFORE_A_NAME
    | THEM
    | POINTING
    | GENERIC
    | GENERICS
    | STATES.keys()
    | ORDINALS.keys()
    | PLEASE
    | frozenset({"all", *SYNONYMS["workspace"].values()})
)
#: What stands between names and needs no explanation, and what does in questions.
EXPLAINED: Final = JOINING | BEFORE_A_NAME | GENERIC | GENERICS | IN_BETWEEN | IT | THEM | POINTING
IN_QUESTIONS: Final = EXPLAINED | OF_QUESTIONS | OF_JOBS
#: No names with a slip, though nothing explains them where they stand.
KNOWN: Final = IN_QUESTIONS.union(
    EVERYDAY,
    *SYNONYMS.values(),
    *(one.values() for one in SYNONYMS.values()),
)
