"""What can go wrong for a person, with the two answers that matter: may it have happened, and will trying again help?

The docstring of an error is its title; `detail` says what to do. The HTTP status is the API's word for the same thing.
"""

from collections.abc import Sequence
from typing import ClassVar

from outrider.domain.catalog import Complaint


class OutriderError(Exception):
    """Something went wrong"""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    may_have_happened: bool = False

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[Complaint] = (),
        retry_after: int | None = None,
        may_have_happened: bool | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        if may_have_happened is not None:
            self.may_have_happened = may_have_happened

    @property
    def title(self) -> str:
        """The error in a few words, the same for every occurrence."""
        return (type(self).__doc__ or "").strip()


class MalformedRequest(OutriderError):
    """The request can't be read"""

    code, status = "malformed_request", 400


class NotFound(OutriderError):
    """There is nothing here"""

    code, status = "not_found", 404


class MethodNotAllowed(OutriderError):
    """This can't be done here"""

    code, status = "method_not_allowed", 405


class TooLarge(OutriderError):
    """The request is too large"""

    code, status = "too_large", 413


class HeadTooLarge(OutriderError):
    """The request's head is too large"""

    code, status = "head_too_large", 431


class HeadTooSlow(OutriderError):
    """The request's head took too long"""

    code, status, retryable = "head_too_slow", 408, True


class WrongMediaType(OutriderError):
    """The request is not JSON"""

    code, status = "wrong_media_type", 415


class TokenMissing(OutriderError):
    """There is no token"""

    code, status = "token_missing", 401


class TokenInvalid(OutriderError):
    """The token is not valid"""

    code, status = "token_invalid", 401


class TokenExpired(OutriderError):
    """The token has expired"""

    code, status = "token_expired", 401


class ScopeMissing(OutriderError):
    """The token does not allow this"""

    code, status = "scope_missing", 403


class WrongParameter(OutriderError):
    """A parameter is wrong"""

    code, status = "wrong_parameter", 422


class VehicleUnknown(OutriderError):
    """No such vehicle"""

    code, status = "vehicle_unknown", 404


class NotYourVehicle(OutriderError):
    """You have no grant for this"""

    code, status = "not_your_vehicle", 403


class ServiceUnknown(OutriderError):
    """No such service"""

    code, status = "service_unknown", 404


class ServiceUnsupported(OutriderError):
    """This vehicle can't do that"""

    code, status = "service_unsupported", 409


class ModelUnknown(OutriderError):
    """No such model"""

    code, status = "model_unknown", 422


class VehicleExists(OutriderError):
    """This vehicle is registered already"""

    code, status = "vehicle_exists", 409


class CommandUnknown(OutriderError):
    """No such command"""

    code, status = "command_unknown", 404


class GrantUnknown(OutriderError):
    """No such grant"""

    code, status = "grant_unknown", 404


class CredentialUnknown(OutriderError):
    """No such credential"""

    code, status = "credential_unknown", 404


class KeyReused(OutriderError):
    """This idempotency key was used for another request"""

    code, status = "idempotency_key_reused", 422


class LaneFull(OutriderError):
    """This vehicle has enough to do"""

    code, status, retryable = "lane_full", 429, True


class TooLateToCancel(OutriderError):
    """It can't be withdrawn any more"""

    code, status, may_have_happened = "too_late_to_cancel", 409, True


class AlreadySettled(OutriderError):
    """The command is settled"""

    code, status = "already_settled", 409


class TemporarilyUnavailable(OutriderError):
    """Not now"""

    code, status, retryable = "temporarily_unavailable", 503, True


class NotReady(OutriderError):
    """A part of the platform does not work"""

    code, status, retryable = "not_ready", 503, True
