"""The views of the guestbook."""

from django.urls import reverse, reverse_lazy
from django.views.generic import CreateView, ListView
from django.views.generic.base import ContextMixin

from django_site.guestbook.models import Entry


class UrlTable(ContextMixin):
    """Give a page the table of this site's URLs, as paths and absolute."""

    def get_context_data(self, **context: object) -> dict[str, object]:
        """Add the rows: name, path, absolute URL."""
        paths = {name: reverse(name) for name in ("guestbook:list", "guestbook:add", "admin:index")}
        rows = [(name, path, self.request.build_absolute_uri(path)) for name, path in paths.items()]
        return super().get_context_data(urls=rows, **context)


class EntryList(UrlTable, ListView):
    """Show all entries."""

    model = Entry


class EntryCreate(UrlTable, CreateView):
    """Show the form for a new entry and save it."""

    model = Entry
    fields = ("name", "message")
    success_url = reverse_lazy("guestbook:list")
