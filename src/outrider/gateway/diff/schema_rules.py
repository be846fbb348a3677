"""What may change in a schema and break somebody: the ids and levels of oasdiff, each with its sentence.

An id is whose schema it is (`request-body`, `response-property`) and what happened to it. Where oasdiff has an id for
one place of a schema, all places have it; what it passes over is told by ids of our own, made alike. oasdiff's level
holds unless it is `RAISED`.
"""

from outrider.gateway.findings import Severity

ERROR, WARN, INFO = Severity.ERROR, Severity.WARN, Severity.INFO

_REQUEST: dict[str, tuple[Severity, str]] = {
    "type-changed": (ERROR, "{what} was {was}, and must now be {now}"),
    "list-of-types-narrowed": (ERROR, "{what} was {was}, and must now be {now}"),
    "became-not-nullable": (ERROR, "{what} must no longer be null"),
    "became-enum": (ERROR, "{what} must now be one of {now}"),
    "enum-value-removed": (ERROR, "{what} must no longer be {was}"),
    "const-added": (ERROR, "{what} must now be {now}"),
    "const-changed": (ERROR, "{what} was {was}, and must now be {now}"),
    "x-extensible-enum-value-removed": (ERROR, "{what} is no longer known to take {was}"),
    "min-set": (WARN, "{what} must now be at least {now}"),
    "min-increased": (ERROR, "{what} must now be at least {now}, and was {was}"),
    "exclusive-min-set": (WARN, "{what} must now be greater than {now}"),
    "exclusive-min-increased": (ERROR, "{what} must now be greater than {now}, and was {was}"),
    "max-set": (WARN, "{what} must now be at most {now}"),
    "max-decreased": (ERROR, "{what} must now be at most {now}, and was {was}"),
    "exclusive-max-set": (WARN, "{what} must now be less than {now}"),
    "exclusive-max-decreased": (ERROR, "{what} must now be less than {now}, and was {was}"),
    "multiple-of-changed": (ERROR, "{what} must now be a multiple of {now}"),
    "min-length-increased": (ERROR, "{what} must now have at least {now} characters, and had {was}"),
    "max-length-set": (WARN, "{what} must now have at most {now} characters"),
    "max-length-decreased": (ERROR, "{what} must now have at most {now} characters, and had {was}"),
    "pattern-added": (ERROR, "{what} must now match {now}"),
    "pattern-changed": (WARN, "{what} must now match {now}, and matched {was}"),
    "content-encoding-changed": (ERROR, "{what} was encoded as {was}, and now as {now}"),
    "content-media-type-changed": (ERROR, "{what} held {was}, and now {now}"),
    "content-schema-added": (ERROR, "what {what} holds must now fit a schema"),
    "min-items-set": (WARN, "{what} must now have at least {now} items"),
    "min-items-increased": (ERROR, "{what} must now have at least {now} items, and had {was}"),
    "max-items-set": (WARN, "{what} must now have at most {now} items"),
    "max-items-decreased": (ERROR, "{what} must now have at most {now} items, and had {was}"),
    "unique-items-set": (ERROR, "{what} must no longer hold the same item twice"),
    "items-closed": (ERROR, "{what} must now have no more items than are listed"),
    "unevaluated-items-added": (ERROR, "{what} must now have no more items than are listed"),
    "contains-added": (ERROR, "{what} must now contain certain items"),
    "min-contains-increased": (ERROR, "{what} must now contain at least {now} certain items, and did {was}"),
    "max-contains-decreased": (ERROR, "{what} must now contain at most {now} certain items, and did {was}"),
    "min-properties-increased": (ERROR, "{what} must now have at least {now} members, and had {was}"),
    "max-properties-set": (WARN, "{what} must now have at most {now} members"),
    "max-properties-decreased": (ERROR, "{what} must now have at most {now} members, and had {was}"),
    "additional-properties-closed": (ERROR, "{what} must no longer have members that are not listed"),
    "unevaluated-properties-added": (ERROR, "{what} must no longer have members that are not listed"),
    "pattern-property-added": (ERROR, "members of {what} that match {now} must now fit a schema"),
    "property-names-added": (ERROR, "the names of members of {what} must now fit a schema"),
    "dependent-required-added": (ERROR, "{what} that has {was} must now have {now} too"),
    "dependent-required-changed": (ERROR, "{what} that has {was} must now have {now} too"),
    "dependent-schema-added": (ERROR, "{what} that has {was} must now fit a schema"),
    "if-added": (ERROR, "{what} must now fit a schema if it fits another"),
    "then-added": (ERROR, "{what} must now fit a schema if it fits another"),
    "else-added": (ERROR, "{what} must now fit a schema if it does not fit another"),
    "one-of-removed": (ERROR, "{what} must no longer be {was}"),
    "any-of-removed": (ERROR, "{what} must no longer be {was}"),
    "one-of-overlaps": (WARN, "{what} may now fit both {was} and {now}, and oneOf refuses what fits two"),
    "discriminator-property-name-changed": (ERROR, "{what} was told apart by {was}, and now is by {now}"),
    "discriminator-mapping-changed": (ERROR, "{what} meant another schema by {was}"),
    "discriminator-mapping-deleted": (ERROR, "{what} is no longer known by {was}"),
    "stability-decreased": (ERROR, "{what} was {was}, and is now only {now}"),
}

_RESPONSE: dict[str, tuple[Severity, str]] = {
    "type-changed": (ERROR, "{what} was {was}, and is now {now}"),
    "type-generalized": (ERROR, "{what} was {was}, and may now be {now}"),
    "list-of-types-widened": (ERROR, "{what} was {was}, and may now be {now}"),
    "became-nullable": (ERROR, "{what} may now be null"),
    "enum-value-added": (WARN, "{what} may now be {now}"),
    "enum-removed": (WARN, "{what} may now be other than {was}"),
    "const-changed": (ERROR, "{what} was always {was}, and may now be {now}"),
    "const-removed": (ERROR, "{what} was always {was}, and may now be another"),
    "min-unset": (ERROR, "{what} may now be less than {was}"),
    "min-decreased": (ERROR, "{what} may now be as little as {now}, and was {was} at least"),
    "exclusive-min-unset": (ERROR, "{what} may now be {was} or less"),
    "exclusive-min-decreased": (ERROR, "{what} may now be as little as {now}, and was more than {was}"),
    "max-unset": (ERROR, "{what} may now be more than {was}"),
    "max-increased": (ERROR, "{what} may now be as much as {now}, and was {was} at most"),
    "exclusive-max-unset": (ERROR, "{what} may now be {was} or more"),
    "exclusive-max-increased": (ERROR, "{what} may now be as much as {now}, and was less than {was}"),
    "multiple-of-changed": (ERROR, "{what} was a multiple of {was}, and may now be another number"),
    "min-length-decreased": (ERROR, "{what} may now have as few as {now} characters, and had {was} at least"),
    "max-length-unset": (ERROR, "{what} may now have more than {was} characters"),
    "max-length-increased": (ERROR, "{what} may now have {now} characters, and had {was} at most"),
    "pattern-removed": (WARN, "{what} need no longer match {was}"),
    "pattern-changed": (WARN, "{what} matches {now}, and matched {was}"),
    "content-encoding-changed": (ERROR, "{what} was encoded as {was}, and now is as {now}"),
    "content-media-type-changed": (ERROR, "{what} held {was}, and now holds {now}"),
    "content-schema-removed": (ERROR, "what {what} holds need no longer fit a schema"),
    "min-items-unset": (ERROR, "{what} may now have fewer than {was} items"),
    "min-items-decreased": (ERROR, "{what} may now have as few as {now} items, and had {was} at least"),
    "max-items-unset": (ERROR, "{what} may now have more than {was} items"),
    "max-items-increased": (ERROR, "{what} may now have {now} items, and had {was} at most"),
    "unique-items-unset": (ERROR, "{what} may now hold the same item twice"),
    "items-opened": (ERROR, "{what} may now have more items than are listed"),
    "unevaluated-items-removed": (ERROR, "{what} may now have more items than are listed"),
    "contains-removed": (ERROR, "{what} need no longer contain certain items"),
    "min-contains-decreased": (ERROR, "{what} may now contain as few as {now} certain items, and did {was} at least"),
    "max-contains-increased": (ERROR, "{what} may now contain {now} certain items, and did {was} at most"),
    "min-properties-decreased": (ERROR, "{what} may now have as few as {now} members, and had {was} at least"),
    "max-properties-unset": (ERROR, "{what} may now have more than {was} members"),
    "max-properties-increased": (ERROR, "{what} may now have {now} members, and had {was} at most"),
    "pattern-property-removed": (ERROR, "members of {what} that match {was} need no longer fit a schema"),
    "property-names-removed": (ERROR, "the names of members of {what} need no longer fit a schema"),
    "dependent-required-removed": (ERROR, "{what} that has {was} may now lack {now}"),
    "dependent-required-changed": (ERROR, "{what} that has {was} may now lack {now}"),
    "dependent-schema-removed": (ERROR, "{what} that has {was} need no longer fit a schema"),
    "if-removed": (ERROR, "{what} need no longer fit a schema if it fits another"),
    "then-removed": (ERROR, "{what} need no longer fit a schema if it fits another"),
    "else-removed": (ERROR, "{what} need no longer fit a schema if it does not fit another"),
    "one-of-added": (ERROR, "{what} may now be {now}"),
    "any-of-added": (ERROR, "{what} may now be {now}"),
    "discriminator-removed": (WARN, "{what} can no longer be told apart by {was}"),
    "discriminator-property-name-changed": (ERROR, "{what} was told apart by {was}, and now is by {now}"),
    "discriminator-mapping-changed": (ERROR, "{what} means another schema by {was}"),
    "discriminator-mapping-added": (WARN, "{what} may now be told to be {now}"),
    "discriminator-mapping-deleted": (ERROR, "{what} is now told to be {now}, which nobody knows"),
    "stability-decreased": (ERROR, "{what} was {was}, and is now only {now}"),
}

_DEFAULTS = {
    "default-value-added": "{what} now is {now} where it is left out",
    "default-value-changed": "{what} was {was} where it is left out, and now is {now}",
    "default-value-removed": "{what} no longer is {was} where it is left out",
}

_MEMBERS: dict[str, tuple[Severity, str]] = {
    "new-required-request-property": (ERROR, "{what} is new, and required"),
    "new-required-request-property-with-default": (ERROR, "{what} is new, and required, whatever its default"),
    "request-property-became-required": (ERROR, "{what} is now required"),
    "request-property-became-required-with-default": (ERROR, "{what} is now required, whatever its default"),
    "request-property-removed": (WARN, "{what} is no longer listed, and may be ignored"),
    "request-property-forbidden": (ERROR, "{what} is no longer accepted"),
    "request-optional-property-became-read-only": (INFO, "{what} is no longer read from requests"),
    "request-required-property-became-read-only": (INFO, "{what} is no longer read from requests"),
    "response-required-property-removed": (ERROR, "{what} was always there, and is no longer listed"),
    "response-optional-property-removed": (WARN, "{what} is no longer listed"),
    "response-property-became-optional": (ERROR, "{what} may now be left out"),
    "response-required-property-became-not-write-only": (WARN, "{what} was never there, and now always is"),
}

_NO_NOTICE = "ends {date}, which is not the notice of {days} days that callers are due"
_ENDS = {
    "deprecated-sunset-missing": "{what} is deprecated without a word of when it ends (x-sunset)",
    "deprecated-sunset-invalid": "{what} is deprecated, and its x-sunset is no date of RFC 3339",
    "sunset-date-too-small": f"{{what}} is deprecated and {_NO_NOTICE}",
    "sunset-date-changed-too-small": f"{{what}} now {_NO_NOTICE}; it was to end {{before}}",
    "sunset-deleted": "{what} was to end {before}, and no longer says when it ends (x-sunset)",
}

_BODIES: dict[str, tuple[Severity, str]] = {
    "request-body-media-type-schema-added": (ERROR, "the body must now fit a schema"),
    "response-body-media-type-schema-removed": (WARN, "what the body holds is no longer said"),
}

_REQUESTS = ("request-body", "request-property", "request-parameter", "request-parameter-property")
_RESPONSES = ("response-body", "response-property", "response-header", "response-header-property")

RAISED = frozenset(
    {
        *(f"{whose}-{what}" for whose in _REQUESTS for what in _REQUEST if what.startswith("discriminator")),
        *(f"{whose}-{what}" for whose in _RESPONSES for what in _RESPONSE if what.startswith("discriminator")),
        *(f"{whose}-{what}" for whose in _RESPONSES for what in ("any-of-added", "pattern-removed", "pattern-changed")),
    }
)
"""oasdiff tells of these less severely; but calls that worked fail then, or answers come that nobody expects."""


def _all() -> dict[str, tuple[Severity, str]]:
    rules = dict(_BODIES)
    for subjects, said in ((_REQUESTS, _REQUEST), (_RESPONSES, _RESPONSE)):
        rules |= {rule_of(subject, what): rule for subject in subjects for what, rule in said.items()}
    for subject in _REQUESTS:
        severity = ERROR if subject == "request-parameter" else INFO
        rules |= {f"{subject}-{what}": (severity, sentence) for what, sentence in _DEFAULTS.items()}
    ends = {f"{of}-property-{what}": (ERROR, said) for of in ("request", "response") for what, said in _ENDS.items()}
    for name, rule in {**_MEMBERS, **ends}.items():
        rules |= {name: rule, elsewhere(name): rule}
    return rules


def rule_of(subject: str, what: str) -> str:
    """The id by which it is told what happened to this schema."""
    name = f"{subject}-{what}"
    return _SPECIALIZED if name == _IN_DOUBT else name


_IN_DOUBT, _SPECIALIZED = "request-parameter-property-type-changed", "request-parameter-property-type-specialized"
"""oasdiff tells by the first, a warning, where it cannot know how the parameter is written; we do not go by that."""


def elsewhere(name: str) -> str:
    """The same of a member of a parameter, or of a header."""
    carrier = "request", "request-parameter"
    if name.startswith("response"):
        carrier = "response", "response-header"
    return name.replace(*carrier, 1)


SCHEMA_RULES: dict[str, tuple[Severity, str]] = _all()
