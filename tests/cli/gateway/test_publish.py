"""`outrider gateway publish` and what goes with it, as people and scripts use it."""

import json
import os
import re
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.outrider import Said, outrider
from tests.gateway.signer import Signer
from tests.gateway.written import ENVIRONMENT_FILE, OPENAPI_FILE, PRODUCT_FILE, edit, write, written

SIGNER = Signer("idp", "parking", "first", "second")
Gateway = Callable[..., Said]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """products/parking and environments/local.yaml, with keys."""
    versions = edit(PRODUCT_FILE, "versions: [v1]", "versions: [v1, v2]")
    placed = edit(ENVIRONMENT_FILE, "      v1:\n", "      v2: {upstreams: ['http://127.0.0.1:7002']}\n      v1:\n")
    written(tmp_path, versions, placed)
    SIGNER.publish(tmp_path / "environments/keys/jwks.json", "first")
    return tmp_path


@pytest.fixture
def gateway(root: Path) -> Gateway:
    """Run `outrider gateway` with a state folder of its own."""
    return lambda *words: outrider("gateway", *words, OUTRIDER_GATEWAYS=str(root / "state"), LOGNAME="ada")


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (root / "state").rglob("*") if path.is_file()}


def test_a_product_is_published_taken_back_and_listed(root: Path, gateway: Gateway) -> None:
    """Each in a line; the list says who, when, why and what again."""
    product = root / "products/parking"
    said = gateway("publish", product, "-m", "to begin with")
    assert (said.code, said.out) == (0, "parking: release 1 is live (v1=100)\n")
    assert "outrider gateway up" in said.err

    edit(PRODUCT_FILE, "owner: team-parking", "owner: team-parking\ntimeout: 7")(root)
    assert gateway("publish", product, "--split", "v1=90", "--split", "v2=10").out.endswith("2 is live (v1=90 v2=10)\n")
    assert gateway("rollback", "parking").out == "parking: release 3 is live, again release 1 (v1=90 v2=10)\n"

    listed = gateway("releases", "parking", "--json").data
    assert [(one["number"], one["source"], one["reason"]) for one in listed] == [
        (3, 1, ""),
        (2, None, ""),
        (1, None, "to begin with"),
    ]
    table = gateway("releases", "parking").out.splitlines()
    assert table[0].split() == ["RELEASE", "AT", "BY", "COMMIT", "REASON"]
    assert table[1].startswith("3 live")
    assert table[1].endswith("again release 1")


def test_what_is_refused_says_why_and_changes_nothing(root: Path, gateway: Gateway) -> None:
    """A folder that is wrong, keys that are not there, a release that is not there: one message, exit code 1."""
    product = root / "products/parking"
    gateway("publish", product)
    before = snapshot(root)

    (root / "environments/keys/jwks.json").write_text('{"keys":[]}')
    assert (said := gateway("publish", product)).code == 1
    assert "jwks.json: no usable key: the set is empty" in said.err
    (root / "environments/keys/jwks.json").unlink()
    assert (said := gateway("publish", product)).code == 1
    assert "jwks.json" in said.err
    write(PRODUCT_FILE, "name: [")(root)
    assert gateway("publish", product).code == 1
    assert gateway("publish", root / "products/none").code == 1
    assert "has no release 9" in gateway("rollback", "parking", "9").err
    assert "not published here" in gateway("rollback", "charging").err
    assert gateway("releases", "charging").code == 1
    assert "small letters" in gateway("releases", "../parking").err
    assert snapshot(root) == before


def test_the_split_is_shown_and_changed(root: Path, gateway: Gateway) -> None:
    """What is no split is an error of usage, one that makes no sense is refused."""
    gateway("publish", root / "products/parking")

    assert gateway("split", "parking").out == "parking: v1=100\n"
    assert gateway("split", "parking", "v1=95", "v2=5").out == "parking: v1=95 v2=5\n"
    assert (said := gateway("split", "parking", "v1=95", "v2=6")).code == 1
    assert "95 + 6 = 101" in said.err
    for words in (("v1",), ("v1=x",), ("=5",), ("v1=50", "v1=50"), ("v1=-5", "v2=105")):
        assert gateway("split", "parking", "--", *words).code == 2
    assert gateway("split", "parking").out == "parking: v1=95 v2=5\n"


def test_drift_is_an_exit_code(root: Path, gateway: Gateway) -> None:
    """0 where all is as published; 1, and what differs, where it is not."""
    gateway("publish", root / "products/parking")
    assert (gateway("drift").code, gateway("drift", "parking", "--json").data) == (0, [])

    (root / "state/parking/instances/1/lds.json").unlink()
    assert (said := gateway("drift", "--json")).code == 1
    assert said.data == [{"product": "parking", "instance": 1, "what": "lds.json", "problem": "is missing"}]
    assert "is missing" in gateway("drift", "parking").out
    assert gateway("drift", "charging").code == 1


def test_a_damaged_product_is_named_beside_the_others(root: Path, gateway: Gateway) -> None:
    """With what to write, and exit code 1."""
    gateway("publish", root / "products/parking")
    (root / "state/other").mkdir()
    (root / "state/other/live.json").write_text("{")

    for word in ("status", "drift"):
        said = gateway(word, "--json")
        assert (said.code, "other/live.json was damaged" in said.err) == (1, True)
    assert [one["product"] for one in gateway("status", "--json").data] == ["parking"]
    assert gateway("publish", root / "products/parking").code == 0


def test_what_can_t_be_written_is_told_with_its_file_and_what_to_do(root: Path, gateway: Gateway) -> None:
    """Such as where a file may not be so large."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        said = gateway("publish", root / "products/parking")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said.code == 1
    assert ".json: File too large: this process may not write so much: `ulimit -f unlimited`, and" in said.err


def test_compiling_prints_and_changes_nothing(root: Path, gateway: Gateway) -> None:
    """Every file of the configuration, with the split in it; keys are not looked at."""
    (root / "environments/keys/jwks.json").write_text("no")
    said = gateway("compile", root / "products/parking", "--split", "v1=95", "--split", "v2=5")

    files = json.loads(said.out)
    assert said.code == 0
    assert {"bootstrap.json", "cds.json", "lds.json"} < files.keys()
    assert '"weight": 95' in said.out
    assert not (root / "state").exists()


def test_keys_are_brought_by_hand(root: Path, gateway: Gateway) -> None:
    """Where they can't be read the old ones stay, and the exit code says so."""
    gateway("publish", root / "products/parking")
    jwks = root / "environments/keys/jwks.json"
    SIGNER.publish(jwks, "first", "second")

    assert gateway("keys").err == "parking: has new keys\n"
    assert gateway("keys", "parking").err == "parking: has the keys as they are\n"
    before = snapshot(root)
    jwks.write_text("no")
    assert (said := gateway("keys")).code == 1
    assert "keeps its keys" in said.err
    assert snapshot(root) == before
    assert gateway("keys", "charging").code == 1


def test_a_product_is_retired(root: Path, gateway: Gateway) -> None:
    """It is told where the rest of it is."""
    gateway("publish", root / "products/parking")

    said = gateway("retire", "parking")
    assert said.code == 0
    assert Path(said.out.strip().rpartition(" ")[2]).is_dir()
    assert gateway("retire", "parking").code == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_folder_of_somebody_else_is_no_traceback(root: Path, gateway: Gateway) -> None:
    """One line says whose it is not."""
    gateway("publish", root / "products/parking")
    for folder in (root, *root.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(60706)
    try:
        said = gateway("split", "parking", "v1=50", "v2=50")
    finally:
        os.seteuid(0)

    assert (said.code, "another user" in said.err) == (1, True)


def test_what_breaks_a_rule_is_refused_and_changes_nothing(root: Path, gateway: Gateway) -> None:
    """The live release serves on, and a rollback is not held up by what is refused."""
    product = root / "products/parking"
    gateway("publish", product)
    edit(PRODUCT_FILE, "owner: team-parking", "owner: team-parking\ntimeout: 7")(root)
    gateway("publish", product)
    before = snapshot(root)

    edit(OPENAPI_FILE, "version: 1.0.0", "version: one")(root)
    said = gateway("publish", product)
    assert said.code == 1
    assert said.err.startswith("parking may not go live: 1 broken rule\n")
    assert "version-semantic" in said.err
    assert snapshot(root) == before
    assert gateway("rollback", "parking").code == 0


def test_a_release_keeps_its_report(root: Path, gateway: Gateway) -> None:
    """Of a rollback it is that of what was taken up; of a release of before there is none."""
    gateway("publish", root / "products/parking")
    gateway("publish", root / "products/parking")

    shown = gateway("releases", "parking", "--report", "2")
    assert shown.out.startswith("parking 1.0.0 of team-parking: passed\n")
    assert "with release 1" in shown.out
    report = gateway("releases", "parking", "--report", "2", "--json").data
    assert (report["outcome"], report["against"], report["product"]) == ("passed", "release 1", "parking")
    assert report["ran"]["operation-named"] == 2
    assert {finding["severity"] for finding in report["findings"]} <= {"warn", "info", "hint"}
    gateway("rollback", "parking", "1")
    assert gateway("releases", "parking", "--report", "3", "--json").data["against"] == ""
    assert "no release 9" in gateway("releases", "parking", "--report", "9").err

    file = root / "state/parking/releases/1.json"
    file.chmod(0o644)
    file.write_text(re.sub(r'"document": "\w+"', '"document": ""', file.read_text()))
    assert "made before reports were kept" in gateway("releases", "parking", "--report", "1").err
