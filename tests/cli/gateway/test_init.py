"""`outrider gateway init`: a new product whose files are right at once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from outrider.adapters.dev_key import make_dev_key
from outrider.gateway.compile import compile_product
from outrider.gateway.reading import find_environment, read_product
from tests.cli.outrider import Said, outrider
from tests.gateway.written import OPENAPI, read_all


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, in which git knows nobody."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*words: str | Path, **environment: str) -> Said:
    return outrider("gateway", "init", *words, **environment)


def files(folder: Path) -> dict[str, bytes]:
    """All that is in a folder."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_a_new_product_compiles_at_once(here: Path) -> None:
    """Folder, environment and development keys; what to do next is said."""
    said = init("car-wash", "--owner", "team-wash")
    found = read_product(Path("products/car-wash"), find_environment(Path("products"), "local"))

    assert said.code == 0
    assert "outrider gateway up products" in said.err
    assert "outrider token ada --audience car-wash --scope car-wash:read" in said.err
    assert found.product.owner == "team-wash"
    assert {operation.public for operation in found.operations} == {True, False}
    assert compile_product(found.product, found.placement, found.operations)
    assert sorted(files(here)) == [
        ".outrider/keys/.gitignore",
        ".outrider/keys/jwks.json",
        ".outrider/keys/token-key.pem",
        "environments/local.yaml",
        "products/car-wash/openapi.yaml",
        "products/car-wash/product.yaml",
    ]


def test_a_second_product_gets_addresses_of_its_own(here: Path) -> None:
    """The environment is the operator's: what belongs there is printed, and works once it is there."""
    init("garages")
    said = init("washing")
    with Path("environments/local.yaml").open("a") as file:
        file.write(said.out)

    assert said.code == 0
    assert "environments/local.yaml is there already; add to its products:" in said.err
    placements = [each.placement for each in read_all(here / "products", here / "environments/local.yaml")]
    assert len({placement.listen for placement in placements}) == 2


def test_a_product_can_begin_with_a_document(here: Path) -> None:
    """It is taken as it is, JSON too; the scopes of the example of a token are its own."""
    Path("api.yaml").write_text(OPENAPI)
    Path("api.json").write_text(
        '{"openapi": "3.0.3", "security": [], "paths": {"/": {"get": {"operationId": "home"}}}}'
    )

    assert "--scope parking:read" in init("parking", "--from", "api.yaml").err
    assert init("home", "--from", "api.json").err.rstrip().endswith("--audience home")
    assert Path("products/parking/openapi.yaml").read_text() == OPENAPI
    assert Path("products/home/openapi.json").read_text() == Path("api.json").read_text()


def test_a_document_that_cannot_be_served_makes_no_product(here: Path) -> None:
    """Its faults are told, and nothing is written."""
    Path("api.yaml").write_text(OPENAPI.replace("3.1.0", "2.0"))

    said = init("parking", "--from", "api.yaml")

    assert (said.code, said.out) == (1, "")
    assert said.err == "api.yaml:1:1: openapi: this version is not known; 3.0 and 3.1 are read, written as 3.1.0\n"
    assert init("parking", "--from", "nowhere.yaml").err == "nowhere.yaml:1:1: there is no such file\n"
    assert list(files(here)) == ["api.yaml"]


def test_nothing_is_overwritten(here: Path) -> None:
    """Neither a product, nor an environment, nor keys."""
    make_dev_key(here / ".outrider/keys")
    keys = files(here)
    init("parking")
    before = files(here)
    said = init("parking", "--owner", "somebody else")

    assert (said.code, said.err) == (1, "products/parking is there already; nothing was changed\n")
    assert files(here) == before
    assert keys.items() <= before.items()


@pytest.mark.parametrize("name", ["Parking", "1st", "a_b", "../up", "-a", "a-", "a" * 63, ""])
def test_a_name_is_a_dns_label(name: str, here: Path) -> None:
    """Anything else is a wrong command line."""
    said = init("--", name)

    assert said.code == 2
    assert "is no DNS label" in said.err
    assert files(here) == {}


@pytest.mark.parametrize("owner", ["team-wash", "true", "1234", 'Ada: the "first" #1', "Größe 🚗", "- x", ".5"])
def test_an_owner_may_be_called_anything(owner: str) -> None:
    """What is written is read again as it was said."""
    init("car-wash", "--owner", owner)

    assert read_product(Path("products/car-wash"), Path("environments/local.yaml")).product.owner == owner


def test_the_owner_is_whoever_git_knows(here: Path) -> None:
    """Else whoever is logged in."""
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    init("washing", USER="grace", LOGNAME="grace")
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "config", "user.name", "Ada Lovelace"], check=True)
    init("parking")

    assert "owner: grace\n" in Path("products/washing/product.yaml").read_text()
    assert 'owner: "Ada Lovelace"\n' in Path("products/parking/product.yaml").read_text()


def test_another_environment_and_other_folders(here: Path) -> None:
    """The file names the keys as seen from where it is."""
    said = init("parking", "--products", "apis", "-e", "deep/er/test.yaml", "--data", "platform")

    assert said.code == 0
    assert read_product(here / "apis/parking", here / "deep/er/test.yaml").placement.environment == "test"
    assert "file: ../../platform/keys/jwks.json" in Path("deep/er/test.yaml").read_text()
