"""An application that cannot be looked into."""


class Shy:
    @property
    def __signature__(self):
        raise RuntimeError("working outside of the application context")

    def __call__(self, environ, start_response):
        return []


app = Shy()
