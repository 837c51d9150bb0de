"""Live pages ask ``GET .../version`` every 2 s while visible; this answers with one number.

The number is the sum of the topics' change counters, sent as an ETag, so that an unchanged page
costs one indexed read and no body.
"""

from __future__ import annotations

from flask import Response, request

from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.work import Work


def version_response(work: Work, *topics: str) -> Response:
    """304 if the asker's ETag still stands, else the number."""
    version = str(version_of(work.session, *topics))
    if version in request.if_none_match:
        response = Response(status=304)
    else:
        response = Response(version, mimetype="text/plain")
    response.set_etag(version)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
