PLAN = "daily"
