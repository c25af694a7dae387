"""Audit entries: who did what to what."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Describe an audit entry: who did what to what, by which rule, with which result."""

    actor: str
    action: str
    target: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)
