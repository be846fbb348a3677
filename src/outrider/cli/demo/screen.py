"""How the demo looks: a table whose rows change state, or a line for each hop where there is no terminal."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import typer
from rich.table import Table
from rich.text import Text

from outrider.cli.demo.scene import Scene
from outrider.cli.shown import coloured, state_colour, styled
from outrider.cli.terminal import Live

_ROOM_FOR_ALL = 100
"""Columns that the whole table needs; on fewer the model is left out."""
_ROOMY = 107
"""Columns from which there are two blanks between the columns of the table."""


class Screen(Protocol):
    """What the demo needs of a screen: a word on what it is busy with, and the scenes as they now stand."""

    def busy(self, with_what: str, /) -> None: ...
    def show(self, scenes: Sequence[Scene], /) -> None: ...
    def open(self) -> AbstractContextManager[Any]: ...


class Lines:
    """One line for each hop, as it is seen."""

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()

    def open(self) -> AbstractContextManager[Any]:
        """Nothing to open."""
        return nullcontext()

    def busy(self, with_what: str) -> None:
        """Say it."""
        typer.echo(f"{with_what} ...")

    def show(self, scenes: Sequence[Scene]) -> None:
        """Say what is new."""
        for scene in scenes:
            hops = scene.command.get("timeline", [])
            for hop in hops[self._told[scene.car.vin] :]:
                why = hop["reason"] or (scene.command["outcome"] if hop["state"] == scene.state else None)
                said = f"{hop['what']}: {why}" if why else str(hop["what"])
                typer.echo(
                    f"{hop['after']:>7.3f} s  {scene.car.vin}  {scene.car.model:<15}  {scene.role.service:<16}  "
                    f"{scene.play.shown:<15}  {said}{_ending(scene, hop is hops[-1])}"
                )
            self._told[scene.car.vin] = len(hops)


def _ending(scene: Scene, last: bool) -> str:
    return f"  ({verdict(scene)})" if last and scene.settled else ""


def verdict(scene: Scene) -> str:
    """Did it end as its car's behaviour demands? Empty while it is open."""
    if scene.faults:
        return "UNEXPECTED"
    return "as expected" if scene.settled else ""


class Picture(Live):
    """The table in the terminal."""

    def show(self, scenes: Sequence[Scene]) -> None:
        """Draw all rows anew."""
        settled = sum(scene.settled for scene in scenes)
        parts: list[Any] = [Text(headline(scenes), style="bold"), "", table(scenes, self.console.width)]
        if settled < len(scenes):
            self.spinner.update(text=Text(f" {settled} of {len(scenes)} commands are settled"))
            parts += ["", self.spinner]
        self.draw(*parts)


def headline(scenes: Sequence[Scene]) -> str:
    """What there is to see."""
    services, models = ({kind(scene) for scene in scenes} for kind in (_service, _model))
    hard = sum(not scene.obeys for scene in scenes)
    return (
        f"A command of each of {len(services)} services to cars of {len(models)} models, and {hard} that are difficult"
    )


def _service(scene: Scene) -> str:
    return scene.role.service


def _model(scene: Scene) -> str:
    return scene.car.model


def table(scenes: Sequence[Scene], width: int) -> Table:
    """All scenes, for a terminal with so many columns."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2 if width >= _ROOMY else 1, 0, 0), header_style="bold")
    with_model = width >= _ROOM_FOR_ALL
    heads = {"CAR": 4, "MODEL": 15, "SERVICE": 16, "THIS CAR": 15, "STATE": 11, "WHY": 15, "TIME": 6, "ENDED": 11}
    for head, least in heads.items():
        if with_model or head != "MODEL":
            right = "right" if head == "TIME" else "left"
            drawn.add_column(head, min_width=least, justify=right, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for before, scene in zip([None, *scenes], scenes, strict=False):
        if before is not None and before.obeys and not scene.obeys:
            drawn.add_row()
        drawn.add_row(*_row(scene, with_model))
    return drawn


def _row(scene: Scene, with_model: bool) -> list[Any]:
    told = verdict(scene)
    return [
        Text(scene.car.vin[-4:], style="dim"),
        *((scene.car.model,) if with_model else ()),
        scene.role.service,
        Text(scene.play.shown, style="dim" if scene.obeys else "bold"),
        coloured(scene.state) if scene.state else "",
        Text(str(scene.command.get("reason") or scene.command.get("outcome") or ""), style="dim"),
        _duration(scene.seconds),
        Text(told, style="green" if told == "as expected" else "bold red"),
    ]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def summary(scenes: Sequence[Scene], seconds: float, wrong: Sequence[str]) -> list[str]:
    """The last lines: how many ended how, and whether the promise was kept."""
    states = Counter(scene.state for scene in scenes)
    ended = ", ".join(styled(f"{count} {state}", state_colour(state)) for state, count in states.most_common())
    lines = ["", f"{len(scenes)} commands in {seconds:.1f} s: {ended}."]
    lost = sum(not scene.settled for scene in scenes)
    if lost:
        lines.append(styled(f"{lost} LOST: not settled in time.", "red", bold=True))
    if wrong:
        return [*lines, styled("Not as expected:", "red", bold=True), *(f"  {line}" for line in wrong)]
    kept = "None was lost, no car performed one twice, and each ended as its car's behaviour demands."
    return [*lines, styled(kept, "green", bold=True)]
