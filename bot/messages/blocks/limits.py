"""Slack's limits for messages and views, in characters, blocks, elements and options.

``tests/messages/test_limits.py`` compares them with the limits that Slack publishes.
"""

from typing import Final

MAX_MESSAGE_BLOCKS: Final = 50
MAX_VIEW_BLOCKS: Final = 100
#: Maximum combined length of all text in a message's blocks. Slack doesn't publish this limit
#: (``docs/internals/slack.md``, "Messages").
MAX_BLOCKS_TEXT_LENGTH: Final = 10_000
#: Maximum length of the text sent with blocks. It is below the 4,000 characters that ``chat.update`` accepts.
MAX_TEXT_LENGTH: Final = 3000
#: Maximum length of a modal's title, and of the labels of its two buttons.
MAX_VIEW_TITLE_LENGTH: Final = 24
MAX_METADATA_LENGTH: Final = 3000

MAX_SECTION_LENGTH: Final = 3000
MAX_CONTEXT_ELEMENTS: Final = 10

MAX_ACTION_ID_LENGTH: Final = 255
MAX_BUTTON_LENGTH: Final = 75
MAX_BUTTON_VALUE_LENGTH: Final = 2000
MAX_ACCESSIBILITY_LABEL_LENGTH: Final = 75
MAX_CONFIRM_TITLE_LENGTH: Final = 100
MAX_CONFIRM_TEXT_LENGTH: Final = 300
MAX_CONFIRM_BUTTON_LENGTH: Final = 30

MAX_MENU_OPTIONS: Final = 5
MAX_SELECT_OPTIONS: Final = 100
#: Maximum length of an option's label, and of the description below it.
MAX_OPTION_LENGTH: Final = 75
MAX_OPTION_VALUE_LENGTH: Final = 150
#: Maximum length of a form field's label, and of the hint below it.
MAX_LABEL_LENGTH: Final = 2000
MAX_PLACEHOLDER_LENGTH: Final = 150
MAX_INPUT_LENGTH: Final = 3000
