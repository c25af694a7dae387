"""Slack's newer blocks: a task card, a table and a container, which `usher try` alone sends.

Nobody has seen them in a real Slack (``docs/known-limits.md``).
"""

from typing import Any, Final

#: A bare string of which nobody has seen yet how Slack shows these characters.
_ODD_NAME: Final = "R&D <lab> *now*"
_OUTPUT: Final = {"type": "text", "text": "epoch 11  loss 0.231"}
#: Contents that were made up, each block as Usher would send it.
NEWER_BLOCKS: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "task_card",
        "block_id": "usher-try-task",
        "task_id": "usher-try-task",
        "title": f"Starting {_ODD_NAME}",
        "status": "in_progress",
    },
    {
        "type": "data_table",
        "block_id": "usher-try-table",
        "caption": f"Workspaces of {_ODD_NAME}",
        "page_size": 10,
        "row_header_column_index": 0,
        "rows": [
            [{"type": "raw_text", "text": "Workspace"}, {"type": "raw_text", "text": "Hours"}],
            [{"type": "raw_text", "text": _ODD_NAME}, {"type": "raw_number", "value": 3.5, "text": "3.5"}],
        ],
    },
    {
        "type": "container",
        "block_id": "usher-try-output",
        "title": {"type": "plain_text", "text": "Output"},
        "is_collapsible": True,
        "child_blocks": [
            {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [_OUTPUT]}]}
        ],
    },
)
