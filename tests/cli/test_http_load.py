"""The open-loop load: when requests are made, what counts as a failure, and what becomes of broken connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from outrider.cli.bench.alarm import Alarm
from outrider.cli.bench.http_load import Request, Traffic, ask, fire, traffic, until_answered
from outrider.common.ports import free_ports

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
NO = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
CLOSES = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Answer = Callable[[int, bytes], Awaitable[bytes | None]]
"""From the number and the head of a request to the answer; None: the connection is closed without one."""


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server for the time of the block; its URL."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                count += 1
                said = await answer(count, head)
                if said is None:
                    break
                writer.write(said)
                if b"connection: close" in said:
                    break
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/things/1?all=yes"
    finally:
        listening.close()


def always(said: bytes) -> Answer:
    """The same answer to everything."""

    async def answer(count: int, head: bytes) -> bytes:
        return said

    return answer


@pytest.mark.parametrize("said", [OK, CHUNKED, CLOSES, CONTINUE + OK])
async def test_every_request_gets_its_answer(said: bytes) -> None:
    """However the answer is framed, and whether or not the connection stays."""
    async with server(always(said)) as url:
        made = await fire(Request(url), 200, 0.3, connections=3)

    assert made.failures == []
    assert made.asked == made.statuses[200] == len(made.latencies) == len(made.due) > 20


async def test_a_request_says_what_it_was_given() -> None:
    """Method, path with its query, headers and body; the operation's name stays with the counts."""
    heads = asyncio.Queue[bytes]()

    async def answer(count: int, head: bytes) -> bytes:
        heads.put_nowait(head)
        return EMPTY

    async with server(answer) as url:
        ask = Request(url, "POST", headers={"Authorization": "Bearer a"}, expects=(204,), name="makeThing")
        made = await fire(ask, 100, 0.1, connections=1)

    lines = heads.get_nowait().decode().split("\r\n")
    assert lines[0] == "POST /things/1?all=yes HTTP/1.1"
    assert {"authorization: Bearer a", "content-length: 0"} <= set(lines)
    assert made.operations == {("makeThing", 204): made.asked}
    assert made.failed == 0


async def test_an_answer_that_was_not_expected_is_a_failure() -> None:
    """It is counted by its status, and is answered all the same."""
    async with server(always(NO)) as url:
        made = await fire(Request(url), 100, 0.1)

    assert made.failed == made.asked == made.statuses[503]
    assert str(made).endswith(f"{made.asked} failed: {made.asked} x status 503")


async def test_requests_take_turns() -> None:
    """Each operation gets its share."""
    async with server(always(OK)) as url:
        made = await fire([Request(url, name="a"), Request(url, name="b"), Request(url, name="c")], 300, 0.2)

    counts = [made.operations[name, 200] for name in "abc"]
    assert max(counts) - min(counts) <= 1


async def test_who_had_to_wait_for_a_stalled_server_is_counted_as_late() -> None:
    """Latency counts from when a request was due, not from when a connection was free for it."""

    async def stalls_at_first(count: int, head: bytes) -> bytes:
        await asyncio.sleep(0.3 if count == 1 else 0)
        return OK

    async with server(stalls_at_first) as url, traffic(Request(url), 100, connections=1, even=True) as made:
        await asyncio.sleep(0.3)

    waited = sorted(made.latencies)
    assert made.failed == 0
    assert waited[-1] >= 0.3
    assert sum(seconds > 0.1 for seconds in waited) >= 10


async def test_a_connection_that_breaks_takes_one_request_with_it() -> None:
    """It is said when and how; the next request opens it anew."""

    async def breaks_at_third(count: int, head: bytes) -> bytes | None:
        return None if count == 3 else OK

    async with server(breaks_at_third) as url:
        made = await fire(Request(url), 100, 0.3, connections=1)

    [failure] = made.failures
    assert failure.why == "connection closed before the answer"
    assert failure.due <= failure.at
    assert made.statuses[200] == made.asked - 1 > 5


async def test_an_answer_that_breaks_off_is_none() -> None:
    """Nor is one that is not HTTP."""

    async def half(count: int, head: bytes) -> bytes:
        return (
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nok" if count == 1 else b"hello\r\n\r\n"
        )

    async with server(half) as url:
        made = await fire(Request(url), 100, 0.1, connections=1)

    assert [failure.why for failure in made.failures][:2] == [
        "connection closed in the middle of the answer",
        "an answer that is not HTTP",
    ]
    assert made.failed == made.asked


async def test_where_nobody_listens_every_request_fails_at_its_time() -> None:
    """And those after somebody does are answered."""
    [port] = free_ports(1)

    async with traffic(Request(f"http://127.0.0.1:{port}/"), 200, connections=2) as made:
        await _until(lambda: made.failed >= 5)
        refused = {failure.why for failure in made.failures}
        reader = await asyncio.start_server(_answers, "127.0.0.1", port)
        await _until(lambda: made.statuses[200] >= 5)
    reader.close()

    assert refused == {"not connected: Connection refused"}


async def test_a_request_without_an_answer_fails_in_time() -> None:
    """Those that waited behind it fail too, and the load ends."""

    async def never(count: int, head: bytes) -> bytes:
        await asyncio.sleep(10)
        return OK

    async with server(never) as url, traffic(Request(url), 50, connections=1, within=0.2) as made:
        await asyncio.sleep(0.2)

    assert made.failed == made.asked
    assert {failure.why for failure in made.failures} <= {"no answer in time", "no connection was free in time"}


async def test_an_alarm_rings_at_the_moment_it_was_set_for_last() -> None:
    """Not at one before, and not after it was closed."""
    rung: list[float] = []
    now = asyncio.get_running_loop().time
    alarm = Alarm(lambda: rung.append(now()))
    at = now() + 0.05
    alarm.set(now() + 10)
    alarm.set(at)
    await _until(lambda: rung != [])
    alarm.set(now() + 0.02)
    alarm.close()
    await asyncio.sleep(0.05)

    assert len(rung) == 1
    assert rung[0] >= at - 0.002


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)
    writer.close()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def test_nothing_made_is_nothing_failed() -> None:
    """An empty record is in order."""
    assert str(Traffic()) == "0 requests, 0 failed"


async def test_one_request_can_be_asked_until_it_is_answered_as_expected() -> None:
    """Where it never is, the error says what came last."""

    async def at_first_no(count: int, head: bytes) -> bytes:
        return NO if count < 3 else OK

    [port] = free_ports(1)
    async with server(at_first_no) as url:
        await until_answered(Request(url), within=5, every=0.01)
        assert await ask(Request(url)) == 200
    async with server(always(NO)) as url:
        with pytest.raises(TimeoutError, match="its last answer was 503"):
            await until_answered(Request(url), within=0)
    assert await ask(Request(f"http://127.0.0.1:{port}/")) == 0
