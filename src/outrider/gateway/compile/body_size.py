"""The size of request bodies: too large by its own word is refused before it comes, otherwise as soon as it is.

Nothing is buffered: what is within the limit streams on to the upstream.
"""

from outrider.gateway.compile.parts import Filter, Json, Source, extension

NAME = "envoy.filters.http.body_size_limit"


def _chain(source: Source) -> Json | None:
    kind = "envoy.extensions.filters.http.body_size_limit.v3.BodySizeLimit"
    return extension(NAME, kind, max_request_bytes=source.product.body_limit)


FILTER = Filter(name=NAME, chain=_chain)
