TITLE = "Blog"
