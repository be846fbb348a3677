"""One ruleset file, understood: its form (`ruleset.json`), then each word of it. What is not understood is a fault."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Schema
from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Severity
from outrider.gateway.lint.aliases import expanded
from outrider.gateway.lint.fields import compile_field
from outrider.gateway.lint.functions import FUNCTIONS
from outrider.gateway.lint.globs import Glob, compile_glob
from outrider.gateway.lint.messages import check_message
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.references import pointer_steps
from outrider.gateway.lint.rule import Aliases, Definition, Override, Says, Target, Then, Written
from outrider.gateway.lint.selectors import compile_selector
from outrider.gateway.lint.specifications import known_format

_SEVERITIES: dict[Any, Severity | None] = {
    "error": Severity.ERROR,
    "warn": Severity.WARN,
    "info": Severity.INFO,
    "hint": Severity.HINT,
    "off": None,
    **{int(severity): severity for severity in Severity},
    -1: None,
}
_NOT_READ = {
    "functions": "functions in JavaScript are not run; say the rule with the functions that there are: {functions}",
    "functionsDir": "functions in JavaScript are not run; remove it",
    "except": "is Spectral 5's; write overrides: [{{files: [...], rules: {{NAME: off}}}}]",
}
_PLAIN = {"description": "description", "message": "message", "recommended": "recommended", "resolved": "resolved"}
_PLAIN |= {"documentationUrl": "url", "x-mend": "mend"}


class Words:
    """extended: from what `extends` names, and where that stands, to what it says; None where that was refused.

    faults: all that is wrong in this file. formats: all that it names.
    """

    def __init__(self, source: Source, extended: Callable[[str, JsonPath], Definition | None]) -> None:
        self.faults: list[Fault] = []
        self.formats: set[str] = set()
        self._source = source
        self._extended = extended

    def definition(self) -> Definition:
        """What the file says. It counts only if there are no faults."""
        self.faults += self._form()
        if self.faults:
            return Definition()
        data = self._source.data
        self._outer = self._aliases(data.get("aliases", {}), ("aliases",))
        return msgspec.structs.replace(
            self._definition(data, (), {}),
            url=data.get("documentationUrl"),
            overrides=tuple(
                self._override(each, ("overrides", index)) for index, each in enumerate(data.get("overrides", ()))
            ),
        )

    def _form(self) -> Iterator[Fault]:
        data = self._source.data
        if not isinstance(data, dict) or not ({"rules", "extends", "overrides"} & set(data)):
            yield self._source.fault((), "is no ruleset; it has rules, or extends another such as outrider:openapi")
            return
        for each in _schema().faults(data):
            message = each.message
            if len(each.path) == 1 and each.path[0] in _NOT_READ:
                message = _NOT_READ[str(each.path[0])].format(functions=", ".join(FUNCTIONS))
            elif each.path[0] == "parserOptions" and len(each.path) == 2:
                message = "must be error: a document with such values is never read; remove it"
            yield self._source.fault(each.path, message)

    def _definition(self, data: dict[str, Any], place: JsonPath, outer: Aliases) -> Definition:
        """outer: the aliases that are known besides its own."""
        aliases = self._aliases(data["aliases"], (*place, "aliases")) if "aliases" in data else None
        known = {**outer, **(aliases or {})}
        for name in aliases or {}:
            self._expression(f"#{name}", known, (*place, "aliases", name))
        rules, at = data.get("rules"), (*place, "rules")
        return Definition(
            rules=None if rules is None else {name: self._says(rules[name], (*at, name), known) for name in rules},
            extends=self._extends(data["extends"], (*place, "extends")) if "extends" in data else None,
            aliases=aliases,
            formats=self._formats(data, place),
        )

    def _extends(self, said: Any, place: JsonPath) -> tuple[tuple[Definition, str | None], ...]:
        found = []
        for index, each in enumerate([said] if isinstance(said, str) else said):
            at = place if isinstance(said, str) else (*place, index)
            name, how = (each, None) if isinstance(each, str) else each
            definition = self._extended(name, at)
            found.append((definition or Definition(), how))
        return tuple(found)

    def _aliases(self, said: dict[str, Any], place: JsonPath) -> Aliases:
        found: dict[str, tuple[Target, ...]] = {}
        for name, alias in said.items():
            if isinstance(alias, list):
                found[name] = (Target(None, tuple(alias)),)
            else:
                at = (*place, name, "targets")
                targets = enumerate(alias["targets"])
                found[name] = tuple(Target(self._formats(t, (*at, i)), tuple(t["given"])) for i, t in targets)
        return found

    def _formats(self, data: dict[str, Any], place: JsonPath) -> frozenset[str] | None:
        if "formats" not in data:
            return None
        found = set()
        for index, name in enumerate(data["formats"]):
            with self._understanding((*place, "formats", index)):
                found.add(known_format(name))
        self.formats |= found
        return frozenset(found)

    def _says(self, said: Any, place: JsonPath, aliases: Aliases) -> Says:
        if isinstance(said, dict):
            return Written(self._rule(said, place, aliases))
        return said if isinstance(said, bool) else _SEVERITIES[said]

    def _rule(self, said: dict[str, Any], place: JsonPath, aliases: Aliases) -> dict[str, Any]:
        fields = {_PLAIN[key]: value for key, value in said.items() if key in _PLAIN}
        if "message" in said:
            with self._understanding((*place, "message")):
                check_message(said["message"])
        if "severity" in said:
            fields["severity"] = _SEVERITIES[said["severity"]]
        if "formats" in said:
            fields["formats"] = self._formats(said, place)
        given = said["given"] if isinstance(said["given"], list) else [said["given"]]
        for index, expression in enumerate(given):
            at = (*place, "given", index) if isinstance(said["given"], list) else (*place, "given")
            self._expression(expression, aliases, at)
        fields["given"] = tuple(given)
        fields["then"] = tuple(self._thens(said["then"], (*place, "then")))
        fields["extra"] = {key: value for key, value in said.items() if key == "tags" or key.startswith("x-")}
        return fields

    def _expression(self, expression: str, aliases: Aliases, place: JsonPath) -> None:
        with self._understanding(place):
            for each in expanded(expression, aliases):
                with self._understanding(place, each):
                    compile_selector(each)

    def _thens(self, said: Any, place: JsonPath) -> Iterator[Then]:
        for index, each in enumerate(said if isinstance(said, list) else [said]):
            at = (*place, index) if isinstance(said, list) else place
            function, options = each["function"], each.get("functionOptions")
            if function not in FUNCTIONS:
                message = f"no function {function} is known here; there are {', '.join(FUNCTIONS)}"
                self.faults.append(self._source.fault((*at, "function"), message))
                continue
            with self._understanding((*at, "field"), each.get("field")):
                field = compile_field(each.get("field"))
                with self._understanding((*at, "functionOptions")):
                    yield Then(field, function, options, FUNCTIONS[function](options))

    def _override(self, said: dict[str, Any], place: JsonPath) -> Override:
        pointers = ["#" in file for file in said["files"]]
        if all(pointers):
            return self._pointed(said, place)
        if any(pointers):
            message = "names whole files and places in files; make two overrides of it"
            self.faults.append(self._source.fault((*place, "files"), message))
        if "rules" not in said and "extends" not in said:
            self.faults.append(self._source.fault(place, "changes nothing; it needs rules or extends"))
        globs = tuple(self._globs(said["files"], (*place, "files")))
        definition = self._definition(said, place, self._outer)
        return Override(files=globs, definition=definition)

    def _pointed(self, said: dict[str, Any], place: JsonPath) -> Override:
        """Severities of rules at some places, and nothing else."""
        for key in sorted(set(said) - {"files", "rules"}):
            message = "cannot be other for a part of a file; remove it, or the places (#/...) from files"
            self.faults.append(self._source.fault((*place, key), message))
        rules = said.get("rules", {})
        for name in (name for name, severity in rules.items() if not isinstance(severity, str)):
            message = "must be error, warn, info, hint or off: of a part of a file, only severities can be other"
            self.faults.append(self._source.fault((*place, "rules", name), message))
        if not rules:
            self.faults.append(self._source.fault((*place, "rules"), "is required: the severities of rules there"))
        at = (*place, "files")
        paths = list(self._pointers(said["files"], at))
        globs = list(self._globs([file.partition("#")[0] for file in said["files"]], at))
        severities = {name: _SEVERITIES.get(said) for name, said in rules.items() if isinstance(said, str)}
        return Override(pointed=tuple(zip(globs, paths, strict=False)), severities=severities)

    def _globs(self, files: list[str], place: JsonPath) -> Iterator[Glob]:
        for index, file in enumerate(files):
            with self._understanding((*place, index)):
                yield compile_glob(file)

    def _pointers(self, files: list[str], place: JsonPath) -> Iterator[tuple[str, ...]]:
        for index, file in enumerate(files):
            with self._understanding((*place, index)):
                yield pointer_steps(file[file.index("#") :])

    @contextmanager
    def _understanding(self, place: JsonPath, text: str | None = None) -> Iterator[None]:
        """What is not understood in the block is a fault there."""
        try:
            yield
        except NotUnderstood as error:
            where = f" (character {error.at + 1} of {text})" if text is not None and error.at is not None else ""
            self.faults.append(self._source.fault((*place, *error.path), error.message + where))


@cache
def _schema() -> Schema:
    return Schema(msgspec.json.decode((Path(__file__).parent / "ruleset.json").read_bytes()))
