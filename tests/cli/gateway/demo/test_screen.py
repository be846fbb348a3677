"""How the demo of gateways looks, with and without a terminal."""

from typing import Any

import pytest
from rich.console import Console

from outrider.cli.gateway.demo.scene import Act
from outrider.cli.gateway.demo.screen import Lines, Row, document, summary, table


def _row(**differs: Any) -> Row:
    ordinary: dict[str, Any] = {
        "name": "map-updates",
        "owner": "team-maps",
        "at": "127.0.0.1:9002",
        "release": 1,
        "asked": 1200,
        "failed": 0,
        "excused": 0,
        "p50": 0.9,
        "p99": 4.25,
    }
    return Row(**(ordinary | differs))


def test_the_table_tells_each_products_requests_failures_and_latency() -> None:
    """In a hundred columns; a product that nobody asked yet has no latency."""
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table([_row(), _row(name="charging", asked=0, p50=None, p99=None)]))
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]

    assert lines == [
        "PRODUCT OWNER GATEWAY RELEASE REQUESTS FAILED P50 P99",
        "map-updates team-maps 127.0.0.1:9002 1 1200 0 0.9 ms 4.2 ms",
        "charging team-maps 127.0.0.1:9002 1 0 0",
    ]


def test_without_a_terminal_each_act_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """When it begins, and what became of it, line by line."""
    screen, act = Lines(), Act(text="kill -9 the gateway", at=3.14)
    screen.show([act], [])
    screen.show([act], [])
    act.told, act.good = "it is back\nthe others did not notice", True
    screen.show([act], [])
    screen.show([act], [])

    assert capsys.readouterr().out.splitlines() == [
        "  3.1 s  kill -9 the gateway",
        "         it is back",
        "         the others did not notice",
    ]


def test_the_last_lines_say_what_failed_and_whether_it_could() -> None:
    """Requests to a dead gateway may fail; that is said with their number."""
    calm, death = summary([_row()], 9.0, []), summary([_row(failed=7, excused=7), _row()], 9.0, [])
    wrong = summary([_row(failed=7)], 9.0, ["charging: GET /: status 503"])

    assert calm[1:] == ["1200 requests in 9.0 s, none failed.", calm[-1]]
    assert "No gateway noticed" in calm[-1]
    assert death[1] == "2400 requests in 9.0 s, 7 failed: all 7 came to the gateway that was dead at that moment."
    assert wrong[-1] == "  charging: GET /: status 503"


def test_the_document_says_all_of_it() -> None:
    """Products, acts, and whether all went as told."""
    said = document([Act(text="a", at=1.0, told="b", good=True)], [_row()], 9.0004, [])

    assert said["as_told"] is True
    assert said["seconds"] == 9.0
    assert said["products"][0]["p99"] == 4.25
    assert said["acts"] == [{"text": "a", "at": 1.0, "took": 0.0, "told": "b", "good": True}]
    assert document([], [], 1.0, ["x"])["as_told"] is False
