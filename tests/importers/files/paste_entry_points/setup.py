from setuptools import setup

setup(
    name="wiki-pages",
    entry_points={
        "paste.app_factory": ["main = wiki.paste:main", "shop = shop.paste:make_app"],
        "console_scripts": ["wiki = wiki:main"],
    },
)
