"""The declaration of the feature expiries."""

from typing import Final

from bot.features.expiries.reminders import REMINDERS
from bot.features.expiries.tasks import Renewals
from bot.features.expiries.use_cases import EXPIRIES
from bot.features.feature import Feature

FEATURE: Final = Feature(
    name="expiries",
    summary="Remind people before a link ends, and renew credentials.",
    page="connections#links-that-end",
    due=(EXPIRIES, REMINDERS),
    workers=(Renewals,),
)
