"""Build as ``pyproject.toml`` says, with the pages of ``docs/`` in the package for ``usher docs``."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithPages(build_py):
    """Build the packages with the pages, unless what is installed is the checkout itself, which has them."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        for page in [] if self.editable_mode else sorted(Path("docs").rglob("*.md")):
            copy = Path(self.build_lib, "bot", page)
            self.mkpath(str(copy.parent))
            self.copy_file(str(page), str(copy))


setup(cmdclass={"build_py": WithPages})
