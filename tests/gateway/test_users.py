"""Users of their own for gateways: which, and where that can't be."""

import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from outrider.common.ports import LOOPBACK, Address
from outrider.gateway import users
from outrider.gateway.environment import Backend, ListenTls, Placement, Upstream
from outrider.gateway.store import ProductState, State
from tests.gateway.several import several


@pytest.fixture
def folder() -> Iterator[Path]:
    """One through which everybody may pass; pytest's own is for its owner alone."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o711)
        yield Path(made)


@pytest.fixture
def product(folder: Path) -> ProductState:
    return State(folder / "gateways").product("maps")


def placed(port: int = 8080, **more: object) -> Placement:
    return Placement(environment="test", listen=Address(LOOPBACK, port), **more)  # type: ignore[arg-type]


def test_what_everybody_may_do_is_no_obstacle(product: ProductState, folder: Path) -> None:
    """Nor is what does not exist yet, such as an upstream's socket."""
    upstream = Backend(upstreams=(Upstream(socket=str(folder / "later.sock")),))

    assert users.obstacle(product, placed(versions={"v1": upstream})) is None


def test_a_low_port_is_an_obstacle(product: ProductState, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As low as the system has it."""
    monkeypatch.setattr(users, "_UNPRIVILEGED_PORT", folder / "first")
    assert users.obstacle(product, placed(443)) == "only root may listen on port 443"

    (folder / "first").write_text("443\n")
    assert users.obstacle(product, placed(443)) is None
    assert users.obstacle(product, placed(stats=Address(LOOPBACK, 80))) == "only root may listen on port 80"


def test_what_only_others_may_open_is_an_obstacle(product: ProductState, folder: Path) -> None:
    """A private key, a socket, or a folder on the way to them; links are followed."""
    certificate, key, private = folder / "certificate.pem", folder / "key.pem", folder / "private"
    certificate.touch(0o644)
    key.touch(0o600)
    private.mkdir(0o700)
    (private / "key.pem").touch(0o644)
    (folder / "link.pem").symlink_to(private / "key.pem")

    for file in (key, private / "key.pem", folder / "link.pem"):
        tls = ListenTls(certificate=str(certificate), key=str(file))
        assert users.obstacle(product, placed(tls=tls)) == f"others may not read {file}"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "upstream.sock"))
        (folder / "upstream.sock").chmod(0o755)
        upstream = Backend(upstreams=(Upstream(socket=str(folder / "upstream.sock")),))
        assert "others may not connect" in str(users.obstacle(product, placed(versions={"v1": upstream})))
    folder.chmod(0o700)
    assert "others may not pass" in str(users.obstacle(product, placed()))


@pytest.fixture
async def state(folder: Path) -> AsyncIterator[State]:
    """Two products, published."""
    async with several(folder, "maps", "parking") as made:
        yield made.state


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start programs as others")
async def test_each_gateway_gets_a_user_that_no_other_has_and_keeps_it(state: State) -> None:
    """The owner of its folder is the record."""
    maps, parking = (state.product(name) for name in ("maps", "parking"))
    first = users.choose(state, [(maps, placed())])
    users.give(maps.instance(), first["maps"])
    both = users.choose(state, [(parking, placed()), (maps, placed())])

    assert both["maps"] == first["maps"]
    assert both["parking"] not in (both["maps"], 0)
    assert {path.stat().st_uid for path in maps.instance().folder.iterdir()} == {both["maps"]}
    assert users.first_free(state) != both["maps"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
async def test_who_is_not_root_runs_them_all(state: State) -> None:
    """No gateway gets a user of its own."""
    assert users.choose(state, [(state.product("maps"), placed())]) == {}
