"""Requirements of distributions as their metadata spell them, as far as those of multiserve's own dependencies go."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*\(?(?P<versions>[^;()]*)\)?\s*(?:;(?P<marker>.*))?"
)
_CLAUSE = re.compile(r"(?P<operator>===|==|~=|!=|<=|>=|<|>)\s*(?P<version>[^\s,]+)")
_VERSION = re.compile(
    r"\s*v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)[-_.]?(?P<before>a|b|c|rc|alpha|beta|pre|preview|dev)?", re.IGNORECASE
)
# Variables of markers whose values are versions.
_VERSIONS = ("python_version", "python_full_version")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one distribution needs of another.

    Attributes:
        name: In its normal form, as `normalise_name` returns it.
        versions: Which versions fit, such as ">=3.1.3,<4"; empty where all do.
        marker: When it is needed; empty where it always is.
    """

    name: str
    versions: str = ""
    marker: str = ""

    def __str__(self) -> str:
        return f"{self.name}{self.versions}"

    def counts(self, variables: Mapping[str, str]) -> bool:
        """Return whether it is needed, where the variables of markers have these values."""
        return not self.marker or _holds(ast.parse(self.marker, mode="eval").body, variables)


def parse_requirement(text: str) -> Requirement:
    """Parse a value of Requires-Dist."""
    found = _REQUIREMENT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    versions = re.sub(r"\s", "", found["versions"])
    return Requirement(normalise_name(found["name"]), versions, (found["marker"] or "").strip())


def normalise_name(name: str) -> str:
    """Return a name of a distribution as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fits(version: str, versions: str) -> bool:
    """Return whether a version is among some, such as ">=3.1.3,<4"; one that cannot be read is within no bounds."""
    if versions and not _VERSION.match(version):
        return False
    return all(_clause_holds(version, clause["operator"], clause["version"]) for clause in _CLAUSE.finditer(versions))


def _clause_holds(version: str, operator: str, bound: str) -> bool:
    if bound.endswith(".*"):
        is_same = _compare(_cut(version, bound), bound.removesuffix(".*")) == 0
        return is_same == (operator == "==")
    order = _compare(version, bound)
    if operator == "~=":
        return order >= 0 and _compare(_cut(version, bound), bound.rpartition(".")[0]) == 0
    return {
        "==": order == 0,
        "===": version == bound,
        "!=": order != 0,
        "<=": order <= 0,
        ">=": order >= 0,
        "<": order < 0,
        ">": order > 0,
    }[operator]


def _cut(version: str, bound: str) -> str:
    """Return as many numbers of a version as a bound has, but for its last part."""
    return ".".join(map(str, _key(version)[0][: bound.count(".")]))


def _compare(one: str, other: str) -> int:
    """Return a negative number where one version is before another, 0 where they are the same."""
    (numbers, final), (other_numbers, other_final) = _key(one), _key(other)
    for each, of_other in zip_longest(numbers, other_numbers, fillvalue=0):
        if each != of_other:
            return each - of_other
    return int(final) - int(other_final)


def _key(version: str) -> tuple[tuple[int, ...], bool]:
    """Return the numbers of a version, and whether it is no pre-release."""
    found = _VERSION.match(version)
    if found is None:
        raise ValueError(version)
    return tuple(map(int, found["release"].split("."))), found["before"] is None


def _holds(node: ast.expr, variables: Mapping[str, str]) -> bool:
    """Return whether a marker holds: the grammar of markers is that of Python's expressions."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(each, variables) for each in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(each, variables) for each in values)
        case ast.Compare(left=ast.Name(id=name), ops=[operator], comparators=[ast.Constant(value=str(value))]):
            return _comparison_holds(name, operator, value, variables.get(name, ""))
        case _:
            return True  # unknown: asking for too much is said, asking for too little is not


def _comparison_holds(name: str, operator: ast.cmpop, value: str, actual: str) -> bool:
    signs = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
    sign = signs.get(type(operator), "")
    if name in _VERSIONS and sign:
        return fits(actual, sign + value)
    if sign in {"==", "!="}:
        return (actual == value) == (sign == "==")
    if isinstance(operator, ast.In | ast.NotIn):
        return (actual in value) == isinstance(operator, ast.In)
    return True
