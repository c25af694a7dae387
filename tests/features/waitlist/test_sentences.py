"""What is said about waiting for room is read as a whole, or left to the others."""

import pytest

from bot.features.waitlist.sentences import read_waiting

NAME = "gpu-box"
SAID = {
    "unqueue": (
        "stop waiting",
        "Stop waiting!",
        "please stop waiting",
        "can you stop waiting, please?",
        "you can stop waiting now",
        "I don't need it any more, stop waiting",
        "I don't need gpu-box any more, so stop waiting",
        "thanks, I've got another one; stop waiting",
        "stop waiting for gpu-box",
        "stop waiting for the gpu",
        "don't wait for gpu-box any longer",
        "don't wait any more",
        "no need to wait any longer",
        "you don't have to wait any more",
        "I don't want to wait any more",
        "cancel the wait",
        "cancel my place",
        "end the wait for gpu-box",
        "give up waiting",
        "stop trying",
        "leave the line",
        "leave the queue",
        "take me off the list",
        "take me off the waitlist",
        "remove me from the waiting list",
        "get me out of the queue",
        "hör auf zu warten",
    ),
    "waiting": (
        "am I still waiting?",
        "am I waiting",
        "am I still waiting for gpu-box?",
        "am I still in line?",
        "am I still on the waitlist?",
        "am I next?",
        "do I still have to wait?",
        "what's my place?",
        "what is my place in line?",
        "whats my position in the queue",
        "where am I in the queue?",
        "when is it my turn?",
        "is it my turn yet?",
        "how many are ahead of me?",
        "how many people are before me?",
        "who is ahead of me?",
        "is the wait over?",
        "is gpu-box still waiting?",
    ),
    "eta": (
        "how long do I still have to wait for the gpu?",
        "how long do I have to wait for gpu-box?",
        "how much longer do I have to wait",
        "how long will I have to wait?",
        "how long is the wait?",
    ),
}
OTHERS = (
    "don't stop waiting",
    "never stop waiting",
    "stop waiting at 18:00",
    "stop waiting if it takes long",
    "should I stop waiting?",
    "how do I stop waiting?",
    "stop waiting for report2",
    "stop gpu-box",
    "stop",
    "cancel it",
    "cancel",
    "wait",
    "no wait",
    "start gpu-box and wait",
    "I'm waiting",
    "still waiting",
    "still waiting for an answer",
    "take gpu-box off the list",
    "cancel the queue of jobs",
    "is gpu-box ready?",
    "I don't need it any more",
    "how long does gpu-box take?",
    "where am I running",
)


def read(text):
    words = tuple(text.split())
    named = {at for at, word in enumerate(words) if NAME in word}
    return read_waiting(words, lambda: named)


@pytest.mark.parametrize(
    ("about", "text"), [(about, text) for about, texts in SAID.items() for text in texts], ids=str
)
def test_sentence_about_a_wait_is_read(about, text):
    assert read(text) == (about, (NAME,) if NAME in text else ())


@pytest.mark.parametrize(
    ("text", "place"),
    [("stop waiting", 1), ("please stop trying", 2), ("leave the queue", 2)],
    ids=["waiting", "trying", "queue"],
)
def test_name_that_is_a_word_for_a_wait_is_kept(text, place):
    words = tuple(text.split())
    assert read_waiting(words, lambda: {place}) == ("unqueue", (words[place],))


@pytest.mark.parametrize("text", OTHERS)
def test_other_sentence_is_left_alone(text):
    assert read(text) is None
