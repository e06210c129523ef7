"""What probing finds, each kind under a code: it is explained and ignored as the checks are, but found elsewhere."""

from __future__ import annotations

from multiserve.findings import Topic

_TOPICS = (
    Topic(
        code="MS201",
        severity="warning",
        title="a redirect leaves its mount",
        consequence="Users end at a page that is not there, or at one of another application.",
        explanation="With --probe: "
        "the Location of a redirect, or the refresh of a page, is a path without the prefix of "
        "the mount. Nothing answers there, or the application has the same path itself. Where another mount is meant, "
        "nothing is said, or it is a note.",
    ),
    Topic(
        code="MS202",
        severity="warning",
        title="a form leaves its mount",
        consequence="What users send goes nowhere, or to another application.",
        explanation="With --probe: "
        'the action of a form is a path without the prefix of the mount, such as "/login" in an '
        "application at /admin, and nothing answers there. It is a note where the mount at the root may be meant. "
        "Forms are never sent: whether anything would answer is read from the framework's URL map.",
    ),
    Topic(
        code="MS203",
        severity="warning",
        title="a link leaves its mount",
        consequence="Users who follow it get 404, or a page of another application.",
        explanation="With --probe: "
        "a link, or a frame, is a path without the prefix of the mount, and the application has "
        "that path itself. A link that nothing answers anywhere is dead without a prefix, too, and nothing is said.",
    ),
    Topic(
        code="MS204",
        severity="warning",
        title="an asset leaves its mount",
        consequence="Pages come without their styles, scripts or images.",
        explanation="With --probe: "
        "a script, a style sheet, an image or the like is a path without the prefix of the mount, "
        "and what answers there is 404, or a page in place of a file. Assets are asked for with HEAD.",
    ),
    Topic(
        code="MS205",
        severity="note",
        title="a cookie goes to other mounts, too",
        consequence="Another application may read it, or overwrite it.",
        explanation="With --probe: "
        "a cookie is set for a path outside of the mount, most often for all of the origin. It is "
        "a warning where another application sets a cookie of the same name: then a path of its own is not enough, "
        "for below it browsers send both, and only another name helps.",
    ),
    Topic(
        code="MS206",
        severity="error",
        title="an application breaks its protocol",
        consequence="What a server makes of it, each server decides.",
        explanation="With --probe: "
        "the application does something that PEP 3333, or ASGI 3.0, does not allow, such as text "
        "where there have to be bytes. WSGI is looked at by wsgiref.validate.",
    ),
    Topic(
        code="MS207",
        severity="error",
        title="an application fails at its root, or at a path that it is probed at",
        consequence="Users get an error.",
        explanation="With --probe: "
        "the application raised, or answered 500 or more, or did not answer in time, or its "
        "lifespan did not start.",
    ),
    Topic(
        code="MS208",
        severity="warning",
        title="a path of `probe` is refused",
        consequence="What is asked there for monitoring, or by users, gets the same answer.",
        explanation="With --probe: "
        "a path that a mount names in `probe`, or one that it redirects to, answers with 400 or "
        "more. The root is asked for in any case, and may well be none of an application's routes: of that nothing is "
        "said, unless `probe` names it.",
    ),
)
PROBED: dict[str, Topic] = {topic.code: topic for topic in _TOPICS}
