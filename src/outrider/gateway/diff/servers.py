"""Where an API is called: an address that was promised and is not there any more is told."""

from collections.abc import Iterator

from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.operations import Operation
from outrider.gateway.diff.placed import Placed, members, missing
from outrider.gateway.findings import Change


def servers_changes(old: Operation, new: Operation) -> Iterator[Change]:
    """What changed of where an operation is called. Where none were named, nothing was promised."""
    was, now = old.inherited("servers"), new.inherited("servers")
    there = {str(server.said("url")): server for server in (now.items() if now else ())}
    for server in was.items() if was else ():
        url = str(server.said("url"))
        if url in there:
            yield from _changes(server, there[url], url)
        else:
            yield unjudged(f"the server {url}", server, now or new.document)


def _changes(old: Placed, new: Placed, url: str) -> Iterator[Change]:
    where = f" of the server {url}"
    yield from rest("server", old, new, where)
    there = members(new.get("variables"))
    for name, variable in members(old.get("variables")).items():
        if name not in there:
            yield unjudged(f"the variable {name}{where}", variable, new)
            continue
        yield from rest("server variable", variable, there[name], f" of the variable {name}{where}")
        yield from _values_changes(variable, there[name], f" of the variable {name}{where}")


def _values_changes(old: Placed, new: Placed, where: str) -> Iterator[Change]:
    was, now = old.get("enum"), new.get("enum")
    if now is None:  # any value is good
        return
    allowed = [value.value for value in now.items()]
    if was is None or missing((value.value for value in was.items()), allowed):
        yield unjudged(f"what is allowed{where}", was or old, now)
