"""What a connection offers one person to make something from: its form, and what a filled form asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.providers import facets

if TYPE_CHECKING:
    from bot.domain.models import Form, Principal, Purpose, Snapshot, Spec, Values
    from bot.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Catalog:
    """Hold what a provider told last it offers, for one purpose and one person."""

    provider: Provider
    snapshot: Snapshot[Any]
    purpose: Purpose
    asker: Principal

    def form(self, values: Values) -> Form:
        """Return the form for the values filled in so far."""
        forms = self.provider.need(facets.Forms)
        return forms.form(self.snapshot.payload, self.purpose, values, self.asker)

    def spec(self, values: Values) -> Spec:
        """Return what is to be made from a filled form; raises FormProblems."""
        forms = self.provider.need(facets.Forms)
        return forms.spec(self.snapshot.payload, self.purpose, values, self.asker)
