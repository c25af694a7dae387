"""Propose what a text may mean: at most three buttons, each with its object and its time in words.

Labels come ranked (``bot.features.sentences.ranker``), and have their builders in
``bot.features.sentences.labels``. What only shows or answers is answered at once where that is likely. What
changes something is tried before it is drawn, in reads only: a button is there if what it does fits the
state now. Nothing is ever done because of a rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import Final

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.workspaces import State, Workspace
from bot.features.sentences import chat, phrasebook
from bot.features.sentences.builders import MAX_PROPOSALS, list_commands
from bot.features.sentences.clauses import find_verbs
from bot.features.sentences.decisions import find_label
from bot.features.sentences.labels import LABELS
from bot.features.sentences.objections import COURSE_ACTS, Bar, accepts_time, is_conditional
from bot.features.sentences.ranker import Rank, rank
from bot.features.sentences.reading import Reading
from bot.features.sentences.selection import Which
from bot.features.sentences.utterance import Consequence, Label, Proposal, Utterance
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.kit import fill
from bot.messages.texts import talk
from bot.messages.verb import is_operation, list_synonyms, list_verbs
from bot.services import naming
from handlers import suggestions, typing_mistakes, vocabulary
from handlers.command_line import Quoted, fold_word, join_words
from handlers.request import Manner, Request
from handlers.workspace.operations import show_current

#: The likelihood that a label needs: for a button, for one that only shows something, as a share of the
#: likeliest, to be answered at once, and how far ahead of the next. And how much likelier a seen verb is.
_MIN_LIKELIHOOD: Final = 0.04
_MIN_SHOWN_LIKELIHOOD: Final = 0.15
_MIN_SHARE: Final = 0.2
_MIN_ANSWER_LIKELIHOOD: Final = 0.25
_MIN_ADVANTAGE: Final = 2.0
_SEEN_VERB_BONUS: Final = 0.3
#: The most words of a command with a slip in its verb.
_MAX_COMMAND_WORDS: Final = 3
#: What a name alone asks for, by its mark.
_LABELS_OF_NAMES: Final = {"ww": "status", "jj": "job-status", "cc": "courses", "kk": "health"}
#: What a verb of workspaces means for a run.
_RUN_LABELS: Final = {"stop": "job-stop", "cancel": "job-stop", "start": "job-run", "restart": "job-run"}
_OPPOSITES: Final = {
    Consequence.STARTS: Consequence.ENDS,
    Consequence.ENDS: Consequence.STARTS,
}
_ADDRESS_WORDS: Final = frozenset({"can", "could", "you", "me", "us"})
_HARMLESS: Final = frozenset({Consequence.ANSWERS, Consequence.TELLS})


async def propose(
    request: Request, reading: Reading, ranks: Sequence[Rank], rows: Sequence[Workspace]
) -> Answer:
    """Answer a likely label that only shows something; otherwise propose the likely acts that work now."""
    text = await Utterance.read(request, reading, rows)
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
    for name in _select_answers(text, ranks):
        label = LABELS[name]
        if label.show is not None and (answer_shown := await label.show(text, label)) is not None:
            return (
                replies.with_remarks(answer_shown, _list_left_out(text, name))
                if answer_shown.text
                else answer_shown
            )
    return await _answer(text, await _list_proposals(text, ranks), ranks[0].label if ranks else "")


def _list_unlabelled(reading: Reading) -> list[str]:
    """Return the commands of an order that was read whole and has no label."""
    if not reading.verb or reading.left or is_operation(reading.verb) or find_label(reading) in LABELS:
        return []
    titles = [[card.title] for card in reading.which.courses] or [[]]
    return [join_words((reading.what, *title, *reading.words)) for title in titles]


async def _list_proposals(text: Utterance, ranks: Sequence[Rank]) -> list[Proposal]:
    """Return the proposals, the likeliest first; forms only if there is nothing else."""
    proposals, forms = dict[str, Proposal](), list[Proposal]()
    for rank_, then in zip(ranks, [*ranks[1:], Rank("", 0.0)], strict=False):
        label = LABELS[rank_.label]
        offers = [proposal._replace(label=label.name) for proposal in await _build(text, label)]
        forms = forms or [proposal for proposal in offers if proposal.is_form]
        proposals = {proposal.text: proposal for proposal in offers if not proposal.is_form} | proposals
        needs_form = bool(forms) and not proposals and rank_.likelihood >= _MIN_ADVANTAGE * then.likelihood
        if len(proposals) >= MAX_PROPOSALS or needs_form:
            break
    return ([*proposals.values()] or forms)[:MAX_PROPOSALS]


async def _build(text: Utterance, label: Label) -> Sequence[Proposal]:
    """Return the proposals of a label here and now, each tried; its form, where a slot is missing."""
    verb = label.verb
    is_verb = verb in {**list_verbs("workspace"), **list_verbs("job")}
    if is_verb and not (await text.request.caller.decide(verb)).allowed:
        return []
    bar = _find_bar(text, label)
    if bar not in {None, Bar.TIME}:
        return []
    is_barred = bar is Bar.TIME
    proposals = [] if is_barred else await label.build(text, label)
    # An operation that isn't barred only doesn't fit the state.
    asks = label.form is not None and (is_barred or not label.is_operation) and not text.bars.is_negated
    return proposals or (await label.form(text, label) if asks and label.form else [])


async def _answer_clauses(whole: Utterance, parts: Sequence[Reading]) -> Answer | None:
    """Propose the likeliest of each clause; None for a *not* beside which nothing is asked for."""
    proposals: dict[str, Proposal] = {}
    for part in parts:
        if not part.said:
            continue
        text = await Utterance.read(replace(whole.request, typed_words=part.said), part, whole.rows)
        is_beside = whole.bars.is_negated and not any(map(find_verbs, text.words))
        if text.bars.is_negated or is_beside:
            continue
        for rank_ in _rank_buttons(text, rank(part.placeholder_words)):
            if fitting := [
                proposal for proposal in await _build(text, LABELS[rank_.label]) if not proposal.is_form
            ][:1]:
                proposals.setdefault(fitting[0].text, fitting[0])
                break
    if whole.bars.is_negated and not proposals:
        return None
    return await _answer(whole, [*proposals.values()][:MAX_PROPOSALS], "")


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
    names = [row.title if isinstance(row, Workspace) else row.name for kind in every for row in kind]
    if text.bars.find(act) is not Bar.TIME or not names:
        return ""
    return fill(talk.NOT_THEN if accepts_time(act) else talk.NOT_LATER, name=names[0])


# -- which labels --------------------------------------------------------------------------------------------


def _select_fitting(text: Utterance, ranks: Sequence[Rank]) -> list[Rank]:
    """Return the ranks of labels that fit the named things, with the others' likelihood shared among them."""
    fitting = [rank_ for rank_ in ranks if _can_take_names(text, LABELS[rank_.label])]
    total = sum(rank_.likelihood for rank_ in fitting) or 1.0
    share = min(1.0, sum(rank_.likelihood for rank_ in ranks)) / total
    return [Rank(rank_.label, rank_.likelihood * share) for rank_ in fitting]


def _can_take_names(text: Utterance, label: Label) -> bool:
    """Return whether a label takes the kind of the named things: a course, a workspace or a run."""
    which, is_of_runs = text.which, text.request.folder == "job" and not text.which.named
    if is_of_runs and (label.is_operation or label.name in {"status", "list"}):
        return False
    if label.only_shows or label.name == "hold":
        return True
    objects = label.slots & {"workspace", "run", "job", "course"}
    if which.named and not text.courses:
        return "course" not in objects or "workspace" in objects
    return not objects or "course" in objects or not text.courses or bool(which.named)


def _rank_buttons(text: Utterance, ranks: Sequence[Rank]) -> list[Rank]:
    """Return the ranks worth a button, the likeliest first: a verb that the grammar saw is likelier."""
    ranks = [label_ for label_ in ranks if label_.label not in text.bars.some]
    reading = text.reading
    if reading.verb and text.bars.find(find_label(reading)) is Bar.TIME:
        # What nobody has said is no way to do what was said.
        own = {find_label(reading), "hours", "job-schedule"} | (COURSE_ACTS if text.courses else set())
        ranks = [label_ for label_ in ranks if label_.label in own]
    likely = {label_.label: label_.likelihood for label_ in ranks}
    seen = LABELS.get(text.reading.verb)
    if (
        seen is not None
        and text.bars.find(seen.name) in {None, Bar.TIME}
        and text.reading.folder == "workspace"
        and (seen.is_operation or seen.name == "hours")
        and _can_take_names(text, seen)
        and (text.which.named or not text.courses)
    ):
        name = _RUN_LABELS.get(seen.name, seen.name) if text.speaks_of_run else seen.name
        likely[name] = max(likely.values(), default=0.0) + _SEEN_VERB_BONUS
        opposite = _OPPOSITES.get(seen.consequence)
        likely = {
            label_: share for label_, share in likely.items() if LABELS[label_].consequence is not opposite
        }
    if text.courses and not text.which.named:
        # `pause basics` says itself what becomes of a course.
        course_acts = {
            label_: 1.0 + _SEEN_VERB_BONUS for label_ in COURSE_ACTS if label_.partition("-")[0] in text.words
        }
        likely |= course_acts if len(course_acts) == 1 else {}
    if not (phrasebook.DOWN_PARTICLES.isdisjoint(text.words) or any(map(find_verbs, text.words))):
        # `etl off` starts nothing.
        likely = {
            label_: share
            for label_, share in likely.items()
            if LABELS[label_].consequence is not Consequence.STARTS
        }
    min_share = _MIN_SHARE * max(likely.values(), default=0.0)
    min_likelihood = {
        label_: max(min_share, _MIN_SHOWN_LIKELIHOOD if _is_weak(LABELS[label_]) else _MIN_LIKELIHOOD)
        for label_ in likely
    }
    ranks_ = [Rank(label, label_) for label, label_ in likely.items() if label_ >= min_likelihood[label]]
    return sorted(ranks_, key=lambda label_: -label_.likelihood)


def _is_weak(label: Label) -> bool:
    """Return whether a button takes more than a guess."""
    return label.is_rare or label.consequence is Consequence.TELLS


def _is_mistyped(request: Request, which: Which, ranks: Sequence[Rank]) -> bool:
    """Return whether it is a command with a slip in its verb, or a link to something that isn't known."""
    first, *others = [word for word in request.arguments if not word.startswith("--")] or [""]
    if not others and naming.to_link(first):
        return not which.is_named
    if not others and isinstance(first, Quoted):
        return True
    is_command = len(others) < (2 if which.is_named else _MAX_COMMAND_WORDS) or request.folder == "job"
    is_likely = not which.is_named and any(word.likelihood > _SEEN_VERB_BONUS for word in ranks)
    return is_command and not is_likely and bool(suggestions.suggest_verbs(request, fold_word(first)))


def _select_answers(text: Utterance, ranks: Sequence[Rank]) -> list[str]:
    """Return the labels of which the first that can is answered at once; of a question, any that shows."""
    if len(text.reading.placeholder_words) == 1 and (
        label := _LABELS_OF_NAMES.get(text.reading.placeholder_words[0], "")
    ):
        return [label]
    if text.asks_how and not (ranks and LABELS[ranks[0].label].command):
        return ["help"]
    if text.reading.is_question and "remove" in text.verbs and is_conditional(text.reading, text.words[1:]):
        # `what would happen if I deleted it`: whatever is likely, that takes files away.
        return ["fact-data"]
    showing = [rank_ for rank_ in ranks if LABELS[rank_.label].only_shows]
    first, second = [*ranks, Rank("", 0.0), Rank("", 0.0)][:2]
    asks = text.bars.every is Bar.QUESTION or (text.reading.is_question and first in showing)
    if not asks:
        # What answers a question that nobody asked has to be likelier.
        enough = _MIN_ANSWER_LIKELIHOOD * (_MIN_ADVANTAGE if first.label.startswith("fact-") else 1.0)
        is_ahead = first.likelihood >= max(enough, second.likelihood * _MIN_ADVANTAGE)
        return [first.label] if is_ahead and first in showing else []
    has_names = text.which.is_named
    if text.which.state and not has_names and first.likelihood < _MIN_ANSWER_LIKELIHOOD * _MIN_ADVANTAGE:
        return ["list"]
    threshold = _MIN_LIKELIHOOD if has_names and text.reading.how != "if" else _MIN_SHOWN_LIKELIHOOD
    likely = [
        rank_.label
        for rank_ in showing
        if rank_.likelihood >= (threshold if _is_question(rank_.label) else _MIN_ANSWER_LIKELIHOOD)
    ]
    return likely or (["planned"] if text.reading.when is not None else [])


def _is_question(name: str) -> bool:
    """Return whether a label is a question about one's own things."""
    return name in LABELS and LABELS[name].consequence is Consequence.ANSWERS


# -- the answer ----------------------------------------------------------------------------------------------


async def _answer(text: Utterance, proposals: Sequence[Proposal], label: str) -> Answer:
    """Answer with the proposals; otherwise with the reason for none, and buttons that show something."""
    which, workspaces = text.which, text.which.named
    is_blocked, only_asks = bool(text.bars.some) or label == "hold", text.bars.every is Bar.QUESTION
    if is_blocked and not proposals:
        proposals = await LABELS["hold"].build(text, LABELS["hold"])
    untimely = "" if proposals else _find_untimely(text, label)
    if (
        not (proposals or is_blocked or text.bars.every or untimely or text.unread_reason)
        and len(workspaces) == 1
    ):
        return await _show_state(text, workspaces[0], label)
    name = workspaces[0].title if workspaces else ""
    if text.bars.every is Bar.CONDITION:
        head = fill(talk.CONDITIONAL_NAMED, name=name) if name else talk.CONDITIONAL
    elif is_blocked and not only_asks:
        name = name or next((card.title for card in text.courses), "")
        head = fill(talk.LEFT_ALONE, name=name) if name else talk.TALK["left_alone"]
    elif len(proposals) == 1:
        alone = replies.with_remarks(
            proposals[0].alone, _list_left_out(text, proposals[0].label, proposals[0].text)
        )
        # What a form asks for may be said instead.
        referents = Referents(
            tuple(workspace.id for workspace in workspaces), takes_press=True, what=proposals[0].label
        )
        return replace(alone, about=referents) if proposals[0].is_form and workspaces else alone
    else:
        head = talk.LIKELY if proposals else untimely or text.unread_reason or talk.NOT_UNDERSTOOD
    is_about = proposals or which.is_named or text.reading.verb or text.reading.when or len(text.words) > 1
    if not proposals and text.request.folder == "job" and len(text.words) == 1:
        # It may be the name of a run that nobody has seen here yet.
        return await text.run(f"job status {join_words(text.request.arguments)}")
    if not (is_about or any(map(find_verbs, text.words))):
        return chat.answer_not_understood(text.request)
    is_of_any = which.named or which.runs or which.connections
    shows = list_commands(text, LABELS["status"]) if is_of_any else []
    shows += ["courses"] if which.courses else []
    labels = {proposal.text for proposal in proposals}
    more = [one for one in lists.list_command_buttons(shows) if one["text"]["text"] not in labels]
    buttons = [*(proposal.button for proposal in proposals), *more] or [replies.list_button()]
    buttons = [kit.add_number(one, at, one["text"]["text"]) for at, one in enumerate(buttons[:MAX_PROPOSALS])]
    about = Referents(
        tuple(workspace.id for workspace in workspaces), tuple(run.id for run in which.runs), what=label
    )
    answer = replies.with_remarks(
        replies.hint(head, buttons), _list_left_out(text, label) if proposals else []
    )
    return replace(answer, about=replace(about, takes_press=bool(proposals)))


async def _show_state(text: Utterance, workspace: Workspace, name: str) -> Answer:
    """Show the one workspace that is named, where nothing that was said fits its state."""
    label = LABELS.get(name)
    is_operation = label is not None and label.is_operation
    text.request.notes.note_workspaces([workspace])
    is_start = label is not None and is_operation and label.consequence is Consequence.STARTS
    is_open = is_start and workspace.state is State.RUNNING and text.reading.when is None
    if is_open and not (text.which.runs or text.which.jobs):
        return await text.run("open", workspace.id)
    await text.request.caller.authorise("status")
    about = text.request.redirect("workspace", "status", (), workspace.id)
    return await show_current(about, workspace, "" if is_operation else talk.NOT_UNDERSTOOD)


def _list_left_out(text: Utterance, name: str, button: str = "") -> list[str]:
    """Return a sentence about the words that weren't understood and aren't on the button."""
    read = button.casefold().split()
    phrases_left = text.which.left_out or [" ".join(text.reading.left)] * any(text.reading.left)
    if text.reading.left and all(word.casefold() in read for word in text.reading.left):
        phrases_left = []
    is_seen = (name and name == text.reading.verb) or (_is_question(name) and text.which.is_named)
    phrases = [_strip_showing_words(phrase) for phrase in phrases_left if is_seen or "=" in phrase]
    phrases = [*filter(None, phrases), *text.reading.asides]
    return (
        [fill(talk.LEFT_OUT, names=suggestions.format_bold(phrases[: replies.MAX_CHOICES]))]
        if phrases
        else []
    )


def _strip_showing_words(phrase: str) -> str:
    """Return a left-out phrase without the verb that the answer follows: *show the status of the*."""
    words = phrase.split()
    showing_words = _list_showing_words()
    words_to_skip = showing_words | vocabulary.BEFORE_A_NAME | vocabulary.IN_BETWEEN | _ADDRESS_WORDS
    leading = [*takewhile(words_to_skip.__contains__, map(fold_word, words))]
    return phrase if showing_words.isdisjoint(leading) else " ".join(words[len(leading) :])


@cache
def _list_showing_words() -> AbstractSet[str]:
    """Return the words that ask to be shown something, which the answer then does."""
    pairs = (pair for command in ("workspace", "job") for pair in list_synonyms(command).items())
    return phrasebook.SHOWING_WORDS.union(*(pair for pair in pairs if pair[1] in {"status", "list", "logs"}))
