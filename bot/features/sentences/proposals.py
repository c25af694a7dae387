"""Propose what a text may mean: at most three buttons, each with its object and its time in words.

Labels come ranked (``bot.features.sentences.ranker``), and have their builders in
``bot.features.sentences.labels``. What only shows or answers is answered at once where that is likely. What
changes something is tried before it is drawn, in reads only: a button is there if what it does fits the
state now. Nothing is ever done because of a rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.workspaces import State, Workspace
from bot.features.sentences import chat
from bot.features.sentences.builders import MAX_PROPOSALS, list_commands
from bot.features.sentences.decisions import find_label
from bot.features.sentences.labels import LABELS
from bot.features.sentences.objections import COURSE_ACTS, Bar, find_verbs, is_conditional, takes_time
from bot.features.sentences.ranker import Rank, rank
from bot.features.sentences.reading import OPERATION_WORDS, Reading
from bot.features.sentences.selection import Which
from bot.features.sentences.utterance import Consequence, Label, Proposal, Utterance
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.kit import fill
from bot.messages.texts import talk
from bot.messages.texts.verbs import VERBS
from bot.services import naming
from handlers import suggestions, typing_mistakes
from handlers.command_line import Quoted, fold_word, join_words
from handlers.request import Manner, Request
from handlers.workspace.operations import show_current

#: The likelihood that a label needs: for a button, for one that only shows something, as a share of the
#: likeliest, to be answered at once, and how far ahead of the next. And how much likelier a seen verb is.
_LEAST: Final = 0.04
_LEAST_SHOWN: Final = 0.15
_SHARE: Final = 0.2
_LIKELY: Final = 0.25
_AHEAD: Final = 2.0
_SEEN: Final = 0.3
#: The most words of a command with a slip in its verb.
_A_COMMAND: Final = 3
#: What a name alone asks for, by its mark.
_ALONE: Final = {"ww": "status", "jj": "job-status", "cc": "courses", "kk": "health"}
#: What a verb of workspaces means for a run.
_OF_RUNS: Final = {"stop": "job-stop", "cancel": "job-stop", "start": "job-run", "restart": "job-run"}
_OPPOSITES: Final = {
    Consequence.STARTS: Consequence.ENDS,
    Consequence.ENDS: Consequence.STARTS,
}
_HARMLESS: Final = frozenset({Consequence.ANSWERS, Consequence.TELLS})


async def proposed(
    request: Request, reading: Reading, ranks: Sequence[Rank], rows: Sequence[Workspace]
) -> Answer:
    """Answer a likely label that only shows something; otherwise propose the likely acts that work now."""
    text = await Utterance.of(request, reading, rows)
    if text.which.named:
        request.notes.note_workspaces(text.which.named)
    if text.which.is_theirs and not text.which.courses:
        return chat.refuse_others_workspace(request, text.which.named)
    if reading.parts and (answer := await _answer_clauses(text, reading.parts)) is not None:
        return answer
    if reading.verb and reading.manner is Manner.TYPED:
        await typing_mistakes.refuse_flags(request.redirect(reading.folder, reading.verb, reading.words))
    if reading.is_question and text.bars.every is None and (commands := _list_unlabelled(reading)):
        return suggestions.offer_commands(request, commands, talk.AS_COMMAND)
    is_command = reading.verb and reading.manner is Manner.TYPED
    is_clear = is_command or reading.which.is_named or reading.is_question
    if not is_clear and _is_mistyped(request, text.which, ranks):
        return chat.answer_not_understood(request)
    ranks = _rank_buttons(text, _select_fitting(text, ranks))
    for name in _select_shown(text, ranks):
        label = LABELS[name]
        if label.show is not None and (shown := await label.show(text, label)) is not None:
            return replies.with_remarks(shown, _list_left_out(text, name)) if shown.text else shown
    return await _answer(text, await _list_proposals(text, ranks), ranks[0].label if ranks else "")


def _list_unlabelled(reading: Reading) -> list[str]:
    """Return the commands of an order that was read whole and has no label."""
    if not reading.verb or reading.left or reading.verb in OPERATION_WORDS or find_label(reading) in LABELS:
        return []
    titles = [[card.title] for card in reading.which.courses] or [[]]
    return [join_words((reading.what, *title, *reading.words)) for title in titles]


async def _list_proposals(text: Utterance, ranks: Sequence[Rank]) -> list[Proposal]:
    """Return the proposals, the likeliest first; forms only if there is nothing else."""
    found, forms = dict[str, Proposal](), list[Proposal]()
    for rank_, then in zip(ranks, [*ranks[1:], Rank("", 0.0)], strict=False):
        label = LABELS[rank_.label]
        offers = [one._replace(label=label.name) for one in await _build(text, label)]
        forms = forms or [one for one in offers if one.is_form]
        found = {one.text: one for one in offers if not one.is_form} | found
        is_asked = bool(forms) and not found and rank_.likelihood >= _AHEAD * then.likelihood
        if len(found) >= MAX_PROPOSALS or is_asked:
            break
    return ([*found.values()] or forms)[:MAX_PROPOSALS]


async def _build(text: Utterance, label: Label) -> Sequence[Proposal]:
    """Return the proposals of a label here and now, each tried; its form, where a slot is missing."""
    verb = label.verb
    is_verb = verb in {**VERBS["workspace"], **VERBS["job"]}
    if is_verb and not (await text.request.caller.decide(verb)).allowed:
        return []
    bar = _find_bar(text, label)
    if bar not in {None, Bar.TIME}:
        return []
    is_barred = bar is Bar.TIME
    found = [] if is_barred else await label.build(text, label)
    # An operation that isn't barred only doesn't fit the state.
    asks = label.form is not None and (is_barred or not label.is_operation) and not text.bars.is_negated
    return found or (await label.form(text, label) if asks and label.form else [])


async def _answer_clauses(whole: Utterance, parts: Sequence[Reading]) -> Answer | None:
    """Propose the likeliest of each clause; None for a *not* beside which nothing is asked for."""
    found: dict[str, Proposal] = {}
    for part in parts:
        if not part.said:
            continue
        text = await Utterance.of(replace(whole.request, typed_words=part.said), part, whole.rows)
        is_beside = whole.bars.is_negated and not any(map(find_verbs, text.words))
        if text.bars.is_negated or is_beside:
            continue
        for rank_ in _rank_buttons(text, rank(part.placeholder_words)):
            if fitting := [one for one in await _build(text, LABELS[rank_.label]) if not one.is_form][:1]:
                found.setdefault(fitting[0].text, fitting[0])
                break
    if whole.bars.is_negated and not found:
        return None
    return await _answer(whole, [*found.values()][:MAX_PROPOSALS], "")


# -- what a text bars ----------------------------------------------------------------------------------------


def _find_bar(text: Utterance, label: Label) -> Bar | None:
    """Return the bar of a label's act (``objections``); nothing bars a label that only answers."""
    if label.consequence in _HARMLESS:
        return None
    return Bar.BAN if label.name == "hold" else text.bars.find(label.name)


def _find_untimely(text: Utterance, name: str) -> str:
    """Return the explanation that an act takes no such time; "" if no time is in the way."""
    act = find_label(replace(text.reading, which=text.which)) if text.reading.verb else name
    which = text.which
    every = (which.named, which.runs, which.jobs)
    names = [one.title if isinstance(one, Workspace) else one.name for kind in every for one in kind]
    if text.bars.find(act) is not Bar.TIME or not names:
        return ""
    return fill(talk.NOT_THEN if takes_time(act) else talk.NOT_LATER, name=names[0])


# -- which labels --------------------------------------------------------------------------------------------


def _select_fitting(text: Utterance, ranks: Sequence[Rank]) -> list[Rank]:
    """Return the ranks of labels that fit the named things, with the others' likelihood shared among them."""
    kept = [one for one in ranks if _can_take_names(text, LABELS[one.label])]
    total = sum(one.likelihood for one in kept) or 1.0
    share = min(1.0, sum(one.likelihood for one in ranks)) / total
    return [Rank(one.label, one.likelihood * share) for one in kept]


def _can_take_names(text: Utterance, label: Label) -> bool:
    """Return whether a label takes the kind of the named things: a course, a workspace or a run."""
    which, is_of_runs = text.which, text.request.folder == "job" and not text.which.named
    if is_of_runs and (label.is_operation or label.name in {"status", "list"}):
        return False
    if label.is_shown or label.name == "hold":
        return True
    objects = label.takes & {"workspace", "run", "job", "course"}
    if which.named and not text.courses:
        return "course" not in objects or "workspace" in objects
    return not objects or "course" in objects or not text.courses or bool(which.named)


def _rank_buttons(text: Utterance, ranks: Sequence[Rank]) -> list[Rank]:
    """Return the ranks worth a button, the likeliest first: a verb that the grammar saw is likelier."""
    ranks = [one for one in ranks if one.label not in text.bars.some]
    reading = text.reading
    if reading.verb and text.bars.find(find_label(reading)) is Bar.TIME:
        # What nobody has said is no way to do what was said.
        own = {find_label(reading), "hours", "job-schedule"} | (COURSE_ACTS if text.courses else set())
        ranks = [one for one in ranks if one.label in own]
    likely = {one.label: one.likelihood for one in ranks}
    seen = LABELS.get(text.reading.verb)
    if (
        seen is not None
        and text.bars.find(seen.name) in {None, Bar.TIME}
        and text.reading.folder == "workspace"
        and (seen.is_operation or seen.name == "hours")
        and _can_take_names(text, seen)
        and (text.which.named or not text.courses)
    ):
        name = _OF_RUNS.get(seen.name, seen.name) if text.speaks_of_run else seen.name
        likely[name] = max(likely.values(), default=0.0) + _SEEN
        opposite = _OPPOSITES.get(seen.consequence)
        likely = {one: share for one, share in likely.items() if LABELS[one].consequence is not opposite}
    if text.courses and not text.which.named:
        # `pause basics` says itself what becomes of a course.
        said = {one: 1.0 + _SEEN for one in COURSE_ACTS if one.partition("-")[0] in text.words}
        likely |= said if len(said) == 1 else {}
    least = _SHARE * max(likely.values(), default=0.0)
    least_of = {one: max(least, _LEAST_SHOWN if _is_weak(LABELS[one]) else _LEAST) for one in likely}
    found = [Rank(label, one) for label, one in likely.items() if one >= least_of[label]]
    return sorted(found, key=lambda one: -one.likelihood)


def _is_weak(label: Label) -> bool:
    """Return whether a button takes more than a guess."""
    return label.is_rare or label.consequence is Consequence.TELLS


def _is_mistyped(request: Request, which: Which, ranks: Sequence[Rank]) -> bool:
    """Return whether it is a command with a slip in its verb, or a link to something that isn't known."""
    first, *others = [one for one in request.arguments if not one.startswith("--")] or [""]
    if not others and naming.to_link(first):
        return not which.is_named
    if not others and isinstance(first, Quoted):
        return True
    is_command = len(others) < (2 if which.is_named else _A_COMMAND) or request.folder == "job"
    is_likely = not which.is_named and any(one.likelihood > _SEEN for one in ranks)
    return is_command and not is_likely and bool(suggestions.suggest_verbs(request, fold_word(first)))


def _select_shown(text: Utterance, ranks: Sequence[Rank]) -> list[str]:
    """Return the labels of which the first that can is answered at once; of a question, any that shows."""
    if len(text.reading.placeholder_words) == 1 and (
        label := _ALONE.get(text.reading.placeholder_words[0], "")
    ):
        return [label]
    if text.asks_how and not (ranks and LABELS[ranks[0].label].command):
        return ["help"]
    if text.reading.is_question and "remove" in text.verbs and is_conditional(text.reading, text.words[1:]):
        # `what would happen if I deleted it`: whatever is likely, that takes files away.
        return ["fact-data"]
    shown = [one for one in ranks if LABELS[one.label].is_shown]
    first, second = [*ranks, Rank("", 0.0), Rank("", 0.0)][:2]
    asks = text.bars.every is Bar.QUESTION or (text.reading.is_question and first in shown)
    if not asks:
        # What answers a question that nobody asked has to be likelier.
        enough = _LIKELY * (_AHEAD if first.label.startswith("fact-") else 1.0)
        is_ahead = first.likelihood >= max(enough, second.likelihood * _AHEAD)
        return [first.label] if is_ahead and first in shown else []
    is_named = text.which.is_named
    if text.which.state and not is_named and first.likelihood < _LIKELY * _AHEAD:
        return ["list"]
    least = _LEAST if is_named and text.reading.how != "if" else _LEAST_SHOWN
    likely = [one.label for one in shown if one.likelihood >= (least if _is_question(one.label) else _LIKELY)]
    return likely or (["planned"] if text.reading.when is not None else [])


def _is_question(name: str) -> bool:
    """Return whether a label is a question about one's own things."""
    return name in LABELS and LABELS[name].consequence is Consequence.ANSWERS


# -- the answer ----------------------------------------------------------------------------------------------


async def _answer(text: Utterance, found: Sequence[Proposal], label: str) -> Answer:
    """Answer with the proposals; otherwise with the reason for none, and buttons that show something."""
    which, named = text.which, text.which.named
    is_held, only_asks = bool(text.bars.some) or label == "hold", text.bars.every is Bar.QUESTION
    if is_held and not found:
        found = await LABELS["hold"].build(text, LABELS["hold"])
    untimely = "" if found else _find_untimely(text, label)
    if not (found or is_held or text.bars.every or untimely or text.unread) and len(named) == 1:
        return await _show_state(text, named[0], label)
    name = named[0].title if named else ""
    if text.bars.every is Bar.CONDITION:
        head = fill(talk.CONDITIONAL_NAMED, name=name) if name else talk.CONDITIONAL
    elif is_held and not only_asks:
        name = name or next((card.title for card in text.courses), "")
        head = fill(talk.LEFT_ALONE, name=name) if name else talk.TALK["left_alone"]
    elif len(found) == 1:
        alone = replies.with_remarks(found[0].alone, _list_left_out(text, found[0].label, found[0].text))
        # What a form asks for may be said instead.
        asked_about = Referents(tuple(one.id for one in named), takes_press=True, what=found[0].label)
        return replace(alone, about=asked_about) if found[0].is_form and named else alone
    else:
        head = talk.LIKELY if found else untimely or text.unread or talk.NOT_UNDERSTOOD
    is_about = found or which.is_named or text.reading.verb or text.reading.when or len(text.words) > 1
    if not found and text.request.folder == "job" and len(text.words) == 1:
        # It may be the name of a run that nobody has seen here yet.
        return await text.run(f"job status {join_words(text.request.arguments)}")
    if not (is_about or any(map(find_verbs, text.words))):
        return chat.answer_not_understood(text.request)
    is_of_any = which.named or which.runs or which.connections
    shows = list_commands(text, LABELS["status"]) if is_of_any else []
    shows += ["courses"] if which.courses else []
    labels = {one.text for one in found}
    more = [one for one in lists.list_command_buttons(shows) if one["text"]["text"] not in labels]
    pressed = [*(one.button for one in found), *more] or [replies.list_button()]
    pressed = [kit.add_number(one, at, one["text"]["text"]) for at, one in enumerate(pressed[:MAX_PROPOSALS])]
    about = Referents(tuple(one.id for one in named), tuple(run.id for run in which.runs), what=label)
    said = replies.with_remarks(replies.hint(head, pressed), _list_left_out(text, label) if found else [])
    return replace(said, about=replace(about, takes_press=bool(found)))


async def _show_state(text: Utterance, one: Workspace, name: str) -> Answer:
    """Show the one workspace that is named, where nothing that was said fits its state."""
    label = LABELS.get(name)
    is_operation = label is not None and label.is_operation
    text.request.notes.note_workspaces([one])
    is_start = label is not None and is_operation and label.consequence is Consequence.STARTS
    is_open = is_start and one.state is State.RUNNING and text.reading.when is None
    if is_open and not (text.which.runs or text.which.jobs):
        return await text.run("open", one.id)
    await text.request.caller.authorise("status")
    about = text.request.redirect("workspace", "status", (), one.id)
    return await show_current(about, one, "" if is_operation else talk.NOT_UNDERSTOOD)


def _list_left_out(text: Utterance, name: str, button: str = "") -> list[str]:
    """Return a sentence about the words that weren't understood and aren't on the button."""
    read = button.casefold().split()
    if text.reading.left and all(word.casefold() in read for word in text.reading.left):
        return []
    left = text.which.left_out or [" ".join(text.reading.left)] * any(text.reading.left)
    is_seen = (name and name == text.reading.verb) or (_is_question(name) and text.which.is_named)
    phrases = [one for one in left if is_seen or "=" in one]
    return (
        [fill(talk.LEFT_OUT, names=suggestions.format_bold(phrases[: replies.MAX_CHOICES]))]
        if phrases
        else []
    )
