from __future__ import annotations

import pytest

from multiserve.importers.commands import parse_command


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("gunicorn shop:app", "shop:app"),
        ("gunicorn shop.wsgi", "shop.wsgi:application"),
        ("gunicorn -w 4 -k gthread -b :8000 shop:app", "shop:app"),
        ("gunicorn 'shop:create_app(\"x\")' --preload", 'shop:create_app("x")'),
        ("exec poetry run gunicorn shop:app", "shop:app"),
        ("A=1 env B=2 python -m uvicorn shop:app --reload", "shop:app"),
        ("uvicorn --factory shop:make", "shop:make()"),
        ("uvicorn shop:app --port=8000 --no-access-log", "shop:app"),
        ("waitress-serve --call --port=80 shop:make", "shop:make()"),
        ("flask --app shop run", "shop"),
        ("FLASK_APP=site/shop.py flask run", "site.shop"),
        ("fastapi run shop.main", "shop.main:app"),
        ("cd backend && uvicorn shop:app", "shop:app"),
        ("uvicorn shop:app && echo done", "shop:app"),
    ],
)
def test_servers(text, target):
    command = parse_command(text)
    assert command is not None
    assert command.target == target


@pytest.mark.parametrize(
    "text", ["celery -A shop worker", "python manage.py migrate", "gunicorn", "uvicorn 'open", "npm run dev", ""]
)
def test_what_starts_no_server(text):
    assert parse_command(text) is None


def test_options_environment_and_folder():
    command = parse_command("cd web && STAGE=beta gunicorn -b 0.0.0.0:80 --workers=3 --timeout 5 --preload shop:app")
    assert command is not None
    assert command.options == [("--bind", "0.0.0.0:80"), ("--workers", "3"), ("--timeout", "5"), ("--preload", "")]
    assert (command.environment, command.folder) == ({"STAGE": "beta"}, "web")
    assert (command.option("--bind"), command.option("--gone")) == ("0.0.0.0:80", "")
