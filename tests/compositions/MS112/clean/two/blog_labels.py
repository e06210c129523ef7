label = "blog"
