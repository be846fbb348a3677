"""Every change that is told, by the id that oasdiff gave it: how bad it is, and what it says."""

import msgspec

from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schema_rules import RAISED as SCHEMAS_RAISED
from outrider.gateway.diff.schema_rules import SCHEMA_RULES
from outrider.gateway.findings import Change, Severity

ERROR, WARN = Severity.ERROR, Severity.WARN

JUDGED_NOT = "cannot-be-judged"
"""Outrider's own id: something changed, and it is not known to be harmless."""


class Rule(msgspec.Struct, frozen=True):
    """severity: as oasdiff's (ERR, WARN), unless it says otherwise. sentence: with the words in braces that `change`
    is given.
    """

    severity: Severity
    sentence: str


def _error(sentence: str) -> tuple[Severity, str]:
    return ERROR, sentence


_NO_NOTICE = "ends {date}, which is not the notice of {days} days that callers are due"
_EARLIER = "now ends {date} and not {before}, which is not the notice of {days} days that callers are due"

_RULES: dict[str, tuple[Severity, str]] = {
    JUDGED_NOT: (ERROR, "{what} changed, and whether callers break cannot be told"),
    # paths and operations
    "api-path-removed-without-deprecation": (ERROR, "the path was removed, and was not deprecated before"),
    "api-path-removed-before-sunset": (ERROR, "the path was removed, and was to stay until {date}"),
    "api-path-sunset-parse": (ERROR, "the x-sunset of what was removed is no date of RFC 3339"),
    "api-removed-without-deprecation": (ERROR, "the operation was removed, and was not deprecated before"),
    "api-removed-before-sunset": (ERROR, "the operation was removed, and was to stay until {date}"),
    "webhook-removed": (ERROR, "the webhook was removed"),
    # how long an operation lasts
    "api-deprecated-sunset-missing": (ERROR, "is deprecated without a word of when it ends (x-sunset)"),
    "api-deprecated-sunset-parse": (ERROR, "is deprecated, and its x-sunset is no date of RFC 3339"),
    "api-sunset-date-too-small": (ERROR, f"is deprecated and {_NO_NOTICE}"),
    "api-sunset-date-changed-too-small": (ERROR, _EARLIER),
    "sunset-deleted": (ERROR, "was to end {before}, and no longer says when it ends (x-sunset)"),
    "api-stability-decreased": (ERROR, "was {before} and is {after} now (x-stability-level)"),
    "api-invalid-stability-level": (ERROR, "its x-stability-level is none of draft, alpha, beta and stable"),
    # security: oasdiff's level is INFO for all of these. They are raised, because calls that worked fail after them.
    "api-security-added": (ERROR, "needs {needed} now, and did not before"),
    "api-security-scope-added": (ERROR, "needs the scope {scope} of {scheme} now, and did not before"),
    "api-security-removed": (ERROR, "no longer lets in who comes with {gone}"),
    "api-global-security-added": (ERROR, "needs {needed} now as everything does, and did not before"),
    "api-global-security-scope-added": (ERROR, "needs the scope {scope} of {scheme} now as everything does"),
    "api-global-security-removed": (ERROR, "no longer lets in who comes with {gone}, as nothing does"),
    "api-security-component-oauth-url-changed": (ERROR, "{scheme}: callers log in at another address now"),
    "api-security-component-oauth-token-url-changed": (ERROR, "{scheme}: tokens come from another address now"),
    "api-security-component-oauth-scope-removed": (WARN, "{scheme}: there is no scope {scope} any more"),
    # parameters
    "new-required-request-parameter": (ERROR, "the {name} is new and required"),
    "new-request-path-parameter": (ERROR, "the {name} is new"),
    "request-parameter-became-required": (ERROR, "the {name} is required now"),
    "request-parameter-removed": (WARN, "the {name} was removed"),
    "request-parameter-removed-before-sunset": (ERROR, "the {name} was removed, and was to stay until {date}"),
    "request-parameter-sunset-parse": (ERROR, "the {name} is deprecated, and its x-sunset is no date of RFC 3339"),
    "request-parameter-deprecated-sunset-missing": _error(
        "the {name} is deprecated without a word of when it ends (x-sunset)"
    ),
    "request-parameter-sunset-date-too-small": (ERROR, f"the {{name}} is deprecated and {_NO_NOTICE}"),
    "request-parameter-sunset-date-changed-too-small": (ERROR, f"the {{name}} {_EARLIER}"),
    "request-parameter-sunset-deleted": _error(
        "the {name} was to end {before}, and no longer says when it ends (x-sunset)"
    ),
    # request bodies
    "request-body-added-required": (ERROR, "a body is required now, and there was none before"),
    "request-body-became-required": (ERROR, "the body is required now"),
    "request-body-removed": (ERROR, "the body was removed"),
    "request-body-media-type-removed": (ERROR, "a body of {media_type} is no longer accepted"),
    # responses
    "response-success-status-removed": (ERROR, "no longer answers {status}"),
    "response-media-type-removed": (ERROR, "no longer answers {status} with {media_type}"),
    "response-media-type-name-generalized": _error(
        "answers {status} with any of {after} now, and only with {media_type} before"
    ),
    "required-response-header-removed": (ERROR, "the answer {status} no longer has the header {name}"),
    "optional-response-header-removed": (
        WARN,
        "the answer {status} no longer has the header {name}, not even at times",
    ),
    "response-header-became-optional": (ERROR, "the answer {status} has the header {name} only at times now"),
}

RULES: dict[str, Rule] = {name: Rule(*said) for name, said in {**_RULES, **SCHEMA_RULES}.items()}
"""All of them by their ids. A change of another id cannot be told."""


RAISED = SCHEMAS_RAISED | {name for name in _RULES if name.startswith(("api-security", "api-global-security"))}
"""Those that are less severe to oasdiff."""


def change(rule: str, old: Placed | None, new: Placed | None, **words: str) -> Change:
    """One change in its words. old, new: what to point at in either document; None where it is not there."""
    return Change(
        rule=rule,
        severity=RULES[rule].severity,
        message=RULES[rule].sentence.format_map(words),
        old=old.place if old else None,
        new=new.place if new else None,
    )
