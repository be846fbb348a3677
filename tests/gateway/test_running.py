"""Gateways of several products, each a real Envoy, and who watches them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio

from outrider.cli.bench.http_load import Request, traffic
from outrider.common.child import ChildError
from outrider.common.ports import LOOPBACK, Address
from outrider.common.processes import look
from outrider.gateway import by_hand, draining, generations, inotify, logs, running, users, watched
from outrider.gateway.environment import ListenTls
from outrider.gateway.faults import Refused
from outrider.gateway.retiring import retire
from outrider.gateway.running import Watch, watcher, watching
from outrider.gateway.status import NO_CERTIFICATE, SERVES, standings
from outrider.gateway.store import Instance
from tests.gateway.compile.certificates import Authority
from tests.gateway.published import NOW, charging
from tests.gateway.several import Several, several

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def products(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Several]:
    """Three products, published; each test leaves them so, and nothing running."""
    async with several(tmp_path_factory.mktemp("running"), "charging", "maps", "parking") as made:
        yield made


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are near: what they were about to send is there at once. And all is looked at more often."""
    monkeypatch.setattr(draining, "NOTICE", 0.2)
    monkeypatch.setattr(running, "_WORK", ((0.05, running._follow), (0.1, running._bring_keys)))


@asynccontextmanager
async def load(*urls: str, rate: float = 150) -> AsyncIterator[None]:
    """Requests on kept connections and on new ones while the block runs, none of which may fail."""
    async with AsyncExitStack() as stack:
        made = []
        for url in urls:
            made.append(await stack.enter_async_context(traffic(Request(url), rate, connections=4)))
            new = Request(url, headers={"connection": "close"})
            made.append(await stack.enter_async_context(traffic(new, rate / 2, connections=4)))
        yield
    assert all(told.asked > 3 for told in made)
    assert [str(told) for told in made if told.failed] == []


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.get(url)


async def until(holds: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)


def instance(products: Several, name: str) -> Instance:
    return products.product(name).instance()


def processes(products: Several, name: str) -> list[int]:
    """The Envoys that run for a product."""
    found = generations.find([instance(products, name)])
    return [one.process.pid for one in found[instance(products, name).folder]]


async def test_the_death_of_one_is_no_other_s(products: Several) -> None:
    """Not a request to the others fails, and the dead one serves again."""
    async with watching(products.state, products.names) as watch:
        maps = watch.gateways["maps"]
        first = maps.pid
        assert first is not None
        async with load(products.url("charging"), products.url("parking")):
            os.kill(first, signal.SIGKILL)
            await until(lambda: maps.restarts == 1 and maps.pid != first)
            await until(lambda: processes(products, "maps") == [maps.pid])
            await asyncio.sleep(0.2)

        assert (await get(products.url("maps"))).text == "ok"
        assert [watch.gateways[name].restarts for name in ("charging", "parking")] == [0, 0]
    assert [processes(products, name) for name in products.names] == [[], [], []]


async def test_each_leads_a_session_of_its_own_and_its_admin_interface_is_for_its_user_alone(products: Several) -> None:
    """A Ctrl-C in the terminal reaches none of them, and nobody else can tell one what to do."""
    async with watching(products.state, ["maps"], own_users=False) as watch:
        pid = watch.gateways["maps"].pid
        assert pid is not None
        socket_file = instance(products, "maps").folder / "admin.sock"

        assert os.getsid(pid) == os.getpgid(pid) == pid
        assert socket_file.stat().st_mode & 0o777 == 0o600
        assert socket_file.parent.stat().st_mode & 0o077 == 0


WATCHER = """
import asyncio, sys
from pathlib import Path
from outrider.gateway.running import watching
from outrider.gateway.store import State
async def main():
    async with watching(State(Path(sys.argv[1])), sys.argv[2:]) as watch:
        print("watching", flush=True)
        await watch.failed
asyncio.run(main())
"""


@asynccontextmanager
async def other_watcher(products: Several, *names: str) -> AsyncIterator["subprocess.Popen[str]"]:
    """A process of its own that watches."""
    argv = [sys.executable, "-c", WATCHER, str(products.state.folder), *names]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            while "watching" not in (line := await asyncio.to_thread(process.stdout.readline)):
                assert line, "it did not start"
            yield process
        finally:
            process.kill()


async def test_without_a_watcher_they_go_on_and_the_next_one_takes_them_over(products: Several) -> None:
    """It was killed: the very same processes serve on, and not a request fails. They are watched from then on."""
    async with other_watcher(products, "charging", "maps") as killed:
        before = [processes(products, name) for name in ("charging", "maps")]
        async with load(products.url("charging"), products.url("maps")):
            killed.kill()
            await asyncio.to_thread(killed.wait)
            await asyncio.sleep(0.2)
            async with watching(products.state, ["charging", "maps"]) as watch:
                assert [processes(products, name) for name in ("charging", "maps")] == before
                assert [[watch.gateways[name].pid] for name in ("charging", "maps")] == before
                await asyncio.sleep(0.2)
                await leave(watch)  # so that the load ends before they do

    async with watching(products.state, ["charging"]) as watch:
        charging = watch.gateways["charging"]
        assert [charging.pid] == before[0]
        os.kill(before[0][0], signal.SIGKILL)
        await until(lambda: charging.restarts == 1 and charging.pid not in before[0])
    await by_hand.stop(products.product("maps"))


async def test_a_second_watcher_is_refused(products: Several) -> None:
    """It is told which process watches already, and nothing changes."""
    assert watcher(products.state.folder) is None
    async with watching(products.state, ["maps"]) as watch:
        assert watcher(products.state.folder) == os.getpid()
        with pytest.raises(Refused, match=rf"watched by process {os.getpid()} already.*--state"):
            async with watching(products.state, ["parking"]):
                pass
        assert processes(products, "parking") == []
        assert processes(products, "maps") == [watch.gateways["maps"].pid]


async def test_what_is_under_way_is_finished_when_a_gateway_stops(products: Several) -> None:
    """Requests that wait for their upstream get their answers, a stream comes to its end, nothing new is begun."""
    ways = [("maps", "/slowly"), ("maps", "/hear"), ("parking", "/slowly")]
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        async with watching(products.state, ["maps", "parking"]) as watch:
            asked = [asyncio.create_task(client.get(products.url(name, path))) for name, path in ways]
            admin = watch.gateways["maps"].instance.admin
            while (await admin.stats("downstream_rq_active"))["http.ingress.downstream_rq_active"] != "2":
                await asyncio.sleep(0.02)
        answers = await asyncio.gather(*asked)

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answers[number].headers["connection"] for number in (0, 2)] == ["close"] * 2
    assert answers[1].text == "data: on\n\n" * 10
    assert processes(products, "maps") == processes(products, "parking") == []
    with pytest.raises(httpx.ConnectError):
        await get(products.url("maps"))


async def test_a_stream_is_ended_when_the_time_to_finish_is_over(products: Several) -> None:
    """It would go on for ever; until then it does."""
    heard: list[str] = []

    async def listen() -> None:
        url = products.url("maps", "/watch")
        async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", url) as answer:
            async for line in answer.aiter_lines():
                heard.append(line)  # noqa: PERF401 - what was heard until it breaks

    async with watching(products.state, ["maps"], grace=0.5) as watch:
        listening = asyncio.create_task(listen())
        await until(lambda: heard)
        before = len(heard)
    assert len(heard) > before + 4
    with pytest.raises(httpx.RemoteProtocolError):
        await listening
    assert watch.gateways["maps"].pid is None


async def test_one_hands_over_to_the_next_without_a_request_noticing(products: Several) -> None:
    """Whatever is asked meanwhile, on whichever connection; requests under way are finished by the old one."""
    async with watching(products.state, ["maps"]) as watch:
        maps = watch.gateways["maps"]
        first = maps.pid
        async with load(products.url("maps")), load(products.url("maps", "/slowly"), rate=10):
            await asyncio.sleep(0.2)
            made = await by_hand.restart(products.product("maps"))
            assert {first, made.pid} == set(processes(products, "maps"))
            await until(lambda: maps.pid == made.pid)
            await by_hand.dismiss(products.product("maps"), made)

        assert processes(products, "maps") == [made.pid]
        assert maps.restarts == 0
        os.kill(made.pid, signal.SIGKILL)
        await until(lambda: maps.restarts == 1 and maps.pid not in (None, made.pid))
        folder = instance(products, "maps").folder
        assert [file.name for file in folder.glob("admin-*.sock")] == [os.readlink(folder / "admin.sock")]


async def test_a_successor_that_is_dead_when_it_is_noticed_is_started_again(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher finds a record of a process that is gone, and none of its own that serves."""
    works = running._WORK
    monkeypatch.setattr(running, "_WORK", ())
    async with watching(products.state, ["maps"]) as watch:
        maps = watch.gateways["maps"]
        made = await by_hand.restart(products.product("maps"))
        await by_hand.dismiss(products.product("maps"), made)
        os.kill(made.pid, signal.SIGKILL)
        await until(lambda: processes(products, "maps") == [])
        for _, work in works:
            await work(watch, maps)
        assert [maps.pid] == processes(products, "maps")
        assert (await get(products.url("maps"))).text == "ok"
    assert processes(products, "maps") == []


async def test_what_others_started_a_moment_ago_is_stopped_with_the_rest(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the watcher has noticed it."""
    monkeypatch.setattr(running, "_WORK", ())
    async with watching(products.state, ["maps"]) as watch:
        made = await by_hand.restart(products.product("maps"))
        assert watch.gateways["maps"].pid != made.pid
    assert processes(products, "maps") == []


async def test_one_that_was_told_something_else_is_handed_over_by_the_next_watcher(products: Several) -> None:
    """Such as another version of Envoy, or another bootstrap file."""
    async with left_running(products, "maps") as first:
        maps = instance(products, "maps")
        started = maps.process()
        assert started is not None
        maps.set_process(msgspec.structs.replace(started, told="by an older Envoy"))
        async with load(products.url("maps")), watching(products.state, ["maps"]) as watch:
            second = watch.gateways["maps"].pid
            assert second not in (None, first)
            await until(lambda: processes(products, "maps") == [second])
            await leave(watch)
        await by_hand.stop(products.product("maps"))


@asynccontextmanager
async def left_running(products: Several, name: str) -> AsyncIterator[int]:
    """A gateway whose watcher is gone."""
    async with watching(products.state, [name]) as watch:
        pid = watch.gateways[name].pid
        assert pid is not None
        await leave(watch)
    yield pid


async def leave(watch: Watch) -> None:
    """Be gone as a watcher that was killed."""
    for gateway in watch.gateways.values():
        await gateway.unwatch()
    watch.gateways.clear()


async def test_a_hand_over_that_was_killed_half_way_is_finished(products: Several) -> None:
    """Two serve; the newer one stays."""
    async with left_running(products, "maps") as first, load(products.url("maps")):
        maps = instance(products, "maps")
        (old,) = generations.find([maps])[maps.folder]
        child, _ = await generations.succeed(maps, old)
        await child.unwatch()
        assert child.process is not None
        maps.set_process(None)  # killed before it was recorded, too
        async with watching(products.state, ["maps"]) as watch:
            assert watch.gateways["maps"].pid == child.process.pid
            await until(lambda: processes(products, "maps") == [watch.gateways["maps"].pid])
            await until(lambda: look(first) is None)
            await leave(watch)
    await by_hand.stop(products.product("maps"))


async def test_one_that_hangs_is_replaced(products: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the right process id and start, but does not answer."""
    monkeypatch.setattr(generations, "_SPEAKS_WITHIN", 0.1)
    monkeypatch.setattr(generations, "_ANSWERS_WITHIN", 0.2)
    monkeypatch.setattr(generations, "_ENDS_WITHIN", 0.1)
    async with left_running(products, "maps") as hangs:
        os.kill(hangs, signal.SIGSTOP)
        async with watching(products.state, ["maps"]) as watch:
            assert watch.gateways["maps"].pid != hangs
            assert (await get(products.url("maps"))).text == "ok"
            assert processes(products, "maps") == [watch.gateways["maps"].pid]


async def test_one_that_hangs_while_it_is_watched_is_started_again(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before several questions in a row had no answer."""
    monkeypatch.setattr(running, "_WORK", ((0.05, running._follow), (0.05, running._ask)))
    monkeypatch.setattr(watched, "_ANSWERS_WITHIN", 0.2)
    async with watching(products.state, ["maps"]) as watch:
        maps, first = watch.gateways["maps"], watch.gateways["maps"].pid or 0
        os.kill(first, signal.SIGSTOP)
        await asyncio.sleep(0.3)
        os.kill(first, signal.SIGCONT)
        await asyncio.sleep(0.3)
        assert (maps.pid, maps.restarts) == (first, 0)

        os.kill(first, signal.SIGSTOP)
        await until(lambda: maps.restarts == 1)
        await until(lambda: processes(products, "maps") == [maps.pid])
        assert look(first) is None


async def test_one_that_hangs_and_is_restarted_by_hand_has_one_successor(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches it starts none beside that."""
    monkeypatch.setattr(generations, "_SPEAKS_WITHIN", 0.1)
    monkeypatch.setattr(generations, "_ANSWERS_WITHIN", 0.2)
    monkeypatch.setattr(generations, "_ENDS_WITHIN", 0.1)
    async with watching(products.state, ["maps"]) as watch:
        maps = watch.gateways["maps"]
        os.kill(maps.pid or 0, signal.SIGSTOP)
        made = await by_hand.restart(products.product("maps"))
        await until(lambda: maps.pid == made.pid)
        await by_hand.dismiss(products.product("maps"), made)
        assert processes(products, "maps") == [made.pid]


async def test_a_damaged_record_is_written_anew_and_the_gateway_stays_watched(products: Several) -> None:
    """Whoever breaks into a gateway may write to its folder."""
    async with watching(products.state, ["maps"]) as watch:
        maps = watch.gateways["maps"]
        for damage in ("{", "[" * 100_000, None):
            first, record = maps.pid, maps.instance.folder / "process.json"
            if damage:
                record.write_text(damage)
            else:
                record.unlink()
                (record / "a folder").mkdir(parents=True)
            await until(lambda: not generations.is_damaged(maps.instance))
            os.kill(first or 0, signal.SIGKILL)
            await until(lambda old=first: maps.pid not in (None, old))  # type: ignore[misc]


async def test_a_hand_over_to_one_without_a_certificate_does_not_happen(tmp_path: Path) -> None:
    """It serves on with what it has in memory. Where there is no better one it is told, until it is mended."""
    (tls := tmp_path / "tls").mkdir()
    Authority(tls, "ca").issue("own", LOOPBACK)
    good = (tls / "own.pem").read_bytes()

    def replace_certificate(content: bytes) -> None:
        (tls / "draft").write_bytes(content)
        (tls / "draft").replace(tls / "own.pem")

    async with several(tmp_path) as products:
        products.ports["maps"] = products.spare
        await products.publish("maps", tls=ListenTls(certificate=f"{tls}/own.pem", key=f"{tls}/own.key"))
        maps = products.product("maps")
        async with watching(products.state, ["maps"], own_users=False) as watch:
            first = watch.gateways["maps"].pid
            replace_certificate(b"garbage")
            with pytest.raises(Refused, match=r"certificate chain from .*own\.pem"):
                await by_hand.restart(maps)
            (old,) = generations.find([maps.instance()])[maps.instance().folder]
            with pytest.raises(ChildError, match=r"can't load .*own\.pem"):  # had it been broken a moment later
                await generations.succeed(maps.instance(), old)
            assert processes(products, "maps") == [first] == [watch.gateways["maps"].pid]
            assert [one.state for one in await standings([maps])] == [SERVES]

            os.kill(first or 0, signal.SIGKILL)
            await until(lambda: watch.gateways["maps"].restarts == 1)
            await until(lambda: generations.recorded(maps.instance()).process.pid != first)  # type: ignore[union-attr]
            (now,) = await standings([maps])
            assert now.state == NO_CERTIFICATE
            assert now.drift[0] == f"{tls}/own.pem: Envoy could not load it or its pair"

            replace_certificate(good)
            async with asyncio.timeout(5):
                while (now := (await standings([maps]))[0]).state != SERVES:
                    await asyncio.sleep(0.05)
            assert now.drift == ()


async def test_one_that_is_stopped_by_hand_stays_so_until_it_is_restarted(products: Several) -> None:
    """While it is watched, and the others go on."""
    async with watching(products.state, ["maps", "parking"]) as watch:
        maps, first = watch.gateways["maps"], watch.gateways["maps"].pid
        assert await by_hand.stop(products.product("maps")) == [first]
        await until(lambda: maps.pid is None)
        assert await by_hand.stop(products.product("maps")) == []
        assert (await get(products.url("parking"))).text == "ok"

        made = await by_hand.restart(products.product("maps"))
        await until(lambda: maps.pid == made.pid)
        assert made.before == ()
        assert (await get(products.url("maps"))).text == "ok"
    assert processes(products, "maps") == []


async def test_an_address_that_somebody_else_has_is_told_with_who_has_it(products: Several) -> None:
    """Also where both would share it, which Envoy would do silently. The others run."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind((LOOPBACK, products.ports["maps"]))
        taken.listen()
        async with watching(products.state, products.names) as watch:
            assert watch.gateways.keys() == {"charging", "parking"}
            assert f"{LOOPBACK}:{products.ports['maps']} is taken by process {os.getpid()} (" in watch.broken["maps"]
            assert processes(products, "maps") == []
        with pytest.raises(Refused, match=f"is taken by process {os.getpid()}"):
            async with watching(products.state, ["maps"]):
                pass


async def test_what_is_broken_keeps_no_other_from_running(tmp_path: Path) -> None:
    """Be it damaged, never published, or at the address of another."""
    async with several(tmp_path, "charging", "maps", "parking") as products:
        release = products.product("charging").folder / "releases/1.json"
        release.chmod(0o600)
        release.write_text("{")
        release = products.product("parking").folder / "releases/1.json"
        release.chmod(0o600)
        release.write_text(release.read_text().replace(str(products.ports["parking"]), str(products.spare)))
        with socket.create_server((LOOPBACK, products.spare)):
            (products.state.folder / "other").mkdir()
            (products.state.folder / "other/live.json").write_text("{")
            async with watching(products.state, [*products.names, "other", "unknown"], newcomers=True) as watch:
                assert watch.gateways.keys() == {"maps"}
        assert "was damaged" in watch.broken["charging"]
        assert "live.json was damaged" in watch.broken["other"]
        assert f"{products.spare} is taken by process {os.getpid()}" in watch.broken["parking"]
        assert "unknown is not published here" in watch.broken["unknown"]


async def test_too_few_inotify_instances_are_told_before_any_is_started(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy would end as it starts."""
    monkeypatch.setattr(inotify, "limit", lambda: 128)
    monkeypatch.setattr(inotify, "in_use", lambda users: dict.fromkeys(users, 128 - inotify.SPARE - 8))

    with pytest.raises(Refused, match=r"9 inotify instances are needed .* sysctl -w fs\.inotify\.max"):
        async with watching(products.state, products.names, own_users=False):
            pass
    assert [processes(products, name) for name in products.names] == [[], [], []]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counted where there is /proc")
async def test_an_envoy_takes_as_many_inotify_instances_as_is_reckoned(tmp_path: Path) -> None:
    """With everything that one can follow: clusters, listeners, routes, and the token check."""
    async with charging(tmp_path) as product:
        await product.publish()
        async with watching(product.state, ["charging"]) as watch:
            taken = inotify.of(watch.gateways["charging"].pid or 0)

        assert taken == inotify.needed(product.instance.files()) == 4


async def test_a_key_that_the_issuer_withdraws_is_refused_soon(tmp_path: Path) -> None:
    """Whoever watches the gateway brings it the keys as they are now."""
    async with charging(tmp_path) as product:
        await product.publish()
        product.signer.publish(product.jwks, "second")  # since then, while nothing ran
        token = product.bearer("second")
        async with watching(product.state, ["charging"]):
            assert (await product.get("/sessions/7", **token)).status_code == 200

            product.signer.publish(product.jwks, "first")
            async with asyncio.timeout(5):
                while (await product.get("/sessions/7", **token)).status_code != 401:
                    await asyncio.sleep(0.1)


async def test_logs_are_kept_short_and_no_line_is_lost(products: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    """Envoy goes on in a new file."""
    monkeypatch.setattr(logs, "LARGEST", 1500)  # three lines or four
    monkeypatch.setattr(running, "_WORK", ((0.1, running._shorten_logs),))
    log = instance(products, "maps").folder / logs.ACCESS
    for file in log.parent.glob(f"{logs.ACCESS}*"):
        file.unlink()
    async with watching(products.state, ["maps"]):
        for count in (5, 10):
            for _ in range(5):
                await get(products.url("maps"))
            await until(lambda wanted=count: len(logs.last_lines(log, 100)) == wanted)  # type: ignore[misc]
        assert log.with_name("access.log.1").exists()


async def test_a_gateway_starts_with_what_is_live_whoever_was_at_its_files(products: Several) -> None:
    """A file that was changed or removed while nothing ran is as it was published."""
    maps = instance(products, "maps")
    before = maps.files()
    maps.write("cds.json", b"{}")
    maps.remove("bootstrap.json")

    async with watching(products.state, ["maps"]):
        assert maps.files() == before
        assert (await get(products.url("maps"))).text == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start programs as others")
async def test_as_root_each_gateway_is_a_user_of_its_own() -> None:
    """With a folder that no other gateway may open; it keeps its user, also when it is started again."""
    # Not pytest's folder, which is for its owner alone.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        async with several(Path(folder), "maps", "parking") as products:
            await own_users_are_kept(products)


async def own_users_are_kept(products: Several) -> None:
    async with watching(products.state, ["maps", "parking"]) as watch:
        maps, parking = watch.gateways["maps"], watch.gateways["parking"]
        assert {maps.user, parking.user} < set(users.NUMBERS)
        assert maps.user != parking.user
        status = Path(f"/proc/{maps.pid}/status").read_text()
        assert f"Uid:\t{maps.user}\t{maps.user}\t{maps.user}" in status
        assert "Groups:\t \n" in status
        folder = instance(products, "maps").folder
        assert {path.lstat().st_uid for path in (folder, *folder.iterdir())} == {maps.user}
        os.kill(maps.pid or 0, signal.SIGKILL)
        await until(lambda: maps.restarts == 1)
        await products.publish("maps", stats=Address(LOOPBACK, products.spare))
        assert {path.lstat().st_uid for path in folder.iterdir() if path.suffix == ".json"} == {maps.user}
        kept = maps.user
    async with watching(products.state, ["maps"]) as watch:
        assert watch.gateways["maps"].user == kept
    async with watching(products.state, ["maps"], own_users=False) as watch:
        assert watch.gateways["maps"].user == 0
        assert {path.lstat().st_uid for path in folder.iterdir()} == {0}


async def test_what_is_published_later_is_started_and_what_is_retired_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what could not run at first; and what begins again under its old name."""
    monkeypatch.setattr(running, "_NEWCOMERS_EVERY", 0.1)
    async with several(tmp_path, "maps") as products:
        products.ports["parking"] = products.spare
        async with watching(products.state, ["maps"], newcomers=True) as watch:
            with socket.create_server((LOOPBACK, products.spare)):
                await products.publish("parking")
                await until(lambda: "parking" in watch.broken)
            await until(lambda: watch.gateways["parking"].pid if "parking" in watch.gateways else None)
            assert watch.broken == {}

            await retire(products.product("parking"), stop=True, now=NOW)
            await until(lambda: "parking" not in watch.gateways)
            await products.publish("parking")
            await until(lambda: watch.gateways["parking"].pid if "parking" in watch.gateways else None)
            assert (await get(products.url("parking"))).text == "ok"
        assert processes(products, "parking") == []


async def test_nothing_is_watched_where_nothing_can_run(products: Several) -> None:
    """The reason is told."""
    with pytest.raises(Refused, match="unknown is not published here"):
        async with watching(products.state, ["unknown"]):
            pass
    with pytest.raises(Refused, match="no product"):
        async with watching(products.state, []):
            pass
