"""Rulesets, governance and products in which something is wrong, and what is said of it."""

import os
from collections.abc import Mapping
from pathlib import Path

from tests.gateway.lint.bad import GOOD, LAWFUL, Bad, Content, big, linked
from tests.gateway.lint.bad_documents import minimal

RULES = "rules.yaml"


def rule(text: str, more: str = "") -> bytes:
    """A ruleset of one rule, and what else is in it."""
    return f"rules: {{a-rule: {{{text}}}}}\n{more}".encode()


TRUE = "then: {function: truthy}"
INFO = f"given: $.info, {TRUE}"

RULESETS: dict[str, tuple[Content, str]] = {
    "broken YAML": (b"rules: [", "is not YAML"),
    "nothing": (b"", "is no ruleset"),
    "a list": (b"[]", "is no ruleset"),
    "no rules": (b"rules: {}\n", "no rule of rules.yaml is on"),
    "rules that are off": (rule(f"{INFO}, severity: off"), "no rule of rules.yaml is on"),
    "rules for other documents": (rule(f"{INFO}, formats: [oas2]"), "no format that rules.yaml names fits"),
    "an unknown key": (rule(INFO, "rulez: {}\n"), "rulez: is not known"),
    "an unknown key of a rule": (rule(f"{INFO}, sevrity: error"), "sevrity: is not known"),
    "an unknown severity": (rule(f"{INFO}, severity: fatal"), "severity: "),
    "a rule without given": (rule(TRUE), "given: is required"),
    "a rule without then": (rule("given: $"), "then: is required"),
    "an unknown function": (rule("given: $, then: {function: truethy}"), "function: "),
    "a function of JavaScript": (rule(INFO, "functions: [equals]\n"), "functions"),
    "an unknown option": (rule("given: $, then: {function: length, functionOptions: {maximum: 3}}"), "maximum"),
    "an option of another type": (rule("given: $, then: {function: length, functionOptions: {max: '3'}}"), "max"),
    "no options where they are needed": (rule("given: $, then: {function: pattern}"), "functionOptions"),
    "a selector that is none": (rule(f"given: '$.paths[', {TRUE}"), "given"),
    "a selector that runs code": (rule(f"given: '$..[?(require(`fs`))]', {TRUE}"), "given"),
    "an unknown format": (rule(f"{INFO}, formats: [oas9]"), "formats"),
    "an undeclared alias": (rule(f"given: '#Operation', {TRUE}"), "Operation"),
    "an alias of itself": (rule(f"given: '#A', {TRUE}", "aliases: {A: ['#B'], B: ['#A']}\n"), "A"),
    "an unknown rule": (b"extends: outrider:openapi\nrules: {operation-sekured: off}\n", "operation-sekured"),
    "an unknown shipped ruleset": (b"extends: outrider:everything\n", "no such ruleset is shipped"),
    "one of Spectral's own": (b"extends: spectral:oas\n", "Spectral's own rulesets are no part"),
    "a package": (b"extends: '@company/rules'\n", "must be outrider:openapi"),
    "a URL": (b"extends: https://127.0.0.1:9/rules.yaml\n", "nothing is fetched"),
    "a program": (b"extends: ./rules.js\n", "is a program"),
    "a file up the folders": (b"extends: ../../../../etc/rules.yaml\n", "rules.yaml"),
    "a file that is not there": (b"extends: ./none.yaml\n", "there is no file ./none.yaml here"),
    "itself": (b"extends: ./rules.yaml\n", "extends this ruleset itself"),
    "a regular expression that is none": (
        rule("given: $.info.title, then: {function: pattern, functionOptions: {match: '('}}"),
        "match",
    ),
    "a regular expression that never ends": (
        rule(
            "severity: error, given: $.info.description, then: {function: pattern, functionOptions: {match: '^(a+)+$'}}"
        ),
        "must match the pattern",
    ),
    "an anchor": (rule(INFO, "x: &a 1\n"), "is an anchor"),
    "a FIFO": (os.mkfifo, "is no plain file"),
    "30 MB": (big, "is larger than 1048576 bytes"),
    "UTF-16": (rule(INFO).decode().encode("utf-16"), "is not UTF-8"),
    "a folder": (Path.mkdir, "is no plain file"),
}
MANY_A = LAWFUL.replace(b"Made for a test.", b"a" * 60 + b"!")
PRODUCT = b"name: parking\nowner: team-parking\nversions: [v1]\naudiences: [parking]\n"


_NAMES = ("https://127.0.0.1:9/rules.yaml", "spectral:oas", "outrider:none", "rules", "none.yaml", "../rules.js")


def rulesets() -> dict[str, Bad]:
    """Each of them, for a document in which nothing is wrong."""
    found = {}
    for name, (content, says) in RULESETS.items():
        found[f"rules: {name}"] = Bad({RULES: content, GOOD: MANY_A}, ("lint", GOOD, "--ruleset", RULES), says)
    for name in _NAMES:
        found[f"--ruleset {name}"] = Bad({GOOD: LAWFUL}, ("lint", GOOD, "--ruleset", name), name)
    return found


WAIVER = b"waivers: [{rule: no-rule, place: '#/paths', owner: a, approver: b, reason: c, until: %s}]\n"
GOVERNANCE: dict[str, tuple[Mapping[str, Content], str]] = {
    "broken YAML": ({"governance.yaml": b"rulesets: [\n"}, "is not YAML"),
    "an unknown key": ({"governance.yaml": b"ruleset: {}\n"}, "ruleset: is not known"),
    "an unknown kind of ruleset": ({"governance.yaml": b"rulesets: {graphql: a.yaml}\n"}, "graphql: is not known"),
    "a ruleset that is not there": ({"governance.yaml": b"rulesets: {openapi: a.yaml}\n"}, "a.yaml"),
    "a ruleset elsewhere": ({"governance.yaml": b"rulesets: {openapi: ../../etc/passwd}\n"}, "rulesets.openapi: "),
    "a ruleset at a URL": ({"governance.yaml": b"rulesets: {openapi: 'http://127.0.0.1:9/'}\n"}, "rulesets.openapi: "),
    "a ruleset that is wrong": (
        {"governance.yaml": b"rulesets: {openapi: a.yaml}\n", "a.yaml": b"extends: ./a.yaml\n"},
        "extends this ruleset itself",
    ),
    "an unknown rule that is never waived": ({"governance.yaml": b"never_waived: [none]\n"}, "never_waived[0]: "),
    "days before yesterday": ({"governance.yaml": b"longest_waiver: -1\n"}, "longest_waiver: must be at least"),
    "an approver twice": ({"governance.yaml": b"approvers: [{name: a}, {name: a}]\n"}, "is there twice"),
    "a key that is none": (
        {"governance.yaml": b"approvers: [{name: a, key: a.pem}]\n", "a.pem": b"hello\n"},
        "approvers[0].key: ",
    ),
    "a FIFO": ({"governance.yaml": os.mkfifo}, "is no plain file"),
    "a waiver by nobody": ({"products/parking/product.yaml": PRODUCT + WAIVER % b"2099-01-01"}, "waivers[0]"),
    "a waiver without an end": ({"products/parking/product.yaml": PRODUCT + WAIVER % b"never"}, "waivers[0].until: "),
    "a product that is a link out of its folder": (
        {"products/parking/openapi.json": linked("../../good.json"), GOOD: LAWFUL},
        "leads out of its folder",
    ),
    "a product with two documents": ({"products/parking/openapi.yaml": minimal()}, "is there too; keep one"),
}


def governance() -> dict[str, Bad]:
    """Each of them, for a product in which nothing is wrong."""
    right = {"products/parking/product.yaml": PRODUCT, "products/parking/openapi.json": LAWFUL}
    return {f"product: {name}": Bad({**right, **files}, ("lint",), says) for name, (files, says) in GOVERNANCE.items()}
