"""Forms are read as the standard library reads them, only quicker."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.web.shapes import FORM, Malformed, read

#: What a form is made of, and what is easily mistaken for a part of it.
PIECES = st.text(
    alphabet=st.one_of(
        st.sampled_from("%%%+&=;abcdefABCDEF0123456789"), st.characters(exclude_categories=("Cs",))
    ),
    max_size=12,
)
FORMS = st.lists(PIECES, max_size=5).map("&".join)


def expected(text: str) -> dict[str, str] | None:
    """Return what the standard library makes of a form; None for one that is refused."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        return None
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


@given(FORMS)
@example("a=%C3%BC+%2B&b=ü%20%C3%BC")
@example("a=%C3ü")
@example("%41=1&A=2")
@example("a=%zz&b=%")
@example("&&a&=b&")
def test_a_form_is_read_as_the_standard_library_reads_it(text):
    text = f"command=/workspace&{text}"
    fields = expected(text)
    # A payload is read on as JSON.
    if fields is None or "payload" in fields:
        with pytest.raises(Malformed):
            read(FORM, text.encode())
    else:
        assert read(FORM, text.encode()) == fields


@pytest.mark.parametrize(("count", "is_read"), [(99, True), (100, False)])
def test_a_form_has_at_most_a_hundred_fields(count, is_read):
    text = urlencode({"command": "/workspace"} | {f"field{number}": "x" for number in range(count)})
    assert (expected(text) is not None) == is_read
    if is_read:
        assert len(read(FORM, text.encode())) == count + 1
    else:
        with pytest.raises(Malformed):
            read(FORM, text.encode())
