"""Names of classes and settings that are internal: people don't see them in messages, pages or terminals."""

import builtins
import re
from collections.abc import Iterator

from bot.providers import list_provider_classes
from bot.support.errors import UsherError
from bot.support.settings import VARIABLES


def classes(root: type[BaseException] = UsherError) -> Iterator[type[BaseException]]:
    """Yield all of Usher's exception classes."""
    for one in root.__subclasses__():
        yield one
        yield from classes(one)


#: Names of this project's and of Python's classes. Classes of libraries are recognised by their endings.
_OURS = {one.__name__ for one in classes()}
_PYTHONS = {name for name, one in vars(builtins).items() if isinstance(one, type) and name != "Warning"}
#: A name such as Conflict is also an ordinary word, so it only counts as a class if a bracket follows.
_CLASSES = re.compile(
    "|".join(
        [
            rf"\b(?:{'|'.join(sorted(one for one in _OURS | _PYTHONS if re.search('[a-z][A-Z]', one)))})\b",
            rf"\((?:{'|'.join(sorted(_OURS))})\)",
            r"\b[A-Z]\w*[a-z](?:Error|Exception)\b",
            r"\bbot(?:\.\w+)+|\bhandlers\.\w+|<class |object at 0x|\bTraceback\b",
        ]
    )
)
#: Only settings with an underscore: others, such as title, are ordinary words.
_KEYS = {
    key for one in list_provider_classes().values() for key in one.settings_model.model_fields if "_" in key
}
_SETTINGS = re.compile(rf"\b(?:{'|'.join(sorted({*VARIABLES, *_KEYS} - {'PORT'}))})\b")


def internal_names(text: str, *, keys: bool = False) -> list[str]:
    """Return the names of classes and modules in a string and, with ``keys``, those of settings."""
    return _CLASSES.findall(text) + (_SETTINGS.findall(text) if keys else [])
