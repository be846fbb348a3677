"""Who may call: a change breaks only where a call that was let in before would be turned away now.

`security` lists alternatives; each names schemes that are all needed, with scopes. A caller satisfied one of the old
alternatives. The same credentials still do where some new alternative needs no other scheme and no other scope.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.operations import Operation
from outrider.gateway.diff.placed import Placed, alike, members, same
from outrider.gateway.diff.rules import change
from outrider.gateway.findings import Change

_MOST = 128
"""So many alternatives are compared with one another."""
_Needs: TypeAlias = Mapping[str, frozenset[str]]
"""Schemes that are needed together, by the names that the old document has for them, each with its scopes."""


class Security(msgspec.Struct, frozen=True):
    """How two documents let callers in. same_as: the old name of each scheme of the new one that is
    the same. known: which long lists of alternatives are the same, by their places."""

    old: Mapping[str, Placed]
    new: Mapping[str, Placed]
    same_as: Mapping[str, str]
    known: dict[tuple[JsonPath, JsonPath], bool]

    def changes(self, old: Operation, new: Operation) -> Iterator[Change]:
        """What an operation now needs of its callers that it did not before."""
        was, now = old.inherited("security"), new.inherited("security")
        if was and now and max(len(list(each.items())) for each in (was, now)) > _MOST:
            yield from self._too_many(was, now)
            return
        before, after = list(_alternatives(was)), [self._named(needs) for needs in _alternatives(now)]
        everywhere = "security" not in old.placed.value and "security" not in new.placed.value
        for needs in before:
            if not any(_enough(needs, other) for other in after):
                yield _turned_away(needs, after, was or (None if everywhere else old.placed), now, everywhere)
        for name in dict.fromkeys(name for needs in before for name in needs):
            for there, known in self.same_as.items():
                if known == name:
                    yield from _scheme_changes(self.old[name], self.new[there], name)

    def _too_many(self, was: Placed, now: Placed) -> Iterator[Change]:
        if (where := (was.path, now.path)) not in self.known:
            self.known[where] = same(was.value, now.value)
        if not self.known[where]:
            yield unjudged(f"one of more than {_MOST} ways to be let in", was, now)

    def _named(self, needs: _Needs) -> _Needs:
        # A name that the old document has for something else must not be taken for that.
        undeclared = needs.keys() - self.new.keys() - self.old.keys()
        known = {**self.same_as, **{name: name for name in undeclared}}
        return {known.get(name, f"{name} (new)"): scopes for name, scopes in needs.items()}


def security_of(old: Placed, new: Placed) -> Security:
    """What is to be known of two documents before their operations are compared."""
    was, now = _schemes(old), _schemes(new)
    same_as = {name: name for name in now if name in was and _identity(was[name]) == _identity(now[name])}
    kept = frozenset(same_as)
    for name, scheme in now.items():
        if name not in kept:
            known = next((other for other in was if other not in kept and alike(was[other], scheme)), None)
            same_as |= {name: known} if known else {}
    return Security(was, now, same_as, {})


def _schemes(document: Placed) -> dict[str, Placed]:
    components = document.get("components")
    declared = members(components.get("securitySchemes") if components else None)
    return {name: scheme.followed() for name, scheme in declared.items()}


def _identity(scheme: Placed) -> tuple[str, ...]:
    """What the caller must send; where a token comes from is told apart."""
    kind, place, name = (str(scheme.said(each, "")) for each in ("type", "in", "name"))
    return kind, str(scheme.said("scheme", "")).lower(), place, name.lower() if place == "header" else name


def _alternatives(security: Placed | None) -> Iterator[_Needs]:
    """One that needs nothing, where nothing is said: the operation is public."""
    listed = list(security.items()) if security else []
    for each in listed:
        yield {name: frozenset(str(scope.value) for scope in scopes.items()) for name, scopes in each.members()}
    if not listed:
        yield {}


def _enough(had: _Needs, needs: _Needs) -> bool:
    return all(name in had and scopes <= had[name] for name, scopes in needs.items())


def _turned_away(had: _Needs, after: list[_Needs], old: Placed | None, new: Placed | None, everywhere: bool) -> Change:
    prefix = "api-global-security" if everywhere else "api-security"
    for needs in after:
        if needs.keys() <= had.keys():
            scheme, scopes = next((name, scopes - had[name]) for name, scopes in needs.items() if scopes - had[name])
            return change(f"{prefix}-scope-added", old, new, scheme=scheme, scope=", ".join(sorted(scopes)))
    for needs in after:
        if had.keys() <= needs.keys():
            more = (name.removesuffix(" (new)") for name in needs if name not in had)
            return change(f"{prefix}-added", old, new, needed=" and ".join(more))
    return change(f"{prefix}-removed", old, new, gone=" and ".join(had))


def _scheme_changes(old: Placed, new: Placed, name: str) -> Iterator[Change]:
    where = f" of the security scheme {name}"
    yield from rest("security scheme", old, new, where)
    was, now = members(old.get("flows")), members(new.get("flows"))
    for flow, before in was.items():
        if flow.startswith("x-"):
            continue
        if (after := now.get(flow)) is None:
            yield unjudged(f"the flow {flow}{where}", before, new)
            continue
        yield from rest("flow", before, after, where)
        yield from _flow_changes(before, after, name)


_ADDRESSES = {
    "authorizationUrl": "api-security-component-oauth-url-changed",
    "tokenUrl": "api-security-component-oauth-token-url-changed",
}


def _flow_changes(old: Placed, new: Placed, name: str) -> Iterator[Change]:
    for address, rule in _ADDRESSES.items():
        if not same(old.said(address), new.said(address)):
            yield change(rule, old.get(address) or old, new.get(address) or new, scheme=name)
    there = members(new.get("scopes"))
    for scope, before in members(old.get("scopes")).items():
        if scope not in there:
            rule = "api-security-component-oauth-scope-removed"
            yield change(rule, before, new.get("scopes"), scheme=name, scope=scope)
