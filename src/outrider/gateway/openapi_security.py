"""Who may call an operation: what `security` says, as far as a gateway can hold it.

Held are bearer tokens (JWT) with scopes: `http` with `bearer`, `oauth2`, `openIdConnect`. Everything else is refused,
for an operation that seems protected and is not would be worse than none.
"""

from collections.abc import Mapping
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.gateway.compile.scopes import SCOPE
from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault
from outrider.gateway.openapi_references import References

_HELD = "a gateway holds http with bearer, oauth2 and openIdConnect"
Scopes = tuple[tuple[str, ...], ...]


class Security:
    """The security of one document. `faults`: what cannot be held, each once however many operations have it."""

    def __init__(self, source: Source, references: References) -> None:
        self.faults: list[Fault] = []
        self._source = source
        self._references = references
        components = source.data.get("components")
        schemes = components.get("securitySchemes") if isinstance(components, dict) else None
        self._schemes: Mapping[str, Any] = schemes if isinstance(schemes, dict) else {}
        self._root = self._read(source.data["security"], ("security",)) if "security" in source.data else None

    def of(self, operation: Mapping[str, Any], place: JsonPath) -> tuple[bool, Scopes]:
        """Is the operation public, and if not, which scopes open it: alternatives, in each of which all are needed."""
        if "security" in operation:
            return self._read(operation["security"], (*place, "security"))
        if self._root is None:
            message = "is required, here or for all at the top: such as [{token: [read]}], or [] if anybody may call it"
            self._fault((*place, "security"), message)
            return False, ()
        return self._root

    def _read(self, requirements: Any, place: JsonPath) -> tuple[bool, Scopes]:
        if not isinstance(requirements, list) or not all(isinstance(each, dict) for each in requirements):
            self._fault(place, "must be a list of requirements, such as [{token: [read]}]")
            return False, ()
        if all(not each for each in requirements):
            return True, ()
        scopes = []
        for index, requirement in enumerate(requirements):
            if not requirement:
                message = "would make the token optional, which no gateway can hold; remove {}, or write security: []"
                self._fault((*place, index), message)
            elif len(requirement) > 1:
                message = "asks for several schemes at once; name one, for a gateway checks one token"
                self._fault((*place, index), message)
            else:
                ((name, needed),) = requirement.items()
                scopes.append(self._scopes(name, needed, (*place, index, name)))
        # Where any token will do, what other alternatives ask for does not matter.
        return False, ((),) if () in scopes else tuple(dict.fromkeys(scopes))

    def _scopes(self, name: str, needed: Any, place: JsonPath) -> tuple[str, ...]:
        self._check_scheme(name, place)
        if not isinstance(needed, list) or not all(isinstance(scope, str) for scope in needed):
            self._fault(place, "must be a list of scopes, such as [read]; [] if any token will do")
            return ()
        for index, scope in enumerate(needed):
            if not SCOPE.fullmatch(scope):
                self._fault((*place, index), "is no scope: one word of ASCII without quotes and blanks")
        return tuple(dict.fromkeys(needed))

    def _check_scheme(self, name: str, place: JsonPath) -> None:
        if name not in self._schemes:
            known = ", ".join(self._schemes) or "none"
            self._fault(place, f"there is no such scheme in components.securitySchemes; known there: {known}")
            return
        followed = self._references.follow(self._schemes[name], ("components", "securitySchemes", name))
        if followed is None:
            return
        scheme, there = followed
        kind = scheme.get("type") if isinstance(scheme, dict) else None
        if kind == "http":
            if str(scheme.get("scheme")).lower() != "bearer":
                self._fault((*there, "scheme"), f"cannot be held; {_HELD}")
        elif kind not in ("oauth2", "openIdConnect"):
            self._fault((*there, "type"), f"cannot be held; {_HELD}")

    def _fault(self, path: JsonPath, message: str) -> None:
        fault = self._source.fault(path, message)
        if fault not in self.faults:
            self.faults.append(fault)
