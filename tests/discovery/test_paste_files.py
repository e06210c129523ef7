"""Files of PasteDeploy in a folder, found without PasteDeploy."""

from __future__ import annotations

import pytest

from multiserve.discovery import applications, paste_files
from multiserve.discovery.project import look_at

PYRAMID = "[app:main]\nuse = egg:my_shop\npyramid.reload_templates = true\n"
FACTORY = """\
from pyramid.config import Configurator

def main(global_config, **settings):
    config = Configurator(settings=settings)
    return config.make_wsgi_app()
"""


@pytest.fixture
def find(tmp_path):
    def find(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [
            (each.kind, each.what, each.where, each.names, each.comment) for each in paste_files.find(look_at(tmp_path))
        ]

    return find


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(
            {"development.ini": PYRAMID, "production.ini": PYRAMID},
            [("Pyramid", "paste:development.ini", "development.ini", ("my_shop",), "There is also production.ini.")],
            id="Pyramid's two files",
        ),
        pytest.param(
            {"wiki/site.ini": "[pipeline:main]\npipeline = a b\n[app:b]\nuse = egg:Paste#static"},
            [("PasteDeploy", "paste:wiki/site.ini", "wiki/site.ini", ("wiki",), "")],
            id="a pipeline in another folder",
        ),
        pytest.param({"site.ini": "[app:other]\nuse = egg:a"}, [], id="no main"),
        pytest.param({"site.ini": "[composite:main]\nuse = egg:Paste#urlmap"}, [], id="a composite, for import"),
        pytest.param({"alembic.ini": "[alembic]\nscript_location = a"}, [], id="another tool"),
    ],
)
def test_the_main_application_of_a_file_is_found(find, files, found):
    assert find(files) == found


@pytest.mark.parametrize(("ini", "targets"), [("", ["shop:main({})"]), (PYRAMID, [])], ids=["alone", "with a file"])
def test_a_factory_that_needs_the_settings_of_a_file_is_left_to_that(find, tmp_path, ini, targets):
    find({"shop/__init__.py": FACTORY, "development.ini": ini})
    assert [each.what for each in applications.find(look_at(tmp_path))] == targets
