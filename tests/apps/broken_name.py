"""A module that imports a name which is not there."""

from good import no_such_name

app = no_such_name
