"""The guestbook: visitors leave entries, the admin removes them."""
