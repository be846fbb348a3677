"""Outrider behind its own gateway. Here the two halves meet, and by data alone: our API becomes one more product.

    DATA/gateway/products/remote-services/   what the API is: openapi.yaml as served, product.yaml as shipped
                 environments/platform.yaml  where it listens, where the API is behind it, whose tokens are believed
                 state/                      releases and the gateway that runs, as for any product
         api.sock                            the API itself

The first two are written at every start and are nobody's to edit. A new release is made where they say something new.
A catalog that changes while the platform runs is no such thing: a gateway acts on operations, their scopes and media
types, and no service adds or changes one.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import structlog

from outrider.adapters.http_server import LEAVE_WITHIN, bound
from outrider.adapters.openapi import openapi_document, openapi_template
from outrider.common import private_files
from outrider.common.ports import LONGEST_SOCKET_PATH, LOOPBACK, Address, free_ports, is_free, is_loopback
from outrider.common.yaml_positions import read_yaml
from outrider.domain.catalog import Catalog
from outrider.gateway import envoy, generations, inotify
from outrider.gateway.drift import differs
from outrider.gateway.environment import Placement
from outrider.gateway.envoy import NoEnvoy
from outrider.gateway.governance.telling import lines
from outrider.gateway.jwks import KeysUnreadable, read_keys
from outrider.gateway.publishing import publish
from outrider.gateway.reading import Read, read_product
from outrider.gateway.running import Watch, watching
from outrider.gateway.store import ProductState, State
from outrider.settings import Settings

log = structlog.get_logger()

PRODUCT = "remote-services"
ENVIRONMENT = "platform"
BY, REASON = "outrider up", "start"
"""Who publishes, and why, as releases tell it."""
FOLLOWED = 5
"""Files that the gateway follows; each takes an inotify instance of its user."""
LOOK_FOR_KEYS_EVERY = 2.0


class NoGateway(Exception):
    """A gateway is needed for what was asked, and there is none; the message says what to do."""


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """How people reach the API: a gateway at `listen`, and the API behind it."""

    settings: Settings
    listen: Address
    behind: Address | Path

    @property
    def way(self) -> str:
        """Where the API itself is reached: the path of a Unix socket, or an address."""
        return str(self.behind) if isinstance(self.behind, Path) else f"http://{self.behind}"

    @asynccontextmanager
    async def open(self, catalog: Catalog, grace: float) -> AsyncIterator[Watch]:
        """The gateway serves, until the block ends; then what is under way has `grace` seconds. The API is there.

        Raises Refused.
        """
        folder = _folder(self.settings)
        self._write(folder, catalog)
        read = read_product(folder / "products" / PRODUCT, folder / "environments" / f"{ENVIRONMENT}.yaml")
        state = State(folder / "state")
        if _is_new(state.product(PRODUCT), read):
            await _until_keys_can_be_read(read)
            await _publish(state, read)
        async with watching(state, [PRODUCT], own_users=False, grace=grace) as watch:
            yield watch

    def _write(self, folder: Path, catalog: Catalog) -> None:
        product = read_yaml((files("outrider") / "products" / PRODUCT / "product.yaml").read_bytes()).data
        product["audiences"] = [self.settings.audience]
        product.pop("health", None)  # there is no other address to turn to, and a platform that is back serves at once
        _put(folder / "products" / PRODUCT / "openapi.yaml", openapi_document(openapi_template(), catalog))
        _put(folder / "products" / PRODUCT / "product.yaml", product)
        _put(folder / "environments" / f"{ENVIRONMENT}.yaml", self._environment(product["versions"]))

    def _environment(self, versions: list[str]) -> dict[str, Any]:
        settings, upstream = self.settings, self.way if isinstance(self.behind, Address) else f"unix:{self.way}"
        placed: dict[str, Any] = {
            "listen": str(self.listen),
            "versions": {version: {"upstreams": [upstream]} for version in versions},
        }
        if settings.tls_cert is not None and settings.tls_key is not None:
            placed["tls"] = {"certificate": str(settings.tls_cert.absolute()), "key": str(settings.tls_key.absolute())}
        issuer = {"issuer": settings.issuer, "jwks": _key_source(settings)}
        return {"issuer": issuer, "products": {PRODUCT: placed}}


async def front_of(settings: Settings) -> tuple[Front | None, str | None]:
    """How people are to reach the API; None: it listens itself, and if a gateway was wanted, the second says why.

    Chooses free ports, and refuses what can't be before anything is started. Raises NoGateway, Refused, and OSError for
    an address that can't be had.
    """
    why = None
    if settings.gateway:
        try:
            envoy.version()
            return _front(settings, _product(settings)), None
        except NoEnvoy as error:
            why = str(error)
        if settings.tls_cert is not None:
            raise NoGateway(f"--tls-cert needs the gateway, and it can't run. {why}")
        log.warning("no_gateway", why=why)
    await _put_away(settings)
    return None, why


def _front(settings: Settings, product: ProductState) -> Front:
    listen, last, runs = _numeric(settings.http_listen), _last(product), _runs(product)
    if settings.tls_cert is None and not is_loopback(listen.host):
        raise NoGateway(
            f"{listen} can be reached from other machines, and tokens must not travel in plain text: give --tls-cert "
            "and --tls-key, or --no-gateway if something in front of it speaks TLS"
        )
    if not runs:
        _room_for_one()
    chosen = _chosen(listen, last.listen if last else None, held=runs)
    return Front(settings=settings, listen=chosen, behind=_behind(settings, last))


async def _put_away(settings: Settings) -> None:
    """End the gateway that a killed platform left, for the next one does without."""
    _socket(settings).unlink(missing_ok=True)
    for instance in _product(settings).instances():
        for one in generations.find([instance])[instance.folder]:
            await generations.dismiss(instance, one, grace=LEAVE_WITHIN)
        instance.set_process(None)


def _product(settings: Settings) -> ProductState:
    return State(_folder(settings) / "state").product(PRODUCT)


def _folder(settings: Settings) -> Path:
    return settings.data.resolve() / "gateway"


def _socket(settings: Settings) -> Path:
    return settings.data.resolve() / "api.sock"


def _behind(settings: Settings, last: Placement | None) -> Address | Path:
    """Where the API itself is to listen: a Unix socket, if its path is not too long for one."""
    file = _socket(settings)
    if len(os.fsencode(file)) <= LONGEST_SOCKET_PATH:
        return file
    known = [one.address for version in last.versions.values() for one in version.upstreams] if last else []
    address = next((one for one in known if one and is_free(one)), None) or Address(LOOPBACK, *free_ports(1))
    log.info("api_not_at_a_socket", why=f"{file} is too long for one", listens=str(address))
    return address


def _chosen(listen: Address, last: Address | None, *, held: bool) -> Address:
    """Where the gateway is to listen. For port 0 where it did the last time, if that can be.

    held: the gateway that a killed platform left is there still, and will be taken over.
    """
    if listen.port == 0:
        if last is not None and last.host == listen.host and (held or is_free(last)):
            return last
        return Address(listen.host, *free_ports(1, listen.host))
    if not (held and listen == last):
        bound(listen).close()
    return listen


def _last(product: ProductState) -> Placement | None:
    """Where everything was the last time."""
    live = product.live()
    return product.release(live.release).placement if live else None


def _runs(product: ProductState) -> bool:
    """Is there a gateway that a killed platform left?"""
    return any(generations.find(product.instances()).values())


def _room_for_one() -> None:
    limit, user = inotify.limit(), os.geteuid()
    if limit is not None and limit - inotify.in_use({user})[user] < FOLLOWED + inotify.SPARE:
        raise NoEnvoy(f"User {user} has used up {limit} inotify instances: raise fs.inotify.max_user_instances.")


def _numeric(listen: Address) -> Address:
    """The address with the number that its host name stands for."""
    try:
        found = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise OSError(f"can't listen on {listen} ({error.strerror}): choose another address with --listen") from None
    *_, place = min(found, key=lambda one: one[0] != socket.AF_INET)  # IPv4 where a name stands for both
    return Address(str(place[0]), listen.port)


def _key_source(settings: Settings) -> dict[str, str]:
    if settings.jwks is None:
        return {"file": str(settings.keys.resolve() / "jwks.json")}
    if "://" in settings.jwks:
        return {"url": settings.jwks}
    return {"file": str(Path(settings.jwks).absolute())}


async def _publish(state: State, read: Read) -> None:
    """Our API is what it is, whatever stands before it; so what breaks a rule or callers, as a catalog does that lacks
    what they ask for, is said and holds up nothing.
    """
    release = await publish(state, read, by=BY, reason=REASON, now=datetime.now(UTC), advisory=True)
    kept = state.product(PRODUCT).kept(release.number)
    if kept and kept.report.outcome == "refused":
        folder = str(Path(read.declared.file).parent)
        log.warning("api_breaks_rules_or_callers", found=[*lines(kept.report, read.governance, folder)][1:])


async def _until_keys_can_be_read(read: Read) -> None:
    """An issuer that is named by a URL may come later than we do; nobody could be let in before."""
    said = ""
    while read.placement.issuer is not None and read.placement.issuer.jwks.url is not None:
        try:
            await read_keys(read.placement.issuer.jwks)
            return
        except KeysUnreadable as error:
            if str(error) != said:
                log.warning("waits_for_keys", why=str(error))
            said = str(error)
        await asyncio.sleep(LOOK_FOR_KEYS_EVERY)


def _is_new(product: ProductState, read: Read) -> bool:
    """Does what was read say something else than what is live, or would another Envoy have to take it?"""
    live = product.live()
    if live is None or product.journal() is not None:
        return True
    release = product.release(live.release)
    return differs(read, release) or release.envoy != envoy.version()


def _put(file: Path, document: object) -> None:
    """JSON, which is YAML too."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_files.write(file, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
