"""What a finding says: a rule's `message` with its placeholders filled in, or else its description, or else what the
function found.

Known are `{{error}}`, `{{property}}`, `{{value}}`, `{{path}}` and `{{description}}`. Spectral evaluates more than that
(`#{{...}}`, in JavaScript's manner) and leaves out in silence what it does not know; here a ruleset with such a
message is refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from outrider.common.json_path import JsonPath, pointer, value_at
from outrider.gateway.lint.javascript import BLANKS, UNDEFINED, text_of
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.resolved import Placed

_PLACEHOLDER = re.compile(r"#?\{\{([^}\n]+)\}\}")
_KNOWN = ("error", "property", "value", "path", "description")
_NUMBER = re.compile(r"\s*(?:[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|0[xX][0-9a-fA-F]+)?\s*")


def check_message(template: str) -> None:
    """Raises `NotUnderstood`: it has a placeholder that is not known."""
    for placeholder in _PLACEHOLDER.finditer(template):
        if placeholder[0].startswith("#") or placeholder[1] not in _KNOWN:
            known = ", ".join(f"{{{{{name}}}}}" for name in _KNOWN)
            raise NotUnderstood(
                f"{placeholder[0]} is not known; known are {known}, without blanks", at=placeholder.start()
            )


def message(template: str | None, description: str | None, error: str, placed: Placed, written: Any) -> str:
    """What the finding says. error: the function's text. placed: where it is. written: the document as written."""
    words: dict[str, Callable[[], str]] = {
        "property": lambda: _property(placed),
        "path": lambda: _pointer(placed.path),
        "description": lambda: "null" if description is None else description,
        "value": lambda: text_of(_value(written, placed.path)),
        "error": lambda: error,
        'print("property")': lambda: f'"{name}" property ' if (name := _property(placed)) else "The document ",
        'print("value")': lambda: _printed(_value(written, placed.path)),
    }
    filled = _filled(error, words)
    if template is not None:
        said = _filled(template, {**words, "error": lambda: filled})
    else:
        said = filled if description is None else description
    return said.strip(BLANKS)


def _filled(template: str, words: Mapping[str, Callable[[], str]]) -> str:
    def one(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        is_printed = placeholder[0].startswith("#")
        word = words.get(name.strip() if is_printed else name)
        return word() if word is not None and is_printed is name.strip().startswith("print(") else ""

    return _PLACEHOLDER.sub(one, template)


def _printed(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "Array[]" if isinstance(value, list) else "Object{}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text_of(value)


def _value(written: Any, path: JsonPath) -> Any:
    try:
        return value_at(written, path)
    except (KeyError, IndexError, TypeError):
        return UNDEFINED


def _property(placed: Placed) -> str:
    """The last name of the place; of one that does not exist, as much as is missing, dotted."""
    if len(placed.sought) <= len(placed.path):
        return str(placed.path[-1]) if placed.path else ""
    dotted = ""
    for step in map(str, placed.sought[len(placed.path) - 1 :]):
        if not step or re.search(r"\s", step):
            dotted += f"['{step}']"
        elif _NUMBER.fullmatch(step):
            dotted += f"[{step}]"
        else:
            dotted += f".{step}" if dotted else step
    return dotted.replace("~1", "/").replace("~0", "~")


def _pointer(path: JsonPath) -> str:
    """With everything encoded that JavaScript's encodeURIComponent encodes."""
    return "#" + quote(pointer(path)[1:], safe="/%~!*'()")
