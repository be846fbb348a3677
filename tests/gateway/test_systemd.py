"""Units for systemd."""

import asyncio
import os
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.gateway import envoy, systemd, users
from outrider.gateway.store import ProductState
from tests.gateway.several import several


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[ProductState]:
    """A product, published, whose folder has a name that wants quoting."""
    async with several(tmp_path / "100% gate ways", "maps") as made:
        yield made.product("maps")


def said(unit: str, word: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{word}=")]


async def test_the_unit_starts_envoy_as_the_watcher_would(product: ProductState) -> None:
    """The same command line in the same folder, and the admin socket is where others look for it."""
    unit = systemd.units(product)["outrider-gateway-maps.service"]
    folder = product.instance().folder
    (start,) = said(unit, "ExecStart")

    assert shlex.split(start.replace("%%", "%")) == envoy.argv(folder, 1)
    assert said(unit, "WorkingDirectory") == [str(folder).replace("%", "%%")]
    assert said(unit, "ReadWritePaths") == [f'"{folder}"'.replace("%", "%%")]
    assert said(unit, "ExecStartPre")[-1] == "/bin/ln -sfn admin-1.sock admin.sock"
    assert "gateway stop maps" in said(unit, "ExecStop")[0]
    assert said(unit, "Restart") == ["always"]


async def test_it_runs_as_the_owner_of_its_folder(product: ProductState) -> None:
    """Or, as root, as a user of its own who is made first; a gateway that needs root's files stays root's."""
    files = systemd.units(product)
    (user,) = said(files["outrider-gateway-maps.service"], "User")

    if os.geteuid() != 0 or users.unreachable(product, product.release(1).placement):
        assert files.keys() == {"outrider-gateway-maps.service", systemd.KEYS}
    else:
        assert files["outrider-gateway-maps.conf"].startswith(f"u {user} ")


async def test_one_more_unit_brings_the_keys_to_all(product: ProductState) -> None:
    """And each gateway wants it."""
    files = systemd.units(product)

    assert systemd.KEYS in said(files["outrider-gateway-maps.service"], "Wants")[0]
    assert "gateway keys --watch" in said(files[systemd.KEYS], "ExecStart")[0]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
async def test_systemd_finds_nothing_wrong_with_them(product: ProductState, tmp_path: Path) -> None:
    """No warning and no error."""
    for name, content in systemd.units(product).items():
        (tmp_path / name).write_text(content)

    asked = ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("*.service"))]
    done = await asyncio.to_thread(subprocess.run, asked, capture_output=True, text=True, timeout=60, check=False)
    # It warns of the user nobody, as whom a container may run these tests.
    own = [line for line in done.stderr.splitlines() if "outrider" in line and "Special user nobody" not in line]
    assert (done.returncode, own) == (0, []), done.stderr


def test_words_are_quoted_as_systemd_reads_them() -> None:
    """It has its own percent and dollar signs."""
    assert systemd._quoted("plain/word-1.json") == "plain/word-1.json"
    assert systemd._quoted('{"a": "50% of $x"}') == '"{\\"a\\": \\"50%% of $$x\\"}"'
