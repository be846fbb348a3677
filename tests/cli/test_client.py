"""How a platform and a token are found, and what is said where they are not."""

import http.server
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outrider.adapters.dev_key import make_dev_key, mint
from outrider.cli.client import OPERATOR, path, person_of
from outrider.common.ports import LOOPBACK, free_ports
from tests.cli.conftest import Running
from tests.cli.outrider import outrider


def test_without_a_platform_it_is_said_how_to_start_one(tmp_path: Path) -> None:
    """Exit code 3, and nothing is made in the folder that was named."""
    said = outrider("vehicle", "list", "--data", tmp_path / "none")

    assert (said.code, said.out) == (3, "")
    assert said.err == f"No platform is running for {tmp_path / 'none'}: start one with `outrider up`\n"
    assert not list(tmp_path.iterdir())


def test_a_platform_that_was_killed_is_not_running(tmp_path: Path) -> None:
    """What it left in its folder leads nowhere, and the words are the same."""
    make_dev_key(tmp_path / "keys")
    (port,) = free_ports(1)
    (tmp_path / "platform.json").write_text(f'{{"pid": 1, "api": "http://{LOOPBACK}:{port}", "mqtt": null}}')

    said = outrider("vehicle", "list", "--data", tmp_path)

    assert said.code == 3
    assert "start one with `outrider up`" in said.err


def test_a_platform_elsewhere_needs_a_token(tmp_path: Path) -> None:
    """Without the platform's own folder there is no key to make one with."""
    said = outrider("vehicle", "list", "--url", "http://127.0.0.1:1", "--data", tmp_path)

    assert said.code == 3
    assert "OUTRIDER_TOKEN" in said.err


def test_an_address_where_nobody_is(tmp_path: Path) -> None:
    """Exit code 3, with the address that was tried."""
    (port,) = free_ports(1)

    said = outrider("vehicle", "list", "--url", f"http://{LOOPBACK}:{port}", "--token", "t", "--data", tmp_path)

    assert said.code == 3
    assert f"No platform answers at http://{LOOPBACK}:{port}" in said.err


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1", "http://[::1"])
def test_what_is_no_address(url: str) -> None:
    """Exit code 3 and a sentence, whatever was typed."""
    said = outrider("vehicle", "list", "--url", url, "--token", "t")

    assert said.code == 3
    assert len(said.err.splitlines()) == 1


@contextmanager
def serving(
    handler: Any, server: type[http.server.HTTPServer] = http.server.ThreadingHTTPServer, at: Any = (LOOPBACK, 0)
) -> Iterator[str]:
    """A web server in a thread; its address."""
    with server(at, handler) as serves:
        thread = threading.Thread(target=serves.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://{LOOPBACK}:{getattr(serves, 'server_port', 0)}"
        serves.shutdown()
        thread.join()


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is no platform."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/v1/vehicles") else 404)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Page) as url:
        yield url


@pytest.mark.parametrize(("words", "code"), [(["vehicle", "list"], 3), (["catalog", "list"], 1)])
def test_a_stranger_at_the_address_is_no_platform(stranger: str, words: list[str], code: int) -> None:
    """Another server's page is no answer of a platform."""
    said = outrider(*words, "--url", stranger, "--token", "t")

    assert said.code == code
    assert stranger in said.err


class Limited(http.server.BaseHTTPRequestHandler):
    """A gateway that refuses the first two requests, and says `code`."""

    code = "person_limit"
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        refused = self.asked <= 2
        self.send_response(429 if refused else 200)
        self.send_header("Retry-After", "0")
        self.end_headers()
        problem = {"status": 429, "title": "Too many", "code": self.code, "retryable": True}
        self.wfile.write(json.dumps(problem if refused else {"items": [], "next": None}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("code", "exit_code", "asked"), [("person_limit", 0, 3), ("client_limit", 0, 3), ("lane_full", 1, 1)]
)
def test_whom_a_gateway_finds_too_quick_asks_again(code: str, exit_code: int, asked: int) -> None:
    """A limit is waited for, as the gateway says; what the platform itself refuses is not asked for again."""
    gateway = type("Gateway", (Limited,), {"code": code})
    with serving(gateway) as url:
        said = outrider("vehicle", "list", "--url", url, "--token", "t")

    assert (said.code, gateway.asked) == (exit_code, asked)


def test_a_gateway_whose_platform_was_killed(tmp_path: Path) -> None:
    """It answers for itself; for whoever asks, no platform is running."""

    class Gateway(Limited):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b'{"status": 503, "title": "The service can\'t be reached", "code": "not_reached"}')

    make_dev_key(tmp_path / "keys")
    with serving(Gateway) as url:
        (tmp_path / "platform.json").write_text(json.dumps({"pid": 1, "api": url, "mqtt": None}))
        said = outrider("vehicle", "list", "--data", tmp_path)
        elsewhere = outrider("vehicle", "list", "--url", url, "--token", "t")

    assert (said.code, elsewhere.code) == (3, 1)
    assert "start one with `outrider up`" in said.err
    assert "can't be reached" in elsewhere.err


def test_behind_tls_the_platforms_own_way_is_taken(tmp_path: Path) -> None:
    """The certificate is for a name that this machine need not know, so the folder's own socket is used."""
    make_dev_key(tmp_path / "keys")
    api = tmp_path / "api.sock"

    class Api(http.server.ThreadingHTTPServer):
        address_family = socket.AF_UNIX

        def server_bind(self) -> None:
            socketserver.TCPServer.server_bind(self)

    quick = type("Quick", (Limited,), {"asked": 9, "address_string": lambda self: "here"})
    with serving(quick, Api, str(api)):
        note = {"pid": 1, "api": "https://127.0.0.1:1", "behind": str(api)}
        (tmp_path / "platform.json").write_text(json.dumps(note))
        said = outrider("vehicle", "list", "--data", tmp_path)

    assert said.code == 0, said.err


def test_the_environment_says_which_platform_and_who(running: Running) -> None:
    """OUTRIDER_DATA, OUTRIDER_URL and OUTRIDER_TOKEN stand for the options."""
    token = mint(running.data / "keys", "ada", "commands", 60)

    assert outrider("catalog", "list", OUTRIDER_DATA=str(running.data)).code == 0
    assert outrider("vehicle", "list", "--json", OUTRIDER_URL=running.api, OUTRIDER_TOKEN=token).data == []


@pytest.mark.parametrize(
    ("scopes", "ttl", "words", "complaint"),
    [
        ("commands", 60, ["vehicle", "list", "--all"], "admin"),
        ("commands", -60, ["vehicle", "list"], "expired"),
    ],
)
def test_a_token_that_does_not_do_is_explained(
    running: Running, scopes: str, ttl: float, words: list[str], complaint: str
) -> None:
    """A missing scope or an expired token is the platform's no: 1."""
    said = outrider(*words, "--url", running.api, "--token", mint(running.data / "keys", "ada", scopes, ttl))

    assert said.code == 1
    assert complaint in said.err


def test_whose_token_it_is(tmp_path: Path) -> None:
    """A vehicle that is added is granted to whoever adds it; what is no JWT says nothing about anyone."""
    make_dev_key(tmp_path)

    assert person_of(mint(tmp_path, "ada", "admin", 60)) == "ada"
    assert {person_of(token) for token in ("", "t", "a.b.c", "a.e30.c")} == {OPERATOR}


def test_what_is_typed_stays_one_part_of_the_path() -> None:
    """Nobody reaches another operation by a VIN with a slash in it."""
    assert path("/v1/vehicles/{}", "../admin?x#y") == "/v1/vehicles/..%2Fadmin%3Fx%23y"
