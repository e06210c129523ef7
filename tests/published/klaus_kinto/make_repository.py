"""Makes the repository that is shown, with one commit."""

from pathlib import Path

from dulwich import porcelain

Path("shop").mkdir()
porcelain.init("shop")
Path("shop", "README.rst").write_text("The shop\n")
porcelain.add("shop", [str(Path("shop", "README.rst").absolute())])
porcelain.commit("shop", message=b"Begin", author=b"A <a@example.com>", committer=b"A <a@example.com>")
