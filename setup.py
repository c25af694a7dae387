"""Build as ``pyproject.toml`` says, and add the files that ``usher docs`` and ``usher up`` need."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithPages(build_py):
    """Build the packages together with the documentation and the example settings file.

    An editable install reads these from the checkout instead.
    """

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        read = [*sorted(Path("docs").rglob("*.md")), Path(".env.example")]
        for file in [] if self.editable_mode else read:
            copy = Path(self.build_lib, "bot", file)
            self.mkpath(str(copy.parent))
            self.copy_file(str(file), str(copy))


setup(cmdclass={"build_py": WithPages})
