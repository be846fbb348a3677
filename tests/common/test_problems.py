"""Problem documents: the members and their order."""

import msgspec

from outrider.common.problems import Problem, encode, type_of


class Wrong(msgspec.Struct):
    field: str
    message: str


def test_a_problem_document_reads_from_what_to_why() -> None:
    """A problem says what it is, what to do, whether to try again, and whether it may have happened nevertheless."""
    problem = Problem(
        type=type_of("wrong_parameter"),
        title="A parameter is wrong",
        status=422,
        detail="See errors.",
        code="wrong_parameter",
        retryable=False,
        may_have_happened=False,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        errors=[Wrong("params.temperature", "must be at most 28")],
    )

    assert encode(problem) == (
        b'{"type":"/problems/wrong_parameter","title":"A parameter is wrong","status":422,"detail":"See errors.",'
        b'"code":"wrong_parameter","retryable":false,"may_have_happened":false,'
        b'"trace_id":"0af7651916cd43dd8448eb211c80319c",'
        b'"errors":[{"field":"params.temperature","message":"must be at most 28"}]}'
    )
