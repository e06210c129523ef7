"""The models of the guestbook."""

from django.db import models


class Entry(models.Model):
    """What one visitor wrote."""

    name = models.CharField(max_length=80)
    message = models.TextField(max_length=1000)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Show the newest entries first."""

        ordering = ("-written",)
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        """Return the beginning of the entry, for the admin."""
        return f"{self.name}: {self.message[:40]}"
