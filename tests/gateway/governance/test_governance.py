"""governance.yaml: what it says, where it is found, and what is wrong with it."""

import re
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from outrider.gateway.documents import SCHEMAS
from outrider.gateway.faults import Refused
from outrider.gateway.governance.governance import (
    UNGOVERNED,
    Approver,
    Governance,
    Rulesets,
    find_governance,
    read_governance,
)
from tests.gateway.governance.judged import keys, pem
from tests.gateway.written import ENVIRONMENT_FILE, PRODUCT_FILE, add, read, write

ROOT = Path(__file__).parents[3]
SHIPPED, PAGE = ROOT / "src/outrider/products/governance.yaml", ROOT / "docs/governance.md"
FILE = "governance.yaml"


def refused(folder: Path, text: str) -> list[str]:
    """What is said of a governance.yaml, without the folder."""
    write(FILE, text)(folder)
    with pytest.raises(Refused) as error:
        read_governance(folder / FILE)
    return str(error.value).replace(f"{folder}/", "").splitlines()


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    """Those that hold without a file too, but for the approvers, of whom there are none either."""
    write(FILE, "notice: 5\n")(tmp_path)
    by = read_governance(tmp_path / FILE)

    assert (by.notice, by.longest_waiver, by.approvers, by.never_waived) == (5, 90, (), ())
    assert by.rulesets == UNGOVERNED.rulesets == Rulesets(openapi="outrider:openapi", asyncapi="outrider:asyncapi")
    assert (by.file, UNGOVERNED.file) == (str(tmp_path / FILE), "")
    assert (len(by.sha256), UNGOVERNED.sha256) == (64, "")


def test_every_field_has_its_place_in_the_schema() -> None:
    """The schema that ships and the structs that are read say the same."""
    schema = msgspec.json.decode((SCHEMAS / "governance.json").read_bytes())["properties"]

    assert {field.name for field in msgspec.structs.fields(Governance)} - {"source", "named"} == set(schema)
    assert {field.name for field in msgspec.structs.fields(Rulesets)} == set(schema["rulesets"]["properties"])
    assert {field.name for field in msgspec.structs.fields(Approver)} == set(schema["approvers"]["items"]["properties"])
    for name in ("longest_waiver", "notice"):
        assert f"Default: {getattr(UNGOVERNED, name)}." in schema[name]["description"]


def test_rulesets_and_keys_lie_beside_it(tmp_path: Path) -> None:
    """A ruleset is a shipped one's name or a file; of a key, what is in the file is kept."""
    _, public = keys()
    write("rules/ours.yaml", "rules: {}")(tmp_path)
    write("keys/jane.pem", public)(tmp_path)
    write(FILE, "rulesets: {openapi: rules/ours.yaml}\napprovers: [{name: jane, key: keys/jane.pem}, {name: joe}]\n")(
        tmp_path
    )
    by = read_governance(tmp_path / FILE)

    assert by.ruleset("openapi") == tmp_path / "rules/ours.yaml"
    assert by.ruleset("asyncapi") == "outrider:asyncapi"
    assert by.approvers == (Approver(name="jane", key=public), Approver(name="joe"))
    assert (by.approver("joe"), by.approver("Jane")) == (Approver(name="joe"), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: x", "governance.yaml:1:1: rules: is not known; known here: rulesets, never_waived, longest_waiver, "),
        ("[]", "governance.yaml:1:1: must be an object"),
        ("longest_waiver: 0", "governance.yaml:1:1: longest_waiver: must be at least 1 (days)"),
        ("notice: soon", "governance.yaml:1:1: notice: must be a whole number (days)"),
        ("approvers: [jane]", "governance.yaml:1:13: approvers[0]: must be an object"),
        (
            "approvers: [{name: jane}, {name: jane}]",
            "governance.yaml:1:28: approvers[1].name: is there twice; name each once",
        ),
        (
            "rulesets: {openapi: ours.yaml}",
            "governance.yaml:1:12: rulesets.openapi: ours.yaml: there is no such file",
        ),
        (
            "rulesets: {asyncapi: ../x/ours.yaml}",
            "governance.yaml:1:12: rulesets.asyncapi: ../x/ours.yaml: ",
        ),
        (
            "approvers: [{name: jane, key: jane.pem}]",
            "governance.yaml:1:26: approvers[0].key: jane.pem: there is no such file",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """And what to write instead."""
    [line] = refused(tmp_path, text)

    assert line.startswith(said)


def test_nothing_outside_of_its_folder_is_opened(tmp_path: Path) -> None:
    """Neither by a path nor by a link."""
    write("outside.yaml", "rules: {}")(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.yaml").symlink_to(tmp_path / "outside.yaml")

    for name in ("../outside.yaml", "link.yaml", str(tmp_path / "outside.yaml")):
        [line] = refused(tmp_path / "in", f"rulesets: {{openapi: '{name}'}}")
        assert "leads out of its folder" in line


def test_a_key_is_a_public_one_that_can_be_used(tmp_path: Path) -> None:
    """A private one is told to be taken away; other kinds name those that can be used."""
    private, _ = keys()
    others = [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)]
    public = [key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in others]
    cases = {
        pem(private): "is a private key: take it away",
        b"": "is no public key in PEM; Ed25519 or P-256",
        b"\xff\xfe": "is no public key in PEM",
        **dict.fromkeys(public, "is a key of another kind; Ed25519 or P-256"),
    }
    for content, why in cases.items():
        write("jane.pem", content)(tmp_path)
        [line] = refused(tmp_path, "approvers: [{name: jane, key: jane.pem}]")
        assert line.startswith(f"governance.yaml:1:26: approvers[0].key: {why}")


def test_it_lies_beside_the_products_or_among_them(tmp_path: Path) -> None:
    """Beside counts first; with neither there is none."""
    products = tmp_path / "products"
    assert find_governance(products) is None

    write("products/governance.yaml", "")(tmp_path)
    assert find_governance(products) == products / FILE
    write(FILE, "")(tmp_path)
    assert find_governance(products) == tmp_path / FILE


def test_what_holds_is_read_with_a_product(tmp_path: Path) -> None:
    """What lies beside the products, or what the operator names in the environment's file."""
    assert read(tmp_path / "none").governance == UNGOVERNED

    found = read(tmp_path / "beside", write(FILE, "notice: 1\n")).governance
    assert (found.notice, found.file) == (1, str(tmp_path / "beside" / FILE))

    elsewhere = (write(FILE, "notice: 1\n"), write("rules/strict.yaml", "notice: 2\n"))
    named = add(ENVIRONMENT_FILE, "governance: ../rules/strict.yaml\n")
    found = read(tmp_path / "named", *elsewhere, named).governance
    assert (found.notice, found.file) == (2, str(tmp_path / "named/rules/strict.yaml"))


def test_a_product_can_not_choose(tmp_path: Path) -> None:
    """product.yaml has no word for it, and a governance.yaml in a product's own folder is nobody's."""
    with pytest.raises(Refused, match="governance: is not known"):
        read(tmp_path / "a", add(PRODUCT_FILE, "governance: mine.yaml\n"))
    with pytest.raises(Refused, match="rulesets: is not known"):
        read(tmp_path / "b", add(PRODUCT_FILE, "rulesets: {openapi: mine.yaml}\n"))
    assert read(tmp_path / "c", write("products/parking/governance.yaml", "notice: 9\n")).governance == UNGOVERNED


def test_what_is_wrong_with_it_is_told_with_the_rest(tmp_path: Path) -> None:
    """One look mends all; where it was to be and is not, the operator's file is told."""
    changes = (write(FILE, "notice: x\n"), add(PRODUCT_FILE, "colour: red\n"))
    with pytest.raises(Refused, match="colour: is not known") as error:
        read(tmp_path / "a", *changes)
    assert "governance.yaml:1:1: notice: must be a whole number" in str(error.value)

    with pytest.raises(Refused, match=r"local.yaml:9:1: governance: there is no file .*/nowhere.yaml; put it there"):
        read(tmp_path / "b", add(ENVIRONMENT_FILE, "governance: ../nowhere.yaml\n"))


def test_the_examples_on_the_page_can_be_read(tmp_path: Path) -> None:
    """governance.yaml as it is printed, and the entries of product.yaml."""
    said, entries = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    for file in (write("rules/ours.yaml", "rules: {}"), write("keys/jane.pub.pem", keys()[1]), write(FILE, said)):
        file(tmp_path)

    assert [one.name for one in read_governance(tmp_path / FILE).approvers] == ["jane.doe", "john.roe"]
    product = read(tmp_path, add(PRODUCT_FILE, entries)).product
    assert (product.waivers[0].rule, product.approvals[0].approver) == ("owner-named", "jane.doe")


def test_what_ships_can_be_read() -> None:
    """The example beside the example products; somebody may let something pass, and some things nobody."""
    by = read_governance(SHIPPED)

    assert by.approvers
    assert by.never_waived
