"""A package inside the package, whose import fails."""

import package.nowhere  # noqa: F401
