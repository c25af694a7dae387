"""What measures the structure counts what it says, and plays its start to the end."""

from benchmarks import structure

MODULE = '''"""A docstring
of two lines."""

# A comment.
VALUE = (
    1,  # of a call
)


def act():
    """Act."""
    return """text
    that is none of the docstrings"""
'''


def test_only_lines_that_hold_code_are_counted():
    assert structure.lines_of_code(MODULE) == 6


async def test_a_start_crosses_rooms_of_ours_and_more_until_its_message_is_sent():
    crossed = await structure.crossed()
    to_ack, to_message = crossed["to_the_ack"], crossed["to_the_direct_message"]
    assert 10 < to_ack["files"] < to_message["files"]
    assert to_ack["files"] < to_ack["functions"] < to_message["functions"]
