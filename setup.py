"""What pyproject.toml cannot say: files of the working tree that an installed package reads too
(harness/system/resources.py)."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ALSO = (
    "docs/theory.md",
    "baseline.json",
    "docs/schema/record.schema.json",
    "docs/schema/run.schema.json",
)


class BuildWithData(build_py):
    """Copies ALSO into noether/data/ of a wheel; an editable install finds them where they stand."""

    def run(self):
        if self.editable_mode:
            return super().run()
        shutil.rmtree(
            self.build_lib, ignore_errors=True
        )  # a module that is gone would live on in the next wheel
        super().run()
        data = Path(self.build_lib, "noether", "data")
        self.mkpath(str(data))
        for name in ALSO:
            self.copy_file(name, str(data / Path(name).name))


setup(cmdclass={"build_py": BuildWithData})
