"""A product is read whole: what its team says, where it runs, and which operations it has."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.ports import Address
from outrider.common.yaml_positions import read_yaml
from outrider.gateway.documents import SCHEMAS
from outrider.gateway.environment import (
    Backend,
    Issuer,
    KeySource,
    ListenTls,
    Placement,
    Tracing,
    Upstream,
    UpstreamTls,
)
from outrider.gateway.faults import Refused
from outrider.gateway.product import Product
from outrider.gateway.reading import environment_file, find_environment, products_in, read_product
from outrider.gateway.store import NAME
from tests.gateway.written import (
    ENVIRONMENT_FILE,
    JWKS,
    OPENAPI,
    OPENAPI_FILE,
    PRODUCT,
    PRODUCT_FILE,
    Change,
    add,
    edit,
    read,
    read_all,
    remove,
    write,
    written,
)

SHIPPED = Path(__file__).parents[2] / "src/outrider/products"
EVERYTHING = """\
issuer: {issuer: idp, jwks: {file: keys/jwks.json}}
trusted_proxies: 2
tracing: {otlp: '127.0.0.1:4318', sample_percent: 10}
products:
  parking:
    listen: 0.0.0.0:9001
    hosts: [parking.example, 127.0.0.1]
    stats: '[::1]:9101'
    tls: {certificate: tls/cert.pem, key: ../environments/tls/key.pem, client_ca: tls/ca.pem}
    issuer: {issuer: other, jwks: {url: 'https://idp.example/jwks.json', ca: tls/ca.pem, refresh: 60}}
    versions:
      v1: {upstreams: ['http://127.0.0.1:7001', 'http://[::1]:7001/', 'unix:run/api.sock']}
      v2:
        upstreams: ['https://parking.internal', 'https://10.0.0.2:8443']
        tls: {ca: tls/ca.pem, name: parking.internal}
"""


def everything() -> tuple[Change, ...]:
    """An environment with all that it may have."""
    files = [write(f"environments/tls/{name}.pem", "") for name in ("cert", "key", "ca")]
    return edit(PRODUCT_FILE, "[v1]", "[v1, v2]"), write(ENVIRONMENT_FILE, EVERYTHING), *files


def second(name: str, listen: int, hosts: str = "") -> tuple[Change, ...]:
    """Another product beside the first."""
    entry = f"    listen: 127.0.0.1:{listen}\n{hosts}    versions: {{v1: {{upstreams: ['http://127.0.0.1:7002']}}}}\n"
    return (
        write(f"products/{name}/product.yaml", PRODUCT.replace("parking", name)),
        write(f"products/{name}/openapi.yaml", OPENAPI),
        add(ENVIRONMENT_FILE, f"  {name}:\n{entry}"),
    )


def refused(root: Path) -> list[str]:
    """What is said of all products, without the root."""
    with pytest.raises(Refused) as error:
        read_all(root / "products", root / ENVIRONMENT_FILE)
    return str(error.value).replace(f"{root}/", "").splitlines()


def test_a_product_is_its_three_files(tmp_path: Path) -> None:
    """What is not said has its default; the environment is called as its file."""
    found = read(tmp_path)

    assert found.product == Product(name="parking", owner="team-parking", versions=("v1",), audiences=("parking",))
    assert found.placement == Placement(
        environment="local",
        listen=Address("127.0.0.1", 9001),
        stats=Address("127.0.0.1", 9101),
        issuer=Issuer(issuer="idp", jwks=KeySource(file=f"{tmp_path}/environments/keys/jwks.json")),
        versions={"v1": Backend(upstreams=(Upstream(address=Address("127.0.0.1", 7001)),))},
    )
    assert [operation.id for operation in found.operations] == ["listPlaces", "showPlace"]
    assert found.folder == f"{tmp_path}/products/parking"


def test_an_environment_says_where(tmp_path: Path) -> None:
    """File names are seen from its folder; https has a port of its own; a product may have its own issuer."""
    folder = f"{tmp_path}/environments"

    assert read(tmp_path, *everything()).placement == Placement(
        environment="local",
        listen=Address("0.0.0.0", 9001),
        hosts=("parking.example", "127.0.0.1"),
        tls=ListenTls(
            certificate=f"{folder}/tls/cert.pem", key=f"{folder}/tls/key.pem", client_ca=f"{folder}/tls/ca.pem"
        ),
        stats=Address("::1", 9101),
        issuer=Issuer(
            issuer="other", jwks=KeySource(url="https://idp.example/jwks.json", ca=f"{folder}/tls/ca.pem", refresh=60)
        ),
        trusted_proxies=2,
        tracing=Tracing(otlp=Address("127.0.0.1", 4318), sample_percent=10),
        versions={
            "v1": Backend(
                upstreams=(
                    Upstream(address=Address("127.0.0.1", 7001)),
                    Upstream(address=Address("::1", 7001)),
                    Upstream(socket=f"{folder}/run/api.sock"),
                )
            ),
            "v2": Backend(
                upstreams=(
                    Upstream(address=Address("parking.internal", 443)),
                    Upstream(address=Address("10.0.0.2", 8443)),
                ),
                tls=UpstreamTls(ca=f"{folder}/tls/ca.pem", name="parking.internal"),
            ),
        },
    )


def test_every_field_has_its_place_in_the_schema() -> None:
    """The schemas that ship and the structs that are read say the same."""
    product, environment = (
        msgspec.json.decode((SCHEMAS / f"{name}.json").read_bytes()) for name in ("product", "environment")
    )
    place = environment["properties"]["products"]["additionalProperties"]["properties"]
    issuer = environment["$defs"]["issuer"]["properties"]
    backend = place["versions"]["additionalProperties"]["properties"]

    assert product["properties"]["name"]["pattern"] == f"^{NAME.pattern}$"
    assert environment["properties"]["products"]["propertyNames"]["pattern"] == f"^{NAME.pattern}$"
    assert _fields(Product) == _members(product)
    for name, struct in Product.__annotations__.items():
        inner = msgspec.inspect.type_info(struct)
        for each in getattr(inner, "types", [inner]):
            if isinstance(each, msgspec.inspect.StructType):
                assert _fields(each.cls) == _members(product["properties"][name]), name
    assert _fields(Product.__annotations__["limits"].__annotations__["person"]) == _members(product["$defs"]["limit"])
    assert _fields(ListenTls) == set(place["tls"]["properties"])
    assert _fields(Issuer) == set(issuer)
    assert _fields(KeySource) == set(issuer["jwks"]["properties"])
    assert _fields(Backend) == set(backend)
    assert _fields(UpstreamTls) == set(backend["tls"]["properties"])
    assert _fields(Tracing) == _members(environment["properties"]["tracing"])
    shared = {"issuer", "trusted_proxies", "tracing"}
    assert _fields(Placement) - {"environment"} == set(place) | shared
    assert set(environment["properties"]) == {*shared, "products", "governance"}


def test_whole_numbers_may_have_a_point(tmp_path: Path) -> None:
    """JSON Schema says that 5.0 is a whole number, and so do we."""
    found = read(tmp_path, add(PRODUCT_FILE, "limits: {person: {requests: 5.0}}\ntimeout: 2\n"))

    assert (found.product.limits.person.requests, found.product.timeout) == (5, 2.0)


def test_a_document_in_json_is_one_too(tmp_path: Path) -> None:
    """openapi.json in the place of openapi.yaml."""
    document = {"openapi": "3.0.3", "security": [], "paths": {"/": {"get": {"operationId": "home"}}}}

    found = read(tmp_path, remove(OPENAPI_FILE), write("products/parking/openapi.json", json.dumps(document)))

    assert [operation.path for operation in found.operations] == ["/"]


def test_where_all_is_public_nobody_needs_an_issuer(tmp_path: Path) -> None:
    """Then there are no tokens, and nobody for whom they would be."""
    found = read(
        tmp_path,
        edit(OPENAPI_FILE, "security: [{token: ['parking:read']}]", "security: []"),
        edit(PRODUCT_FILE, "[parking]", "[]"),
        edit(ENVIRONMENT_FILE, "issuer: {issuer: idp, jwks: {file: keys/jwks.json}}\n", ""),
    )

    assert (found.placement.issuer, found.product.audiences) == (None, ())


def test_a_product_does_not_suffer_from_anothers_mistakes(tmp_path: Path) -> None:
    """One file has all products, and each is read as if it were alone in it."""
    broken = "  washing: {listen: nowhere, colour: red, tls: {key: 5}, issuer: {jwks: {}}}\n"

    assert read(tmp_path, add(ENVIRONMENT_FILE, broken)).product.name == "parking"


def test_an_owner_is_who_they_seem_to_be(tmp_path: Path) -> None:
    """No letter that nobody sees makes one owner of two."""
    written(tmp_path, edit(PRODUCT_FILE, "owner: team-parking", 'owner: "team\\u200b-parking"'))

    assert refused(tmp_path) == ["products/parking/product.yaml:2:1: owner: must be a name without invisible letters"]


def test_products_are_read_together(tmp_path: Path) -> None:
    """All of a folder, by name; what is wrong is told of all of them."""
    written(tmp_path, *second("washing", 9002), *second("garages", 9003))
    names = [each.product.name for each in read_all(tmp_path / "products", tmp_path / ENVIRONMENT_FILE)]
    (tmp_path / "products/washing/openapi.yaml").unlink()
    edit("products/garages/product.yaml", "owner: team-garages", "owner: ''")(tmp_path)

    assert names == ["garages", "parking", "washing"]
    assert refused(tmp_path) == [
        "products/garages/product.yaml:2:1: owner: must have at least 1 characters",
        "products/washing/openapi.yaml:1:1: there is no such file",
    ]


def test_two_products_never_listen_at_the_same_address(tmp_path: Path) -> None:
    """Told at both, for nobody knows which is meant to have it."""
    written(tmp_path, *second("washing", 9101))

    assert refused(tmp_path) == [
        "environments/local.yaml:5:5: products.parking.stats: overlaps with washing's listen (line 10); "
        "give each an address of its own",
        "environments/local.yaml:10:5: products.washing.listen: overlaps with parking's stats (line 5); "
        "give each an address of its own",
    ]


def test_products_are_folders_with_a_product_file(tmp_path: Path) -> None:
    """By name; of a product itself that one; a folder without any says how to make one."""
    written(tmp_path, *second("garages", 9003), write("products/notes/readme.md", ""), write("empty/readme.md", ""))
    products = tmp_path / "products"

    assert products_in(products) == [products / "garages", products / "parking"]
    assert products_in(products / "parking") == [products / "parking"]
    with pytest.raises(Refused, match="has no product; `outrider gateway init NAME` makes one"):
        products_in(tmp_path / "empty")
    with pytest.raises(Refused, match="there is no such folder"):
        products_in(tmp_path / "nowhere")


def test_an_environment_is_found_beside_the_products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name from the products and from each of them, also where they are a link; or as a file of any name."""
    written(tmp_path, write("products/environments/inside.yaml", ""), write("other.yaml", ""))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/products").symlink_to(tmp_path / "products")

    assert find_environment(Path("products"), "local") == Path("environments/local.yaml")
    assert find_environment(Path("products/parking"), "local") == Path("environments/local.yaml")
    assert find_environment(Path("products/parking"), "inside") == Path("products/environments/inside.yaml")
    assert find_environment(Path("products"), "./other.yaml") == Path("other.yaml")
    assert environment_file(Path("elsewhere/products"), "new") == Path("elsewhere/environments/new.yaml")
    with pytest.raises(Refused, match=r"there is no environment prod: environments/prod\.yaml would be its file"):
        find_environment(Path("products"), "prod")
    with pytest.raises(Refused, match=r"there is no environment away/prod\.yaml"):
        find_environment(Path("products"), "away/prod.yaml")


def test_what_ships_is_read_in_its_own_environment(tmp_path: Path) -> None:
    """The three examples, each with an owner, once there are the development keys of a data folder beside them."""
    shutil.copytree(SHIPPED, tmp_path / "products")
    shutil.move(tmp_path / "products/environments", tmp_path / "environments")
    write(".outrider/keys/jwks.json", JWKS)(tmp_path)

    found = read_all(tmp_path / "products", tmp_path / "environments/local.yaml")

    assert [each.product.name for each in found] == ["charging", "map-updates", "remote-services"]
    assert all(each.product.owner.startswith("team-") for each in found)


TEXTS = (
    "",
    "x",
    "127.0.0.1:1",
    "http://127.0.0.1:7001",
    "https://[::1",
    "http://a:99999",
    "unix:",
    "unix:\0",
    "//",
    "*",
)
LEAVES = st.sampled_from([*TEXTS, 0, -1, 1e20, True, None, [], {}, ["x"], {"x": "y"}, {"v1": None}, [{}]])


def _places(value: Any) -> list[tuple[Any, ...]]:
    """The paths of all values in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, member in inner for path in _places(member))]


def _changed(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(value[path[0]], path[1:], leaf)
    return copy


PRODUCT_DATA = {
    "name": "parking",
    "owner": "team-parking",
    "versions": ["v1", "v2"],
    "audiences": ["parking"],
    "timeouts": {"listPlaces": 5},
    "cors": {"origins": ["*"], "origin_patterns": ["x"], "credentials": True},
    "limits": {"person": {"requests": 5}},
}


@given(st.data())
def test_any_change_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever stands in the place of a value, nothing but a refusal is raised."""
    root = written(tmp_path_factory.getbasetemp() / "any-change", *everything()[1:])
    environment = read_yaml(EVERYTHING.encode()).data
    for file, content in ((PRODUCT_FILE, PRODUCT_DATA), (ENVIRONMENT_FILE, environment)):
        changed = _changed(content, data.draw(st.sampled_from(_places(content))), data.draw(LEAVES))
        write(file, json.dumps(changed))(root)
    with suppress(Refused):
        read_product(root / "products/parking", root / ENVIRONMENT_FILE)


def _fields(struct: type[msgspec.Struct]) -> set[str]:
    return set(struct.__struct_encode_fields__)


def _members(schema: Mapping[str, Any]) -> set[str]:
    return set(schema["properties"])
