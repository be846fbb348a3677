"""What the screens of both demos have in common: nothing at all for programs, or a picture that is drawn anew."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich import live
from rich.console import Console, Group, RenderableType
from rich.spinner import Spinner
from rich.text import Text


class Silence:
    """For programs that only want the document."""

    def busy(self, with_what: str, /) -> None:
        """Nothing."""

    def show(self, *_: object) -> None:
        """Nothing."""

    def open(self) -> AbstractContextManager[Any]:
        """Nothing to open."""
        return nullcontext()


class Live:
    """A picture in the terminal, and something that turns."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False)
        self.spinner = Spinner("dots", style="cyan")
        self._live = live.Live(console=self.console, auto_refresh=True, refresh_per_second=10)

    def open(self) -> AbstractContextManager[Any]:
        """From here to its end the picture is shown; its last state stays."""
        return self._live

    def busy(self, with_what: str, /) -> None:
        """Say it beside something that turns."""
        self.spinner.update(text=Text(f" {with_what} ..."))
        self._live.update(self.spinner)

    def draw(self, *parts: RenderableType) -> None:
        """The picture, from above to below."""
        self._live.update(Group(*parts))
