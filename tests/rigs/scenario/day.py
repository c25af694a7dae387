"""One person's actions in a day."""

from typing import Final

from tests.rigs.scenario.people import BOT, GENERAL

#: One person's actions: in which conversation (the direct message or a channel), and what the person types or
#: presses.
ACTS: Final = (
    (BOT, "hello"),
    (BOT, "list"),
    (BOT, "start notebook"),
    (BOT, "start notebook"),
    (BOT, "start report"),
    (BOT, "status notebook"),
    (BOT, "open notebook"),
    (BOT, "stop notebook"),
    (BOT, "stop notebook"),
    (BOT, "settings notebook on"),
    (BOT, "start training for 20 min"),
    (BOT, "make that 30"),
    (BOT, "keep training"),
    (BOT, "start thesis"),
    (BOT, "suspend thesis"),
    (BOT, "restart thesis"),
    (BOT, "start notebook and training"),
    (BOT, "[Stop]"),
    (BOT, "start broken"),
    (GENERAL, "start notebook"),
    (GENERAL, "start notebook"),
    (GENERAL, "status notebook"),
    (GENERAL, "stop notebook"),
    (GENERAL, "stop notebook"),
    (GENERAL, "restart report"),
    (GENERAL, "start training for 15 min"),
    (GENERAL, "keep training"),
    (GENERAL, "status notebook"),
    (GENERAL, "[Start]"),
    (GENERAL, "suspend thesis --yes"),
    (GENERAL, "suspend thesis --yes"),
    (GENERAL, "/job run wb --cluster Local -- Rscript Test.R"),
    (GENERAL, "/job run wb --cluster Local -- Rscript Test.R"),
    (GENERAL, "/job list"),
    (BOT, "[Run again]"),
    (BOT, "list"),
)
