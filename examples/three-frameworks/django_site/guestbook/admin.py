"""The guestbook in the Django admin."""

from django.contrib import admin

from django_site.guestbook.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """List the entries with their dates."""

    list_display = ("name", "message", "written")
