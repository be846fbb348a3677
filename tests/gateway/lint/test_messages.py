"""What findings say: templates with placeholders."""

from typing import Any

import pytest

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.messages import check_message, message
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.resolved import Placed

DOCUMENT = {"paths": {"/a/{id}": {"x y": [1, {"b": None}], "7": "seven"}}}


@pytest.mark.parametrize(
    ("template", "description", "said"),
    [
        ("{{error}}", "Why", '"7" property is wrong'),
        ("{{description}}: {{property}}", "Why", "Why: 7"),
        ("{{value}} at {{path}}", None, "seven at #/paths/~1a~1%7Bid%7D/7"),
        ("{{description}}", None, "null"),
        (" \u00a0{{property}}\n", None, "7"),
        (None, "Why", "Why"),
        (None, None, '"7" property is wrong'),
        (None, "", ""),
    ],
)
def test_a_message_is_the_template_the_description_or_the_error(
    template: str | None, description: str | None, said: str
) -> None:
    """In this order; what functions say has placeholders of its own."""
    path = ("paths", "/a/{id}", "7")
    error = '#{{print("property")}}is wrong'
    assert message(template, description, error, Placed(path, path), DOCUMENT) == said


@pytest.mark.parametrize(
    ("path", "missing", "said"),
    [
        ((), (), "The document | Object{}"),
        (("paths",), (), '"paths" property | Object{}'),
        (("paths", "/a/{id}", "x y"), (), '"x y" property | Array[]'),
        (("paths", "/a/{id}", "x y", 1), (), '"1" property | Object{}'),
        (("paths", "/a/{id}", "x y", 0), (), '"0" property | 1'),
        (("paths", "/a/{id}", "7"), (), '"7" property | "seven"'),
        (("paths",), ("a", "b c", "0"), "\"paths.a['b c'][0]\" property | Object{}"),
        ((), ("a", "b"), '"b" property | Object{}'),
    ],
)
def test_a_property_is_named_as_far_as_it_was_sought(path: JsonPath, missing: JsonPath, said: str) -> None:
    """Of one that is not there, from what is there on; a value only says what it is."""
    text = message(None, None, '#{{print("property")}}| #{{print("value")}}', Placed(path, path + missing), DOCUMENT)
    assert text == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "null"),
        (True, "true"),
        (1.0, "1"),
        (0.5, "0.5"),
        ([1, [None, "a"]], "1,,a"),
        ({"a": 1}, "[object Object]"),
    ],
)
def test_a_value_is_written_as_javascript_does(value: Any, said: str) -> None:
    """Whoever compares what both say finds the same."""
    assert message("{{value}}", None, "", Placed(("a",), ("a",)), {"a": value}) == said


@pytest.mark.parametrize(
    "template", ["{{ property }}", "{{name}}", "{{constructor}}", "#{{property}}", '#{{print("value")}}']
)
def test_a_placeholder_that_is_not_known_is_refused(template: str) -> None:
    """Spectral leaves it out, and evaluates what begins with #."""
    with pytest.raises(NotUnderstood, match=r"known are \{\{error\}\}, \{\{property\}\}"):
        check_message(template)
