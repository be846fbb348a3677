"""Path templates of OpenAPI (`/files/{name}.json`): which can be served, what each matches, which is asked first.

Callers may write a character as it is or percent-encoded, and most upstreams decode before they look. So a literal
matches all that means it: were `/things/1%3Apurge` not `/things/{id}:purge` but `/things/{id}`, the scopes of the one
would let callers in at the other. RFC 3986, 2.2 and 2.3.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{[^{}/]+\}")
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_NEEDLESS = re.compile(r"%(2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)", re.I)
"""An escape of a letter, a digit or one of `-._~`, which mean the same without."""
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CHARACTER = re.compile(r"%[0-9A-F]{2}|.", re.S)
_ONE_SPELLING = re.compile(r"[A-Za-z0-9._~/-]*")
_NEVER_RAW = "%?#\\"
_PARAMETERS_VALUE = "(?:[^/%]|%[0-9A-Fa-f]{2})+"
"""Whole characters: half an escape is none, and what is no escape at all, as in `100%`, is nobody's value."""
_NEVER_ARRIVES = re.compile(r"%(?:2[fF]|5[cC]|00)")


def template_fault(path: str) -> str:
    """What is wrong with a template; empty: nothing."""
    parameters = _PARAMETER.findall(path)
    literal = _PARAMETER.sub("", path)
    segments = unescaped(_PARAMETER.sub("{}", path)).split("/")[1:]
    if not path.startswith("/"):
        return "must begin with /"
    if "?" in literal or "#" in literal:
        return "must end before ? and #; what comes in the query is declared as a parameter"
    if "{" in literal or "}" in literal:
        return "must have its braces in pairs around one name each, as in /files/{name}.json"
    if "}{" in path:
        return "must have something between two parameters, as in /{name}.{kind}: nobody could say where the first ends"
    if len(set(parameters)) < len(parameters):
        return "must not name the same parameter twice"
    if any(segment in ("", ".", "..") for segment in segments[:-1]) or segments[-1] in (".", ".."):
        return "must have no //, no /./ and no /../: callers' paths are put straight before they are compared"
    if not _LITERAL.fullmatch(literal):
        return "must have what is no letter of ASCII percent-encoded, as in /stra%C3%9Fen"
    if _NEVER_ARRIVES.search(literal):
        return "must have no encoded slash, backslash or NUL: gateways refuse them"
    if "\ufffd" in unquote(_PARAMETER.sub("/", path)):
        return "must have what is percent-encoded in UTF-8, as in /stra%C3%9Fen"
    return ""


def unescaped(path: str) -> str:
    """Without needless escapes: of letters, digits and `-._~`. Envoy undoes them before it looks for a route."""
    return _NEEDLESS.sub(lambda escape: chr(int(escape[1], 16)), path)


def canonical(template: str) -> str:
    """Without needless escapes, the others in capitals."""
    return _ESCAPE.sub(lambda escape: escape[0].upper(), unescaped(template))


def is_literal(template: str) -> bool:
    """Is it one path that can be written in one way only? Envoy compares such a one as it stands."""
    return bool(_ONE_SPELLING.fullmatch(canonical(template)))


def pattern(template: str) -> str:
    """The regular expression (RE2, PCRE, Python) that the whole path must match, without needless escapes.

    A parameter holds no slash. Templates that callers can't tell apart, as `/a/{x}` and `/a/{y}`, or `/a:b` and
    `/a%3Ab`, have the same.
    """
    literals = (_characters(part) for part in _PARAMETER.split(template))
    return _PARAMETERS_VALUE.join("".join(map(_spellings, literal)) for literal in literals)


def _characters(literal: str) -> list[str]:
    """Each by itself or as an escape."""
    return _CHARACTER.findall(canonical(literal))


def _spellings(character: str) -> str:
    """All that means the same: raw, if a path may have it so, and its escape in either case."""
    if _ONE_SPELLING.fullmatch(character):
        return re.escape(character)
    octets = bytes.fromhex(character[1:]) if len(character) > 1 else character.encode()
    escape = "".join(f"%{octet:02X}" for octet in octets)
    either = re.sub("[A-F]", lambda digit: f"[{digit[0]}{digit[0].lower()}]", escape)
    raw = chr(octets[0])
    return f"(?:{re.escape(raw)}|{either})" if "!" <= raw <= "~" and raw not in _NEVER_RAW else either


def by_precedence(templates: Iterable[str]) -> list[str]:
    """In the order in which they are asked: literal ones, then the one with the most literal segments.

    Where that does not tell them apart, the leftmost literal segment does, then a segment that is literal in part. Of
    templates that match the same paths there is one.
    """
    one_each = {pattern(template): template for template in sorted(templates, reverse=True)}
    return sorted(one_each.values(), key=_rank)


def _rank(template: str) -> tuple[int, tuple[tuple[int, int], ...], str]:
    segments = [_PARAMETER.split(segment) for segment in template.split("/")]
    openness = tuple((_openness(parts), -sum(len(_characters(part)) for part in parts)) for parts in segments)
    return sum(len(parts) > 1 for parts in segments), openness, template


def _openness(parts: list[str]) -> int:
    if len(parts) == 1:
        return 0
    return 1 if any(parts) else 2
