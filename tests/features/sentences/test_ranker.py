"""What the ranker makes of texts: a few that it must know, bytes that are the same anywhere, and its size."""

import pytest

from bot.features.sentences import ranker
from tools import weights

SMALL = ("start", "stop", "hold")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("could somebody fire up ww tat", "start"),
        ("I'm heading home, kill ww", "stop"),
        ("don't you dare stop ww", "hold"),
        ("what's currently running?", "list"),
        ("will my files be deleted if I stop it?", "fact-data"),
        ("why did jj fail", "why"),
        ("rerun jj", "job-run"),
        ("sign me up for cc", "join"),
        ("plese retsart ww", "restart"),
    ],
)
def test_what_people_write_has_a_label(text, label):
    assert ranker.rank(ranker.fold_words(text))[0].label == label


def test_names_and_times_are_marks_and_no_word_of_theirs_counts():
    words = ["stop", "kill", "everything", "at", "half", "past", "five,", "please!"]
    found = ranker.replace_with_placeholders(words, {1: "ww"}, {3: "at"}, taken_places={1, 2, 3, 4, 5, 6})
    assert found == ("stop", "ww", "tat", "please")
    assert ranker.rank(found)[0].label == "stop"


def test_nothing_and_what_nobody_ever_said_is_ranked_without_an_error():
    assert ranker.rank(()) == ()
    assert all(one.likelihood < 0.5 for one in ranker.rank(("qwrtzp", "漢字", "x" * 2000)))


def test_two_trainings_give_the_same_weights_which_know_what_they_were_trained_with():
    some = [phrase for phrase in weights.phrases() if phrase.label in SMALL]
    first, second = weights.weights(some), weights.weights(some)
    assert first == second
    model = ranker.Model("\n" + first)
    assert sum(model.rank(one.words)[0].label == one.label for one in some) > 0.9 * len(some)


def test_the_weights_belong_to_the_sentences_and_are_small():
    text = ranker.WEIGHTS.read_text(encoding="utf-8")
    assert text.startswith(weights.head())
    assert len(text.encode()) <= 150_000


@pytest.mark.thorough
def test_the_weights_are_those_that_a_training_gives():
    """But for the last bit of a few, as processors add up differently."""
    trained = read_weights(weights.weights(list(weights.phrases())))
    shipped = read_weights(ranker.WEIGHTS.read_text(encoding="utf-8").removeprefix(weights.head()))
    both = trained.keys() & shipped.keys()
    apart = [abs(trained[key] - shipped[key]) for key in both]
    # A weight below the smallest isn't written.
    apart += [abs(one[key]) - weights.SMALLEST + 1 for one in (trained, shipped) for key in one.keys() - both]
    assert len(apart) > 10_000
    assert max(apart) <= 1
    assert sum(apart) <= 10


def read_weights(text):
    """Return each weight of a model by its feature and label."""
    model = ranker.Model(f"\n{text}")
    return {
        (feature, label): ord(sign) - ranker.ZERO_WEIGHT_CODE
        for feature, pairs in model._weights.items()
        for label, sign in zip(pairs[::2], pairs[1::2], strict=True)
    }


@pytest.mark.parametrize("change", ["more", "fewer"])
def test_a_label_without_builder_or_phrases_is_refused(monkeypatch, tmp_path, capsys, change):
    for path in weights.SENTENCES.glob("*.txt"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    strange = tmp_path / ("juggle.txt" if change == "more" else "undo.txt")
    strange.write_text("juggle {name}\n") if change == "more" else strange.unlink()
    monkeypatch.setattr(weights, "SENTENCES", tmp_path)
    for arguments in ([], ["--check"]):
        assert weights.main(arguments) == 1
        assert strange.stem in capsys.readouterr().err
