"""Which failures have a right to be, and what becomes of a scene that goes otherwise than it is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from outrider.cli.bench.death import Death
from outrider.cli.bench.http_load import Request, Traffic
from outrider.cli.gateway.demo import scene
from outrider.cli.gateway.demo.cast import CHARGING, MAPS, Draft
from outrider.cli.gateway.demo.scene import NotAsTold, Play, perform
from outrider.cli.gateway.own import Own

ASKED = Request("http://127.0.0.1:9000/v1/regions")


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A play on an empty stage."""
    own = Own(tmp_path / "products", tmp_path / "environment.yaml", tmp_path / "state", tmp_path / "log")
    return Play(own, {}, {CHARGING: Traffic(), MAPS: Traffic()}, Draft(openapi="", product=""))


def test_only_the_dead_may_fail_and_only_while_they_are_dead(play: Play) -> None:
    """Requests that were due before it was back; not those of another gateway, and not those of a later moment."""
    now = monotonic()
    play.deaths[MAPS] = Death(killed=now - 1, gone=now - 0.9, back=now + 1)
    play.loads[MAPS].fail(now, ASKED, "not connected: Connection refused")
    play.loads[MAPS].fail(now + 2, ASKED, "status 503")
    play.loads[CHARGING].fail(now, ASKED, "status 503")

    assert play.not_excused() == [
        "charging: GET /v1/regions: status 503",
        "map-updates: GET /v1/regions: status 503",
    ]
    assert len(play.not_excused(MAPS)) == 1


def test_what_failed_before_the_death_is_not_excused_by_it(play: Play) -> None:
    """It had no right to be."""
    play.loads[MAPS].fail(monotonic(), ASKED, "status 503")
    play.deaths[MAPS] = Death(killed=monotonic(), gone=monotonic(), back=monotonic() + 1)

    assert len(play.not_excused()) == 1


def _scenes(monkeypatch: pytest.MonkeyPatch, *scenes: Callable[[Play], str]) -> None:
    def awaited(told: Callable[[Play], str]) -> scene.Scene:
        async def played(play: Play) -> str:
            await asyncio.sleep(0)
            return told(play)

        return played

    monkeypatch.setattr(scene, "CALM", 0.0)
    monkeypatch.setattr(scene, "SCENES", tuple((f"scene {n}", awaited(told)) for n, told in enumerate(scenes, 1)))


async def test_a_scene_that_goes_wrong_is_named_and_the_others_are_played(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one in which a request fails, whatever it says of itself."""

    def fails(play: Play) -> str:
        raise NotAsTold("it was not refused")

    def loses_a_request(play: Play) -> str:
        play.loads[CHARGING].fail(monotonic(), ASKED, "status 500")
        return "no request failed"

    _scenes(monkeypatch, fails, loses_a_request, lambda play: "all is well")
    shown: list[list[bool | None]] = []
    wrong = await perform(play, monotonic(), lambda: shown.append([act.good for act in play.acts]))

    assert wrong == [
        "scene 1: it was not refused",
        "scene 2: 1 requests failed: charging: GET /v1/regions: status 500",
    ]
    assert shown == [[None], [False], [False, None], [False, False], [False, False, None], [False, False, True]]
    assert play.acts[2].told == "all is well"
