"""A module whose dependency is missing."""

import no_such_dependency.inner

app = no_such_dependency.inner.app
