"""What the demonstration tells the person at the terminal: what to open, whom to be, what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.demo.stage import Stage


def welcome(stage: Stage, *, light: bool = False) -> str:
    """Return the text; its passwords and tokens are made up at every start and valid until the end."""
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
    /workspace start notebook    on Saturn Cloud: ready after about ten seconds, the pace of status reads
    /workspace start training    on Saturn Cloud or on the hub: Usher asks which one
    /workspace new posit         a form: create an RStudio session; suspend and resume it
    /job run posit --cluster Local -- Rscript train.R
                                 its output appears below its card, and all of it as a file
    /job run posit               the same with a form
    /workspace new courses       on Sphere Engine: nothing to link, and it opens on a page of Usher's
    /workspace about posit       as Amir, an Usher admin: shows the server and its users

The link page asks for a token. Copy it from the provider, as people would, or from here:

    Saturn Cloud   {stage.saturn["url"]}/api/user/token
                   log in as alice, password {saturn["password"]}
                   her token: {saturn["token"]}
    Team hub       {stage.hub["url"]}/hub/token
                   log in as alice, password {hub["password"]}
                   her token: {hub["token"]}
    Workbench      an administrator creates the token; hers: {posit["token"]}
                   or type `/workspace link posit alice`, and approve it as Amir in his direct message
                   log in as alice, password {posit["password"]}, at {stage.posit["url"]}

An IDE opens for whoever is logged in as its owner: log in as alice. The hub's IDE is {ide}.
All logs are in {stage.folder}. Ctrl+C stops everything and removes it.
"""
