"""Applications of fleets that come and go while a composition is served."""

from __future__ import annotations

import asyncio

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.recomposition import without_restart

WSGI = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'it']\n"
ASGI = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        LEFT.append("left")
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"live"})
LEFT = []
"""
TOML = '[mounts]\n"/" = "recomposed_site.py:app"\n"/f" = { fleet = "recomposed" }\n'


@pytest.fixture
def site(tmp_path, write_config, clean_process):
    """Write the files, and return a function that writes one more, or removes one, and returns its path."""

    def change(name, text=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        return str(path)

    write_config(TOML)
    change("recomposed_site.py", WSGI)
    change("recomposed/one.py", WSGI)
    return change


@pytest.fixture
def served(site, tmp_path):
    return compose(load_config(tmp_path / "multiserve.toml"), development=True)


def names(composition):
    return [mount.mount.name for mount in composition.mounts]


def ask(composition, path):
    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": ""}
    body = composition.application(environ, lambda status, headers, *_: started.append(status))
    return started[0][:3], b"".join(body).decode()


def test_a_new_file_is_served_once_it_is_applied_and_a_removed_one_no_longer(site, served, tmp_path):
    changed = [site("recomposed/two.py", WSGI), site("recomposed/bad.py", f"1 / 0\n{WSGI}")]
    found = without_restart(served, load_config(tmp_path / "multiserve.toml"), changed)
    assert names(found.composition) == ["/", "/f", "/f/bad", "/f/one", "/f/two"]
    assert [(each.mount.name, each.error is None) for each in found.added] == [("/f/bad", False), ("/f/two", True)]
    before = served.application.router.mounts
    assert ask(served, "/f/two/")[0] == "404"
    found.apply()
    assert ask(served, "/f/two/") == ("200", "it")
    assert ask(served, "/f/bad/")[0] == "503"
    assert "    bad\n" in ask(served, "/f/")[1]
    after = served.application.router.mounts
    assert all(after[name] is before[name] for name in before)
    gone = without_restart(found.composition, load_config(tmp_path / "multiserve.toml"), [])
    assert (gone.added, gone.removed) == ((), ())
    removed = site("recomposed/one.py")
    gone = without_restart(found.composition, load_config(tmp_path / "multiserve.toml"), [removed])
    assert [mount.name for mount in gone.removed] == ["/f/one"]
    gone.apply()
    assert ask(served, "/f/one/")[0] == "404"
    assert "one" not in ask(served, "/f/")[1].split()


def test_over_asgi_an_application_has_its_lifespan_while_it_is_there(site, tmp_path):
    site("recomposed/live.py", ASGI)
    served = compose(load_config(tmp_path / "multiserve.toml"), development=True)

    async def serve():
        lifespans = served.application.lifespans
        await lifespans.start()
        new_file = site("recomposed/new.py", ASGI)
        added = without_restart(served, load_config(tmp_path / "multiserve.toml"), [new_file])
        added.apply()
        new = lifespans.lifespans[-1]
        assert (new.mounts, await new.wait(30), new.is_serving) == (["/f/new"], True, True)
        state = added.added[0].origin.__globals__["LEFT"]
        removed = site("recomposed/new.py")
        gone = without_restart(added.composition, load_config(tmp_path / "multiserve.toml"), [removed])
        gone.apply()
        assert [each.mounts for each in lifespans.lifespans] == [["/f/live"]]
        await asyncio.gather(*lifespans.leaving)
        assert state == ["left"]
        await lifespans.stop()

    asyncio.run(asyncio.wait_for(serve(), 60))


CHANGES = [
    pytest.param({"recomposed/one.py": f"{WSGI}# x"}, id="another file of an application that is served"),
    pytest.param({"recomposed_site.py": f"{WSGI}# x"}, id="another file of a mount"),
    pytest.param({"recomposed_helper.py": ""}, id="a file elsewhere"),
    pytest.param({"recomposed/new.py": ASGI}, id="an ASGI application beside WSGI ones"),
    pytest.param({"recomposed/new.py": WSGI, "multiserve.toml": f"{TOML}[env]\nA = '1'\n"}, id="the configuration"),
    pytest.param({"recomposed/new.py": WSGI, "multiserve.toml": f"{TOML}'/x' = 'a:b'\n"}, id="another mount"),
    pytest.param({"recomposed/{x}.py": WSGI, "recomposed/one.py": f"{WSGI}# x"}, id="both"),
]


@pytest.mark.parametrize("files", CHANGES)
def test_anything_else_takes_a_restart(site, served, tmp_path, files):
    changed = [site(name, text) for name, text in files.items()]
    assert without_restart(served, load_config(tmp_path / "multiserve.toml"), changed) is None


def test_a_file_without_an_application_changes_nothing(site, served, tmp_path):
    changed = [site("recomposed/empty.py", "")]
    found = without_restart(served, load_config(tmp_path / "multiserve.toml"), changed)
    assert (found.added, found.removed) == ((), ())


@pytest.mark.parametrize(
    ("code", "came"),
    [
        pytest.param("import recomposed.missed", "missed.py", id="a module"),
        pytest.param("import recomposed.missed", "missed/__init__.py", id="a package"),
        pytest.param("from recomposed import missed", "missed.py", id="a module of a package that is there"),
        pytest.param("open(__file__[:-8] + 'missed.py')", "missed.py", id="a file"),
        pytest.param("import os; os.listdir(__file__[:-8] + 'missed')", "missed/all.py", id="a folder"),
    ],
)
def test_a_file_that_an_application_has_failed_for_takes_a_restart_and_no_other_one(site, tmp_path, code, came):
    path = tmp_path / "multiserve.toml"
    site("recomposed/needs.py", f"{code}\n{WSGI}")
    served = compose(load_config(path), development=True)
    assert [each.mount.name for each in served.failures] == ["/f/needs"]
    other = [site("recomposed/other.py", WSGI)]
    found = without_restart(served, load_config(path), other)
    assert [each.mount.name for each in found.added] == ["/f/other"]
    assert without_restart(found.composition, load_config(path), [site(f"recomposed/{came}", WSGI)]) is None


@pytest.mark.parametrize("code", ["raise ImportError", "raise ConnectionRefusedError", "open(99999)"])
def test_a_failure_that_no_file_mends_takes_no_restart(site, tmp_path, code):
    site("recomposed/needs.py", f"{code}\n{WSGI}")
    served = compose(load_config(tmp_path / "multiserve.toml"), development=True)
    new = [site("recomposed/other.py", WSGI)]
    assert without_restart(served, load_config(tmp_path / "multiserve.toml"), new).added[0].error is None


def test_a_module_that_was_loaded_before_takes_a_restart(site, served, tmp_path):
    removed = site("recomposed/one.py")
    gone = without_restart(served, load_config(tmp_path / "multiserve.toml"), [removed])
    again = [site("recomposed/one.py", f"{WSGI}# x")]
    assert without_restart(gone.composition, load_config(tmp_path / "multiserve.toml"), again) is None


def test_a_watched_folder_that_changes_by_a_new_file_takes_no_restart(site, served, tmp_path):
    changed = [site("recomposed/two.py", WSGI), str(tmp_path / "recomposed")]
    assert without_restart(served, load_config(tmp_path / "multiserve.toml"), changed) is not None
