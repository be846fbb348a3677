"""What lint, diff and the checks find, for programs: as JSON, as SARIF 2.1.0 (OASIS), and as annotations of a GitHub
workflow.

`exempt`: what was found and is let pass, with the waiver or approval that does. JSON names it, SARIF has it suppressed
and GitHub is not told of it.
`failed`: what could not be checked, and exemptions that do not count. Programs get them among what was found, as of
the rule `check-failed`, so that nothing found is never the same as nothing checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import msgspec

from outrider.common.yaml_positions import Position
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Change, Finding, Found, Place, Severity
from outrider.gateway.governance.report import Exempt
from outrider.gateway.product import Exemption

FAILED = "check-failed"
"""What programs get as the rule of what could not be checked."""
_LEVELS = {Severity.ERROR: "error", Severity.WARN: "warning", Severity.INFO: "note", Severity.HINT: "note"}
_COMMANDS = {Severity.ERROR: "error", Severity.WARN: "warning", Severity.INFO: "notice", Severity.HINT: "notice"}

# How a workflow command is written, as GitHub's own toolkit does it: in its text, and in a property besides.
_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_TEXT, ":": "%3A", ",": "%2C"}


def as_json(found: Iterable[Found], exempt: Sequence[Exempt] = (), failed: Sequence[Fault | str] = ()) -> str:
    """A list with one object for each. `pointer` is the place as waivers and approvals name it."""
    return _encoded([*map(facts, found), *(facts(one, by) for one, by in exempt), *map(_failed_facts, failed)])


def as_sarif(found: Iterable[Found], exempt: Sequence[Exempt] = (), failed: Sequence[Fault | str] = ()) -> str:
    """A SARIF log with one run. Files are named as the caller named them, relative to where that is.

    What failed is there twice: as results, which all viewers show, and as what went wrong with the run.
    """
    pairs: list[tuple[Found, Exemption | None]] = [*((one, None) for one in found), *exempt]
    rules = _sarif_rules(one for one, _ in pairs)
    if failed:
        rules[FAILED] = {"id": FAILED, "defaultConfiguration": {"level": "error"}}
    driver = {"name": "Outrider", "semanticVersion": version("outrider"), "rules": list(rules.values())}
    index = {name: number for number, name in enumerate(rules)}
    results = [_sarif_result(one, by, index[one.rule]) for one, by in pairs]
    notices = list(map(_notice, failed))
    results += [{"ruleId": FAILED, "ruleIndex": index[FAILED], **notice} for notice in notices]
    invocation = {"executionSuccessful": not failed, "toolExecutionNotifications": notices}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
    }
    return _encoded({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]})


def as_github(found: Iterable[Found], exempt: Sequence[Exempt] = ()) -> str:
    """One line for each, to be printed by a step of a workflow: GitHub shows it beside the line of the file."""
    return "\n".join(map(_annotation, found))


def faults_as_github(faults: Iterable[Fault | str]) -> str:
    """The same for what is wrong besides: a check that can't be made, a waiver that does not count."""
    return "\n".join(
        _command("error", one.file, one.position, one.field, one.message)
        if isinstance(one, Fault)
        else f"::error::{_escaped(one, _TEXT)}"
        for one in faults
    )


def facts(one: Found, by: Exemption | None = None) -> dict[str, Any]:
    """What was found, as JSON has it. by: what lets it pass."""
    told: dict[str, Any] = {"rule": one.rule, "severity": one.severity.word, "message": one.message}
    if isinstance(one, Change):
        told |= {"operation": one.operation, "old": _place(one.old), "new": _place(one.new)}
    else:
        told |= _spot(one.place) | {"why": one.why, "mend": one.mend, "url": one.url}
    return told | ({"exempt": exemption(by)} if by else {})


def exemption(one: Exemption) -> dict[str, str]:
    """A waiver or an approval, as JSON has it."""
    names = ("rule", "place", "owner", "approver", "reason")
    return {**{name: getattr(one, name) for name in names}, "until": one.until.isoformat()}


def _place(place: Place | None) -> dict[str, Any] | None:
    return _spot(place) if place else None


def _spot(place: Place) -> dict[str, Any]:
    position = place.position
    return {"file": place.file, "line": position.line, "column": position.column, "pointer": place.pointer}


def _failed_facts(fault: Fault | str) -> dict[str, Any]:
    """As `facts` has what was found; where nobody knows the place, there is none."""
    told: dict[str, Any] = {"rule": FAILED, "severity": Severity.ERROR.word, "message": _said(fault)}
    if isinstance(fault, Fault):
        return told | {"file": fault.file, "line": fault.position.line, "column": fault.position.column}
    return told | {"file": None, "line": None, "column": None}


def _notice(fault: Fault | str) -> dict[str, Any]:
    """What a result and a notification of SARIF have in common."""
    told: dict[str, Any] = {"level": "error", "message": {"text": _said(fault)}}
    return told | ({"locations": [_physical(fault.file, fault.position)]} if isinstance(fault, Fault) else {})


def _said(fault: Fault | str) -> str:
    return fault.sentence if isinstance(fault, Fault) else fault


def _sarif_rules(found: Iterable[Found]) -> dict[str, dict[str, Any]]:
    rules: dict[str, dict[str, Any]] = {}
    for one in found:
        rule = rules.setdefault(one.rule, {"id": one.rule, "defaultConfiguration": {"level": _LEVELS[one.severity]}})
        if isinstance(one, Finding):
            told = {"shortDescription": one.why, "help": one.mend}
            rule |= {name: {"text": sentence} for name, sentence in told.items() if sentence}
            rule |= {"helpUri": one.url} if one.url else {}
    return rules


def _sarif_result(one: Found, by: Exemption | None, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": one.sentence},
        "locations": [_location(one.place)],
        "partialFingerprints": {"place/v1": _fingerprint(one)},
    }
    if isinstance(one, Change) and one.new and one.old:
        result["relatedLocations"] = [{**_location(one.old), "message": {"text": "before"}}]
    if by is not None:
        until = f"{by.reason} ({by.approver}, until {by.until.isoformat()})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": until}]
    return result


def _location(place: Place) -> dict[str, Any]:
    return _physical(place.file, place.position) | {"logicalLocations": [{"fullyQualifiedName": place.pointer}]}


def _physical(file: str, position: Position) -> dict[str, Any]:
    region = {"startLine": position.line, "startColumn": position.column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": region}}


def _uri(file: str) -> str:
    return ("file://" if file.startswith("/") else "") + quote(file)


def _fingerprint(one: Found) -> str:
    """The same as long as the place in the document is, on whatever line it stands."""
    said = "\n".join((one.rule, one.place.file, one.place.pointer, one.message))
    return sha256(said.encode(errors="surrogatepass")).hexdigest()


def _annotation(one: Found) -> str:
    mend = one.mend if isinstance(one, Finding) else ""
    said = "\n".join(filter(None, (one.sentence, mend)))
    return _command(_COMMANDS[one.severity], one.place.file, one.place.position, one.rule, said)


def _command(name: str, file: str, position: Position, title: str, said: str) -> str:
    spot = {"file": file, "line": position.line, "col": position.column, "title": title}
    properties = ",".join(f"{key}={_escaped(str(value), _PROPERTY)}" for key, value in spot.items() if value)
    return f"::{name} {properties}::{_escaped(said, _TEXT)}"


def _encoded(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()


def _escaped(said: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in said)
