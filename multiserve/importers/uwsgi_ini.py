"""A configuration of uWSGI in an INI file, with `mount`, `module` or `wsgi-file`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.hosts import authority
from multiserve.importers.ini_lines import Entry, read_entries
from multiserve.importers.python_files import add_static

NAME = "an INI file of uWSGI with mount, module or wsgi-file"
_REFERENCE = re.compile(r"\$\((\w+)\)")
_APPLICATIONS = ("mount", "module", "wsgi", "wsgi-file", "file")
# What gunicorn's master does by itself, or what has no counterpart because nothing depends on it.
_BY_ITSELF = frozenset(
    {
        "buffer-size",
        "die-on-term",
        "enable-threads",
        "lazy-apps",
        "manage-script-name",
        "master",
        "need-app",
        "no-orphans",
        "offload-threads",
        "plugin",
        "plugins",
        "single-interpreter",
        "strict",
        "thunder-lock",
        "vacuum",
    }
)
_GUNICORN = {
    "processes": "workers",
    "workers": "workers",
    "harakiri": "timeout",
    "max-requests": "max_requests",
    "listen": "backlog",
}
_REASONS = {
    "attach-daemon": "multiserve starts no other processes: let systemd, or a Procfile, start it.",
    "smart-attach-daemon": "multiserve starts no other processes: let systemd, or a Procfile, start it.",
    "home": "multiserve serves with the environment that it is installed in: install it there.",
    "virtualenv": "multiserve serves with the environment that it is installed in: install it there.",
    "uid": "gunicorn calls it user: write user under [gunicorn].",
    "gid": "gunicorn calls it group: write group under [gunicorn].",
    "route": "There is no internal routing: use a mount, a redirect or middleware.",
    "cron": "There are no cron jobs: use the system's.",
    "https": "Put a proxy in front that has the certificate, or use certfile and keyfile under [gunicorn].",
    "logto": "Write errorlog under [gunicorn].",
    "daemonize": "Let systemd keep it running; errorlog under [gunicorn] is where it writes.",
    "pidfile": "Write pidfile under [gunicorn].",
    "stats": "There is no stats server.",
    "static-map2": "It keeps the prefix in the path: mount the folder itself.",
    "touch-reload": 'Use "multiserve reload".',
    "py-autoreload": 'The development server reloads: "multiserve run".',
}


def matches(name: str, text: str) -> bool:
    """Return whether this is an INI file with a section for uWSGI."""
    return name.endswith((".ini", ".conf", ".cfg")) and re.search(r"^\s*\[uwsgi\]", text, re.MULTILINE) is not None


def read(path: Path, text: str) -> Draft:
    """Read the mounts, what listens, the workers, and the environment."""
    draft = Draft()
    entries = [entry for entry in read_entries(text, continued=False) if entry.section == "uwsgi"]
    named = set(re.findall(r"%\(([\w-]+)\)", text))  # what is only there to be filled in elsewhere
    _interpolate(entries, path)
    known = {entry.key: entry for entry in entries}
    rewrites = known.get("manage-script-name")
    is_rewritten = rewrites is not None and rewrites.value.lower() not in ("false", "0", "no")
    reader = _Reader(draft, path.parent, known["callable"].value if "callable" in known else "")
    for entry in entries:
        if entry.key not in named:
            reader.read(entry)
    draft.bind_port_too()
    if "threads" in known:  # last, as it is written on every mount
        draft.set_threads(known["threads"].value, known["threads"].what, known["threads"].line)
    mounts = [entry for entry in entries if entry.key == "mount"]
    if mounts and not is_rewritten:
        reason = (
            "manage-script-name is not set: the application had the prefix in PATH_INFO, now it has it in SCRIPT_NAME."
        )
        draft.note(mounts[0].what, reason, mounts[0].line)
    return draft


def _interpolate(entries: list[Entry], path: Path) -> None:
    """Fill in %d, %n, %p and %(name), as far as the file itself tells them."""
    values: dict[str, str] = {"d": "./", "n": path.stem, "p": path.name, "s": path.name}
    for entry in entries:
        entry.value = re.sub(r"%([dnps])(?!\w*\()", lambda found: values[found[1]], entry.value)
        entry.value = re.sub(r"%\(([\w-]+)\)", lambda found: values.get(found[1], found[0]), entry.value)
        values[entry.key] = entry.value


class _Reader:
    """What becomes of each entry."""

    def __init__(self, draft: Draft, folder: Path, called: str) -> None:
        """Read into a draft; `called` is the name of the application where none is given."""
        self.draft = draft
        self.folder = folder
        self.called = called
        self.readers: dict[str, Callable[[Entry], None]] = {
            **dict.fromkeys(("module", "wsgi", "wsgi-file", "file"), self.application),
            **dict.fromkeys(("socket", "http-socket", "http", "uwsgi-socket"), self.listener),
            **dict.fromkeys(("pythonpath", "pp", "python-path", "chdir"), self.search),
            **dict.fromkeys(("static-map", "check-static"), self.static),
            **dict.fromkeys(_GUNICORN, self.setting),
            "mount": self.mount,
            "env": self.variable,
            **dict.fromkeys(("callable", "threads"), lambda _: None),  # read by themselves
        }

    def read(self, entry: Entry) -> None:
        """Read one entry."""
        if entry.key in self.readers:
            self.readers[entry.key](entry)
        elif entry.key not in _BY_ITSELF:
            reason = _REASONS.get(entry.key, "There is no such setting.")
            self.draft.note(entry.what, reason, entry.line)

    def application(self, entry: Entry) -> None:
        """Read `module = shop.wsgi:application` or `wsgi-file = shop.py`, which answer for the root."""
        self.draft.add("/", entry.what, entry.line, app=self.target(entry.value))

    def mount(self, entry: Entry) -> None:
        """Read `mount = /prefix=target`; the key can be a host."""
        key, _, target = entry.value.partition("=")
        self.draft.add(key.strip(), entry.what, entry.line, app=self.target(target.strip()))

    def target(self, text: str) -> str:
        """Return a target in our spelling: uWSGI looks for `application` where nothing is named."""
        text = text.removeprefix("./")
        if ":" in text:
            return text
        return f"{text}:{self.called or 'application'}"

    def listener(self, entry: Entry) -> None:
        """Read an address; multiserve serves HTTP there, not the uwsgi protocol."""
        if entry.key in ("socket", "uwsgi-socket"):
            reason = "multiserve serves HTTP: write proxy_pass in the configuration of nginx, not uwsgi_pass."
            self.draft.note(entry.what, reason, entry.line)
        host, _, port = entry.value.rpartition(":")
        host = host.strip("[]") or "0.0.0.0"  # noqa: S104 (what uWSGI means by an empty host)
        if port.isdigit() and "port" not in self.draft.server:
            self.draft.server["host"] = host
            self.draft.set_port(port, entry.what, entry.line)
        elif port.isdigit():
            self.draft.gunicorn.setdefault("bind", []).append(authority(host, int(port)))
        elif "$" in port:
            self.draft.set_port(port, entry.what, entry.line)
        else:
            self.draft.gunicorn.setdefault("bind", []).append(f"unix:{entry.value}")

    def search(self, entry: Entry) -> None:
        """Read a folder that modules are searched in; the folder of the file is searched anyway."""
        place = entry.value.removeprefix("./").rstrip("/") or "/"
        if entry.value in (".", "./", "") or (self.folder / place).resolve() == self.folder.resolve():
            return
        if (self.folder / place).is_dir():
            self.draft.pythonpath.append(place)
        else:
            reason = "There is no such folder here: save the file in that folder, or write it into pythonpath there."
            self.draft.note(entry.what, reason, entry.line)

    def static(self, entry: Entry) -> None:
        """Read `static-map = /prefix=folder`."""
        key, equals, folder = entry.value.partition("=")
        if entry.key == "check-static" or not equals:
            reason = "A folder in front of an application is not known: mount it at a prefix."
            self.draft.note(entry.what, reason, entry.line)
        else:
            add_static(self.draft, key.strip(), folder.strip().removeprefix("./"), entry.what, entry.line)

    def setting(self, entry: Entry) -> None:
        """Read a number that gunicorn has under another name."""
        if entry.value.isdigit() and int(entry.value) > 0:
            self.draft.gunicorn[_GUNICORN[entry.key]] = int(entry.value)
        else:
            reason = f"gunicorn calls it {_GUNICORN[entry.key]}: write it under [gunicorn] as a number."
            self.draft.note(entry.what, reason, entry.line)

    def variable(self, entry: Entry) -> None:
        """Read `env = NAME=value`."""
        name, _, value = entry.value.partition("=")
        if "$" in value:
            self.draft.note_variables(name.strip(), value.strip(), _REFERENCE, entry.what, entry.line)
        else:
            self.draft.env[name.strip()] = value.strip()
