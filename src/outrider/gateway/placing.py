"""An environment's file, read for one product at a time: another product's mistakes are not this one's.

Checked is everything that can be checked without the network: the form, that the files are there, that nothing goes
unencrypted beyond this machine, and that no two listeners want the same address.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from outrider.common.json_path import JsonPath
from outrider.common.listeners import overlap
from outrider.common.ports import LONGEST_SOCKET_PATH, Address, is_ip, is_loopback
from outrider.common.yaml_positions import Document
from outrider.gateway.documents import Source, absolute, content, converted, form_faults, parse, refuse
from outrider.gateway.environment import (
    Backend,
    Issuer,
    KeySource,
    ListenTls,
    Placement,
    Tracing,
    Upstream,
    UpstreamTls,
)
from outrider.gateway.faults import Fault, Refused

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.I)
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on
_PLAIN = "plain HTTP is only for loopback addresses such as 127.0.0.1"
_UPSTREAM = (
    "must be http://127.0.0.1:7001, https://HOST:PORT or unix:FILE; no user, and no path: paths stay as they are"
)
_EXAMPLE = '{listen: 127.0.0.1:9001, versions: {v1: {upstreams: ["http://127.0.0.1:7001"]}}}'


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment's file. folder: absolute; its file names are relative to it."""

    name: str
    folder: str
    source: Source

    @property
    def products(self) -> Mapping[str, Any]:
        """The entries by product, whatever they are."""
        data = self.source.data
        products = data.get("products") if isinstance(data, dict) else None
        return products if isinstance(products, dict) else {}


def read_environment(path: Path) -> Environment:
    """The file, unchecked but for being YAML. Raises `Refused`."""
    return Environment(name=path.stem, folder=str(absolute(path).parent), source=_parsed(content(path), str(path)))


def place(environment: Environment, name: str, *, here: bool = True) -> Placement:
    """Where a product runs. here: on this machine, so that the files it needs must be there. Raises `Refused` with
    everything that is wrong with that.
    """
    source = environment.source
    refuse(form_faults(_for_one(source, name), "environment"))
    if name not in environment.products:
        raise Refused(source.fault(("products",), f"has no {name}; write where it runs: {name}: {_EXAMPLE}"))
    return _Placing(environment, name, here=here).placement()


@lru_cache(maxsize=4)
def _parsed(raw: bytes, file: str) -> Source:
    """Kept, for many products are read from the same file one after another."""
    return parse(raw, file)


def _for_one(source: Source, name: str) -> Source:
    """The file as if it had this product alone."""
    data = source.data
    if isinstance(data, dict) and isinstance(data.get("products"), dict):
        data = {**data, "products": {key: entry for key, entry in data["products"].items() if key == name}}
    return Source(file=source.file, raw=source.raw, document=Document(data, source.document.positions))


class _Placing:
    """One product's entry, whose form is right. Faults are collected, so that one look mends several."""

    def __init__(self, environment: Environment, name: str, *, here: bool) -> None:
        self._environment = environment
        self._name = name
        self._here = here
        self._root = environment.source.data
        self._entry = environment.products[name]
        self._place: JsonPath = ("products", name)
        self._faults: list[Fault] = []

    def placement(self) -> Placement:
        entry = self._entry
        tls = self._files(entry["tls"], (*self._place, "tls"), ListenTls) if "tls" in entry else None
        listen = self._address(entry["listen"], (*self._place, "listen"))
        if listen and not tls and not is_loopback(listen.host):
            advice = "add tls: {certificate: FILE, key: FILE}, or listen there"
            self._fault((*self._place, "listen"), f"{_PLAIN}; {advice}")
        stats = self._address(entry["stats"], (*self._place, "stats")) if "stats" in entry else None
        if stats and not is_loopback(stats.host):
            self._fault(
                (*self._place, "stats"), "must be on loopback, such as 127.0.0.1:9101: it asks nobody for a token"
            )
        self._taken({"listen": listen, "stats": stats})
        issuer, tracing = self._issuer(), self._tracing()
        versions = {name: self._backend(name, listen) for name in entry["versions"]}
        refuse(self._faults)
        assert listen is not None
        return Placement(
            environment=self._environment.name,
            listen=listen,
            hosts=tuple(entry.get("hosts", ())),
            tls=tls,
            stats=stats,
            issuer=issuer,
            trusted_proxies=converted(self._root.get("trusted_proxies", 0), int),
            tracing=tracing,
            versions=versions,
        )

    def _taken(self, own: Mapping[str, Address | None]) -> None:
        """No two listeners at one address: the system would let both have it, and callers would get either."""
        others = list(_listeners(self._environment.products, self._name))
        if own["stats"] is not None and own["listen"] is not None:
            others.append((own["listen"], (*self._place, "listen")))
        for field, address in own.items():
            for other, place in others:
                if address is not None and place != (*self._place, field) and overlap(address, other):
                    line = self._environment.source.document.position(place).line
                    message = f"overlaps with {place[1]}'s {place[2]} (line {line}); give each an address of its own"
                    self._fault((*self._place, field), message)

    def _issuer(self) -> Issuer | None:
        path = (*self._place, "issuer") if "issuer" in self._entry else ("issuer",)
        given = self._entry.get("issuer", self._root.get("issuer"))
        if given is None:
            return None
        jwks, place = given["jwks"], (*path, "jwks")
        if ("file" in jwks) == ("url" in jwks):
            self._fault(place, "must name the issuer's public keys once: by file, or by url")
        for field in ("ca", "refresh"):
            if field in jwks and "url" not in jwks:
                self._fault((*place, field), "goes with url; remove it")
        if "url" in jwks:
            self._check_keys_url(jwks["url"], (*place, "url"))
        return Issuer(issuer=given["issuer"], jwks=self._files(jwks, place, KeySource, names=("file", "ca")))

    def _check_keys_url(self, text: str, path: JsonPath) -> None:
        url = _split(text)
        if url is None or url.scheme not in ("https", "http") or "@" in url.netloc:
            self._fault(path, "must be an address such as https://idp.example/jwks.json, without user and password")
        elif url.scheme == "http" and not is_loopback(url.hostname or ""):
            self._fault(path, f"{_PLAIN}; write https")

    def _tracing(self) -> Tracing | None:
        if "tracing" not in self._root:
            return None
        given = self._root["tracing"]
        address = self._address(given["otlp"], ("tracing", "otlp"))
        if address and not is_loopback(address.host):
            self._fault(("tracing", "otlp"), f"{_PLAIN}; let a collector there hand spans on")
        return Tracing(otlp=address or Address("", 0), sample_percent=given.get("sample_percent", 1.0))

    def _backend(self, version: str, listen: Address | None) -> Backend:
        given, path = self._entry["versions"][version], (*self._place, "versions", version)
        found = [self._upstream(text, (*path, "upstreams", i)) for i, text in enumerate(given["upstreams"])]
        if listen is not None:
            for index, (upstream, _) in enumerate(found):
                if upstream.address and _leads_to(upstream.address, listen):
                    self._fault((*path, "upstreams", index), "is where the gateway listens; it would call itself")
        tls = self._files(given["tls"], (*path, "tls"), UpstreamTls, names=("ca",)) if "tls" in given else None
        schemes = {scheme for _, scheme in found if scheme}
        if "https" in schemes and len(schemes) > 1:
            self._fault((*path, "upstreams"), "must all be https, or none")
        elif "https" in schemes and tls is None:
            self._fault(path, "with https, say who must answer: tls: {ca: FILE, name: NAME}")
        elif schemes and "https" not in schemes and tls is not None:
            self._fault((*path, "tls"), "goes with https upstreams; write https, or remove it")
        return Backend(upstreams=tuple(upstream for upstream, _ in found), tls=tls)

    def _upstream(self, text: str, path: JsonPath) -> tuple[Upstream, str]:
        """The upstream and its scheme; no scheme where it can't be read."""
        if text.startswith("unix:") and len(text) > len("unix:"):
            socket = self._resolved(text.removeprefix("unix:"))
            if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
                message = (
                    f"is too long a path for a Unix socket ({LONGEST_SOCKET_PATH} bytes, from the root); move it up"
                )
                self._fault(path, message)
            return Upstream(socket=socket), "unix"
        url = _split(text)
        if url is None or url.scheme not in ("http", "https") or "@" in url.netloc or (url.path or "/") != "/":
            self._fault(path, _UPSTREAM)
            return Upstream(), ""
        host = url.hostname or ""
        if url.scheme == "http" and not is_loopback(host):
            self._fault(path, f"{_PLAIN}; write https, and tls: {{ca: FILE, name: NAME}} beside upstreams")
        return Upstream(address=Address(host, url.port or {"http": 80, "https": 443}[url.scheme])), url.scheme

    def _files(self, given: Mapping[str, Any], path: JsonPath, into: type[Any], names: Any = None) -> Any:
        """The struct, with its file names resolved and the files there; `names`: the fields that are file names."""
        fields = dict(given)
        for field in names or tuple(given):
            if field in fields:
                fields[field] = self._resolved(fields[field])
                if self._here and not Path(fields[field]).is_file():
                    self._fault((*path, field), f"there is no file {fields[field]}; put it there, or name another")
        return converted(fields, into)

    def _address(self, text: str, path: JsonPath) -> Address | None:
        try:
            address = Address.parse(text)
            if not is_ip(address.host) or address.port == 0:
                raise ValueError
        except ValueError:
            self._fault(path, "must be an IP address and a port, such as 127.0.0.1:9001")
            return None
        return address

    def _resolved(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._environment.folder, name))

    def _fault(self, path: JsonPath, message: str) -> None:
        self._faults.append(self._environment.source.fault(path, message))


def _listeners(products: Mapping[str, Any], but: str) -> Iterator[tuple[Address, JsonPath]]:
    """Where all other products want to listen, as far as their entries can be read."""
    for name, entry in products.items():
        for field in ("listen", "stats"):
            text = entry.get(field) if isinstance(entry, dict) and name != but else None
            if isinstance(text, str):
                try:
                    yield Address.parse(text), ("products", name, field)
                except ValueError:
                    continue


def _leads_to(upstream: Address, listen: Address) -> bool:
    here = listen.host in _EVERYWHERE and is_loopback(upstream.host)
    return upstream.port == listen.port and (here or upstream.host == listen.host)


def _split(text: str) -> SplitResult | None:
    """The parts of an address; None where it is none, or has more than a caller of it could use."""
    try:
        url = urlsplit(text)
        usable = url.hostname is not None and (url.port is None or url.port > 0)
    except ValueError:
        return None
    good = usable and (is_ip(url.hostname or "") or _HOST.fullmatch(url.hostname or ""))
    return url if good and not (url.query or url.fragment or re.search(r"\s", text)) else None
