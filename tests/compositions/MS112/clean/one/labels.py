label = "shop"
