"""The URLs of the guestbook."""

from django.urls import path

from django_site.guestbook.views import EntryCreate, EntryList

app_name = "guestbook"
urlpatterns = [
    path("", EntryList.as_view(), name="list"),
    path("add/", EntryCreate.as_view(), name="add"),
]
