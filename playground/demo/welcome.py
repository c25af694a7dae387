"""The text that the demo prints in the terminal: what to open, and what to type there."""

from __future__ import annotations

from playground.demo.stage import Stage


def welcome(stage: Stage, *, light: bool = False) -> str:
    """Return the text. It contains no passwords, only the key that opens the list of accounts."""
    ide = "a tiny page" if light else "a real JupyterLab"
    path = stage.kept.path
    guests = "".join(
        f"    {f'/workspace link {one.name}':<32}on {one.title}, from your package {one.package}\n"
        for one in stage.guests
    )
    same = f"\nPasswords and tokens stay the same: what they're made of stays in {path}." if path else ""
    return f"""
Everything is running. Open this page in your browser:

    {stage.page}

You're Olivia there. *People* at the top opens everybody else, each in a tab of their own. *Accounts* lists
everybody's passwords and tokens, which link pages and IDEs ask for; the key in the address above opens it.
In any channel, type

    /workspace help
    /workspace link                 link an account
    /workspace start notebook       on Saturn Cloud: ready after about ten seconds
    /workspace start training@hub   on the hub: its IDE is {ide}
    /workspace new posit            a form: create an RStudio session; suspend and resume it
    /job run posit --cluster Local -- Rscript train.R
                                    a message has its output; more than 40 lines come as a file
    /workspace new courses          on Sphere Engine: nothing to link, and it opens on a page of Usher's
    /workspace about posit          as Amir, an Usher admin: shows the server and its users
{guests}
An IDE opens for whoever is signed in to its provider as its owner.
Each time you start it, it begins without the messages, links and workspaces of the last time.{same}
All logs are in {stage.folder}, which Ctrl+C removes when it has stopped everything.
"""
