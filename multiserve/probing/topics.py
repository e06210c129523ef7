"""The topics of what a probe finds. They are explained and ignored as checks are, but found by sending requests."""

from __future__ import annotations

from multiserve.findings import Topic

_TOPICS = (
    Topic(
        code="MS201",
        severity="warning",
        title="a redirect leaves its mount",
        consequence="Users get 404, or a page of another application.",
        explanation="With --probe: "
        "the Location of a redirect, or the refresh of a page or a response, is a path without the prefix of "
        "the mount, and either nothing answers there or the application has the same path itself. If another mount may "
        "be intended, the finding is a note, or there is none.",
    ),
    Topic(
        code="MS202",
        severity="warning",
        title="a form leaves its mount",
        consequence="What users submit is lost, or goes to another application.",
        explanation="With --probe: "
        'the action of a form is a path without the prefix of the mount, such as "/login" in an '
        "application at /admin, and nothing answers there. If the mount at the root may be intended, the finding is a "
        "note. Forms are never submitted: the framework's URL map says whether anything would answer.",
    ),
    Topic(
        code="MS203",
        severity="warning",
        title="a link leaves its mount",
        consequence="Users who follow it get 404, or a page of another application.",
        explanation="With --probe: "
        "a link, or a frame, is a path without the prefix of the mount, and the application has "
        "that path itself. A link that nothing answers with or without the prefix is not reported: it does not depend "
        "on the mount.",
    ),
    Topic(
        code="MS204",
        severity="warning",
        title="an asset leaves its mount",
        consequence="Pages are shown without their styles, scripts or images.",
        explanation="With --probe: "
        "the URL of a script, a style sheet, an image or a similar file, in a page or a style sheet, is a path without "
        "the prefix of the mount, and the answer there is 404, or an HTML page instead of the file. They are requested "
        "with HEAD. Those of a page are one finding, and what other pages of the mount need as well is reported once.",
    ),
    Topic(
        code="MS205",
        severity="warning",
        title="a cookie is sent to other mounts, too",
        consequence="Another application may read it, or overwrite it.",
        explanation="With --probe: "
        "a cookie is set for a path outside of the mount, most often for the whole origin, and another application "
        "sets a cookie with the same name. A path of its own is not enough then, because below that path browsers send "
        "both cookies, and only another name helps. A cookie whose name nobody else uses is not reported.",
    ),
    Topic(
        code="MS206",
        severity="error",
        title="an application breaks its protocol",
        consequence="Each server may react in its own way.",
        explanation="With --probe: "
        "the application does something that PEP 3333 or ASGI 3.0 does not allow, such as sending text instead of "
        "bytes. WSGI applications are checked by wsgiref.validate.",
    ),
    Topic(
        code="MS207",
        severity="error",
        title="an application fails when it is probed",
        consequence="Users get an error.",
        explanation="With --probe: "
        "the application raised an exception, answered with a status of 500 or more, did not answer in time, or its "
        "lifespan did not start. With --alone the finding names the mount without which it does not fail.",
    ),
    Topic(
        code="MS208",
        severity="warning",
        title="a path of `probe` is answered with an error",
        consequence="Monitoring, and users, get the same answer.",
        explanation="With --probe: "
        "a path that a mount lists in `probe`, or a path that it redirects to, answers with a status of 400 to 499. "
        "The root is always requested, but an application need not have a route there, so its status is reported only "
        "if `probe` lists it.",
    ),
    Topic(
        code="MS209",
        severity="warning",
        title="another mount changes what a mount answers",
        consequence="Users get something else than what the application was written for.",
        explanation="With --alone: "
        "each mount is loaded alone, in a process of its own, and gets the same requests. Status, redirects, "
        "Content-Type, pages and the names of cookies are compared with those in a process that has all mounts; "
        "numbers, and whatever is different at each request, are left out. The others are halved until the one is left "
        "that makes the difference, which has to be there again in another process. Usually both use one global of a "
        "library, or one environment variable, that can have only one value. Where a page only shows more than alone, "
        "or a mount fails alone, it is a note.",
    ),
    Topic(
        code="MS210",
        severity="warning",
        title="a request of a page leaves its mount",
        consequence="The script gets 404, or the answer of another application.",
        explanation="With --probe: "
        "what scripts hand to fetch, WebSocket, EventSource, XMLHttpRequest, axios and jQuery, the attributes of htmx, "
        "and the paths of an OpenAPI description are looked up where they are literals that begin with a slash. "
        "Reported are those that the application has below its prefix, and that nothing answers without it. The page "
        "is read, and up to twelve scripts and style sheets of the same mount. Where a script puts a prefix in front "
        "of all requests, they are not reported.",
    ),
    Topic(
        code="MS211",
        severity="warning",
        title="a URL has the prefix twice",
        consequence="Users get 404.",
        explanation="With --probe: "
        "a URL of a page, or of a redirect, begins with the prefix twice, nothing answers there, and the same URL with "
        "one prefix exists. Most often the application adds a prefix of its own to what its framework has added.",
    ),
    Topic(
        code="MS212",
        severity="warning",
        title="an asset of a page does not exist",
        consequence="Pages are shown without their styles, scripts or images.",
        explanation="With --probe: "
        "a page refers to a script or a style sheet below its own mount that is answered with 404. Images, sounds and "
        "films are a note; icons, and what style sheets refer to, are not reported. At most 30 assets of a mount are "
        "requested.",
    ),
    Topic(
        code="MS213",
        severity="error",
        title="an application redirects in a circle",
        consequence="Browsers give up after about twenty redirects.",
        explanation="With --probe: "
        "up to three redirects inside of a mount are followed, and lead back to one of them. One that sets a cookie is "
        "not reported, because the next request would have it.",
    ),
    Topic(
        code="MS214",
        severity="note",
        title="a scope is more than the mount",
        consequence="The browser refuses it, or it may be in force for the pages of other applications.",
        explanation="With --probe: "
        "the scope that a web manifest names, or a script that registers a service worker, is not below the prefix. "
        "With the scope / a service worker answers for the whole origin, if its response allows that, and an installed "
        "page shows all applications in its own window.",
    ),
    Topic(
        code="MS215",
        severity="note",
        title="one mount decides about HTTPS for the whole host",
        consequence="Browsers refuse plain HTTP for all mounts, and for hosts below this one.",
        explanation="With --probe: "
        "Strict-Transport-Security holds for the host, whichever path sends it, and with includeSubDomains for all "
        "hosts below it, which may not have TLS. If all mounts send it, it is not reported.",
    ),
    Topic(
        code="MS216",
        severity="note",
        title="CORS allows credentials to every origin",
        consequence="Browsers refuse such a response to a request with cookies.",
        explanation="With --probe: "
        "Access-Control-Allow-Origin is *, and Access-Control-Allow-Credentials is true, which the Fetch standard does "
        "not let through together. Pages of the same origin, such as those of other mounts, need no CORS.",
    ),
    Topic(
        code="MS217",
        severity="warning",
        title="a header does not fit the response",
        consequence="Servers and proxies cut the response off, or wait for more of it.",
        explanation="With --probe: "
        "an application sends headers that are between two servers, such as Transfer-Encoding, or a Content-Length "
        "that is not the length of the body. Bodies of more than a megabyte are not counted.",
    ),
)
PROBED: dict[str, Topic] = {topic.code: topic for topic in _TOPICS}
