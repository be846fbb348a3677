"""`outrider gateway export`: a product for other programs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.cli.outrider import Said, outrider
from tests.gateway.published import Charging, charging

FOLDER = {
    "openapi.yaml": """
openapi: 3.1.0
info: {title: Maps, version: 1.0.0}
paths:
  /maps: {get: {operationId: listMaps, security: [], responses: {'200': {description: All.}}}}
""",
    "product.yaml": "{name: maps, owner: team-maps, versions: [v1, v2], audiences: []}",
}
PLACE = """
products:
  maps:
    listen: 127.0.0.1:9001
    versions:
      v1: {upstreams: ['http://127.0.0.1:7001']}
      v2: {upstreams: ['unix:maps.sock']}
"""


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Charging]:
    """Release 1, v1 95 % and v2 5 %."""
    async with charging(tmp_path) as made:
        await made.publish(split={"v1": 95, "v2": 5})
        yield made


async def export(product: Charging, to: str, *more: str | Path) -> Said:
    state = ("--state", product.state.folder)
    return await asyncio.to_thread(outrider, "gateway", "export", "charging", "--to", to, *state, *more)


async def test_what_is_live_becomes_a_file_for_kong(product: Charging) -> None:
    """With the split as weights, the issuer's keys, and what Kong can't do at its top and on standard error."""
    said = await export(product, "kong")
    document = yaml.safe_load(said.out)
    gaps = [line.removeprefix("# - ") for line in said.out.splitlines() if line.startswith("# - ")]

    assert said.code == 0
    assert [target["weight"] for target in document["upstreams"][0]["targets"]] == [19, 1]
    assert [key["key"] for key in document["consumers"][0]["jwt_secrets"]] == ["first"]
    assert [line.strip() for line in said.err.splitlines()[1:]] == gaps
    assert any(gap.startswith("limits.person:") for gap in gaps)


async def test_the_units_for_systemd_are_several_files(product: Charging, tmp_path: Path) -> None:
    """On standard output each stands below its name; in a folder each is by itself."""
    at_once = await export(product, "systemd")
    apart = await export(product, "systemd", "--into", tmp_path / "units")

    written = {file.name: file.read_text() for file in (tmp_path / "units").iterdir()}
    assert "outrider-gateway-charging.service" in written
    assert apart.out == ""
    assert all(str(tmp_path / "units" / name) in apart.err for name in written)
    assert all(f"# {name}\n{content}" in at_once.out for name, content in written.items())


async def test_without_the_issuers_keys_nothing_is_written(product: Charging) -> None:
    """A file without them would refuse every token; the message names the place."""
    product.jwks.unlink()

    said = await export(product, "kong")

    assert (said.code, said.out) == (1, "")
    assert str(product.jwks) in said.err


def test_a_folder_is_exported_as_it_would_be_at_first(tmp_path: Path) -> None:
    """All traffic to the first version; nothing has to be published, nor is any key read that nobody needs."""
    (tmp_path / "products/maps").mkdir(parents=True)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/local.yaml").write_text(PLACE)
    for name, content in FOLDER.items():
        (tmp_path / "products/maps" / name).write_text(content)

    said = outrider("gateway", "export", tmp_path / "products/maps", "--to", "kong", "--state", tmp_path / "state")

    document = yaml.safe_load(said.out)
    assert document["upstreams"][0]["targets"] == [{"target": "127.0.0.1:7001", "weight": 1, "tags": ["maps"]}]
    assert "consumers" not in document
    assert "versions.v2: Kong can't reach" in said.err
    assert json.dumps(document).count("jwt") == 0


def test_what_is_not_there_cannot_be_exported(tmp_path: Path) -> None:
    """One message, exit code 1, and an empty file."""
    said = outrider("gateway", "export", "maps", "--to", "kong", "--state", tmp_path)

    assert (said.code, said.out) == (1, "")
    assert "maps" in said.err
