"""Slack's limits of messages and views: numbers of characters, of blocks, of elements and of options.

A test compares them with Slack's published limits, where there are any (``tests/messages/test_limits.py``).
"""

from typing import Final

MAX_MESSAGE_BLOCKS: Final = 50
MAX_VIEW_BLOCKS: Final = 100
#: All texts in the blocks of a message together; Slack publishes no figure (``docs/internals/slack.md``,
#: "Messages").
MAX_BLOCKS_TEXT_LENGTH: Final = 10_000
#: The text next to the blocks. `chat.update` accepts 4,000 characters; ours is a line for notifications.
MAX_TEXT_LENGTH: Final = 3000
#: The title of a modal, and each of its two buttons.
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

#: Options of a menu behind three dots.
MAX_MENU_OPTIONS: Final = 5
MAX_SELECT_OPTIONS: Final = 100
#: The label of an option, and the description below it.
MAX_OPTION_LENGTH: Final = 75
MAX_OPTION_VALUE_LENGTH: Final = 150
#: The label of a form field, and the hint below it.
MAX_LABEL_LENGTH: Final = 2000
MAX_PLACEHOLDER_LENGTH: Final = 150
#: The text typed into a form field.
MAX_INPUT_LENGTH: Final = 3000
