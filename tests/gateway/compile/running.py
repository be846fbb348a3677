"""A compiled product on a real Envoy, for tests: its files in a folder, its process, its admin interface, its log."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from outrider.gateway import envoy
from outrider.gateway.compile import compile_product
from outrider.gateway.configuration import configuration, token_content, token_file
from outrider.gateway.environment import Placement
from outrider.gateway.generations import LIVE, state
from outrider.gateway.product import Operation, Product
from outrider.gateway.release import Release, Split
from outrider.gateway.store import Instance
from outrider.gateway.switching import switch
from tests.gateway.signer import Signer

ISSUER, AUDIENCE = "https://idp.example", "things"
_WITHIN = 10.0


class Keys(Signer):
    """An issuer with a key that the gateway knows and one that it does not."""

    def __init__(self) -> None:
        super().__init__(ISSUER, AUDIENCE, "known", "unknown")

    def token(
        self, scope: str | list[str] | None = "things:read", *, key: str = "known", **claims: Any
    ) -> dict[str, str]:
        """The header with a token that is in order but for what is said."""
        return self.bearer(key, scope, **claims)


KEYS = Keys()


def released(product: Product, placement: Placement, operations: tuple[Operation, ...]) -> Release:
    """What a publish would store."""
    compiled = compile_product(product, placement, operations)
    stored = Release(
        number=1,
        at="2026-01-01T00:00:00Z",
        by="ada",
        product=product,
        placement=placement,
        operations=operations,
        compiled=compiled,
    )
    return msgspec.json.decode(msgspec.json.encode(stored), type=Release)


class Gateway:
    """It runs from the beginning to the end of a `with`."""

    def __init__(self, folder: Path, release: Release, split: Split) -> None:
        self.folder = folder / "1"
        self.folder.mkdir()
        self.release = release
        scheme = "https" if release.placement.tls else "http"
        self.url = f"{scheme}://{release.placement.listen}"
        self._instance = Instance(self.folder)
        self.admin = self._instance.admin
        self.switch(split)

    def __enter__(self) -> Self:
        (self.folder / "admin.sock").symlink_to(envoy.admin_socket(1))
        self.log = self.folder / "envoy.log"
        argv = envoy.argv(self.folder, 1)
        argv[argv.index("--file-flush-interval-msec") + 1] = "20"  # nobody wants to wait for the log here
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        try:
            self.until(lambda: self._alive() and asyncio.run(state(self.admin)) == LIVE)
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()

    def switch(self, split: Split, release: Release | None = None) -> set[str]:
        """As a publish does it, with keys that are known here; the names of the files that are others then."""
        self.release = release or self.release
        before, wanted = self._instance.files(), configuration(self.release, split)
        if name := token_file(self.release):
            wanted[name] = token_content(self.release, KEYS.jwks("known"))
        asyncio.run(switch(self._instance, wanted))
        after = self._instance.files()
        return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}

    def stats(self, matching: str) -> dict[str, str]:
        """Envoy's figures."""
        return asyncio.run(self.admin.stats(matching))

    def lines(self, route: str) -> list[dict[str, Any]]:
        """The lines of the access log for one route."""
        found = [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]
        return [line for line in found if line["route"] == route]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        ends = time.monotonic() + _WITHIN
        while not holds():
            assert time.monotonic() < ends, self.log.read_text()[-2000:]
            time.sleep(0.01)

    def _alive(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        return True
