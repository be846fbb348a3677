"""Documents that a tired person or a hostile one hands in, and what is said of them."""

import os

from tests.gateway.lint.bad import API, GOOD, LAWFUL, Bad, Content, big, linked


def minimal(rest: str = "", *, schemas: str = "") -> bytes:
    below = f"components: {{schemas: {{{schemas}}}}}\n" if schemas else ""
    return f"openapi: 3.1.0\ninfo: {{title: x, version: 1.0.0}}\npaths: {{}}\n{below}{rest}".encode()


def a_schema(text: str) -> bytes:
    return minimal(schemas=f"A: {text}")


def ref(target: str) -> bytes:
    return a_schema(f"{{$ref: '{target}'}}")


def doubling(levels: int) -> str:
    """Schemas that stand for two to the power of `levels` once references are written out."""
    below = (f"{{$ref: '#/components/schemas/A{number + 1}'}}" for number in range(levels))
    parts = [f"A{number}: {{allOf: [{one}, {one}]}}" for number, one in enumerate(below)]
    return ", ".join([*parts, f"A{levels}: {{}}"])


LAUGHS = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in range(ord("b"), ord("z")))
OUT = "leads out of this document, and nothing"

DOCUMENTS: dict[str, tuple[Content, str]] = {
    "broken YAML": (b"openapi: [3.1.0\n", "is not YAML"),
    "a tab": (b"openapi: 3.1.0\n\tinfo: {}\n", "is not YAML"),
    "a control character": (b"openapi: 3.1.0\ninfo: \x07\n", "is not YAML"),
    "half a character": (b'{"openapi": "3.1.0", "info": "\\ud800"}', "is not YAML"),
    "a key twice": (minimal("paths: {}\n"), "paths: is there twice, first on line 3; keep one"),
    "a billion laughs": (LAUGHS, "is an anchor; remove it"),
    "an alias": (minimal("x-a: *b\n"), "*b is an alias; write the value out"),
    "a merge key": (minimal("<<: {x-a: 1}\n"), "`<<` is not known"),
    "a tag that runs code": (minimal("x-a: !!python/object/apply:os.system [id]\n"), "is a tag; write a plain value"),
    "two documents": (minimal("---\na: 1\n"), "a second document begins here"),
    "a key that is a list": (minimal("? [a, b]\n: c\n"), "a key must be plain text"),
    "a reference to itself": (ref("#/components/schemas/A"), "leads back to itself"),
    "references in a circle": (
        minimal(schemas="A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}"),
        "leads back to itself",
    ),
    "a schema that is all of itself": (
        a_schema("{allOf: [{$ref: '#/components/schemas/A'}], default: 1}"),
        "cannot be tried",
    ),
    "a reference to a URL": (ref("http://127.0.0.1:9/x.yaml#/A"), OUT),
    "a reference to a file": (ref("file:///etc/passwd"), OUT),
    "a reference up the folders": (ref("../../../../../../etc/passwd"), OUT),
    "a reference up the folders, escaped": (ref("%2e%2e/%2e%2e/etc/passwd"), OUT),
    "a reference to a device": (ref("/dev/zero"), OUT),
    "a reference with a huge number": (ref("#/tags/" + "9" * 5000), "leads nowhere"),
    "a reference to prose": (ref("#/info/title"), "leads to what nothing may refer to"),
    "a reference that is a number": (a_schema("{$ref: 1}"), "`$ref` must be text"),
    "schemas that mean billions": (minimal(schemas=doubling(40)), "with its references written out"),
    "a default that costs billions": (
        minimal(schemas=doubling(40) + ", B: {$ref: '#/components/schemas/A0', default: 1}"),
        "cannot be tried",
    ),
    "a schema with an address": (a_schema("{$id: 'http://127.0.0.1:9/'}"), "is not followed"),
    "a dialect to be fetched": (a_schema("{$schema: 'http://127.0.0.1:9/'}"), "is another dialect"),
    "a pattern that never ends": (
        a_schema(f"{{pattern: '^(a+)+$', default: {'a' * 60}!}}"),
        "does not fit its own schema",
    ),
    "a pattern that is none": (a_schema("{pattern: '^[a-z'}"), "must be a valid regex"),
    "30 MB": (big, "has more than 2097152 bytes"),
    "half a million lists": (b"openapi: 3.1.0\nx-a: [" + b"[]," * 500_000 + b"]", "has more than 200,000 values"),
    "a hundred thousand levels of YAML": (b"openapi: 3.1.0\nx-a: " + b"[" * 100_000, "is nested too deeply"),
    "a hundred thousand levels of JSON": (b'{"openapi":"3.1.0","x-a":' + b'{"a":' * 100_000, "is nested too deeply"),
    "a thousand levels of indents": (b"".join(b" " * n + b"a:\n" for n in range(1000)), "is nested too deeply"),
    "the prototype as a key": (minimal("__proto__: {admin: true}\n"), "`__proto__` is not known"),
    "the constructor as a keyword": (a_schema("{constructor: {prototype: {}}}"), "`constructor` is no keyword"),
    "methods of objects as methods": (
        minimal().replace(b"paths: {}", b"paths: {/a: {toString: {}}}"),
        "`toString` is not known",
    ),
    "UTF-16": (minimal().decode().encode("utf-16"), "is not UTF-8; save the file as UTF-8"),
    "UTF-32": (minimal().decode().encode("utf-32"), "is not UTF-8"),
    "Latin-1": (minimal("x-a: é\n").decode().encode("latin-1"), "is not UTF-8"),
    "NUL bytes": (minimal() + b"\0" * 100, "is not YAML"),
    "a whole number too long to be one": (
        a_schema(f"{{maxLength: {'9' * 5000}}}"),
        "is not a number that JSON can hold",
    ),
    "a number beyond all": (a_schema("{maximum: 1e999}"), "is not a number that JSON can hold"),
    "not a number": (a_schema("{maximum: .nan}"), "is not a number that JSON can hold"),
    "JSON's NaN": (
        b'{"openapi": "3.1.0", "info": {"title": "x", "version": NaN}, "paths": []}',
        "`paths` must be an object",
    ),
    "ten thousand fields that nobody knows": (
        minimal("".join(f"a{n}: 1\n" for n in range(10_000))),
        "`a0` is not known",
    ),
    "nothing": (b"", "is no "),
    "a comment": (b"# soon\n", "is no "),
    "null": (b"null", "is no "),
    "a list": (b"[1, 2]", "is no "),
    "HTML": (b"<!doctype html>\n<html><body>Not Found: 404</body></html>\n", "is n"),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not UTF-8"),
    "OpenAPI 2": (b"swagger: '2.0'\n", "OpenAPI 2 is not read"),
    "OpenAPI 3.2": (minimal().replace(b"3.1.0", b"3.2.0"), "this version is not known"),
    "OpenAPI 4": (minimal().replace(b"3.1.0", b"4.0.0"), "this version is not known"),
    "a version without its last part": (minimal().replace(b"3.1.0", b"'3.1'"), "this version is not known"),
    "a version that is a number": (minimal().replace(b"3.1.0", b"3.1"), "this version is not known"),
    "a version that is a list": (minimal().replace(b"3.1.0", b"[3.1.0]"), "this version is not known"),
    "no version": (b"info: {title: x}\npaths: {}\n", "openapi: 3.1.0"),
    "another version in disguise": (minimal().replace(b"3.1.0", "3.1.０".encode()), "this version is not known"),
    "a FIFO": (os.mkfifo, "is no plain file"),
    "a device": (linked("/dev/zero"), "is no plain file"),
    "a link to itself": (linked(API), "leads to itself"),
    "a link to nothing": (linked("elsewhere.yaml"), "there is no such"),
}


_LONG = "half a million lists"
_OF_DIFF = {"schemas that mean billions": "api-path-removed-without-deprecation"}


def answering(last: str) -> bytes:
    """A document that answers with something that means billions, of which the last is this."""
    answer = "{description: x, content: {application/json: {schema: {$ref: '#/components/schemas/A0'}}}}"
    path = f"/a: {{get: {{operationId: a, security: [], responses: {{'200': {answer}}}}}}}"
    schemas = doubling(40).replace("A40: {}", f"A40: {{type: {last}}}")
    return minimal(schemas=schemas).replace(b"paths: {}", f"paths: {{{path}}}".encode())


def documents() -> dict[str, Bad]:
    """Each of them linted, and compared with a good one."""
    found = {}
    for name, (content, says) in DOCUMENTS.items():
        files = {API: content, GOOD: LAWFUL}
        found[f"lint {name}"] = Bad(files, ("lint", API), says)
        if name != _LONG:  # it is read in the same way
            found[f"diff {name}"] = Bad(files, ("diff", GOOD, API), _OF_DIFF.get(name, says))
    files = {"old.yaml": answering("string"), "new.yaml": answering("integer")}
    found["diff two that mean billions"] = Bad(files, ("diff", "old.yaml", "new.yaml"), "cannot-be-judged")
    return found
