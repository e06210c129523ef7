"""The URLs and the pages of the shop."""

import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse


def home(request: HttpRequest) -> HttpResponse:
    """Show whose settings count here, and in which process."""
    return HttpResponse(
        f"<!doctype html><title>Shop</title><h1>The shop</h1>"
        f"<p>{request.path}, settings: {settings.SETTINGS_MODULE}, process: {os.getpid()}"
        f'<p><a href="{reverse("about")}">About</a>, <a href="/blog/">the blog</a>, <a href="/">front</a>'
    )


def about(request: HttpRequest) -> HttpResponse:
    """Show the URL, as Django sees it."""
    return HttpResponse(f'<!doctype html><title>About</title>{request.path} <a href="{reverse("home")}">the shop</a>')


urlpatterns = [path("", home, name="home"), path("about/", about, name="about")]
