"""The URLs and the pages of the blog."""

import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse


def home(request: HttpRequest) -> HttpResponse:
    """Show whose settings count here, and in which process."""
    return HttpResponse(
        f"<!doctype html><title>Blog</title><h1>The blog</h1>"
        f"<p>{request.path}, settings: {settings.SETTINGS_MODULE}, process: {os.getpid()}"
        f'<p><a href="{reverse("about")}">About</a>, <a href="/shop/">the shop</a>, <a href="/">front</a>'
    )


def about(request: HttpRequest) -> HttpResponse:
    """Show the URL, as Django sees it."""
    return HttpResponse(f'<!doctype html><title>About</title>{request.path} <a href="{reverse("home")}">the blog</a>')


urlpatterns = [path("", home, name="home"), path("about/", about, name="about")]
