"""The words around names, which distinguish names, states and times from everything else. Tables.

Words are separated by blanks.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from bot.messages.verb import list_synonyms
from handlers.synonyms import index_words, split_words

#: A stop that is planned: to take it back keeps what it is about.
PLAN_WORDS: Final = split_words("planned plan timer timers scheduled countdown")
#: Words that begin a question about how something is.
QUESTION_WORDS: Final = split_words(
    """is are was were has have had did does do am why when where how what what's whats which who who's whose
    isn't aren't wasn't hasn't haven't didn't doesn't won't will where's how's hows when's why's still tell
    wonder wondering any anything running since whens wheres whos know"""
)
#: The words for a run's result.
RESULT_WORDS: Final = split_words("work worked succeed succeeded finish finished fail failed done ready over")
#: The words of a question about a connection itself.
HEALTH_WORDS: Final = split_words(
    """down up working broken ok okay alive reachable available answering healthy wrong slow issues issue
    problem problems trouble outage offline online dead kaputt responding"""
)
#: Words of such a question that aren't the name.
QUESTION_FILLERS: Final = (
    QUESTION_WORDS
    | HEALTH_WORDS
    | RESULT_WORDS
    | PLAN_WORDS
    | split_words(
        """stopped stop start started starting stopping fine yet already off doing going currently complete
        completed there back be been it's me whether happened happening about long take takes status state
        open idle much time left taking gone accessible again stuck finally actually so really crash crashed
        something more longer reason happen happens uptime got get think see check there's you we i come
        itself last anymore else lately shut warum wieso weshalb wann wie ist sind war lange läuft laufen
        gerade noch schon wieder immer geht ging gescheitert fehlgeschlagen abgebrochen fertig"""
    )
)

#: Says that something can't be done or doesn't work.
INABILITY: Final = split_words(
    "can't cannot cant couldn't won't wouldn't doesn't didn't isn't aren't haven't hasn't unable"
)
#: Means that nothing should be done.
NEGATIONS: Final = INABILITY | split_words(
    "don't dont not never no without shouldn't mustn't needn't nicht nie kein keine keinen pas jamais nunca"
)
#: Sets a condition: nothing is done to what is named with it.
CONDITIONS: Final = split_words(
    """if when unless once while after before because but instead rather only whenever or later soon tomorrow
    tonight daily every someday eventually oder yesterday at by in until till til"""
)
#: The orders that end, resume or pause hours: their words, and those that may stand with them.
HOURS_ORDERS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "off": (
        split_words("no off end remove delete cancel clear drop disable stop without"),
        split_words("more any anymore longer"),
    ),
    "on": (split_words("resume continue enable"), split_words("again")),
    "pause": (split_words("pause suspend"), frozenset()),
}
#: Say before a day that nothing comes then, or until then.
HOURS_EXCEPTIONS: Final = split_words("skip pause off")
PLEASE_WORDS: Final = split_words("please pls plz bitte kindly")

#: The words that join names.
CONJUNCTIONS: Final = split_words("and & + , und plus as well also then both")
#: The words before a name that aren't part of it.
BEFORE_A_NAME: Final = split_words(
    """my own the a an our this that these those of for up to with named called both from using into
    mein meine meinen das der die den dem el la los las mi mis le les mon ma mes"""
)
#: The fillers between a verb and a name.
IN_BETWEEN: Final = split_words("please pls plz bitte mal eben now just i we i'm im again anymore")
#: The pronouns for the referents of the conversation.
SINGULAR_PRONOUNS: Final = split_words("it that this one")
PLURAL_PRONOUNS: Final = split_words("them those these both two three ones they")
#: Count in a list, from its end if negative.
ORDINALS: Final[Mapping[str, int]] = {
        word: place
        for place, words_ in {
            1: "first 1st", 2: "second 2nd", 3: "third 3rd", 4: "fourth 4th", 5: "fifth 5th", -1: "last",
        }.items()
        for word in words_.split()
    }  # fmt: skip
#: Words that distinguish workspaces without naming one.
DISTINGUISHING: Final = split_words("""other same usual right wrong mine running up down on off""")
#: The general words for a workspace; alone they name none.
GENERIC_SINGULARS: Final = split_words(
    """workspace server session machine instance environment env vm box container pod ide one it that this
    them thing computer"""
)
GENERIC_PLURALS: Final = split_words(
    """workspaces servers sessions machines instances environments vms boxes containers pods ides notebooks
    stuff"""
)
JOB_WORDS: Final = split_words("job jobs run runs")
#: The objects of a state, and the fillers beside it.
STATE_OBJECTS: Final = GENERIC_PLURALS | split_words("all every everything anything whatever ones")
STATE_FILLERS: Final = (
    STATE_OBJECTS
    | GENERIC_SINGULARS
    | split_words("which are is my the of currently still that's thats there")
)
#: The states by which a list can be filtered, and the fillers of such a list.
STATE_WORDS: Final = index_words(
    {
        "running": "running active up",
        "starting": "starting",
        "stopped": "stopped inactive down off",
        "suspended": "suspended paused",
        "failed": "failed broken",
    }
)
RUN_STATES: Final = index_words(
    {
        "running": "running active",
        "queued": "queued waiting pending",
        "failed": "failed broken",
        "succeeded": "succeeded successful done finished completed",
        "cancelled": "cancelled canceled stopped",
    }
)
LIST_WORDS: Final = (
    STATE_FILLERS
    | BEFORE_A_NAME
    | JOB_WORDS
    | split_words("and on at in page show me list what what's whats now right just please")
)
#: A workspace of such a name is only meant where nothing else can be.
_EVERYDAY: Final = (
    (QUESTION_FILLERS - PLAN_WORDS)
    | NEGATIONS
    | CONDITIONS
    | CONJUNCTIONS
    | BEFORE_A_NAME
    | PLURAL_PRONOUNS
    | DISTINGUISHING
    | GENERIC_SINGULARS
    | GENERIC_PLURALS
    | STATE_WORDS.keys()
    | ORDINALS.keys()
    | PLEASE_WORDS
    | {"all"}
)
#: The words between names that need no explanation, also in questions.
EXPLAINED: Final = (
    CONJUNCTIONS
    | BEFORE_A_NAME
    | GENERIC_SINGULARS
    | GENERIC_PLURALS
    | IN_BETWEEN
    | SINGULAR_PRONOUNS
    | PLURAL_PRONOUNS
    | DISTINGUISHING
)
IN_QUESTIONS: Final = EXPLAINED | QUESTION_FILLERS | JOB_WORDS


#: No names with a slip, though nothing explains them where they stand.
@cache
def list_everyday_words() -> frozenset[str]:
    """Return the everyday words: a workspace of such a name is meant only where nothing else can be."""
    return frozenset(_EVERYDAY).union(list_synonyms("workspace").values())


@cache
def list_dictionary() -> frozenset[str]:
    """Return all words that mean something: with a slip, none of them is a name."""
    verbs = (
        word for command in ("workspace", "job") for pair in list_synonyms(command).items() for word in pair
    )
    return frozenset(IN_QUESTIONS).union(_EVERYDAY, verbs)
