"""examples/isolated in both servers: applications that cannot share a process, one of them in another environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from websockets.sync.client import connect

pytest.importorskip("django")
pytest.importorskip("flask")

pytestmark = pytest.mark.xdist_group("isolated")

PIP_TIMEOUT = 100  # seconds


@pytest.fixture(scope="session")
def old_environment(request):
    """Make a virtual environment with the packages of the old site once, in the cache of pytest."""
    wanted = Path(__file__).parents[2] / "examples" / "isolated" / "old" / "requirements.txt"
    # Another interpreter could not use it, and other packages are another environment.
    name = re.sub(r"[^\w.]+", "-", f"isolated-{sys.version_info[0]}.{sys.version_info[1]}-{wanted.read_text('utf-8')}")
    folder = request.config.cache.mkdir(name.strip("-")) / ".venv"
    done = folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--retries", "1", "-r", str(wanted)]
        try:
            installed = subprocess.run(pip, capture_output=True, text=True, check=False, timeout=PIP_TIMEOUT)
        except subprocess.TimeoutExpired:
            pytest.skip("pip took too long to install the packages of the old site")
        if installed.returncode:
            pytest.skip(f"pip cannot install the packages of the old site: {installed.stderr[-200:]}")
        done.touch()
    return folder


@pytest.fixture(scope="module")
def server(old_environment, start_for_module, copy_example):
    folder, env = copy_example("isolated")
    (folder / "old" / ".venv").symlink_to(old_environment)
    server = start_for_module("run", "--production", "--port", "0", cwd=folder, env=env).ready()
    server.folder = folder
    return server


def command(server, *arguments):
    """Run a command of multiserve beside the server, and return what it prints."""
    line = [sys.executable, "-m", "multiserve", *arguments]
    return subprocess.run(line, cwd=server.folder, capture_output=True, text=True, check=True).stdout


def groups(server):
    """Return what the server says of each of its groups."""
    status = json.loads(command(server, "status", "--format", "json"))
    return {group["name"]: group for group in status["groups"]}


def test_the_front_page_links_to_what_the_file_mounts(server):
    mounts = {each["mount"] for each in json.loads(command(server, "status", "--format", "json"))["mounts"]}
    assert set(re.findall(r'<a href="(/\w*)/">', server.get("/").text)) == mounts - {"/"}


@pytest.mark.parametrize(("project", "other"), [("shop", "blog"), ("blog", "shop")])
def test_each_django_project_has_its_own_settings_and_pages(server, project, other):
    page = server.get(f"/{project}/")
    assert page.status == 200
    assert f"The {project}" in page.text
    assert f"settings: {project}.settings" in page.text
    assert f'<a href="/{project}/about/">' in page.text
    assert f'<a href="/{other}/">' in page.text
    about = server.get(f"/{project}/about/").text
    assert f"/{project}/about/" in about
    assert f'<a href="/{project}/">the {project}</a>' in about


def test_the_projects_are_in_processes_of_their_own(server):
    found = [re.search(r"process: (\d+)", server.get(path).text)[1] for path in ("/shop/", "/blog/")]
    workers = [str(worker["pid"]) for name in ("shop", "blog") for worker in groups(server)[name]["workers"]]
    assert found == workers


def test_the_old_site_has_the_packages_of_its_environment_and_the_front_ours(server, old_environment):
    old = server.get("/old/versions.json")
    assert old.status == 200
    versions = json.loads(old.text)
    assert versions["flask"].startswith("2.")
    assert versions["werkzeug"].startswith("2.")
    front = re.search(r"Flask (\S+?)<", server.get("/").text)[1]
    assert front == version("flask")
    assert front.partition(".")[0] != "2"
    assert Path(versions["python"]).resolve() == old_environment.resolve()
    packages = old_environment.resolve() / "lib"
    assert {name for name, path in versions["modules"].items() if packages not in Path(path).resolve().parents} == set()


def test_nothing_of_ours_is_installed_beside_the_old_site(old_environment):
    names = {path.name.partition("-")[0].lower() for path in old_environment.glob("lib/*/site-packages/*.dist-info")}
    assert {"multiserve", "gunicorn", "uvicorn", "httptools", "django"} & names == set()
    assert {"flask", "werkzeug", "click"} <= names


def test_a_project_that_is_killed_is_back_at_once_and_the_others_stay(server):
    before = groups(server)
    shop = before["shop"]
    for process in (shop["process"], *shop["workers"]):
        os.kill(process["pid"], signal.SIGKILL)
    assert server.get("/shop/").status == 200
    after = groups(server)
    assert after["shop"]["process"]["pid"] != shop["process"]["pid"]
    others = before.keys() - {"shop"}
    assert {name: after[name]["process"] and after[name]["process"]["pid"] for name in others} == {
        name: before[name]["process"]["pid"] for name in others
    }


def test_one_project_is_reloaded_alone(server):
    before = groups(server)
    urls = server.folder / "blog" / "urls.py"
    stamp = urls.stat().st_mtime + 2
    urls.write_text(urls.read_text("utf-8").replace("The blog", "The journal"), "utf-8")
    os.utime(urls, (stamp, stamp))
    assert command(server, "reload", "blog") == "The group blog has reloaded.\n"
    assert "The journal" in server.get("/blog/").text
    after = groups(server)
    assert after["shop"]["workers"][0]["pid"] == before["shop"]["workers"][0]["pid"]
    assert after["blog"]["workers"][0]["pid"] != before["blog"]["workers"][0]["pid"]


def test_development_serves_all_of_them_and_restarts_one(old_environment, start, copy_example):
    folder, env = copy_example("isolated")
    (folder / "old" / ".venv").symlink_to(old_environment)
    server = start("run", "--port", "0", cwd=folder, env=env).ready()
    assert json.loads(server.get("/old/versions.json").text)["flask"].startswith("2.")
    shop, blog = server.get("/shop/").text, server.get("/blog/").text
    assert ("shop.settings" in shop, "blog.settings" in blog) == (True, True)
    urls = folder / "blog" / "urls.py"
    stamp = urls.stat().st_mtime + 2
    urls.write_text(urls.read_text("utf-8").replace("The blog", "The journal"), "utf-8")
    os.utime(urls, (stamp, stamp))
    server.until(lambda: "The journal" in server.get("/blog/").text, "the new page")
    assert server.get("/shop/").text == shop  # by the same process
    page = server.get("/old/fail")
    assert page.status == 500
    assert "ZeroDivisionError" in page.text
    assert "EVALEX = false" in page.text  # its Werkzeug is too old for a console


MISSING = "Service Unavailable: the application at {} could not be loaded.\n"


def test_what_is_not_built_fails_alone(server):
    page = server.get("/page/")
    assert (page.status, page.text) == (503, MISSING.format("/page"))


@pytest.mark.skipif(find_spec("streamlit") is not None, reason="Streamlit is installed")
@pytest.mark.parametrize("path", ["/stock", "/sales"])
def test_scripts_of_streamlit_fail_alone_without_it(server, path):
    answer = server.get(f"{path}/")
    assert (answer.status, answer.text) == (503, MISSING.format(path))


@pytest.mark.parametrize(("path", "title"), [("/stock", b"Stock"), ("/sales", b"Sales")])
def test_each_script_of_streamlit_runs_at_its_own_url(server, path, title):
    pytest.importorskip("streamlit.starlette")
    from streamlit.proto.BackMsg_pb2 import BackMsg

    assert server.get(f"{path}/").status == 200
    message = BackMsg()
    message.rerun_script.query_string = ""
    url = f"ws://{server.address}{path}/_stcore/stream"
    came = b""
    with connect(url, origin=server.origin, subprotocols=["streamlit"]) as socket:
        socket.send(message.SerializeToString())
        while b"Stock" not in came and b"Sales" not in came:
            came += socket.recv(timeout=20)
    assert title in came
