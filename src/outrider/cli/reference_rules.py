"""docs/rules.md, drawn from the two rulesets that are shipped."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from outrider.cli.reference_tables import table
from outrider.common.yaml_positions import read_yaml

RULESETS = {"OpenAPI": "openapi.yaml", "AsyncAPI": "asyncapi.yaml"}
"""What each is for, and its file."""

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change gateway/lint/rules/*.yaml, not this page. -->"
_ZALANDO = "https://opensource.zalando.com/restful-api-guidelines/#"
_INTRO = """\
What `outrider gateway lint` asks of an API's document, and why. An *error* keeps a product from being published; a
*warning* says what good design would be, so that a team can begin today and mend in time. Besides these rules, a
document's structure is checked against its specification (`structure`): a field that is not known, a reference that
leads nowhere, an operationId that is there twice, a path parameter that nobody declares.

The rulesets are in the form of [Spectral](https://github.com/stoplightio/spectral), and Spectral runs them unchanged.
A company's guideline is a file that extends them; governance.yaml names it. A severity's name changes a rule's
severity, `off` disables it, and a new rule goes beside them:

```yaml
extends: outrider:openapi
rules:
  path-without-verb: off
  limit-described: error
  path-with-version:
    description: Two versions live side by side only if their paths differ.
    message: 'The path {{property}} has no version.'
    given: $.paths[?(@property.match(/^[/]/))]~
    then: {function: pattern, functionOptions: {match: '^/v[0-9]+/'}}
```

What the rules cannot see is left to people: whether a name is a good one, whether resources are plural."""

Rule = Mapping[str, Any]


def rulesets() -> dict[str, Mapping[str, Rule]]:
    """The rules of each shipped ruleset, by their names."""
    folder = files("outrider.gateway") / "lint" / "rules"
    return {of: read_yaml((folder / name).read_bytes()).data["rules"] for of, name in RULESETS.items()}


def rules_markdown() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    shipped = rulesets()
    rules = {name: rule for each in shipped.values() for name, rule in each.items()}  # shared ones read alike
    areas = dict.fromkeys(rule["x-area"] for each in shipped.values() for rule in each.values())
    yield from ("# Rules", "", _NOTE, "", *_INTRO.splitlines(), "")
    ordered = [(name, rule) for area in areas for name, rule in rules.items() if rule["x-area"] == area]
    marks = {name: [_mark(each.get(name)) for each in shipped.values()] for name in rules}
    rows = ((f"[{name}](#{name})", rule["x-area"], *marks[name]) for name, rule in ordered)
    yield from table(("rule", "area", *shipped), rows)
    for area in areas:
        yield from ("", f"## {area.capitalize()}")
        for name, rule in ordered:
            if rule["x-area"] == area:
                yield from _rule_lines(name, rule)


def _mark(rule: Rule | None) -> str:
    return {"error": "error", "warn": "warning"}[rule["severity"]] if rule else ""


def _rule_lines(name: str, rule: Rule) -> Iterator[str]:
    mend = rule["x-mend"]
    yield from ("", f"### {name}", "", rule["description"], "")
    yield f"Instead: {mend}."
    if rule["x-source"]:
        yield from ("", f"From {', '.join(map(_source, rule['x-source']))}.")


def _source(source: str) -> str:
    if source.isdecimal():
        return f"[Zalando {source}]({_ZALANDO}{source})"
    if re.fullmatch(r"API[0-9]+:2023", source):
        return f"OWASP {source}"
    return source if source.startswith("RFC ") else f"Spectral `{source}`"
