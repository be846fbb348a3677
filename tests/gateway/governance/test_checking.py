"""All products at once, as a pull request changes them."""

import subprocess
from datetime import date
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.governance.checking import Checked, Checks, check
from outrider.gateway.history import past
from tests.gateway.written import (
    ENVIRONMENT_FILE,
    OPENAPI_FILE,
    PRODUCT_FILE,
    Change,
    add,
    edit,
    remove,
    write,
    written,
)

TODAY = date(2026, 11, 22)
TOLLS = "products/tolls"
BESIDE = edit(
    ENVIRONMENT_FILE,
    "products:\n",
    "products:\n  tolls: {listen: 127.0.0.1:9002, versions: {v1: {upstreams: ['http://127.0.0.1:7002']}}}\n",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit with the product parking."""
    written(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def commit(repository: Path, *changes: Change) -> None:
    for change in changes:
        change(repository)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "something")


def checked(repository: Path, *changes: Change, environment: str = ENVIRONMENT_FILE) -> Checks:
    """What is found of files that are changed since the last commit."""
    for change in changes:
        change(repository)
    products = repository / "products"
    then = past(products, "HEAD")
    return check(products, [repository / environment], then, TODAY)


def rules(one: Checked) -> list[str]:
    """The ids of all that keeps a product from going live."""
    assert one.report
    return [each.rule for each in (*one.report.errors, *one.report.breaking)]


def tolls(repository: Path) -> None:
    """A second product, like parking."""
    copytree(repository / "products/parking", repository / TOLLS)
    edit(f"{TOLLS}/product.yaml", "parking", "tolls")(repository)
    BESIDE(repository)


def test_as_committed(repository: Path) -> None:
    """What has not changed may go live."""
    checks = checked(repository)
    assert checks.passed
    assert [one.product for one in checks.products] == ["parking"]


def test_a_change_that_breaks_callers(repository: Path) -> None:
    """A change that breaks callers may not go live, unless the version says that it does."""
    one, *_ = checked(repository, edit(OPENAPI_FILE, "  /v1/places/{place}:", "  /v1/spaces/{place}:")).products
    assert not one.passed
    assert rules(one) == ["api-path-removed-without-deprecation"]
    assert checked(repository, edit(OPENAPI_FILE, "version: 1.0.0", "version: 2.0.0")).passed


def test_a_rule_that_is_broken(repository: Path) -> None:
    """A product that breaks a rule may not go live, and the others may."""
    checks = checked(repository, tolls, edit(f"{TOLLS}/openapi.yaml", "operationId: listPlaces", "operationId: get"))
    assert [one.product for one in checks.products if one.passed] == ["parking", "tolls"]
    checks = checked(repository, edit(f"{TOLLS}/openapi.yaml", "scheme: bearer", "scheme: basic"))
    assert [one.product for one in checks.products if one.passed] == ["parking"]


def test_a_file_that_cannot_be_read(repository: Path) -> None:
    """One product that can't be read keeps none of the others from being checked."""
    checks = checked(repository, tolls, write(f"{TOLLS}/product.yaml", "name: [tolls"))
    parking, other = checks.products
    assert parking.passed
    assert "product.yaml:2:" in str(other.faults[0])


def test_nothing_is_written(repository: Path) -> None:
    """A check leaves no trace."""
    checked(repository, tolls)
    before = sorted(repository.rglob("*"))
    checked(repository)
    assert sorted(repository.rglob("*")) == before


def test_the_same_path_of_the_same_host(repository: Path) -> None:
    """Two products can't claim the same path of the same host; at different hosts they can."""
    hosts = edit(ENVIRONMENT_FILE, "listen: 127.0.0.1:9001", "listen: 127.0.0.1:9001\n    hosts: [api.example]")
    same = edit(ENVIRONMENT_FILE, "{listen: 127.0.0.1:9002,", "{listen: 127.0.0.1:9002, hosts: [api.example],")
    checks = checked(repository, tolls, hosts, same)
    assert not checks.passed
    assert all(one.passed for one in checks.products)
    [sentence] = checks.between
    assert "tolls and parking both serve /v1/places at api.example" in sentence
    other = edit(ENVIRONMENT_FILE, "9002, hosts: [api.example]", "9002, hosts: [tolls.example]")
    assert checked(repository, other).passed


def test_in_no_environment(repository: Path) -> None:
    """A product that runs nowhere can't go live."""
    checks = checked(repository, tolls, edit(ENVIRONMENT_FILE, "  tolls:", "  toll:"))
    assert "no environment says where tolls runs" in str(checks.products[1].faults)


def test_a_product_that_is_gone(repository: Path) -> None:
    """A product that goes without a word breaks all of its callers; unless those who govern have agreed."""
    commit(repository, tolls)
    rmtree(repository / TOLLS)
    checks = checked(repository)
    assert not checks.passed
    assert "tolls: is gone, with 2 operations" in str(checks.gone[0].faults[0])
    checks = checked(repository, write("governance.yaml", "retired: [tolls]\n"))
    assert checks.passed
    assert [one.product for one in checks.gone] == ["tolls"]


def test_a_product_that_became_a_link(repository: Path) -> None:
    """A product whose folder is a link now is compared with what was in the folder."""
    (repository / "products/parking").rename(repository / "parking")
    (repository / "products/parking").symlink_to("../parking")
    one, *_ = checked(
        repository, edit("parking/openapi.yaml", "  /v1/places/{place}:", "  /v1/spaces/{place}:")
    ).products
    assert rules(one) == ["api-path-removed-without-deprecation"]


def test_a_folder_of_products_is_no_product(repository: Path) -> None:
    """A product.yaml beside products would hide all of them."""
    with pytest.raises(Refused, match=r"products/product\.yaml: hides parking"):
        checked(repository, write("products/product.yaml", "name: products\n"))


def test_a_product_whose_end_was_announced(repository: Path) -> None:
    """A product whose operations have all had their sunset may go."""
    deprecated = "deprecated: true\n      x-sunset: '2026-10-01'\n      operationId: "
    commit(repository, tolls, edit(f"{TOLLS}/openapi.yaml", "operationId: ", deprecated))
    rmtree(repository / TOLLS)
    assert checked(repository).passed


def test_new_waivers(repository: Path) -> None:
    """Whoever approves the change is told what it would let pass, and of nothing that was let pass before."""
    waiver = "{rule: %s, place: '#', owner: team-parking, approver: jane, reason: 'It comes later.', until: 2026-12-24}"
    commit(repository, write("governance.yaml", "approvers: [{name: jane}]\n"))
    commit(repository, add(PRODUCT_FILE, f"waivers:\n  - {waiver % 'operation-described'}\n"))
    one, *_ = checked(repository, add(PRODUCT_FILE, f"  - {waiver % 'rate-limit-documented'}\n")).products
    assert [each.rule for each in one.new_exemptions] == ["rate-limit-documented"]


def test_governance_changes(repository: Path) -> None:
    """A change of governance.yaml is told, and a change that takes it away is refused."""
    commit(repository, write("governance.yaml", "longest_waiver: 30\n"))
    assert not checked(repository).governance_changed
    assert checked(repository, write("governance.yaml", "longest_waiver: 300\n")).governance_changed
    checks = checked(repository, remove("governance.yaml"))
    assert not checks.passed
    assert "governance.yaml: is gone" in checks.between[0]


def test_rules_and_keys_are_a_part_of_governance(repository: Path) -> None:
    """A change of a ruleset that governance.yaml names, or of one that this extends, is a change of governance."""
    ours = write("rules/ours.yaml", "extends: base.yaml\n")
    base = write("rules/base.yaml", "extends: outrider:openapi\n")
    commit(repository, write("governance.yaml", "rulesets: {openapi: rules/ours.yaml}\n"), ours, base)
    assert not checked(repository).governance_changed
    off = "extends: outrider:openapi\nrules: {owner-named: off}\n"
    assert checked(repository, write("rules/base.yaml", off)).governance_changed


def test_what_was_there_cannot_be_read(repository: Path) -> None:
    """Where nobody can tell what callers know, nobody can tell whether they break; such as a pointer of Git LFS."""
    right = (repository / OPENAPI_FILE).read_text()
    commit(repository, write(OPENAPI_FILE, "version https://git-lfs.github.com/spec/v1\nsize 12\n"))
    one, *_ = checked(repository, write(OPENAPI_FILE, right)).products
    assert not one.passed
    assert "what they know can't be read" in str(one.faults[0])


def test_a_new_product(repository: Path) -> None:
    """A product that was not there is compared with nothing, which is said."""
    parking, other = checked(repository, tolls).products
    assert (parking.remarks, other.remarks) == ((), ("is new, and compared with nothing",))
