"""Parses times as people write them: points in time, durations, days, and weekly hours. Pure functions.

``read`` returns a *moment*, which is a single point in time. ``read_pause`` returns spans of *days*.
``read_hours`` returns *hours*, which are time ranges on given weekdays or dates. Commands and free text are
parsed in the same way.
"""

from bot.domain.time_parsing.days import DAYS as DAYS
from bot.domain.time_parsing.days import EVERY_DAY as EVERY_DAY
from bot.domain.time_parsing.days import WEEKDAYS as WEEKDAYS
from bot.domain.time_parsing.days import WEEKEND as WEEKEND
from bot.domain.time_parsing.days import day_of as day_of
from bot.domain.time_parsing.days import days_of as days_of
from bot.domain.time_parsing.days import is_day as is_day
from bot.domain.time_parsing.days import list_days as list_days
from bot.domain.time_parsing.days import read_pause as read_pause
from bot.domain.time_parsing.days import resolve_instant as resolve_instant
from bot.domain.time_parsing.moments import FARTHEST_SECONDS as FARTHEST_SECONDS
from bot.domain.time_parsing.moments import Moment as Moment
from bot.domain.time_parsing.moments import Unread as Unread
from bot.domain.time_parsing.moments import Why as Why
from bot.domain.time_parsing.moments import is_now as is_now
from bot.domain.time_parsing.moments import length as length
from bot.domain.time_parsing.moments import read as read
from bot.domain.time_parsing.moments import time_kind as time_kind
from bot.domain.time_parsing.week import DAY_MINUTES as DAY_MINUTES
from bot.domain.time_parsing.week import SINGLE_WORDS as SINGLE_WORDS
from bot.domain.time_parsing.week import Wanted as Wanted
from bot.domain.time_parsing.week import clock as clock
from bot.domain.time_parsing.week import has_odd_offset as has_odd_offset
from bot.domain.time_parsing.week import is_recurring as is_recurring
from bot.domain.time_parsing.week import is_schedule as is_schedule
from bot.domain.time_parsing.week import list_zone_readings as list_zone_readings
from bot.domain.time_parsing.week import read_hours as read_hours
from bot.domain.time_parsing.week import write_hours as write_hours
from bot.domain.time_parsing.words import LEADS as LEADS
from bot.domain.time_parsing.words import MONTHS as MONTHS
from bot.domain.time_parsing.words import load_zone as load_zone
from bot.domain.time_parsing.words import normalize_word as normalize_word
