"""What lies on disk for a release and a split, byte for byte; and the writes that lead from one to another.

Envoy follows the files `cds.json` (clusters), `lds.json` (listeners), the `routes-*.json` that a listener names, the
`token-*.json` with the token check and its keys, and the `secret-*.json` that name certificates. Each carries its
version, and Envoy's statistics tell the one that it applied. A routes file is named after all that the listeners say:
a connection sees either all of the old or all of the new.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from outrider.gateway.compile.parts import JWT_AUTHN, digest, typed
from outrider.gateway.compile.tls import secret_file
from outrider.gateway.compile.token import file_name
from outrider.gateway.release import SPLIT, Release, Split

_APPLIED = {
    "cds.json": ("cluster_manager.cds.version_text", {"cluster_manager.warming_clusters": "0"}),
    "lds.json": ("listener_manager.lds.version_text", {"listener_manager.total_listeners_warming": "0"}),
}
_SETTLE = 1.0
"""Seconds in which a gateway that moves serves at both addresses, after both are up."""

_SAMPLE_KEYS = (
    '{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
    '"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}'
)
"""The public key of RFC 7517, appendix A.1: where keys are at hand for no check, any will do."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a switch. content: None: the file is removed. confirm: what Envoy's statistics must say after it,
    name to value; empty: there is nothing to ask. settle: seconds to let pass before the next step.
    """

    file: str
    content: bytes | None
    confirm: Mapping[str, str] = {}
    settle: float = 0.0


def configuration(release: Release, split: Split) -> dict[str, bytes]:
    """All files but the one that holds keys: name to content. The split must name only versions of the release."""
    compiled = release.compiled
    return {
        "bootstrap.json": _text(compiled.bootstrap),
        "cds.json": _resources(compiled.clusters),
        "lds.json": _resources(compiled.listeners),
        f"{compiled.routes['name']}.json": _resources([_with_split(compiled.routes, split)]),
        **{secret_file(secret): _resources([secret]) for secret in compiled.secrets},
    }


def token_file(release: Release) -> str | None:
    """The name of the file with the token check and the issuer's keys; None where every operation is public."""
    return file_name(release.compiled.token) if release.compiled.token else None


def token_content(release: Release, jwks: str) -> bytes:
    """What that file holds with these keys (a JWKS document)."""
    return _resources([typed("envoy.config.core.v3.TypedExtensionConfig", **_token_check(release, jwks))])


def keys_in(content: bytes) -> str:
    """The keys (JWKS document) that this content of a token file holds."""
    providers = msgspec.json.decode(content)["resources"][0]["typed_config"]["providers"]
    return str(next(iter(providers.values()))["local_jwks"]["inline_string"])


def token_confirm(content: bytes) -> dict[str, str]:
    """What Envoy's statistics say once it has taken this content of the token file."""
    name = f"extension_config_discovery.http_filter.{JWT_AUTHN}.version_text"
    return {name: _version(content)}


def static_form(release: Release, split: Split, jwks: str | None) -> bytes:
    """All in one file and static, for `envoy --mode validate`, which would not open the files that others name.

    jwks: None where there are no keys to check. Validating opens the access log in the working directory.
    """
    compiled = release.compiled
    check = _token_check(release, jwks or _SAMPLE_KEYS) if compiled.token else {}
    routes = _untyped(_with_split(compiled.routes, split))
    resources = {
        "clusters": [_untyped(_static(cluster, routes, check)) for cluster in compiled.clusters],
        "listeners": [_untyped(_static(listener, routes, check)) for listener in compiled.listeners],
        "secrets": [_untyped(secret) for secret in compiled.secrets],
    }
    bootstrap = {name: value for name, value in compiled.bootstrap.items() if name != "dynamic_resources"}
    return _text({**bootstrap, "static_resources": resources})


def steps(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[Step]:
    """The writes that lead from the old files to the new ones, so that no request ever meets half of both.

    What is needed comes before what needs it, and goes after it. A token file takes part if it is among the files.
    """
    return list(_steps(old, new))


def _steps(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Step]:
    changed = {file for file in new if old.get(file) != new[file]}
    listens_anew = "lds.json" in changed
    in_place = {file for file in changed if file.startswith("routes-") and file in old and not listens_anew}
    if "bootstrap.json" in changed:  # read at the next start only
        yield Step(file="bootstrap.json", content=new["bootstrap.json"])
    for file in sorted(changed - in_place - {"bootstrap.json", "cds.json", "lds.json"}):
        yield Step(file=file, content=new[file], confirm=applied(file, new[file]) if file in old else {})
    all_clusters = _union(old.get("cds.json"), new["cds.json"])
    if old.get("cds.json") != all_clusters:
        confirm = applied("cds.json", all_clusters) if "lds.json" in old else {}
        yield Step(file="cds.json", content=all_clusters, confirm=confirm)
    if listens_anew:
        yield from _listeners(old, new)
    for file in sorted(in_place):
        yield Step(file=file, content=new[file], confirm=applied(file, new[file]))
    if all_clusters != new["cds.json"]:
        yield Step(file="cds.json", content=new["cds.json"], confirm=applied("cds.json", new["cds.json"]))
    for file in sorted(set(old) - set(new)):
        if f"./{file}".encode() not in new["lds.json"]:
            yield Step(file=file, content=None)


def _listeners(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[Step]:
    """A gateway that moves serves at both addresses for a moment."""
    content = new["lds.json"]
    # Its routes have a name of their own. Its token check and certificate have not: as long as the old listener drains,
    # the statistics may show the version that this one uses.
    routes = next(file for file in new if file.startswith("routes-"))
    named = applied(routes, new[routes])
    before, after = (_by_name(files.get("lds.json")) for files in (old, new))
    if before.keys() - after.keys() and after.keys() - before.keys():
        both = _union(old["lds.json"], content)
        yield Step(file="lds.json", content=both, confirm={**applied("lds.json", both), **named}, settle=_SETTLE)
    yield Step(file="lds.json", content=content, confirm={**applied("lds.json", content), **named})


def applied(file: str, content: bytes) -> dict[str, str]:
    """What Envoy's statistics say once it has applied this content of a file; empty where nothing can be asked."""
    if file == "bootstrap.json":  # read at the start only
        return {}
    version = _version(content)
    if file in _APPLIED:
        statistic, more = _APPLIED[file]
        return {statistic: version, **more}
    if file.startswith("routes-"):
        return {f"http.ingress.rds.{file.removesuffix('.json')}.version_text": version}
    if file.startswith("token-"):
        return token_confirm(content)
    if file.startswith("secret-"):
        return {f"sds.{name}.version_text": version for name in _by_name(content)}
    return {}


def _union(old: bytes | None, new: bytes) -> bytes:
    before, after = _by_name(old), _by_name(new)
    if before.keys() <= after.keys():
        return new
    both = {**before, **after}
    return _resources([both[name] for name in sorted(both)])


def _by_name(content: bytes | None) -> dict[str, Any]:
    found = msgspec.json.decode(content)["resources"] if content else []
    return {resource["name"]: resource for resource in found}


def _version(content: bytes) -> str:
    return str(msgspec.json.decode(content)["version_info"])


def _token_check(release: Release, jwks: str) -> dict[str, Any]:
    settings = _plain(release.compiled.token)
    for provider in settings["providers"].values():
        provider["local_jwks"] = {"inline_string": jwks}
    return {"name": JWT_AUTHN, "typed_config": settings}


def _static(value: Any, routes: Any, check: Any) -> Any:
    """The same with everything in it that Envoy would follow."""
    if isinstance(value, Mapping):
        if "config_discovery" in value:
            return check
        made = {name: _static(one, routes, check) for name, one in value.items() if name not in ("rds", "sds_config")}
        return {**made, "route_config": routes} if "rds" in value else made
    return [_static(one, routes, check) for one in value] if isinstance(value, list | tuple) else value


def _with_split(value: Any, split: Split) -> Any:
    if isinstance(value, Mapping):
        made = {name: _with_split(one, split) for name, one in value.items()}
        if made.get("cluster") == SPLIT:
            del made["cluster"]
            made.update(_share(split))
        return made
    return [_with_split(one, split) for one in value] if isinstance(value, list | tuple) else value


def _share(split: Split) -> dict[str, Any]:
    used = [{"name": name, "weight": weight} for name, weight in sorted(split.items()) if weight]
    return {"cluster": used[0]["name"]} if len(used) == 1 else {"weighted_clusters": {"clusters": used}}


def _untyped(resource: Mapping[str, Any]) -> dict[str, Any]:
    """As it stands in a place where only its type can stand."""
    return {name: value for name, value in resource.items() if name != "@type"}


def _plain(value: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _resources(found: Sequence[Any]) -> bytes:
    return _text({"version_info": digest(found), "resources": found})


def _text(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"
