"""Data as YAML for people: in the order in which it is given, without anchors, texts of several lines as they are."""

import re
from typing import Any

import yaml

_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+")
"""What YAML 1.2 takes for a number; PyYAML, which knows 1.1, would not quote all of it."""


def write_yaml(data: Any) -> str:
    """One YAML document that `yaml_positions.read_yaml` reads back as the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """How it is quoted; None: as PyYAML likes it."""
    if not text.replace("\n", "").isprintable():
        return '"'  # what is no letter, such as other line ends, is escaped
    if "\n" in text:
        return "|"
    return "'" if _NUMBER.fullmatch(text) else None


_Dumper.add_representer(str, _text)
