"""What the pages for people say can be done as it stands there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from outrider.cli import application
from outrider.cli.reference_commands import leaves
from outrider.gateway.compile import FILTERS, compile_product
from outrider.gateway.environment import Placement
from outrider.gateway.product import Product
from outrider.gateway.reading import Read, read_product

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/gateway.md", "docs/linting.md", "docs/governance.md")
GATEWAY = (ROOT / "docs/gateway.md").read_text(encoding="utf-8")
COMMANDS = dict(leaves(get_command(application())))
MAKE = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def blocks(page: str) -> Iterator[str]:
    """The code blocks of a page."""
    yield from re.findall(r"^```\w*\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def commands(page: str) -> Iterator[tuple[str, ...]]:
    """Every command line in them that begins with our program, as words."""
    for line in "\n".join(blocks(page)).splitlines():
        words = shlex.split(line.partition(" > ")[0], comments=True)
        if words and words[0] in ("outrider", ".venv/bin/outrider"):
            yield tuple(words[1:])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_one_that_the_program_understands(page: str) -> None:
    """Nobody pastes a command that is not there, or an option that it does not have."""
    for words in commands(page):
        own = next((words[:length] for length in (2, 1) if words[:length] in COMMANDS), None)
        if own is None:
            assert words == ("--help",), words
        else:
            assert COMMANDS[own].make_context(" ".join(own), list(words[len(own) :]))


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_is_there(page: str) -> None:
    """In code blocks and in the text."""
    text = (ROOT / page).read_text(encoding="utf-8")

    assert set(re.findall(r"(?:^|`|=\w+ )make ([a-z-]+)", text, re.M)) <= MAKE


@pytest.mark.parametrize("page", [*PAGES, "ARCHITECTURE.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    """To a file that is there."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_filters_are_told_in_the_order_in_which_they_stand() -> None:
    """What a request meets first is told first, and no filter is left out."""
    told = re.findall(r"\(`([\w.-]+)`\)", GATEWAY.partition("## What a request meets")[2].partition("###")[0])

    assert told == [one.name for one in FILTERS]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The example on the page, with a document that fits and empty files where it names some."""
    for block in blocks("docs/gateway.md"):
        if (first := block.splitlines()[0]).startswith("# ") and first.endswith(".yaml"):
            file = tmp_path / first.removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block)
    for name in ("parking.pem", "parking.key", "internal.pem"):
        (tmp_path / "environments" / name).touch()
    operations = {name: {"get": {"operationId": name}} for name in ("waitForSpace", "exportSessions")}
    document = {
        "openapi": "3.1.0",
        "security": [{"token": ["parking:read"]}],
        "paths": {f"/{name}": item for name, item in operations.items()},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    (tmp_path / "products/parking/openapi.yaml").write_text(yaml.safe_dump(document))
    return read_product(tmp_path / "products/parking", tmp_path / "environments/local.yaml")


def test_the_example_of_a_product_compiles(read: Read) -> None:
    """Both files as they are printed."""
    assert isinstance(read.product, Product)
    assert isinstance(read.placement, Placement)
    assert compile_product(read.product, read.placement, read.operations)
