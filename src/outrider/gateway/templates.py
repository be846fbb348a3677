"""Path templates of OpenAPI (`/files/{name}.json`): which can be served, what each matches, which is asked first."""

import re
from collections.abc import Iterable

_PARAMETER = re.compile(r"\{[^{}/]+\}")
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_NEVER_ARRIVES = re.compile(r"%(?:2[fF]|5[cC]|00)")


def template_fault(path: str) -> str:
    """What is wrong with a template; empty: nothing."""
    parameters = _PARAMETER.findall(path)
    literal = _PARAMETER.sub("", path)
    segments = _PARAMETER.sub("{}", path).split("/")[1:]
    if not path.startswith("/"):
        return "must begin with /"
    if "?" in literal or "#" in literal:
        return "must end before ? and #; what comes in the query is declared as a parameter"
    if "{" in literal or "}" in literal:
        return "must have its braces in pairs around one name each, as in /files/{name}.json"
    if len(set(parameters)) < len(parameters):
        return "must not name the same parameter twice"
    if any(segment in ("", ".", "..") for segment in segments[:-1]) or segments[-1] in (".", ".."):
        return "must have no //, no /./ and no /../: callers' paths are put straight before they are compared"
    if not _LITERAL.fullmatch(literal):
        return "must have what is no letter of ASCII percent-encoded, as in /stra%C3%9Fen"
    if _NEVER_ARRIVES.search(literal):
        return "must have no encoded slash, backslash or NUL: gateways refuse them"
    return ""


def is_literal(template: str) -> bool:
    """Is it one path and no other?"""
    return not _PARAMETER.search(template)


def pattern(template: str) -> str:
    """The regular expression (RE2, PCRE, Python) that the whole path must match; a parameter holds no slash.

    Templates that callers can't tell apart, `/a/{x}` and `/a/{y}`, have the same.
    """
    return "[^/]+".join(map(re.escape, _PARAMETER.split(template)))


def by_precedence(templates: Iterable[str]) -> list[str]:
    """In the order in which they are asked: literal ones, then the one with the most literal segments.

    Where that does not tell them apart, the leftmost literal segment does, then a segment that is literal in part. Of
    templates that match the same paths there is one.
    """
    one_each = {pattern(template): template for template in sorted(templates, reverse=True)}
    return sorted(one_each.values(), key=_rank)


def _rank(template: str) -> tuple[int, tuple[tuple[int, int], ...], str]:
    segments = [_PARAMETER.split(segment) for segment in template.split("/")]
    openness = tuple((_openness(parts), -sum(map(len, parts))) for parts in segments)
    return sum(len(parts) > 1 for parts in segments), openness, template


def _openness(parts: list[str]) -> int:
    if len(parts) == 1:
        return 0
    return 1 if any(parts) else 2
