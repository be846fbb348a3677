"""What is kept of products, and how."""

import os
from pathlib import Path

import msgspec
import pytest

from outrider.common.ports import Address
from outrider.common.processes import Process
from outrider.gateway.environment import Placement
from outrider.gateway.faults import Refused
from outrider.gateway.product import Product
from outrider.gateway.release import Compiled, Live, Release
from outrider.gateway.store import Busy, Journal, ProductState, Started, State


@pytest.fixture
def product(tmp_path: Path) -> ProductState:
    """A product of which nothing is kept yet."""
    return State(tmp_path / "gateways").product("charging")


def release(number: int) -> Release:
    return Release(
        number=number,
        at="2026-11-22T02:14:05.000Z",
        by="ada",
        product=Product(name="charging", owner="a team", versions=("v1",), audiences=("charging",)),
        placement=Placement(environment="local", listen=Address("127.0.0.1", 9001)),
        operations=(),
        compiled=Compiled(clusters=(), listeners=(), routes={}),
    )


def live(number: int) -> Live:
    return Live(release=number, split={"v1": 100})


def test_a_release_is_kept_as_it_was_and_never_changed(product: ProductState) -> None:
    """What was stored comes back, nobody may write to it, and its number is taken."""
    product.add(release(1))
    product.set_live(live(1))

    assert product.releases() == [product.release(1)] == [release(1)]
    assert (product.folder / "releases" / "1.json").stat().st_mode & 0o777 == 0o444
    with pytest.raises(FileExistsError):
        product.add(release(1))


def test_a_release_counts_from_when_it_is_live(product: ProductState) -> None:
    """What was stored for a switch that did not come about is in no list, and is gone when the switch has ended."""
    product.add(release(1))
    product.set_live(live(1))
    product.begin(live(1), live(2))
    product.add(release(2))

    assert product.journal() == Journal(before=live(1), to=live(2))
    assert product.releases() == [release(1)]

    product.end()
    assert product.journal() is None
    with pytest.raises(Refused, match="no release 2"):
        product.release(2)


def test_before_the_first_publish_nothing_is_live(product: ProductState) -> None:
    """One that is not known has no releases and no gateways, and looking makes no folder."""
    assert (product.live(), product.journal(), product.releases(), product.instances()) == (None, None, [], [])
    with pytest.raises(Refused, match="gateway publish"):
        product.published()
    assert not product.folder.exists()


def test_the_products_are_those_that_are_live_or_half_way(tmp_path: Path) -> None:
    """A folder in which something was only tried is none."""
    state = State(tmp_path)
    state.product("live").set_live(live(1))
    state.product("killed").begin(None, live(1))
    state.product("tried").instance()
    state.product("gone").set_live(live(1))
    state.product("gone").put_aside("gone-2026")

    assert state.products() == ["killed", "live"]


@pytest.mark.parametrize("name", ["", "../charging", "a/b", ".retired", "Charging", "9lives", "a" * 63])
def test_a_product_is_called_what_a_folder_can_be_called(tmp_path: Path, name: str) -> None:
    """No name leads out of the state folder."""
    with pytest.raises(Refused, match="no product's name"):
        State(tmp_path).product(name)


async def test_one_at_a_time_changes_a_product(product: ProductState) -> None:
    """A second one waits, and says after a while that another is at it."""
    async with product.locked():
        with pytest.raises(Busy, match="another command is changing it"):
            async with product.locked(within=0.1):
                pass
        async with State(product.folder.parent).product("map-updates").locked(within=0):
            pass
    async with product.locked(within=0):
        pass


async def test_a_lock_is_none_on_what_was_put_aside(product: ProductState) -> None:
    """Who comes after a retirement has the new folder for himself, though the old one is still locked."""
    async with product.locked():
        product.put_aside("charging-2026")
        async with product.locked(within=0):
            assert product.live() is None


def test_configuration_and_keys_are_told_apart_and_from_all_the_rest(product: ProductState) -> None:
    """Logs, sockets and records in a gateway's folder are neither."""
    instance = product.instance()
    for name in ("cds.json", "routes-0123abcd.json", "token-0123abcd.json", "access.log", "routes-.json"):
        instance.write(name, name.encode())
    started = Started(process=Process(pid=1, started="0", command="envoy"), generation=3, at="2026-11-22T02:14:05Z")
    instance.set_process(started)

    assert instance.files() == {name: name.encode() for name in ("cds.json", "routes-0123abcd.json")}
    assert instance.tokens() == {"token-0123abcd.json": b"token-0123abcd.json"}
    assert [one.process() for one in product.instances()] == [started]
    instance.set_process(None)
    assert instance.process() is None


def test_what_a_gateway_links_to_is_not_read(product: ProductState, tmp_path: Path) -> None:
    """A gateway that was broken into can't make its watcher read files for it."""
    (tmp_path / "secret").write_text("secret")
    instance = product.instance()
    (instance.folder / "cds.json").symlink_to(tmp_path / "secret")

    with pytest.raises(OSError, match=r"cds\.json"):
        instance.files()


def test_a_gateways_files_are_its_users_and_nobody_elses(product: ProductState) -> None:
    """They belong to whoever owns the folder; others may pass through to it and no further."""
    instance = product.instance()
    if os.geteuid() == 0:
        os.chown(instance.folder, 60706, 60706)
    instance.write("cds.json", b"{}")

    told = [(instance.folder / name).stat() for name in ("", "cds.json")]
    assert [one.st_mode & 0o777 for one in told] == [0o700, 0o600]
    assert len({(one.st_uid, one.st_gid) for one in told}) == 1
    assert product.folder.stat().st_mode & 0o777 == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
async def test_what_root_changes_stays_usable_for_whose_it_is(tmp_path: Path) -> None:
    """One `sudo` does not lock a user out of his own products."""
    os.chown(tmp_path, 60706, 60706)
    product = State(tmp_path / "gateways").product("charging")
    async with product.locked():
        product.begin(None, live(1))
        product.add(release(1))
        product.set_live(live(1))
        product.instance().write("cds.json", b"{}")
    product.put_aside("charging-2026")

    made = [*tmp_path.rglob("*")]
    assert len(made) == 11
    assert {path.stat().st_uid for path in made} == {60706}


def test_what_a_killed_command_was_about_to_write_is_removed(product: ProductState) -> None:
    """Drafts of configuration are; nothing else is touched."""
    instance = product.instance()
    for name in (".cds.json.4711", "cds.json", "access.log"):
        (instance.folder / name).write_text("x")

    instance.tidy()
    assert sorted(path.name for path in instance.folder.iterdir()) == ["access.log", "cds.json"]


def test_a_damaged_file_is_named(product: ProductState) -> None:
    """A person finds it without a traceback."""
    for number in (1, 2):
        product.add(release(number))
    for damage in ("{", "[" * 100_000):
        (product.folder / "live.json").write_text(damage)
        with pytest.raises(
            Refused, match=r'live\.json was damaged.* write {"release": 2, "split": {"v1":100}}.* 1, 2$'
        ):
            product.live()


def test_a_journal_says_from_and_to(product: ProductState) -> None:
    """Whoever looks into the file understands it."""
    product.begin(None, live(1))

    assert msgspec.json.decode((product.folder / "journal.json").read_bytes()) == {
        "from": None,
        "to": {"release": 1, "split": {"v1": 100}},
    }
