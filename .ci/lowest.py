"""Print the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
extras = project["project"]["optional-dependencies"]["proxy"]
requirements = [*project["project"]["dependencies"], *extras, *project["dependency-groups"]["frameworks"]]
for requirement in requirements:
    if match := re.match(r"([A-Za-z0-9_-]+)>=([0-9.]+)", requirement):
        print(f"{match[1]}=={match[2]}")
