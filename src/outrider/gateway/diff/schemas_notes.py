"""What is said beside the values themselves: defaults, stability, how alternatives are told apart, and keywords that
nobody here knows.
"""

from collections.abc import Iterator
from typing import Any

from outrider.gateway.diff.lifecycle import LEVELS
from outrider.gateway.diff.placed import Placed, missing, same
from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_equal import direct
from outrider.gateway.diff.schemas_keywords import known
from outrider.gateway.diff.schemas_known import mapping, named
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError
from outrider.gateway.diff.schemas_telling import Conjunction
from outrider.gateway.findings import Change


def notes(pair: Pair, given: tuple[Alternative, ...], asked: tuple[Alternative, ...]) -> Iterator[Change]:
    """What differs in them. Raises `NotJudgedError` for a keyword that is not known."""
    there, wanted = _schemas(given, pair.given.schemas), _schemas(asked, pair.asked.schemas)
    _unknown(there, wanted)
    if pair.requests:
        yield from _defaults(pair, _first(there, "default"), _first(wanted, "default"))
    yield from _stability(pair, _first(there, "x-stability-level"), _first(wanted, "x-stability-level"))
    yield from _told_apart(pair, *(_discriminated(each) for each in (there, wanted)))


def _schemas(alternatives: tuple[Alternative, ...], written: tuple[Placed, ...]) -> list[Placed]:
    """All of them, each once."""
    inner = [part.schema for each in alternatives for part in each.parts]
    return list({schema.path: schema for schema in (*written, *inner) if isinstance(schema.value, dict)}.values())


def _unknown(given: list[Placed], asked: list[Placed]) -> None:
    there, wanted = _strange(given), _strange(asked)
    for keyword in sorted(there.keys() | wanted.keys()):
        some, others = there.get(keyword, []), wanted.get(keyword, [])
        if missing(some, others) or missing(others, some):
            raise NotJudgedError(f"the keyword {keyword}")


def _strange(schemas: list[Placed]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for schema in schemas:
        for keyword, value in schema.value.items():
            if not known(keyword):
                found.setdefault(keyword, []).append(value)
    return found


def _first(schemas: list[Placed], keyword: str) -> Placed | None:
    return next((each for schema in schemas if (each := schema.get(keyword)) is not None), None)


def _defaults(pair: Pair, given: Placed | None, asked: Placed | None) -> Iterator[Change]:
    words = {"given": given.value if given else "", "asked": asked.value if asked else ""}
    if given is None and asked is not None:
        yield pair.tell("default-value-added", given, asked, **words)
    elif given is not None and asked is None:
        yield pair.tell("default-value-removed", given, asked, **words)
    elif given is not None and asked is not None and not same(given.value, asked.value):
        yield pair.tell("default-value-changed", given, asked, **words)


def _stability(pair: Pair, given: Placed | None, asked: Placed | None) -> Iterator[Change]:
    said = [each.value if each else "stable" for each in (given, asked)]
    if said[0] == said[1]:
        return
    if not all(each in LEVELS for each in said):
        raise NotJudgedError("x-stability-level, which must be draft, alpha, beta or stable,")
    old, new = said if pair.requests else reversed(said)
    if LEVELS.index(new) < LEVELS.index(old):
        yield pair.tell("stability-decreased", given, asked, was=old, now=new)


def _discriminated(schemas: list[Placed]) -> Placed | None:
    return next((schema for schema in schemas if "discriminator" in schema.value), None)


def _told_apart(pair: Pair, given: Placed | None, asked: Placed | None) -> Iterator[Change]:
    """By the discriminator. Callers that know a value want to go on sending it, and to know all that they receive."""
    if asked is None:
        return
    if given is None:
        if not pair.requests:
            yield pair.tell("discriminator-removed", None, asked, was=_property(asked))
        return
    points = given.get("discriminator"), asked.get("discriminator")
    if (there := _property(given)) != (wanted := _property(asked)):
        yield pair.tell("discriminator-property-name-changed", *points, given=there, asked=wanted)
    targets, known_targets = _targets(pair, pair.given, given), _targets(pair, pair.asked, asked)
    for value, target in mapping(given).items():
        if known_targets.get(value, target) != target:
            yield pair.tell("discriminator-mapping-changed", *points, was=value)
    unknown = sorted(targets.keys() - known_targets.keys() - named(asked)) if known_targets or pair.requests else ()
    lost = known_targets.keys() - targets.keys()
    for value in unknown:
        what = "discriminator-mapping-deleted" if pair.requests or lost else "discriminator-mapping-added"
        yield pair.tell(what, *points, was=value, now=value)


def _property(schema: Placed) -> object:
    return (schema.said("discriminator") or {}).get("propertyName")


def _targets(pair: Pair, written: Conjunction, schema: Placed) -> dict[str, str]:
    """The values of a discriminator: all where its schema is the one that is compared; where that is made of it, its
    own.
    """
    places = [direct(each).path for each in written.schemas]
    heirs = pair.comparing.heirs.names(schema)
    if schema.path in places or not heirs:
        return heirs or mapping(schema)
    own = {path[2] for path in places if path[:2] == ("components", "schemas") and len(path) == 3}
    return {value: target for value, target in heirs.items() if target in own}
