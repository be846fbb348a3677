"""Our errors as problem documents: the one place where the members of both meet."""

from outrider.adapters.api.trace import Trace
from outrider.common import problems
from outrider.domain.errors import OutriderError


def document_of(error: OutriderError, trace: Trace) -> bytes:
    """The problem document that says this error to whoever asked under this trace."""
    problem = problems.Problem(
        type=problems.type_of(error.code),
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        retryable=error.retryable,
        may_have_happened=error.may_have_happened,
        trace_id=trace.id,
        errors=error.errors,
    )
    return problems.encode(problem)
