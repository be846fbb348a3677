"""What the rule engine says of what it does not understand, or cannot finish. Neither ever passes in silence."""

from outrider.common.json_path import JsonPath


class NotUnderstood(ValueError):
    """Part of a rule cannot be followed exactly as Spectral would. message: what to write instead.

    at: where in the text of a selector or pattern, from 0. path: which of a function's options.
    """

    def __init__(self, message: str, *, at: int | None = None, path: JsonPath = ()) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.path = path


class Failed(Exception):
    """A rule cannot be finished on this document. message: why, and what to change."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
