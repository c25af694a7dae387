"""Train the ranker's weights from the phrases in sentences; ``--check`` says whether they belong to these.

Both refuse a file of phrases whose label has no builder (``bot.features.sentences.labels``), and a label
without phrases.

``--held-out`` trains without each style in turn, and prints how often the style's own phrases have their
label first, and among the first three. A phrase a line: ``{name}`` is a workspace, ``{job}`` a job or a run,
``{connection}``, ``{course}``, ``{template}``; ``{at}``, ``{until}``, ``{for}``, ``{in}``, ``{long}``,
``{day}``, ``{days}`` and ``{span}`` are times. A line with ``#`` begins a style.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from bot.features.sentences import ranker, times
from bot.features.sentences.labels import find_mismatches

ROOT = Path(__file__).resolve().parent.parent
SENTENCES = ROOT / "bot/features/sentences/phrases"
NAMES = {"name": "ww", "job": "jj", "connection": "kk", "course": "cc", "template": "mm"}
MARKS = NAMES | dict(ranker.TIME_PLACEHOLDERS)
_SLOT = re.compile(r"\{(\w+)\}")

#: How often each phrase is there: as it is, and then changed as people do.
COPIES = 4
#: What stands for a name that was said before, or that nobody knows.
INSTEAD = {
    "ww": "it,it,it,my gg,the gg,this one,that one,mine,that,this,them,my ww,the ww,the ww one,xx",
    "jj": "it,the job,my job,the run,that job,my last run,the last job,the jj job,xx",
    "cc": "it,the course,my course,the class,my class,xx",
}
BEFORE = (
    "please,hey,can you,could you,hi,ok,usher,hello,pls,hey usher,now,quickly,so,can you please,i want to,"
    "i'd like to,would you,and,um,actually,sorry,wait,i need you to,let's"
)
BEFORE_ANY = "please,hey,hi,ok,hello,so,um,hmm,sorry,quick question,hey usher,good morning,btw,also,and"
AFTER = "please,now,thanks,pls,for me,asap,thank you,thx,if you can,again,right now,today,usher,ok,will you"
#: What is asked to be done, unlike questions and talk.
ACTS = frozenset(
    [
        *(
            "start",
            "stop",
            "keep",
            "restart",
            "suspend",
            "resume",
            "open",
            "remove",
            "forget",
            "add",
            "alias",
        ),
        *("cancel", "new", "list", "link", "unlink", "job-run", "job-stop", "job-logs", "help", "settings"),
        *("hours", "join", "leave", "skip"),
    ]
)
#: Words and neighbours that are in fewer rows say nothing, and neither does a smaller weight.
RAREST = (3, 5)
SMALLEST = 2
HOW_CLOSELY = 0.3
LARGEST = 36
#: By how much scores differ for a likelihood, as it fits held-out styles best.
SHARPNESS = 5.0


class Phrase(NamedTuple):
    """Hold a phrase with its label and its style."""

    label: str
    style: str
    words: tuple[str, ...]


def phrases(folder: Path = SENTENCES) -> Iterator[Phrase]:
    """Yield the phrases of a folder, label by label."""
    for path in sorted(folder.glob("*.txt")):
        style = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                style = line[1:].strip()
            elif line:
                yield Phrase(path.stem, style, words_of(line))


def words_of(line: str) -> tuple[str, ...]:
    """Return a phrase's words, marked as a text's are: where it has a time in words, that is one, too."""
    words = line.split()
    slots = {at: MARKS[slot[1]] for at, word in enumerate(words) if (slot := _SLOT.search(word))}
    found = times.find(words, slots.keys())
    return ranker.replace_with_placeholders(words, slots, found.kinds, found.places)


def changed(random_: random.Random, phrase: Phrase) -> list[str]:
    """Return a phrase's words as somebody else might have written them."""
    words: list[str] = []
    for word in phrase.words:
        is_instead = word in INSTEAD and random_.random() < 0.3
        words += random_.choice(INSTEAD[word].split(",")).split() if is_instead else [word]
    chance = random_.random()
    if chance < 0.3 and phrase.label in ACTS:
        words = [*random_.choice(BEFORE.split(",")).split(), *words]
    elif chance < 0.36:
        words = [*random_.choice(BEFORE_ANY.split(",")).split(), *words]
    if random_.random() < 0.2:
        sign = ["?"] if words[-1] == "?" and random_.random() < 0.5 else []
        words = [*words[: len(words) - (words[-1] == "?")], *random_.choice(AFTER.split(",")).split(), *sign]
    if random_.random() < 0.15:
        words = [word.replace("'", "") for word in words if word != "?"] or words
    return words


def weights(given: Sequence[Phrase]) -> str:
    """Return the weights of a model that was trained from phrases, as the ranker reads them."""
    import numpy as np  # noqa: PLC0415 - isn't there where only lint is installed
    from sklearn.feature_extraction import DictVectorizer  # noqa: PLC0415 - the same
    from sklearn.svm import LinearSVC  # noqa: PLC0415 - the same

    rows, labels = [], []
    for phrase in given:
        # The same changes each time, whatever phrases come before it.
        random_ = random.Random(f"7 {phrase.label} {' '.join(phrase.words)}")  # noqa: S311
        for copy in range(COPIES):
            found = ranker.list_features(changed(random_, phrase) if copy else phrase.words)
            rows.append(dict.fromkeys(found, len(found) ** -0.5))
            labels.append(phrase.label)
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform(rows)
    counts = np.asarray((table > 0).sum(0)).ravel()
    names = vectorizer.feature_names_
    common = [at for at, name in enumerate(names) if counts[at] >= (RAREST[1] if " " in name else RAREST[0])]
    model = LinearSVC(C=HOW_CLOSELY, random_state=1, tol=1e-5).fit(table[:, common], labels)
    scale = LARGEST / np.abs(model.coef_).max()
    whole = np.rint(model.coef_ * scale).astype(int).T
    biases = np.rint(model.intercept_ * scale).astype(int)
    head = " ".join(f"{label}:{bias}" for label, bias in zip(model.classes_, biases, strict=True))
    by_name = {names[at]: signs(column.tolist()) for at, column in zip(common, whole, strict=True)}
    return "\n".join([f"{scale / SHARPNESS:.4f} {head}", *lines_of(by_name)]) + "\n"


def signs(column: Sequence[int]) -> str:
    """Return the weights of a feature that say something, two signs for each."""
    return "".join(
        chr(ranker.FIRST_LABEL_CODE + label) + chr(ranker.ZERO_WEIGHT_CODE + weight)
        for label, weight in enumerate(column)
        if abs(weight) >= SMALLEST
    )


def lines_of(by_name: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each word: the word, its weights, then each word that follows it, with the weights."""
    pairs = sorted((*name.partition(" ")[::2], weight) for name, weight in by_name.items() if weight)
    for first, group in groupby(pairs, key=itemgetter(0)):
        followed = {then: weight for _, then, weight in group}
        yield "\t".join([first, followed.pop("", ""), *chain.from_iterable(followed.items())])


def evaluate_styles() -> Iterator[str]:
    """Yield the share of each style's phrases that are ranked right by a model trained without it."""
    known = list(phrases())
    for style in sorted({phrase.style for phrase in known}):
        model = ranker.Model("\n" + weights([phrase for phrase in known if phrase.style != style]))
        held = [phrase for phrase in known if phrase.style == style]
        places = [[one.label for one in model.rank(phrase.words)[:3]] for phrase in held]
        first = sum(found[:1] == [phrase.label] for phrase, found in zip(held, places, strict=True))
        among = sum(phrase.label in found for phrase, found in zip(held, places, strict=True))
        yield f"{style}: of {len(held)} {first / len(held):.0%} first, {among / len(held):.0%} among three"


def digest(folder: Path = SENTENCES) -> str:
    """Return a digest of the phrases by which weights were trained."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.txt")):
        found.update(f"{path.name}\n".encode() + path.read_bytes())
    return found.hexdigest()


def head() -> str:
    """Return the first line of the weights that belong to the phrases."""
    return f"# Made by `make weights` from sentences: {digest()}\n"


def main(arguments: list[str]) -> int:
    """Train, or check; return the exit status."""
    if strange := find_mismatches(path.stem for path in SENTENCES.glob("*.txt")):
        print(f"Without phrases, or without a builder: {', '.join(strange)}.", file=sys.stderr)
        return 1
    if arguments == ["--check"]:
        with ranker.WEIGHTS.open(encoding="utf-8") as file:
            if file.readline() == head():
                return 0
        print("The weights don't belong to the sentences. Run `make weights`.", file=sys.stderr)
        return 1
    if arguments == ["--held-out"]:
        for line in evaluate_styles():
            print(line)
        return 0
    if arguments:
        print(f"usage: {Path(__file__).name} [--check | --held-out]", file=sys.stderr)
        return 2
    text = head() + weights(list(phrases()))
    ranker.WEIGHTS.write_text(text, encoding="utf-8")
    print(f"{ranker.WEIGHTS.relative_to(ROOT)}: {len(text.encode()) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
