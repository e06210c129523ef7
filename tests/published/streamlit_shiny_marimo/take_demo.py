"""Copies the demo of `streamlit hello`, which is a script with pages, out of the package."""

import shutil
from pathlib import Path

import streamlit

shutil.copytree(Path(streamlit.__file__).parent / "hello", "hello", dirs_exist_ok=True)
