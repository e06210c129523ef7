urlpatterns = [1 / 0]
