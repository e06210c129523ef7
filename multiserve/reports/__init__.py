"""What the commands print, as text and as JSON: values in, text out; nothing here prints."""
