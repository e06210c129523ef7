"""The page that shows a server to people, made from plain values; it knows neither of the two servers."""
