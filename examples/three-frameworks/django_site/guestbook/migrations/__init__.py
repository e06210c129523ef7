"""The migrations of the guestbook."""
