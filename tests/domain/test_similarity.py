"""Tests of matching usernames to people: usual ways to form a username match, slight resemblances don't."""

import pytest

from bot.domain.similarity import ALIKE, score_likeness


@pytest.mark.parametrize(
    ("username", "called"),
    [
        ("alice", "alice"),
        ("Alice", "ALICE"),
        ("alice", "Alice Smith"),
        ("asmith", "Alice Smith"),
        ("alices", "Alice Smith"),
        ("smith.alice", "Alice Smith"),
        ("alice-smith", "alice_smith"),
        ("alice.smith", "alice.smith@example.org"),
        ("jose", "José Núñez"),
        ("alice2", "alice"),
        ("alice", "alice42"),
        ("a1ice", "alice"),
        ("alicia", "alice.a"),
        ("alice.smith@example.org", "alice.smith@example.org"),
        ("ASmith@other.example", "Alice Smith"),
        ("EXAMPLE\\asmith", "Alice Smith"),
        ("example/asmith", "Alice Smith"),
    ],
)
def test_what_may_mean_somebody(username, called):
    assert score_likeness(username, "", called) >= ALIKE


@pytest.mark.parametrize(
    ("username", "called"),
    [
        ("alice", "Bob Miller"),
        ("root", "Ruth Otis"),
        ("al", "Alice Smith"),
        ("alice", "malik@example.org"),
        ("alice", ""),
        ("alice", "@alice"),
        ("alice", "___"),
        ("example", "bob@example.org"),
        ("alice@example.org", "bob@example.org"),
        ("@alice", "alice"),
    ],
)
def test_what_means_nobody(username, called):
    assert score_likeness(username, called) < ALIKE


def test_the_same_counts_more_than_what_is_alike():
    assert score_likeness("alice", "alice") == 1.0 > score_likeness("alice", "alize") >= ALIKE
    assert score_likeness("alice", "alina") == 0.0
    assert score_likeness("alice") == 0.0
