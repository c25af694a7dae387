"""The declaration of the feature expiries."""

from typing import Final

from bot.features.feature import Feature
from bot.reconciler.renewals import Renewals
from bot.services.expiries import EXPIRIES
from bot.services.expiry_reminders import REMINDERS

FEATURE: Final = Feature(
    name="expiries",
    summary="Remind people before a link ends, and renew credentials.",
    page="connections#links-that-end",
    due=(EXPIRIES, REMINDERS),
    workers=(Renewals,),
)
