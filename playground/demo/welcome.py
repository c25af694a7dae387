"""What the demonstration tells the person at the terminal: what to open, whom to be, what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.demo.stage import Stage


def welcome(stage: Stage, *, light: bool = False) -> str:
    """Return the text; the passwords and tokens in it are made up again at every start and end with it."""
    saturn = stage.saturn["credentials"]["users"]["alice"]
    hub = stage.hub["credentials"]["users"]["alice"]
    posit = stage.posit["credentials"]["users"]["alice"]
    ide = "a tiny page" if light else "a real JupyterLab"
    return f"""
Everything is running. Open this page in your browser:

    {stage.slack["url"]}

You are Olivia there; choose somebody else at the top. In any channel, type

    /workspace help
    /workspace link              and link an account (see below)
    /workspace start notebook    at Saturn Cloud: ready after some ten seconds, as it may be asked once in ten
    /workspace start training    at Saturn Cloud or at the hub: it asks which one
    /workspace new posit         a form: make a session of RStudio, and suspend and resume it
    /job run posit --cluster Local -- Rscript train.R
                                 its output comes below its card, the whole as a file
    /job run posit               the same with a form
    /workspace new courses       at Sphere Engine: nothing to link, and it opens in a page of Usher's own
    /workspace about posit       as Amir, who is an administrator: the server and its people

The link page asks for a token. Copy it from the provider, as people do, or from here:

    Saturn Cloud   {stage.saturn["url"]}/api/user/token
                   log in as alice, password {saturn["password"]}
                   her token: {saturn["token"]}
    Team hub       {stage.hub["url"]}/hub/token
                   log in as alice, password {hub["password"]}
                   her token: {hub["token"]}
    Workbench      there an administrator makes the token; hers: {posit["token"]}
                   or `/workspace link posit alice`, and approve it as Amir in the direct message to him
                   log in as alice, password {posit["password"]}, at {stage.posit["url"]}

An IDE opens for whoever is logged in as its owner: log in as alice. The hub's is {ide}.
The logs of all parts are in {stage.folder}. Ctrl+C ends everything and removes it.
"""
