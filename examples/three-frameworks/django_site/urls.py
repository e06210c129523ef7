"""The URLs of the Django project."""

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path

urlpatterns = [
    path("", include("django_site.guestbook.urls")),
    path("admin/", admin.site.urls),
    # "insecure" is Django's word for "also without DEBUG": slow, but right under any prefix and
    # server. A busy site runs collectstatic and has the folder served by a static mount instead.
    path("static/<path:path>", serve, {"insecure": True}),
]
