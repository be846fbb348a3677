"""The keywords of JSON Schema that apply other schemas, or patterns, as AJV 8 does."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.functions.schema_asking import FINE, Answer, Asked, Compiled, Keyword
from outrider.gateway.lint.functions.schema_errors import Error
from outrider.gateway.lint.javascript import keys
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.regex import Regex, regex


def failing(keyword: Keyword, holds: Callable[[Any], bool]) -> Asked:
    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        return FINE if holds(value) else answer(keyword, path, composite, keyword.value)

    return asked


def answer(keyword: Keyword, path: JsonPath, composite: bool, detail: Any) -> Answer:
    return [Error(keyword.name, path, detail)], not composite and not keyword.all_errors


def pattern_at(source: str, path: JsonPath) -> Regex:
    try:
        return regex(source)
    except NotUnderstood as error:
        raise NotUnderstood(error.message, at=error.at, path=path) from None


def present(keyword: Keyword, wanted: Mapping[str, Any]) -> Asked:
    """Properties that must be there when another is."""

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        errors = []
        for name, needed in wanted.items():
            missing = [each for each in needed if each not in value] if name in value else []
            noun = "property" if len(needed) == 1 else "properties"
            detail = f"{noun} {', '.join(needed)} when property {name}"
            errors += [Error(keyword.name, path, detail) for _ in (missing if keyword.all_errors else missing[:1])]
            if errors and not keyword.all_errors:
                return errors, not composite
        return errors, False

    return asked


def _each(keyword: Keyword, parts: Iterable[tuple[Compiled, Any, JsonPath]], composite: bool) -> Answer:
    """Schemas of several values, one after the other."""
    found: list[Error] = []
    for compiled, value, path in parts:
        errors, is_final = compiled.ask(value, path, composite)
        if is_final:
            return errors, True
        found += errors
        if found and not keyword.all_errors:
            break
    return found, False


def dependencies(keyword: Keyword) -> Asked:
    names = {name: each for name, each in keyword.value.items() if isinstance(each, list)}
    schemas = {
        name: keyword.at(each, (*keyword.path, name)) for name, each in keyword.value.items() if name not in names
    }
    first = present(keyword, names)

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        errors, is_final = first(value, path, composite)
        if is_final or (errors and not keyword.all_errors):
            return errors, is_final
        more, is_final = _each(
            keyword, ((each, value, path) for name, each in schemas.items() if name in value), composite
        )
        return (more, True) if is_final else (errors + more, False)

    return asked


def properties(keyword: Keyword) -> Asked:
    schemas = {name: keyword.at(each, (*keyword.path, name)) for name, each in _ordered(keyword.value)}

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        parts = ((each, value[name], (*path, name)) for name, each in schemas.items() if name in value)
        return _each(keyword, parts, composite)

    return asked


def pattern_properties(keyword: Keyword) -> Asked:
    if keyword.dialect in ("draft2019-09", "draft2020-12"):
        message = f"patternProperties is not reliable in Spectral with {keyword.dialect}; write dialect: draft7"
        raise NotUnderstood(message, path=keyword.path)
    schemas = [
        (pattern_at(source, (*keyword.path, source)), keyword.at(each, (*keyword.path, source)))
        for source, each in _ordered(keyword.value)
    ]

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        parts = (
            (each, value[name], (*path, name)) for expected, each in schemas for name in value if expected.search(name)
        )
        return _each(keyword, parts, composite)

    return asked


def additional_properties(keyword: Keyword) -> Asked | None:
    named = keyword.beside.get("properties", {})
    patterns = [pattern_at(source, keyword.path) for source in keyword.beside.get("patternProperties", {})]
    if keyword.value is True:
        return None
    compiled = None if keyword.value is False else keyword.at(keyword.value, keyword.path)

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        more = [n for n in value if n not in named and not any(expected.search(n) for expected in patterns)]
        if compiled:
            return _each(keyword, ((compiled, value[name], (*path, name)) for name in more), composite)
        told = more if keyword.all_errors else more[:1]
        errors = [Error("additionalProperties", path, name) for name in told]
        return errors, bool(errors) and not composite and not keyword.all_errors

    return asked


def property_names(keyword: Keyword) -> Asked:
    compiled = keyword.at(keyword.value, keyword.path)

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        found: list[Error] = []
        for name in value:
            errors, _ = compiled.ask(name, path, True)
            if errors:
                found += [*errors, Error("propertyNames", path, name)]
                if not keyword.all_errors:
                    return found, not composite
        return found, False

    return asked


def items(keyword: Keyword) -> Asked | None:
    if isinstance(keyword.value, list):
        return prefix_items(keyword)
    first = len(keyword.beside.get("prefixItems", [])) if keyword.dialect == "draft2020-12" else 0
    return _from(keyword, first, has_prefix="prefixItems" in keyword.beside and keyword.dialect == "draft2020-12")


def additional_items(keyword: Keyword) -> Asked | None:
    before = keyword.beside.get("items")
    return _from(keyword, len(before), has_prefix=True) if isinstance(before, list) else None


def prefix_items(keyword: Keyword) -> Asked:
    schemas = [keyword.at(each, (*keyword.path, number)) for number, each in enumerate(keyword.value)]

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        parts = ((each, value[at], (*path, at)) for at, each in enumerate(schemas) if at < len(value))
        return _each(keyword, parts, composite)

    return asked


def _from(keyword: Keyword, first: int, has_prefix: bool) -> Asked | None:
    """Items from a place on."""
    if keyword.value is False and has_prefix:
        return failing(keyword._replace(value=first), lambda value: len(value) <= first)
    compiled = keyword.at(keyword.value, keyword.path)

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        parts = ((compiled, value[at], (*path, at)) for at in range(first, len(value)))
        return _each(keyword, parts, composite)

    return asked


def contains(keyword: Keyword) -> Asked:
    if isinstance(keyword.beside.get("items"), list) or "prefixItems" in keyword.beside:
        message = "contains is not reliable in Spectral beside single items; put one of the two into allOf"
        raise NotUnderstood(message, path=keyword.path)
    compiled, is_new = keyword.at(keyword.value, keyword.path), keyword.dialect in ("draft2019-09", "draft2020-12")
    least = keyword.beside.get("minContains", 1) if is_new else 1
    most = keyword.beside.get("maxContains") if is_new else None

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        found: list[Error] = []
        count = 0
        for at, item in enumerate(value):
            errors, _ = compiled.ask(item, (*path, at), True)
            count += not errors
            found += errors
        if least <= count and (most is None or count <= most):
            return FINE
        end = Error("contains", path, f"at least {least}" + ("" if most is None else f" and no more than {most}"))
        return ([*found, end], False) if composite or keyword.all_errors else ([end], True)

    return asked


def beside_contains(keyword: Keyword) -> None:
    """Asked with contains."""
    if "contains" not in keyword.beside:
        raise NotUnderstood(f"{keyword.name} needs contains beside it", path=keyword.path)


def not_(keyword: Keyword) -> Asked:
    compiled = keyword.at(keyword.value, keyword.path)
    return failing(keyword, lambda value: not compiled.fits(value))


def any_of(keyword: Keyword) -> Asked:
    schemas = [keyword.at(each, (*keyword.path, number)) for number, each in enumerate(keyword.value)]

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        found: list[Error] = []
        for each in schemas:
            errors, _ = each.ask(value, path, True)
            if not errors:
                return FINE
            found += errors
        return [*found, Error("anyOf", path, None)], not composite and not keyword.all_errors

    return asked


def one_of(keyword: Keyword) -> Asked:
    schemas = [keyword.at(each, (*keyword.path, number)) for number, each in enumerate(keyword.value)]

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        found: list[Error] = []
        passing = 0
        for each in schemas:
            errors, _ = each.ask(value, path, True)
            found += errors
            passing += not errors
            if passing > 1:
                break
        if passing == 1:
            return FINE
        return [*found, Error("oneOf", path, None, passing > 1)], not composite and not keyword.all_errors

    return asked


def all_of(keyword: Keyword) -> Asked:
    schemas = [keyword.at(each, (*keyword.path, number)) for number, each in enumerate(keyword.value)]
    return lambda value, path, composite: _each(keyword, ((each, value, path) for each in schemas), composite)


def if_then_else(keyword: Keyword) -> Asked:
    condition = keyword.at(keyword.value, keyword.path)
    branches = {
        name: keyword.at(keyword.beside[name], (*keyword.path[:-1], name))
        for name in ("then", "else")
        if name in keyword.beside
    }

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        name = "then" if condition.fits(value) else "else"
        if name not in branches:
            return FINE
        errors, is_final = branches[name].ask(value, path, composite)
        if is_final or not errors:
            return errors, is_final
        return [*errors, Error("if", path, name)], not composite and not keyword.all_errors

    return asked


def ref(keyword: Keyword) -> Asked:
    """A schema that itself refers is a function of its own in AJV: its errors come back, and end nothing."""
    plain, compiled = keyword.referred(keyword.value, keyword.path)
    is_inline = not _refers(plain)

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        if is_inline:
            return compiled.ask(value, path, composite)
        return compiled.ask(value, path, False)[0], False

    return asked


def _refers(part: Any) -> bool:
    if isinstance(part, dict):
        return "$ref" in part or any(map(_refers, part.values()))
    return isinstance(part, list) and any(map(_refers, part))


def _ordered(members: dict[str, Any]) -> list[tuple[str, Any]]:
    """As JavaScript lists them: whole numbers first."""
    return [(name, members[name]) for name in keys(members)]
