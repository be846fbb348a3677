"""Every way in which a product can be wrong is told with its place and what to write instead, and with nothing else."""

from pathlib import Path

import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.openapi import SIZE_LIMIT
from tests.gateway.written import (
    ENVIRONMENT_FILE,
    OPENAPI,
    OPENAPI_FILE,
    PRODUCT_FILE,
    Change,
    add,
    edit,
    read,
    remove,
    write,
)

BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
KEY = "-----BEGIN EC PRIVATE" + " KEY-----"
JWT = "eyJhbGciOiJFUzI1NiJ9." + "eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
TLS = "    tls: {certificate: cert.pem, key: key.pem}\n"


def link(name: str, target: str) -> Change:
    """Put a symbolic link in the place of a file."""

    def change(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)

    return change


def product(old: str, new: str) -> Change:
    return edit(PRODUCT_FILE, old, new)


def places(old: str, new: str) -> Change:
    return edit(ENVIRONMENT_FILE, old, new)


def spec(old: str, new: str) -> Change:
    return edit(OPENAPI_FILE, old, new)


FILES = [
    (
        "no product.yaml",
        remove(PRODUCT_FILE),
        ["products/parking/product.yaml:1:1: there is no such file"],
    ),
    (
        "bad YAML",
        write(PRODUCT_FILE, "name: parking\nowner: [team\nversions: [v1]\n"),
        ["products/parking/product.yaml:3:9: is not YAML: did not find expected ',' or ']'"],
    ),
    (
        "not UTF-8",
        write(PRODUCT_FILE, b"name: parking\nowner: M\xfcller\n"),
        ["products/parking/product.yaml:2:1: is not UTF-8; save the file as UTF-8"],
    ),
    (
        "an alias bomb",
        write(PRODUCT_FILE, "a: &a [x]\nb: *a\n"),
        [
            "products/parking/product.yaml:1:4: a: &a is an anchor; remove it",
            "products/parking/product.yaml:2:4: b: *a is an alias; write the value out",
        ],
    ),
    (
        "an empty file",
        write(PRODUCT_FILE, ""),
        ["products/parking/product.yaml:1:1: must be an object"],
    ),
    (
        "a spec over the limit",
        write(OPENAPI_FILE, OPENAPI + "#" * SIZE_LIMIT),
        [
            "products/parking/openapi.yaml:1:1: has more than 2097152 bytes, the most that is read; "
            "shorten descriptions and examples"
        ],
    ),
    (
        "two specs",
        write("products/parking/openapi.json", "{}"),
        ["products/parking/openapi.json:1:1: openapi.yaml is there too; keep one of them"],
    ),
    (
        "a link out of the folder",
        link(OPENAPI_FILE, "/etc/hostname"),
        ["products/parking/openapi.yaml:1:1: leads out of its folder; put the file itself here"],
    ),
    (
        "a link that leads to itself",
        link(PRODUCT_FILE, "product.yaml"),
        ["products/parking/product.yaml:1:1: leads to itself; put the file itself here"],
    ),
    (
        "a device in the place of a file",
        link(ENVIRONMENT_FILE, "/dev/zero"),
        ["environments/local.yaml:1:1: is no plain file"],
    ),
]
PRODUCTS = [
    (
        "unknown fields",
        add(PRODUCT_FILE, "colour: red\nlimits: {person: {rate: 5}}\n"),
        [
            "products/parking/product.yaml:5:1: colour: is not known; known here: name, owner, contact, versions, "
            "audiences, limits, body_limit, timeout, timeouts, cors, retries, breakers, health, outliers, waivers, "
            "approvals",
            "products/parking/product.yaml:6:10: limits.person.requests: is required",
            "products/parking/product.yaml:6:19: limits.person.rate: is not known; known here: requests, per",
        ],
    ),
    (
        "no owner",
        product("owner: team-parking\n", ""),
        ["products/parking/product.yaml:1:1: owner: is required"],
    ),
    (
        "a name that is no DNS label",
        product("name: parking", "name: Parking_1"),
        [
            "products/parking/product.yaml:1:1: name: must be a DNS label such as map-updates: a letter, then letters, "
            "digits and hyphens, lower case, at most 62"
        ],
    ),
    (
        "a name that leads out of the folder",
        product("name: parking", "name: ../parking"),
        [
            "products/parking/product.yaml:1:1: name: must be a DNS label such as map-updates: a letter, then letters, "
            "digits and hyphens, lower case, at most 62"
        ],
    ),
    (
        "another name than the folder's",
        product("name: parking", "name: garages"),
        [
            "products/parking/product.yaml:1:1: name: differs from the folder's name; write parking, "
            "or rename the folder"
        ],
    ),
    (
        "a version by a name that is taken",
        product("[v1]", "[admin, v1]"),
        ["products/parking/product.yaml:3:12: versions[0]: is a name of the gateway's own; choose another, such as v1"],
    ),
    (
        "no limit at all",
        add(PRODUCT_FILE, "limits: {product: {requests: 0, per: 1.5}}\n"),
        [
            "products/parking/product.yaml:5:20: limits.product.requests: must be at least 1",
            "products/parking/product.yaml:5:33: limits.product.per: must be a whole number (seconds)",
        ],
    ),
    (
        "bad regular expressions",
        add(PRODUCT_FILE, "cors: {origin_patterns: ['https://(a', 'https://(?=a)b', 'https://[a-z]+[.]example']}\n"),
        [
            "products/parking/product.yaml:5:26: cors.origin_patterns[0]: is no regular expression of RE2; "
            "it has no lookahead and no backreferences",
            "products/parking/product.yaml:5:40: cors.origin_patterns[1]: is no regular expression of RE2; "
            "it has no lookahead and no backreferences",
        ],
    ),
    (
        "regular expressions that our own check knows and Envoy does not",
        add(PRODUCT_FILE, "cors: {origin_patterns: ['(?x) a', '[a-z&&[^b]]', '(?i)https://[a-z]+[.](?:a|b)\\.c']}\n"),
        [
            f"products/parking/product.yaml:5:{column}: cors.origin_patterns[{index}]: has what RE2 does not know; of "
            "flags it has (?i), (?m), (?s) and (?U), of escapes those such as \\. \\d \\w, and no set within a set"
            for index, column in enumerate((26, 36))
        ],
    ),
    (
        "times that Envoy would take for none",
        add(PRODUCT_FILE, "timeout: 0.0004\ntimeouts: {listPlaces: 0.0009, showPlace: 0}\n"),
        [
            "products/parking/product.yaml:5:1: timeout: must be at least 0.001, or 0 for no limit (seconds)",
            "products/parking/product.yaml:6:12: timeouts.listPlaces: must be at least 0.001, or 0 for no limit "
            "(seconds)",
        ],
    ),
    (
        "no body at all",
        add(PRODUCT_FILE, "body_limit: 0\n"),
        ["products/parking/product.yaml:5:1: body_limit: must be at least 1 (bytes)"],
    ),
    (
        "cookies for any page",
        add(PRODUCT_FILE, "cors:\n  origins: ['*']\n  origin_patterns: ['https?://.*']\n  credentials: true\n"),
        [
            "products/parking/product.yaml:7:21: cors.origin_patterns[0]: matches any origin; with credentials, "
            "say whose pages are meant",
            "products/parking/product.yaml:8:3: cors.credentials: with credentials, origins are named one by one; "
            'remove "*"',
        ],
    ),
    (
        "an origin with a path",
        add(PRODUCT_FILE, "cors: {origins: ['https://portal.example/']}\n"),
        [
            "products/parking/product.yaml:5:18: cors.origins[0]: must be an origin such as https://portal.example: "
            "no path, no slash at the end, lower case"
        ],
    ),
    (
        "CORS for nobody",
        add(PRODUCT_FILE, "cors: {max_age: 5}\n"),
        ["products/parking/product.yaml:5:1: cors: names no origin; write origins, or remove cors"],
    ),
    (
        "a timeout for an operation that is not there",
        add(PRODUCT_FILE, "timeouts: {listPlace: 60, washCar: 60}\n"),
        [
            "products/parking/product.yaml:5:12: timeouts.listPlace: the OpenAPI document has no such operation; "
            "did you mean listPlaces?",
            "products/parking/product.yaml:5:27: timeouts.washCar: the OpenAPI document has no such operation; "
            "it has listPlaces, showPlace",
        ],
    ),
    (
        "tokens for nobody",
        product("[parking]", "[]"),
        [
            "products/parking/product.yaml:4:1: audiences: is empty, but listPlaces needs a token; "
            "write for whom it must be, such as [parking]"
        ],
    ),
]
SECRETS = [
    (
        "a field called password",
        add(PRODUCT_FILE, "password: hunter2\n"),
        [
            "products/parking/product.yaml:5:1: password: holds a password; secrets are named, never written: "
            "put it into a file of its own, and the file's name here"
        ],
    ),
    (
        "a key in the place of its file",
        places("    stats", f"    tls:\n      certificate: c.pem\n      key: |\n        {KEY}\n        x\n    stats"),
        [
            "environments/local.yaml:7:7: products.parking.tls.key: holds a private key; secrets are named, never "
            "written: put it into a file of its own, and the file's name here"
        ],
    ),
    (
        "a token in a remark",
        add(PRODUCT_FILE, f"# try it with {JWT}\n"),
        [
            "products/parking/product.yaml:5:1: the line holds a token (JWT); remove it, and have it replaced where it "
            "opens something"
        ],
    ),
    (
        "a token in an example of the spec",
        spec("description: All.", f"description: All, example: {JWT}"),
        [
            'products/parking/openapi.yaml:8:45: paths["/v1/places"].get.responses["200"].example: holds a token '
            "(JWT); write a placeholder such as <token>, and have it replaced where it opens something"
        ],
    ),
    (
        "user and password in an address",
        places("http://127.0.0.1:7001", "http://ada:hunter2@127.0.0.1:7001"),
        [
            "environments/local.yaml:8:21: products.parking.versions.v1.upstreams[0]: holds a password in an address; "
            "secrets are named, never written: put it into a file of its own, and the file's name here"
        ],
    ),
]
ENVIRONMENTS = [
    (
        "no environment",
        remove(ENVIRONMENT_FILE),
        ["environments/local.yaml:1:1: there is no such file"],
    ),
    (
        "a product without a place",
        places("  parking:", "  washing:"),
        [
            "environments/local.yaml:2:1: products: has no parking; write where it runs: parking: {listen: "
            '127.0.0.1:9001, versions: {v1: {upstreams: ["http://127.0.0.1:7001"]}}}'
        ],
    ),
    (
        "a version without a place, and a place without a version",
        places("v1:", "v2:"),
        [
            "environments/local.yaml:6:5: products.parking.versions: says no address for v1 of product.yaml; "
            'write v1: {upstreams: ["http://127.0.0.1:7001"]}',
            "environments/local.yaml:7:7: products.parking.versions.v2: products/parking/product.yaml names no such "
            "version; add it there, or remove it here",
        ],
    ),
    (
        "unknown fields",
        places("stats:", "colour: red\n    stats:"),
        [
            "environments/local.yaml:5:5: products.parking.colour: is not known; known here: listen, hosts, stats, "
            "tls, issuer, versions"
        ],
    ),
    (
        "no issuer",
        places("issuer: {issuer: idp, jwks: {file: keys/jwks.json}}\n", ""),
        [
            "environments/local.yaml:1:1: issuer: is required, for listPlaces needs a token: "
            "issuer: {issuer: NAME, jwks: {file: FILE}}"
        ],
    ),
    (
        "missing JWKS",
        remove("environments/keys/jwks.json"),
        [
            "environments/local.yaml:1:30: issuer.jwks.file: there is no file ROOT/environments/keys/jwks.json; "
            "put it there, or name another"
        ],
    ),
    (
        "keys from nowhere, and from two places",
        places("jwks: {file: keys/jwks.json}", "jwks: {refresh: 5}"),
        [
            "environments/local.yaml:1:23: issuer.jwks: must name the issuer's public keys once: by file, or by url",
            "environments/local.yaml:1:30: issuer.jwks.refresh: goes with url; remove it",
        ],
    ),
    (
        "keys over plain HTTP",
        places("file: keys/jwks.json", "url: 'http://idp.example/jwks.json'"),
        [
            "environments/local.yaml:1:30: issuer.jwks.url: plain HTTP is only for loopback addresses such as "
            "127.0.0.1; write https"
        ],
    ),
    (
        "listening to the world without TLS",
        places("listen: 127.0.0.1", "listen: 0.0.0.0"),
        [
            "environments/local.yaml:4:5: products.parking.listen: plain HTTP is only for loopback addresses such as "
            "127.0.0.1; add tls: {certificate: FILE, key: FILE}, or listen there"
        ],
    ),
    (
        "a certificate that is not there",
        places("    stats", f"{TLS}    stats"),
        [
            "environments/local.yaml:5:11: products.parking.tls.certificate: there is no file "
            "ROOT/environments/cert.pem; put it there, or name another",
            "environments/local.yaml:5:34: products.parking.tls.key: there is no file ROOT/environments/key.pem; "
            "put it there, or name another",
        ],
    ),
    (
        "addresses that are none",
        edit(ENVIRONMENT_FILE, "127.0.0.1:9001", "localhost:9001", "127.0.0.1:9101", "127.0.0.1:0"),
        [
            "environments/local.yaml:4:5: products.parking.listen: must be an IP address and a port, such as "
            "127.0.0.1:9001",
            "environments/local.yaml:5:5: products.parking.stats: must be an IP address and a port, such as "
            "127.0.0.1:9001",
        ],
    ),
    (
        "statistics for the world",
        places("stats: 127.0.0.1", "stats: 0.0.0.0"),
        [
            "environments/local.yaml:5:5: products.parking.stats: must be on loopback, such as 127.0.0.1:9101: "
            "it asks nobody for a token"
        ],
    ),
    (
        "an upstream elsewhere without TLS",
        places("http://127.0.0.1:7001", "http://10.0.0.2:7001"),
        [
            "environments/local.yaml:8:21: products.parking.versions.v1.upstreams[0]: plain HTTP is only for loopback "
            "addresses such as 127.0.0.1; write https, and tls: {ca: FILE, name: NAME} beside upstreams"
        ],
    ),
    (
        "an upstream that nobody vouches for",
        places("http://127.0.0.1:7001", "https://10.0.0.2:7001"),
        [
            "environments/local.yaml:7:7: products.parking.versions.v1: with https, say who must answer: "
            "tls: {ca: FILE, name: NAME}"
        ],
    ),
    (
        "an upstream with a path",
        places("http://127.0.0.1:7001", "http://127.0.0.1:7001/v1"),
        [
            "environments/local.yaml:8:21: products.parking.versions.v1.upstreams[0]: must be http://127.0.0.1:7001, "
            "https://HOST:PORT or unix:FILE; no user, and no path: paths stay as they are"
        ],
    ),
    (
        "an upstream that is the gateway itself",
        places("http://127.0.0.1:7001", "http://127.0.0.1:9001"),
        [
            "environments/local.yaml:8:21: products.parking.versions.v1.upstreams[0]: is where the gateway listens; "
            "it would call itself"
        ],
    ),
    (
        "a Unix socket with too long a path",
        places("http://127.0.0.1:7001", f"unix:/run/{'x' * 100}.sock"),
        [
            "environments/local.yaml:8:21: products.parking.versions.v1.upstreams[0]: is too long a path for a Unix "
            "socket (103 bytes, from the root); move it up"
        ],
    ),
    (
        "TLS to a plain upstream",
        places("        upstreams", "        tls: {ca: keys/jwks.json, name: parking.internal}\n        upstreams"),
        [
            "environments/local.yaml:8:9: products.parking.versions.v1.tls: goes with https upstreams; write https, "
            "or remove it"
        ],
    ),
    (
        "an address for two",
        add(
            ENVIRONMENT_FILE,
            "  washing:\n    listen: 0.0.0.0:9001\n    versions: {v1: {upstreams: ['http://127.0.0.1:7002']}}\n",
        ),
        [
            "environments/local.yaml:4:5: products.parking.listen: overlaps with washing's listen (line 10); "
            "give each an address of its own"
        ],
    ),
    (
        "one address for callers and for statistics",
        places("127.0.0.1:9101", "127.0.0.1:9001"),
        [
            "environments/local.yaml:5:5: products.parking.stats: overlaps with parking's listen (line 4); "
            "give each an address of its own"
        ],
    ),
    (
        "spans over plain HTTP",
        add(ENVIRONMENT_FILE, "tracing: {otlp: '10.0.0.2:4318'}\n"),
        [
            "environments/local.yaml:9:11: tracing.otlp: plain HTTP is only for loopback addresses such as 127.0.0.1; "
            "let a collector there hand spans on"
        ],
    ),
]


def refused(root: Path, *changes: Change) -> list[str]:
    """What is said of a product that was changed, one line for each fault; the root as ROOT or left out."""
    with pytest.raises(Refused) as error:
        read(root, *changes)
    text = str(error.value).replace(f"{root}/products", "products")
    text = text.replace(f"{root}/environments/local", "environments/local")
    return text.replace(str(root), "ROOT").splitlines()


@pytest.mark.parametrize(
    ("change", "said"),
    [pytest.param(change, said, id=name) for name, change, said in [*FILES, *PRODUCTS, *SECRETS, *ENVIRONMENTS]],
)
def test_what_is_wrong_is_said_with_its_place(change: Change, said: list[str], tmp_path: Path) -> None:
    """File, line, column, field, and what to write instead."""
    assert refused(tmp_path, change) == said


def test_a_bomb_of_aliases_costs_nothing(tmp_path: Path) -> None:
    """A short file that stands for gigabytes is refused where it begins."""
    said = refused(tmp_path, write(OPENAPI_FILE, BOMB))

    assert "products/parking/openapi.yaml:2:10: a1[0]: *a0 is an alias; write the value out" in said


def test_all_files_are_told_at_once(tmp_path: Path) -> None:
    """One look mends all three files."""
    said = refused(
        tmp_path,
        product("owner: team-parking", "owner: ''"),
        spec("listPlaces", "showPlace"),
        places("stats: 127.0.0.1", "stats: 0.0.0.0"),
    )

    assert [line.split(":")[0] for line in said] == [ENVIRONMENT_FILE, OPENAPI_FILE, PRODUCT_FILE]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    """What is said of a secret ends up in logs."""
    said = refused(
        tmp_path,
        add(PRODUCT_FILE, f"password: hunter2\ncontact: {JWT}\n"),
        places("http://127.0.0.1:7001", "http://ada:hunter2@127.0.0.1:7001"),
    )

    assert len(said) == 3
    assert "hunter2" not in "".join(said)
    assert JWT not in "".join(said)
