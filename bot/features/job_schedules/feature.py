"""The declaration of the feature job_schedules."""

from typing import Final

from bot.features.feature import Feature
from bot.features.job_schedules.tasks import ScheduleTasks

FEATURE: Final = Feature(
    name="job_schedules",
    summary="Set the schedule of a job at its provider.",
    page="commands#schedules",
    workers=(ScheduleTasks,),
)
