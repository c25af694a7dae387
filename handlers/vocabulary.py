"""The words around names: what tells names, states and times from everything else that people write. Tables.

Words are separated by blanks.
"""

from collections.abc import Mapping
from typing import Final

from handlers.synonyms import SYNONYMS, by_word, words

#: A stop that is planned: to take it back keeps what it is about.
PLANS: Final = words("planned plan timer timers scheduled countdown")
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
#: What ends hours, lets them come again or pauses them, and what may be said with that.
ABOUT_HOURS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "off": (
        words("no off end remove delete cancel clear drop disable stop without"),
        words("more any anymore longer"),
    ),
    "on": (words("resume continue enable"), words("again")),
    "pause": (words("pause suspend"), frozenset()),
}
#: Say before a day that nothing comes then, or until then.
LEAVING_OUT_HOURS: Final = words("skip pause off")
THEN: Final = words("and then & && und or ; plus")
PLEASE: Final = words("please pls plz bitte kindly")

#: What joins names.
JOINING: Final = words("and & + , und plus as well also then both")
#: What may come before a name without being part of it.
BEFORE_A_NAME: Final = words(
    """my own the a an our this that these those of for up to with named called both from using into
    mein meine meinen das der die den dem el la los las mi mis le les mon ma mes"""
)
#: What may stand between a verb and a name and says nothing.
IN_BETWEEN: Final = words("please pls plz bitte mal eben now just i we i'm im again anymore")
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
#: What help explains as one: how to use Usher with others.
OF_COURSES: Final = words("class classes course lesson lessons")
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
#: Words of a connection's title that are no name for it.
NO_PLACES: Final = words("cloud team server servers the our my lab group project workspace workspaces test")
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
    *(table.values() for table in SYNONYMS.values()),
)
