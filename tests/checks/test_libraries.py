from __future__ import annotations

import pytest

from multiserve.checks import look_at
from multiserve.checks.libraries import env_files, set_up_twice
from multiserve.composition import compose
from multiserve.config.file import load_config

APP = "def app(environ, start_response): ...\n"
BOTH = '[mounts]\n"/" = "shop_of_two:app"\n"/blog" = "blog_of_two:app"\n'
SDK = "api_key = None\ndef init(*args): ...\ndef set_tracer_provider(it): ...\n"
pytestmark = pytest.mark.usefixtures("kept_process")


@pytest.fixture
def find(tmp_path, write_config):
    def run(check, files, env="", text=BOTH):
        for name, source in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(source)
        composition = compose(load_config(write_config(text + env)))
        assert not composition.failures
        return [(each.severity, each.mounts, each.message) for each in check.find(look_at(composition, {}))]

    return run


METRICS = "def make_wsgi_app(*args, **more): ...\ngenerate_latest = make_wsgi_app\n"
QUEUE = "def Celery(*args, **more): ...\ndef shared_task(it): return it\n"


def both(first, second):
    libraries = {"stripe": SDK, "sentry_sdk": SDK, "prometheus_client": METRICS, "celery": QUEUE}
    files = {"shop_of_two": first + APP, "blog_of_two": second + APP, **libraries}
    return {f"{name}.py": text for name, text in files.items()}


REGISTRY = "the default registry of Prometheus"
DEFAULT = "the default application of Celery"
MAKE = "import celery\nqueue = celery.Celery('{}')\n".format
SHOW = "from prometheus_client import make_wsgi_app\nmetrics = make_wsgi_app({})\n".format
TASK = "@celery.shared_task\ndef send(): ...\n"


TWICE = [
    pytest.param(
        both("import sentry_sdk\nsentry_sdk.init()\n", "from sentry_sdk import init as begin\nbegin()\n"),
        [("warning", ("/blog", "/"), "blog_of_two.py:2 sets up Sentry, and shop_of_two.py:2 does as well")],
        id="two calls",
    ),
    pytest.param(
        both("import sentry_sdk\nsentry_sdk.init()\n", "import sentry_sdk as s\ndef later():\n    s.init()\n"),
        [("note", ("/blog", "/"), "blog_of_two.py:3 sets up Sentry, and shop_of_two.py:2 may do as well")],
        id="one of them in a function",
    ),
    pytest.param(
        both("import stripe\nstripe.api_key = '1'\n", "import stripe\nstripe.api_key = '2'\n"),
        [("warning", ("/blog", "/"), "blog_of_two.py:2 sets up Stripe, and shop_of_two.py:2 does as well")],
        id="a key",
    ),
    pytest.param(both("import stripe\nstripe.api_key = '1'\n", "import stripe\nstripe.init()\n"), [], id="one"),
    pytest.param(
        both("import sentry_sdk\nsentry_sdk.init()\n", "class sentry_sdk:\n    init = str\nsentry_sdk.init()\n"), [],
        id="another thing of the name",
    ),
    pytest.param(
        both(SHOW(""), "import prometheus_client\ndef page():\n    return prometheus_client.generate_latest()\n"),
        [("note", ("/blog", "/"), f"blog_of_two.py:3 shows {REGISTRY}, and shop_of_two.py:2 may do as well")],
        id="the metrics of both",
    ),
    pytest.param(both(SHOW(""), "own = 1\n" + SHOW("own")), [], id="a registry of its own"),
    pytest.param(both(SHOW(""), "own = 1\n" + SHOW("registry=own")), [], id="a registry of its own, by name"),
    pytest.param(
        both(MAKE("shop") + TASK, MAKE("blog")),
        [("note", ("/blog", "/"), f"blog_of_two.py:2 makes {DEFAULT}, and shop_of_two.py:2 does as well")],
        id="shared tasks, and two queues",
    ),
    pytest.param(both(MAKE("shop"), MAKE("blog")), [], id="two queues without shared tasks"),
    pytest.param(both(MAKE("shop") + TASK, ""), [], id="one queue"),
    pytest.param(
        both(MAKE("shop") + TASK, "import celery\ncelery.Celery('blog', set_as_current=False)\n"), [],
        id="a queue that is not the default",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "found"), TWICE)
def test_a_library_that_two_applications_set_up_is_found(find, files, found):
    assert find(set_up_twice, files) == found


def with_files(first, second, how="load_dotenv()"):
    source = f"from dotenv import load_dotenv\n{how}\n{APP}"
    return {"one/shop_of_two.py": source, "two/blog_of_two.py": source, "one/.env": first, "two/.env": second}


FOLDERS = f'pythonpath = ["one", "two"]\n{BOTH}'
SET = [("warning", ("/blog", "/"), "two/.env and one/.env both set TITLE_OF_TWO")]


@pytest.mark.parametrize(
    ("files", "env", "found"),
    [
        pytest.param(with_files("TITLE_OF_TWO=a", "export TITLE_OF_TWO = b"), "", SET, id="one name, two values"),
        pytest.param(with_files("TITLE_OF_TWO=a\nB_OF_TWO=1", "B_OF_TWO=2\nTITLE_OF_TWO=b"), "",
                     [("warning", ("/blog", "/"), "two/.env and one/.env both set B_OF_TWO and 1 more")],
                     id="two names"),
        pytest.param(with_files("TITLE_OF_TWO=a", "TITLE_OF_TWO=a"), "", [], id="one value"),
        pytest.param(with_files("A_OF_TWO=a", "B_OF_TWO=b"), "", [], id="two names of their own"),
        pytest.param(
            with_files("TITLE_OF_TWO=a", "TITLE_OF_TWO=b"), '[env]\nTITLE_OF_TWO = "c"', [], id="the file has one"
        ),
        pytest.param(
            with_files("TITLE_OF_TWO=a", "TITLE_OF_TWO=b", "load_dotenv('.env')"), "", [], id="a call with a path"
        ),
        pytest.param(
            with_files("TITLE_OF_TWO=a", "TITLE_OF_TWO=b", "def later():\n    load_dotenv()"), "",
            [("note", *SET[0][1:])], id="calls in functions",
        ),
    ],
)  # fmt: skip
def test_two_env_files_with_one_variable_are_found(find, monkeypatch, files, env, found):
    pytest.importorskip("dotenv")
    for name in ("TITLE_OF_TWO", "A_OF_TWO", "B_OF_TWO"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert find(env_files, files, env, FOLDERS) == found
