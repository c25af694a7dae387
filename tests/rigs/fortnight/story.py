"""The actions of the fortnight, and the events at the providers, by day of November 2026.

Angle brackets contain events. Square brackets contain a button to press; if there is a bar, the text after it
says below which text the button is. A hash means that the text is typed, or the button pressed, in the
channel.
"""

STORY: tuple[tuple[int, str, str, str], ...] = (
    # Monday: hours, a failing run and plans. The course is posted, and the GPU is in use.
    (9, "8:00", "tess", "#card notebook --title Biology --hours tue,thu 9:00-10:30 --until 19 November"),
    *(
        (9, f"8:1{number}", name, "#[Join]")
        for number, name in enumerate(("sam", "sol", "sue", "syd", "syl"))
    ),
    (9, "8:45", "carol", "hours notebook weekdays 9:00-18:00"),
    (9, "8:55", "liv", "hours notebook weekdays 9:05-18:00"),
    (9, "9:40", "liv", "/job run saturn failing"),
    (9, "10:00", "liv", "start training until 14:00"),
    (9, "10:00", "ana", "start gpu"),
    (9, "10:04", "ana", "[Keep trying]"),
    (9, "10:05", "ben", "start gpu and wait until 18:00"),
    (9, "10:05", "ben", "[Wait for room for gpu until 18:00]"),
    (9, "10:10", "cem", "start gpu --wait until 16:00"),
    (9, "10:30", "ben", "am I still waiting?"),
    (9, "11:00", "quin", "link wb quin"),
    (9, "13:00", "dee", "stop gpu"),
    (9, "13:30", "liv", "start report tomorrow at 9 and stop it at 17:00"),
    (9, "13:31", "liv", "[Hours for report: Tue 10 Nov 9:00-17:00]"),
    # Only the person who has the GPU at that time has something to stop.
    *((9, "19:00", name, "stop gpu") for name in ("ana", "ben", "cem")),
    # Tuesday: a member leaves the course, and somebody leaves the company.
    (10, "9:40", "syl", "hours notebook"),
    (10, "9:41", "syl", "[Leave Biology]"),
    (10, "13:00", "carol", "<leaves>"),
    (10, "13:40", "liv", "[Keep|scratch]"),
    (10, "15:00", "ben", "stop gpu"),
    # Wednesday: an outage when hours begin, several stops at once, and a cancelled lesson.
    (11, "8:30", "", "<away>"),
    (11, "9:40", "", "<back>"),
    (11, "10:00", "liv", "stop scratch"),
    (11, "14:00", "liv", "start training"),
    (11, "14:02", "liv", "start report"),
    (11, "14:04", "liv", "start thesis"),
    (11, "16:00", "tess", "#card Biology skip 12 Nov"),
    (11, "16:01", "tess", "#[Restore cancelled lessons]"),
    (11, "17:10", "liv", "hours notebook skip tomorrow"),
    (11, "20:30", "liv", "stop all"),
    (11, "20:31", "liv", "[Stop 3 workspaces]"),
    # Thursday: a lesson, and a refused sign-in at the time of a planned stop.
    (12, "9:00", "dee", "start gpu"),
    (12, "9:10", "ana", "start gpu and wait"),
    (12, "9:11", "ana", "[Start gpu and wait]"),
    (12, "9:15", "ben", "start gpu --wait"),
    (12, "9:20", "ana", "cancel gpu"),
    (12, "10:00", "liv", "start notebook until 14:00"),
    (12, "12:00", "dee", "stop gpu"),
    (12, "12:30", "ben", "stop gpu"),
    (12, "13:00", "liv", "<refused>"),
    (12, "13:20", "liv", "stop notebook at 15:00"),
    (12, "16:00", "liv", "<links>"),
    (12, "16:30", "liv", "stop notebook"),
    # Friday: hours are paused while the workspace is running.
    (13, "14:00", "liv", "hours notebook pause until Tuesday"),
    # Sunday.
    (15, "18:00", "liv", "stop notebook"),
    # The second week: hours that only start a workspace, and an outage when a lesson and hours begin.
    (16, "9:00", "liv", "hours training mon,wed 9:05"),
    (16, "9:10", "liv", "start training"),
    (17, "8:30", "", "<away>"),
    (17, "9:30", "", "<back>"),
    (17, "11:00", "liv", "start analysis"),
    (17, "11:05", "liv", "suspend analysis on Friday at 17:00"),
    (18, "11:00", "liv", "hours notebook pause until Friday"),
    (18, "11:01", "liv", "hours notebook on"),
    (18, "15:00", "liv", "start report"),
    (18, "15:10", "liv", "stop report at 16:00"),
    (18, "15:55", "liv", "[1 hour more]"),
    # The last lesson. An account is unlinked and linked again, and the Workbench is removed.
    (19, "11:00", "liv", "unlink saturn --yes"),
    (19, "12:00", "liv", "<links>"),
    (19, "12:30", "liv", "hours notebook weekdays 9:05-18:00"),
    (19, "19:30", "", "<no workbench>"),
    (20, "10:00", "liv", "hours notebook skip Monday"),
    (20, "14:00", "liv", "stop training"),
)
