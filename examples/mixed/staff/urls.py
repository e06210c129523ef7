"""The URLs of the Django project."""

from contextlib import closing

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.http import HttpRequest, HttpResponse
from django.urls import path


def static_file(request: HttpRequest, path: str) -> HttpResponse:
    """Serve a static file in one piece, because Django warns when it streams a file over ASGI."""
    # "insecure" is Django's word for "also without DEBUG": slow, but right under any prefix and
    # server. A busy site runs collectstatic and has the folder served by a static mount instead.
    with closing(serve(request, path, insecure=True)) as file:
        return HttpResponse(file.getvalue(), headers=file.headers, status=file.status_code)


urlpatterns = [
    path("static/<path:path>", static_file),
    path("", admin.site.urls),  # last, because the admin has an answer to every path below it
]
