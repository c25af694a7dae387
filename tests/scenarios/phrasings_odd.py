"""More of what people write: until when, about others' workspaces, marked, in other languages, too long.

The words of the table are those of ``phrasings.py``.
"""

from __future__ import annotations

#: Typed as a slash command, one after the other.
ODD = [
    # -- until when: flags mean the same as words, and the time may come first
    ("start notebook --until 18:00", "does start notebook"),
    ("start notebook --for=2h", "does start notebook"),
    ("start for 2h notebook", "does start notebook"),
    ("stop report --at 6pm", "says 18:00"),
    ("keep report --until 20:00", "says 20:00"),
    ("extend report by 1h", "says 21:00"),
    ("keep report another hour", "says 22:00"),
    ("can you give report 30 more minutes?", "says 22:30"),
    ("extend report until 23:00", "says 23:00"),
    ("extend rep by 1h", "offers Keep report until then"),
    ("extend repot", "offers report"),
    ("keep report", "says keeps running"),
    ("extend report", "says nothing to extend"),
    ("report 1h longer", "says nothing to extend"),
    ("start notebook training for 2h", "offers Start 2 workspaces until then"),
    ("start for 2h notebook and training", "offers Start 2 workspaces until then"),
    ("stop report, survey at 6pm", "offers Stop 2 workspaces then"),
    ("keep report survey until 20:00", "offers Keep 2 workspaces until then"),
    ("stop report at 5 past 6", "says left everything as it is"),
    ("stop at 5 past 6 report", "says left everything as it is"),
    # -- Slack's marks
    ("*start* notebook", "does start notebook"),
    ("start _notebook_", "does start notebook"),
    ("_start notebook_", "does start notebook"),
    ("stop *_report_*", "does stop report"),
    ("~start~ notebook", "offers Start notebook"),
    ("~stop report~", "offers Stop report"),
    ("stop ~report~", "offers Stop report"),
    # -- other languages: the first answer, and never an act
    ("Guten Morgen", "says Hi!"),
    ("\u00bfQu\u00e9 tal?", "says Hi!"),
    ("Comment \u00e7a va ?", "says Hi!"),
    ("ayuda", "says help"),
    ("Was kannst du?", "says I only understand English"),
    ("Kannst du mir helfen?", "says I only understand English"),
    ("je voudrais un serveur", "says I only understand English"),
    ("\u00bfpuedes ayudarme?", "says I only understand English"),
    ("bitte stoppe report", "says *report* · Saturn Cloud"),
    ("kannst du report stoppen?", "says *report* · Saturn Cloud"),
    ("arr\u00eate report s'il te pla\u00eet", "says *report* · Saturn Cloud"),
    ("\u00bfpuedes parar report?", "says *report* · Saturn Cloud"),
    ("d\u00e9marre notebook", "shows notebook"),
    ("starte bitte mein notebook", "offers start bitte mein notebook"),
    ("will it rain?", "says I don't see"),
    # -- too long: nothing is done with a half of it
    ("stop report " + "x" * 2000, "says too long"),
    ("stop report " + "and more " * 40, "says too long"),
    # -- said to be somebody else's: never shown or offered
    ("stop <@U0CHEN>'s report", "says I only work with your own workspaces"),
    ("stop @bob's report", "says I only work with your own workspaces"),
    ("stop bob\u2019s report", "says I only work with your own workspaces"),
    ("kill carol's notebook", "says I only work with your own workspaces"),
    ("stop the report of <@U0CHEN>", "says I only work with your own workspaces"),
    ("start bob's notebook", "says I only work with your own workspaces"),
    ("open their report", "says I only work with your own workspaces"),
    ("is bob's report running?", "says I only work with your own workspaces"),
    ("stop bob's repot", "says I only work with your own workspaces"),
    ("stop bobs report", "says I can't find a workspace called *bobs report*"),
    ("stop the old report", "says I can't find a workspace called *old report*"),
    ("stop report of bob", "says I can't find a workspace called *report of bob*"),
    ("what is report's status?", "says *report* · Saturn Cloud"),
]  # fmt: skip
