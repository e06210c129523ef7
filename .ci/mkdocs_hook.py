"""What the documentation site needs beyond docs/: documents from elsewhere in the repository, and links to them."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
# Pages of the site, and the files of the repository that they show.
PAGES = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "example-file.md": "multiserve.toml.example",
    "security.md": "SECURITY.md",
    "skill.md": "multiserve/SKILL.md",
}


def on_files(files, config):
    """Add the pages that are made of other files."""
    for page, source in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        if source.endswith(".example"):
            text = f"# Every key of the file\n\n```toml\n{text}```\n"
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown, page, config, files):
    """Let links to those files lead to their pages."""
    up = "../" * page.file.src_uri.count("/")
    for name, source in PAGES.items():
        markdown = re.sub(rf"\]\((?:\.\./)+{re.escape(source)}", f"]({up}{name}", markdown)
    return markdown
