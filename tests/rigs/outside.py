"""Installed distributions that contain a provider. They are put into a folder on the import path."""

import sys
import textwrap

GOOD = """
    from bot.providers.sphere import SphereProvider

    class Lagoon(SphereProvider):
        api_version = 0
        kind = "lagoon"
        title = "Lagoon"

        async def probe(self):
            return "Lagoon 4.2"
"""


def install(
    folder, source=GOOD, name="usher-lagoon", kind="lagoon", module="lagoon_provider", value="Lagoon"
):
    """Install a distribution with one module. The caller has already added the folder to the path."""
    (folder / f"{module}.py").write_text(textwrap.dedent(source))
    info = folder / f"{name.replace('-', '_')}-1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.4\n")
    (info / "entry_points.txt").write_text(f"[usher.providers]\n{kind} = {module}:{value}\n")
    sys.modules.pop(module, None)
