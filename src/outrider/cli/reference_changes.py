"""docs/breaking-changes.md, written from the table in gateway/diff/rules.py: every change that is told."""

from collections.abc import Iterator
from itertools import groupby

from outrider.cli.reference_tables import table
from outrider.gateway.diff.rules import RAISED, RULES

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change gateway/diff/rules.py, not this page. -->"

_ABOUT = """\
`outrider gateway diff OLD NEW` compares two OpenAPI documents (3.0 or 3.1) as their callers see them; so does a publish
with the live release, and `outrider gateway check` with what a branch is merged into. An **error** breaks callers that
do nothing wrong, a **warning** may. Either has its place in both documents.

A breaking change goes live

* with a new major version in `info.version` (below 1.0.0: a new minor one), or
* with an approval in product.yaml, for its id and its place; `outrider gateway approve` writes it.

What is told once may be in many operations: a change of something below `components` has the place of the definition,
and one approval for it. What is additional and optional is not told, nor is what OpenAPI calls documentation:
descriptions, examples, tags, operationIds, extensions that Outrider does not know. The document counts, and not what a
server happens to accept.

## How long something stays

```yaml
deprecated: true
x-sunset: 2027-06-30          # a date of RFC 3339; it may be removed on that day (UTC)
x-stability-level: beta       # draft, alpha, beta or stable; without a word: stable
```

An operation or a parameter is deprecated first, and removed once its day is there. With `notice: 180` in
governance.yaml every deprecation says its day, 180 days ahead. What is a draft or in alpha promises nothing: whatever
changes of it is not told, and it may be gone at any time; only what becomes less stable than it was is an error.

## Where oasdiff judges otherwise

Ids and levels are those of [oasdiff](https://github.com/oasdiff/oasdiff) (commit 4553c69). What it has as INFO is not
told, unless it is raised. The differences:"""

_DIFFERENCES = (
    (
        "Security (`api-security-*`, `api-global-security-*`)",
        "Raised to errors. Calls that worked fail. Told is only what turns somebody away: a new alternative is none, "
        "and neither is a scheme with another name that means the same.",
    ),
    (
        "`api-security-component-*`",
        "Raised: the address where tokens come from is an error, a scope that is gone a warning. Only of schemes that "
        "an operation uses.",
    ),
    (
        "`cannot-be-judged`",
        "Ours. Something changed that is neither documentation nor understood, such as the style of a parameter, a "
        "server, or a keyword that OpenAPI does not have. It is an error, and of links and refresh URLs a warning.",
    ),
    (
        "Webhooks and callbacks",
        "Judged, and the other way round: what the API sends must still be known, what is answered still be accepted. "
        "There, only that a webhook is gone.",
    ),
    (
        "Ranges of statuses and of media types",
        "`2XX` stands for 200, `text/*` for text/plain, and each is compared with what stands for it now. `default` "
        "is a success only where no other is written out. There, only numbers count, and a media type of requests "
        "that became narrower is not told.",
    ),
    (
        "`x-stability-level`",
        "What counts is the level that callers knew, so that what is stable cannot be changed by calling it a draft. "
        "There, the new one.",
    ),
    (
        "`api-deprecated-sunset-missing`, `api-sunset-date-too-small`",
        "Where a notice is asked for, also of something removed that never said when, and of a day that is announced "
        "after the deprecation.",
    ),
    (
        "Schemas",
        "Compared by what they mean, so that `allOf`, `$ref` and types written in another way are no change: what "
        "changes in them has no ids of its own (`all-of-*`, `prefix-items-*`, `response-*-unevaluated-*`) but those "
        "of what became of the values. Where there is an id for one place of a schema, all places have it "
        "(`response-header-property-*`), and what is passed over there has one made alike.",
    ),
    (
        "`additionalProperties: false` in responses",
        "A response may have more members than were listed all the same; else none could ever grow. In requests it "
        "counts.",
    ),
    (
        "`*-one-of-overlaps`",
        "Ours, a warning: a member of `oneOf` that is new or takes more may fit together with another, and what fits "
        "two is refused.",
    ),
    (
        "`format`",
        "Another format is another type: `date` to `date-time` breaks either side. Only `int32` is part of `int64`, "
        "and `float` of `double`; in requests a format may go, in responses one may come.",
    ),
    (
        "`discriminator`",
        "Raised to errors, but for what is added. Without a mapping it goes by the names of the schemas, so a schema "
        "with another name breaks callers though it says the same.",
    ),
    (
        "`request-parameter-property-type-changed`",
        "Not told, but `request-parameter-property-type-specialized`, an error: there, the first is a warning where "
        "it is not known how the parameter is written. A parameter that becomes a list is an error too, in whatever "
        "style.",
    ),
    (
        "What oasdiff has as INFO",
        "Of schemas, we tell the defaults of members and what is no longer read from requests (`read-only`), as "
        "information; the rest of it not.",
    ),
    (
        "`*-property-sunset-*`",
        "The ends of members are judged as those of operations, their deletion and an earlier day (ids of ours) "
        "included.",
    ),
    (
        "`new-required-request-parameter`",
        "Also of a parameter that stands at the path; an id of its own there.",
    ),
)

_UNSEEN = """\
Not told by either: a new path that is one case of an old one, such as `/stations/nearby` beside `/stations/{id}`.

## All changes

Raised is what is less severe to oasdiff. Words in italics stand for what the document has there."""

_AREAS = {
    "cannot-be-judged": "What is not understood",
    "api-security": "Security",
    "api-global-security": "Security",
    "new-": "What is new",
    "request-body": "Request bodies",
    "request-property": "Properties of request bodies",
    "request-parameter": "Parameters",
    "response-body": "Bodies of responses",
    "response-property": "Properties of responses",
    "response-header": "Headers of responses",
    "required-response": "Headers of responses",
    "optional-response": "Headers of responses",
    "response": "Responses",
    "request": "Requests",
    "": "Paths, operations and webhooks",
}
"""Under which heading an id is found, by how it begins."""


def changes_markdown() -> str:
    """All ids with their levels as a page, and what must be known to read it."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# Breaking changes", "", _NOTE, "", _ABOUT, "")
    yield from table(("what", "here"), _DIFFERENCES)
    yield from ("", _UNSEEN)
    in_order = sorted(RULES, key=lambda rule: list(_AREAS.values()).index(_area(rule)))
    for area, rules in groupby(in_order, key=_area):
        yield from ("", f"### {area}", "")
        yield from table(
            ("id", "level", "what it says"), ((f"`{rule}`", _level(rule), _sentence(rule)) for rule in rules)
        )


def _area(rule: str) -> str:
    return next(area for start, area in _AREAS.items() if rule.startswith(start))


def _level(rule: str) -> str:
    return RULES[rule].severity.word + (", raised" if rule in RAISED else "")


def _sentence(rule: str) -> str:
    """The words in braces in italics."""
    return RULES[rule].sentence.replace("{", "*").replace("}", "*")
