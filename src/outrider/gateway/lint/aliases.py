"""Names for path expressions: `#Operation.tags` is each expression of the alias Operation with `.tags` behind it."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.rule import Aliases, Target

LIMIT = 1000

_ALIAS = re.compile(r"#([A-Za-z0-9_-]+)")


def expanded(expression: str, aliases: Aliases, formats: frozenset[str] | None = None) -> list[str]:
    """The path expressions that it stands for, in documents of these formats; None: in any. Raises `NotUnderstood`."""
    found = list(islice(_expanded(expression, aliases, formats, ()), LIMIT + 1))
    if len(found) > LIMIT:
        raise NotUnderstood(f"stands for more than {LIMIT} path expressions; name fewer aliases in aliases", at=0)
    return found


def _expanded(expression: str, aliases: Aliases, formats: frozenset[str] | None, way: tuple[str, ...]) -> Iterator[str]:
    if expression.startswith("$"):
        yield expression
        return
    found = _ALIAS.match(expression)
    if found is None:
        raise NotUnderstood("must begin with $, or with # and the name of an alias", at=0)
    name = found[1]
    if name in way:
        raise NotUnderstood(f"the alias {name} leads back to itself: {' -> '.join((*way, name))}", at=0)
    if name not in aliases:
        known = ", ".join(aliases) or "none"
        raise NotUnderstood(f"there is no alias {name} in this ruleset; declared are {known} (none is inherited)", at=0)
    for target in _fitting(aliases[name], formats):
        for each in target.given:
            yield from _expanded(each + expression[found.end() :], aliases, formats, (*way, name))


def _fitting(targets: tuple[Target, ...], formats: frozenset[str] | None) -> Iterable[Target]:
    if formats is None:
        return targets
    fitting = [each for each in targets if each.formats is None or each.formats & formats]
    return fitting[-1:]
