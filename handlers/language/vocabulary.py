"""The words that people use: other words for each verb, phrases, courtesy, and what only joins words. Tables.

Words are separated by blanks, phrases by commas.
"""

from collections.abc import Mapping
from typing import Final, Literal


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return phrases as words, the longest first, so that none hides a longer one."""
    return tuple(sorted((tuple(phrase.split()) for phrase in text.split(",")), key=len, reverse=True))


def _by_word(table: Mapping[str, str]) -> Mapping[str, str]:
    return {word: verb for verb, others in table.items() for word in others.split()}


def _by_phrase(table: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    found = {phrase: verb for verb, phrases in table.items() for phrase in _phrases(phrases)}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


#: The second word of a verb, which may follow the name: ``turn notebook off``.
PARTICLES: Final = _words("on off up down")


def _by_opening(table: Mapping[str, str]) -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Return openings with their verbs by their first word, those with what is named in between last."""
    found = _by_phrase(table)
    found |= {
        (one[0], "…", one[1]): verb for one, verb in found.items() if len(one) == 2 and one[1] in PARTICLES
    }
    ranked = sorted(found.items(), key=lambda item: ("…" in item[0], -len(item[0])))
    return {first: tuple(one for one in ranked if one[0][0] == first) for first in {one[0] for one in found}}


#: Other words for verbs, by the folder in which they were written.
SYNONYMS: Final[Mapping[str, Mapping[str, str]]] = {
    "workspace": _by_word(
        {
            "start": "run launch boot begin execute activate enable ignite deploy",
            "stop": "kill end shutdown halt quit terminate close deactivate disable exit poweroff",
            "suspend": "pause sleep hibernate freeze",
            "resume": "unpause continue wake unfreeze unsuspend",
            "restart": "reboot reload relaunch bounce",
            "remove": "delete destroy erase del rm purge drop discard",
            "forget": "hide ignore",
            "new": "create make build provision",
            "list": "ls ps dir workspaces mine all overview dashboard",
            "status": "state stat stats info describe inspect check",
            "open": "enter visit goto url address",
            "link": "login connect signin auth authenticate authorize authorise account token access",
            "unlink": "logout disconnect signout revoke",
            "cancel": "abort undo",
            "alias": "rename call name",
            "help": "commands usage man manual hilfe aide ayuda ajuda ? -h --help",
            "whoami": "accounts links",
            "version": "ver --version -v",
            "settings": "preferences prefs config configure configuration options setting",
        }
    ),
    "job": _by_word(
        {
            "run": "start launch begin execute exec submit new create rerun re-run",
            "stop": "kill end halt quit terminate cancel abort",
            "list": "ls ps dir all mine",
            "logs": "log output tail stdout stderr",
            "status": "state stat stats info progress check",
            "schedule": "cron",
            "help": "commands usage man manual hilfe aide ayuda ajuda ? -h --help",
        }
    ),
}

#: What one verb is asked to do although another one does it: by the verb, the other one, and the first word
#: of what is named. Only where no workspace is called that.
ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    "stop": _by_word(
        {
            "settings": """notifications notification notifying messages messaging dms telling asking
                    bothering sending pinging spamming reminding reminders writing"""
        }
    ),
    "remove": _by_word({"unlink": "account accounts me login"}),
    "forget": _by_word({"unlink": "account accounts me login"}),
}

#: Verbs that end something: none of them is offered for a slip that may as well be another one.
ENDING: Final = _words("stop suspend restart remove forget unlink cancel")
#: Verbs for what can't be done here: they aren't slips for another one.
NO_VERBS: Final = _words(
    """clone copy duplicate fork backup save share invite move transfer upload download export import
    quiet upgrade update resize reset clear refresh edit change"""
)

#: What begins a request in several words, by its verb; with ``?`` it is only wanted, which may stand anywhere
#: in a sentence. A word after the verb is added. ``…`` stands for what is named, of what follows it only the
#: first word belongs to the verb, and a particle may follow it, too: ``turn notebook off``.
OPENINGS: Final = _by_opening(
    {
        "start": """start up, turn on, switch on, power on, power up, spin up, fire up, boot up, bring up,
            kick off, get going, get … going, get … started, get … running, get … up, get … ready""",
        "stop": """shut down, turn off, switch off, power off, power down, spin down, bring down, take down,
            tear down, wind down, close down""",
        "resume": "wake up, carry on, carry on with",
        "keep longer": """extend, prolong, lengthen, postpone the stop of, add more time to, add time to""",
        "remove": "get rid of, throw away, throw out",
        "new": "set up, start a new, start new, start another, open a new, spin up a new",
        "link": """log in, log into, sign in, sign into, hook up, log me in, sign me in, switch account,
            switch accounts, change account, have access to, get access to, have access, get access""",
        "unlink": "log out, log off, sign out, log out of, sign out of, log me out, sign me out",
        "settings": """set default, set my default, change my default, make … default, set … default,
            use … default""",
        "open": """go to, take me to, bring me to, jump to, get into, open up, link to, link for,
            link of, url of, address of""",
        "cancel": "call off",
        "whoami": "who am i",
        "status": "status of, state of, look at, how about, what about, check on, make sure",
        "stop?": """i'm done with, im done with, i am done with, done with, finished with, through with,
            i've finished with, can be stopped, is no longer needed, isn't needed, no longer need,
            don't need, dont need, do not need, not using, can go down, should be stopped, should be off,
            make … stop, should not be running, shouldn't be running, should not run, shouldn't run""",
        "restart?": "make … restart",
        "forget?": """get … off my list, take … off my list, remove … from my list, remove … off my list,
            remove … from the list, remove … from list, delete … from my list, get … off the list,
            take … off the list""",
        "keep": "leave … running, leave … on, leave … up, leave … alive",
        "keep?": """should run, should stay on, should stay up, should keep running, must run, needs to run,
            has to run, must stay on, needs to stay on, let … run until, let … run till, let … run for""",
        "start?": """would be nice, would be great, would be, i need, i want, i'll need, i could use, give me,
            get me, can i have, may i have, should be running, should be up, work on, work with, work in,
            time for, need, want, i'd need, make … start, make … run, let … run, let … start""",
    }
)
#: A stop that is planned: to take it back keeps what it is about.
PLANS: Final = _words("planned plan timer timers scheduled countdown")
#: What such a request may say besides, where *longer* or *more* says it.
GIVING: Final = _words("give me add get have let i we need want can could run keep leave on to stay")
#: Sentences that mean one thing, whole; without courtesy and without what ends them.
SENTENCES: Final = _by_phrase(
    {
        "help": """what can you do, what do you do, what can i do, what can i say, how does this work,
            how do you work, how does it work, what is this, what are you, who are you, help me,
            what commands do you have, what now, what next, i need help, need help, where do i start,
            get started, what else can you do, i'm lost, i am lost, what can i do here, are you a bot,
            who made you, who built you, i don't know what to do, i'm stuck, i'm new here, i am new here,
            i'm new, i am new, i want to get started, what can i run here, what is a workspace,
            what's a workspace, what is usher, what's usher, who is usher""",
        "list": """what do i have, what have i got, what's mine, show my stuff""",
        "new": """i need a workspace, i need a new workspace, i want a workspace, i want a new workspace,
            give me a workspace, give me a new workspace, get me a workspace, can i have a workspace,
            may i have a workspace""",
        "job list": "what jobs do i have, what ran, what is queued, what's queued",
        "link": """i can't log in, i cannot log in, i can't sign in, i cannot sign in, my link expired,
            my token expired, my link is broken""",
        "settings": "what's my default workspace, what is my default workspace, what's my default",
        "whoami": """who am i, what is my name, what's my name, what is my username, what's my username,
            my account, my accounts, my links, what am i linked to, what have i linked, am i linked,
            am i logged in, which accounts are linked, what accounts do i have""",
        "version": """what version, which version, what version are you, which version are you,
            what version is this, what is your version, what's your version""",
    }
)
#: What is only answered: whole sentences again, by the answer.
TALK: Final = _by_phrase(
    {
        "hello": """hi, hello, hey, hey there, hi there, hello there, good morning, good afternoon,
            good evening, morning, howdy, hallo, moin, servus, bonjour, hola, yo, greetings, hiya, test, ping,
            guten tag, guten morgen, guten abend, hallo zusammen, wie geht's, wie geht es dir, grüß gott,
            grüezi, salut, bonsoir, ça va, comment ça va, buenos días, buenos dias, buenas tardes, buenas,
            qué tal, que tal, cómo estás, como estas, ciao, buongiorno, olá, ola, bom dia, hej,
            what's up, whats up, sup, are you there, anybody there, you there, how are you, how are you
            doing""",
        "thanks": """thanks, thank you, thank u, thanx, thx, ty, cheers, thanks a lot, many thanks,
            thank you so much, thank you very much, much appreciated, danke, merci, perfect, great, nice,
            awesome, cool, good bot, good job, well done, great thanks, perfect thanks, thanks usher, bye,
            goodbye, see you, good night, see you tomorrow, tschüss, danke schön, vielen dank,
            merci beaucoup, gracias""",
        "nothing": """nothing, no thanks, no thank you, not now, sorry, later, done, i'm done, i am done,
            that's all, that's it""",
        "undo": """undo, undo it, undo that, undo this, take it back, take that back, no, nope, no wait, wait,
            wait no, don't, dont, don't do it, don't do that, never mind, nevermind, nvm, forget it,
            forget about it, forget that, leave it, ignore that, oops, my bad, wrong channel, scratch that,
            stop that, cancel that, revert, revert it, revert that, wait don't, wait dont, no don't, no dont,
            please don't, please dont, actually don't, actually dont, no no, no stop that, wait stop that""",
        "today": """what did you do today, what have you done today, what did you do, what have you done,
            what did i do today, what have i done today, what happened today, what did i ask you today""",
        "heard": """did you hear me, do you hear me, can you hear me, did you get that, did you hear that,
            did you get my message, are you listening, did that work""",
        "set_up": """what have i set up, what did i set up, what is planned, what's planned,
            what have i planned, what did i plan, what have you planned, what do you do by yourself""",
        "messages": """why did you message me, why are you messaging me, why do you message me,
            why did you write me, why did you write to me, why did i get this, why did i get this message,
            why did i get that message, why this message""",
        "again": """try again, retry, again, same again, do it again, do that again, try it again,
            try that again, once more""",
        "yes": """yes, yep, yeah, sure, ok, okay, y, do it, go ahead, confirm, yes please,
            ok do it, go for it, please do, correct, right, exactly""",
    }
)

_GREETINGS: Final = ",".join(" ".join(phrase) for phrase, topic in TALK.items() if topic == "hello")
_THANKS: Final = ",".join(" ".join(phrase) for phrase, topic in TALK.items() if topic == "thanks")
#: What comes before a request and changes nothing about it.
COURTESY: Final = _phrases(
    f"""{_GREETINGS}, {_THANKS}, yes, yeah, yep, sure, right, alright, hi usher, hey usher, hello usher,
    please, pls, plz, kindly, bitte, oops, sorry, hm, oh no, oh, ah, hang on, hold on, on second thought,
    on second thoughts, in that case, in this case, great then, good then, also, hmm, um, uh, uhm, er, erm,
    like, i guess, i think, check if, check whether, see if, see whether, find out if, find out whether,
    be so kind as to, actually, btw, by the way, ok, okay, so, well, and, now, just, quickly, quick, usher,
    bot, dear usher, can you, can u, could you, would you, will you, would you mind, do you mind,
    are you able to, i want to, i want you to, i would like to, i would like you to, i'd like to,
    i'd like you to, i'd love to, i need to, i need you to, i have to, i've to, i wanna, wanna, i gotta,
    gotta, let's, lets, let us, go ahead and, try to, help me to, help me, time to, it's time to, you should,
    you can, you could, let me, be so kind and, do me a favor and, do me a favour and, if you can"""
)
#: Asks for what Usher brings anyway: news, and then of what was started, too.
_NEWS: Final = "tell me, let me know, ping me, message me, notify me"
NEWS: Final = (_phrases(_NEWS), _phrases(f"{_NEWS}, send me the link, give me the link, open it"))
#: Says that what follows is meant in place of what was understood.
CORRECTING: Final = _phrases(
    """no, nope, no wait, i meant, i mean, no i meant, no i mean, wrong one, not that one, no not that one,
    that was wrong, wait"""
)
#: Says that the last request is meant for another one, too.
ALSO: Final = _words("also too same and")
#: Says nothing about what is corrected: ``2 is enough``, ``make that 6``.
FILLERS: Final = _words(
    "make it that is are will would do enough actually rather please only just oh better be instead ok"
)
#: The same, at the end.
AFTERTHOUGHTS: Final = _phrases(
    f"""{_THANKS}, thanks in advance, please, pls, plz, bitte, now, for today, for now, for the night,
    for the day, for tonight, when it's ready, sorry, right now, atm, asap, for me, again, quickly,
    if you can, when you can, will you, would you, could you, usher, bot, ok, okay, right away, immediately,
    today, if possible, if you don't mind, at once, when you have a moment, for a moment, real quick, then,
    too, as well"""
)

#: The few words of other languages that are understood, in English, and those that mean nothing here; whole
#: words, none that is English too.
TONGUES: Final = _by_word(
    {
        "": """ich du wir ihr sie sind kann kannst könnt können möchte und mein meine meinen dein auf aus ein
            eine einen wie was wo warum wann welche gibt mir mach löschen guten gerade danke hilf bitte mal
            noch schon je tu nous vous peux peut pouvez veux sont suis mes le la les un une des et ou où quel
            quelle pourquoi comment supprime supprimer s'il plaît plait te voudrais peux-tu pouvez-vous est-ce
            que yo tú puedo puedes puede quiero es están mi mis el los las una qué cómo dónde cuándo por
            favor para borra borrar""",
        "start": """starte starten startet anschalten einschalten démarre démarrer démarrez lancer lancez
            inicia iniciar arranca arrancar enciende encender""",
        "stop": """stoppe stoppen stoppt beende beenden anhalten ausschalten arrête arrêter arrêtez arrete
            arreter parar pares detén deten detener apaga apagar""",
        "open": "öffne öffnen oeffne ouvre ouvrir ouvrez abre abrir",
        "list": "liste lister zeige zeig montre montrer lista muestra mostrar listar",
        "running": "läuft laeuft laufen laufend tourne tournent corriendo funcionando",
        "is": "ist está estás",
        "not": "nicht kein keine ne pas",
        "all": "alle alles tous tout todo todos",
    }
)

#: Asks how something is done: the verb after it is explained, not run.
HOW_TO: Final = _phrases(
    """how do i, how can i, how do you, how would i, how does one, how to, how should i, how do we,
    how can we, how could i, what happens if i type, what happens when i type, what happens if i,
    what happens when i, what would happen if i, what will happen if i, what if i,
    what's the difference between, whats the difference between, what is the difference between,
    difference between, what does it mean to, what is the command to, what's the command to,
    is there a way to, can you explain how to, explain how to, tell me how to, show me how to"""
)
#: Asks whether: what follows is offered, not done.
WHETHER: Final = _phrases(
    """can i, may i, could i, should i, shall i, should we, shall we, do i need to, do i have to, must i,
    am i allowed to, is it ok to, is it okay to, is it safe to, is it possible to, can we, could we, may we,
    would it be ok to, are we allowed to, why don't we, why don't you, why not, maybe, perhaps,
    i might, we could, i could, i think i should, i was going to"""
)
#: Words that begin a question about how something is.
ASKING: Final = _words(
    """is are was were has have had did does do am why when where how what what's whats which who who's whose
    isn't aren't wasn't hasn't haven't didn't doesn't won't will where's how's hows when's why's still tell
    wonder wondering any anything running since whens wheres whos know"""
)
#: More beginnings of a question.
QUESTIONS: Final = _phrases("until when, till when")
#: What a question may ask.
Asked = Literal["state", "health", "list", "why", "since", "until", "length", "result", "output"]
#: The words that ask for something else than the state.
ASKED: Final[Mapping[Asked, tuple[tuple[str, ...], ...]]] = {
    "since": _phrases(
        "since when, how long has, how long have, how long is, how long already, uptime, when did"
    ),
    "until": _phrases(
        """until when, till when, how much longer, how much time, when will, when does, when is,
            how long will, how long does, how long can, stop by itself, when's, planned, a timer, any timer,
            stop planned"""
    ),
    "why": _phrases(
        """who started, who stopped, who restarted, who suspended,
            why, what happened, what's wrong, what is wrong, whats wrong, what went wrong, how come,
            reason, why's, what's the matter, what's going on"""
    ),
    "length": _phrases("how long"),
    "output": _phrases("last output, the output, output of, the logs, last logs, last log"),
    "result": _phrases("work, worked, succeed, succeeded, finish, finished, fail, failed, done, through, go"),
}
OUTPUTS: Final = _words("output logs log")
NEWEST: Final = _words("last latest newest recent")
ADDRESS: Final = _words("link url address")
#: What is said about a run.
RESULTS: Final = _words("work worked succeed succeeded finish finished fail failed done ready over")
#: What asks about a connection itself.
HEALTH: Final = _words(
    """down up working broken ok okay alive reachable available answering healthy wrong slow issues issue
    problem problems trouble outage offline online dead kaputt responding"""
)
#: Those that ask which ones: a list of only these is the answer.
WHICH: Final = _words("what what's whats which anything any")
#: Words of such a question that aren't the name.
OF_QUESTIONS: Final = (
    ASKING
    | HEALTH
    | RESULTS
    | PLANS
    | _words(
        """stopped stop start started starting stopping fine yet already off doing going currently complete
        completed there back be been it's me whether happened happening about long take takes status state
        open idle much time left taking gone accessible again stuck finally actually so really crash crashed
        something more longer reason happen happens uptime got get think see check there's you we i come
        itself last anymore else lately"""
    )
)

#: Says that something can't be done or doesn't work.
INABILITY: Final = _words(
    "can't cannot cant couldn't won't wouldn't doesn't didn't isn't aren't haven't hasn't unable"
)
#: Means that nothing should be done.
NEGATIONS: Final = INABILITY | _words("don't dont not never no nicht kein without shouldn't mustn't")
#: Sets a condition: nothing is done to what is named with it.
CONDITIONS: Final = _words(
    """if when unless once while after before because but instead rather only whenever or later soon tomorrow
    tonight daily every someday eventually oder yesterday at by in until till til"""
)
#: Asks for something again and again: on its own, and after ``every``.
DAILY: Final = _words("daily nightly weekly hourly monthly weekdays weekends mornings evenings nights")
EVERY: Final = _words("every each")
OF_DAYS: Final = _words(
    """day days morning evening afternoon night weekday weekend week hour month minutes hours
    monday tuesday wednesday thursday friday saturday sunday"""
)
#: The parts of a day after noon, and words of hours: ``from 9 to 6 on weekdays``.
LATE: Final = _words("afternoon afternoons evening evenings night nights nightly")
JOINING_HOURS: Final = EVERY | _words(
    "from at and the to on until till in during except - \u2013 am pm o'clock"
)
OF_HOURS: Final = JOINING_HOURS | _words("noon midday midnight")
#: What ends hours or lets them come again, and what may be said with that.
ABOUT_HOURS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "off": (
        _words("no off end remove delete cancel clear drop disable stop without"),
        _words("more any anymore longer all"),
    ),
    "on": (_words("resume continue enable"), _words("again")),
}
ASKING_HOURS: Final = _words("what what's whats are is show list when do does tell me see which any all")
#: What else sets hours, joins a start and a stop, and says that nothing is done by itself.
SETTING_HOURS: Final = _words("set change make give update adjust put schedule")
AND_STOP: Final = _phrases(
    """stop it again, stop it, stop, shut it down, shut down it, turn it off, turn off it, switch it off,
    suspend it, end it"""
)
AND_START: Final = _phrases("start it again, start it, start, turn it on, turn on it, switch it on")
BY_ITSELF: Final = frozenset({"automatically"})
NOT_BY_ITSELF: Final = BY_ITSELF | _words(
    "don't dont do not no never stop start starting stopping run running anymore any more longer"
)
EXCEPT: Final = _phrases(
    "except, except for, but, but not, besides, without, apart from, other than, not, excluding"
)

#: Verbs that may stand anywhere in a sentence; other words for verbs are also something else.
ANYWHERE: Final = _words("start stop restart suspend resume open keep cancel")
#: Words for those verbs that are something else in the middle of a sentence.
NOUNS: Final = _words("run end close exit access url address begin leave sleep continue launch")
ONE_AT_A_TIME: Final = _words("start stop restart suspend resume remove forget open")
THEN: Final = _words("and then & && und or ; plus")
#: Lead to why something is wanted, from why to what is wanted, and to any other clause.
REASONS: Final = _words("because cause cuz since")
SO: Final = frozenset({"so", "therefore", "if you could", "if you would"})
LEADING: Final = _phrases(",".join([*(THEN - {"or"}), *REASONS, *SO, "but", "also", "if"]))
#: Make a clause a condition, besides *if*; and what a verb looks at anyway: ``if it's still running``.
IF: Final = _words("unless whether once when")
PLEASE: Final = _words("please pls plz bitte kindly")
BEFORE_SHOWN: Final = _words("me us my the a all mir meine out")

#: What joins names.
JOINING: Final = _words("and & + , und plus as well also then both")
#: What may come before a name without being part of it.
BEFORE_A_NAME: Final = _words(
    """my own the a an our this that these those of for up to with named called both from using into
    mein meine meinen das der die den dem el la los las mi mis le les mon ma mes"""
)
#: What may stand between a verb and a name and says nothing.
IN_BETWEEN: Final = _words("please pls plz bitte now just i we i'm im again anymore")
BESIDES_HOURS: Final = (
    BEFORE_A_NAME
    | PLEASE
    | _words(
        """can could would will you i we want need let's just ok have has on at turn working it's it one"""
    )
)
#: Says that something is somebody else's: only one's own is ever touched.
OF_OTHERS: Final = _words("his her hers their theirs somebody's someone's everybody's everyone's others'")
#: What only looks like a possessive.
OF_ONESELF: Final = _words("let's it's that's there's here's today's tonight's yesterday's tomorrow's week's")
#: Begins a remark, after which nothing more is named: ``stop report, I don't need it``.
REMARKS: Final = _words("i i'm im i've i'll we we're we've it's its that's")
#: Before what somebody else said.
QUOTES: Final = _words("> &gt")
#: Point at what was spoken of.
IT: Final = _words("it that this one")
THEM: Final = _words("them those these both two three ones they")
#: Count in a list, from its end if negative.
ORDINALS: Final[Mapping[str, int]] = {
        word: place
        for place, words_ in {
            1: "first 1st", 2: "second 2nd", 3: "third 3rd", 4: "fourth 4th", 5: "fifth 5th", -1: "last",
        }.items()
        for word in words_.split()
    }  # fmt: skip
#: Words that distinguish workspaces without naming one.
POINTING: Final = _words("""other same usual right wrong mine running up down on off""")
#: What a workspace is called in general; on its own it names none.
GENERIC: Final = _words(
    """workspace server session machine instance environment env vm box container pod ide one it that this
    them thing computer"""
)
GENERICS: Final = _words(
    """workspaces servers sessions machines instances environments vms boxes containers pods ides notebooks
    stuff"""
)
OF_JOBS: Final = _words("job jobs run runs")
#: Everything that a verb can be done to.
ALL: Final = _phrases(
    """all, everything, all of them, all of it, it all, all my workspaces, all workspaces, every workspace,
    my workspaces, workspaces, all my notebooks, all notebooks, all servers, all my servers, alles,
    all the workspaces, all of my workspaces, them all, all my stuff, every one, all of mine, all runs,
    all jobs, all my runs, all my jobs, my runs, my jobs"""
)
#: Which ones, by their state, where several are meant: ``all that are running``.
RUNNING: Final = _words("running started active up on")
STOPPED: Final = _words("stopped down off inactive")
IN_STATE: Final = RUNNING | STOPPED | _words("is it it's its isn't not still already yet") | {""}
#: What means several with such a state, and what else may be said with it.
OF_A_STATE: Final = GENERICS | _words("all every everything anything whatever ones")
WITH_A_STATE: Final = (
    OF_A_STATE | GENERIC | _words("which are is my the of currently still that's thats there")
)
#: States that a list can be narrowed to, and what else may be said there.
STATES: Final = _by_word(
    {
        "running": "running active up",
        "starting": "starting",
        "stopped": "stopped inactive down off",
        "suspended": "suspended paused",
        "failed": "failed broken",
    }
)
RUN_STATES: Final = _by_word(
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
    | _words("and on at in page show me list what what's whats now right just please")
)
#: Shows something: of what follows, or of everything.
SHOWING: Final = _words("send show see display view get give print find zeig zeige look")
#: Words of a connection's title that are no name for it.
NO_PLACES: Final = _words("cloud team server servers the our my lab group project workspace workspaces test")
#: Where something is: between a name and its connection.
WHERE: Final = _words("on at in from @ under")
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
    | SYNONYMS["workspace"].keys()
    | frozenset(SYNONYMS["workspace"].values())
)
