"""The reference pages in docs/ are what the program itself says."""

from pathlib import Path

import pytest

from outrider.adapters.catalog_files import load
from outrider.adapters.openapi import openapi_document, openapi_template
from outrider.cli.reference import PAGES, catalog_markdown
from outrider.cli.reference_commands import cli_markdown
from outrider.cli.reference_lifecycle import lifecycle_markdown
from outrider.cli.reference_product import PRODUCT, product_openapi
from outrider.common.yaml_positions import read_yaml
from outrider.domain.lifecycle import TRANSITIONS, State

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_the_program_says(page: str) -> None:
    """No reference page lags behind the program; `python -m outrider.cli.reference docs` writes them anew."""
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page]()


def test_the_product_of_our_own_api_is_what_the_api_says() -> None:
    """products/remote-services/openapi.yaml is the document that a platform with the shipped catalog serves."""
    written = PRODUCT.read_text(encoding="utf-8")

    assert written == product_openapi()
    assert read_yaml(written.encode()).data == openapi_document(openapi_template(), load())


def test_every_service_and_model_has_its_section() -> None:
    """Nothing in the catalog goes undocumented."""
    page, catalog = catalog_markdown(load()), load()

    assert all(f"\n### {name}\n" in page for name in (*catalog.services, *catalog.models))


def test_every_transition_is_in_the_picture() -> None:
    """The picture of the lifecycle shows each arrow of the table, and no other."""
    picture = lifecycle_markdown().split("```")[1]
    drawn = {tuple(line.strip().split(": ")[0].split(" --> ")) for line in picture.splitlines() if " --> " in line}
    table = {(state, then) for state, events in TRANSITIONS.items() for then in events.values()}

    assert {arrow for arrow in drawn if "[*]" not in arrow} == table
    assert {state for state, end in drawn if end == "[*]"} == {state for state in State if not TRANSITIONS[state]}


def test_every_exit_code_is_documented() -> None:
    """A script's author finds each number that the program can end with."""
    assert all(f"\n| {code} | " in cli_markdown() for code in (0, 1, 2, 3, 4, 5, 130))
