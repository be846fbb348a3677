"""What the command line says of itself."""

import shlex
import subprocess
import sys

import pytest
from typer.main import get_command

from outrider.cli import application, sim
from outrider.cli.reference_commands import examples, leaves
from outrider.cli.vehicle import RISKS
from outrider.domain.catalog import Risk
from outrider.simulator.behaviour import BEHAVIOURS

COMMANDS = {" ".join(path): command for path, command in leaves(get_command(application()))}
HEAVY = ("nats", "gmqtt", "sqlite3", "httpx", "jwt", "starlette", "uvicorn", "rich", "structlog", "yaml")


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(words: str) -> None:
    """An example in the help is a command line that the program understands."""
    command = COMMANDS[words]

    assert command.help
    assert examples(command)
    for example in examples(command):
        own = shlex.split(example.partition(" > ")[0])[len(words.split()) :]
        assert example.startswith(words)
        assert command.make_context(words, own)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_says_what_it_is_for(words: str) -> None:
    """No parameter is left to guessing."""
    assert all(param.help for param in COMMANDS[words].params if not getattr(param, "hidden", False))


def test_the_help_loads_nothing_heavy() -> None:
    """`outrider --help` comes at once, for it loads no NATS, no store and no HTTP."""
    probe = (
        "import sys; from outrider.cli import application\n"
        "try: application()(['--help'], prog_name='outrider')\n"
        f"finally: print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert said.stderr.strip() == ""
    assert "Usage: outrider" in said.stdout


def test_the_words_in_the_help_are_those_of_the_program() -> None:
    """Risk classes and behaviours are named in the help without loading what defines them; they are the same."""
    assert tuple(Risk) == RISKS
    assert set(sim.BEHAVIOURS) == set(BEHAVIOURS)
