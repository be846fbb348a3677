"""What is no OpenAPI or AsyncAPI document is told with its place, once, and in words that mend it."""

from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from outrider.gateway.documents import parse
from outrider.gateway.faults import Refused
from outrider.gateway.lint.objects import CHAIN_LIMIT
from outrider.gateway.lint.structure import structure_findings
from tests.gateway.lint.miniatures import ASYNCAPI, OPENAPI, as_3_0, edited, source

ITEM = "#/paths/~1stations~1{id}"
GET = f"{ITEM}/get"
LIMIT = f"{GET}/parameters/0"
SCHEMAS = "#/components/schemas"
NAME = f"{SCHEMAS}/Station/properties/name"
TOKEN = "#/components/securitySchemes/token"
UNKNOWN = "is no keyword of a schema: JSON Schema passes over it, so that it would bound nothing"
BOTH = {"3.1": OPENAPI, "3.0": as_3_0(OPENAPI)}


def told(document: Any) -> list[str]:
    """What is found: where, and what."""
    return [f"{finding.place.pointer} {finding.message}" for finding in structure_findings(source(document))]


def begins(found: list[str], *beginnings: str) -> bool:
    """Is each the beginning of one that was found, and is there no other?"""
    return len(found) == len(beginnings) and all(map(str.startswith, found, beginnings))


@pytest.mark.parametrize("document", [*BOTH.values(), ASYNCAPI])
def test_nothing_is_found_in_what_is_right(document: Any) -> None:
    """References, also in a circle through a list, defaults, extensions: all of it is allowed."""
    assert told(document) == []
    assert told(document | {"x-anything": {"$ref": "nowhere"}}) == []


FORM: list[tuple[str, Any, str]] = [
    ("#/info/title", ..., "`title` is required"),
    ("#/info/titel", "x", "`titel` is not known; known here: title, "),
    ("#/info/version", 1, "`version` must be text"),
    (f"{GET}/responses", ["200"], "`responses` must be an object"),
    (f"{GET}/responses/200/description", ..., "`description` is required"),
    (f"{GET}/responses/2000", {"description": "x"}, "`2000` is not known"),
    (f"{GET}/sumary", "One", "`sumary` is not known; known here: tags, summary, "),
    (f"{LIMIT}/in", "quary", "`in` must be one of "),
    (f"{LIMIT}/name", ..., "`name` is required"),
    (LIMIT, {"name": "limit", "in": "query"}, "`parameters[0]` must have schema or content"),
    (LIMIT, {"name": "limit", "in": "header", "schema": {}, "style": "form"}, ""),
    ("#/components/parameters/id/required", False, "`required` must be "),
    (f"{NAME}/type", "strin", "`type` must be one of array, boolean, integer, "),
    (f"{NAME}/maxLength", "80", "`maxLength` must be a whole number"),
    (f"{NAME}/pattern", "^[a-z", "`pattern` must be a valid regex"),
    (f"{TOKEN}/scheme", ..., "`scheme` is required"),
    (f"{TOKEN}/type", "htp", "`type` must be one of apiKey, http, "),
]


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize(("place", "value", "what"), FORM)
def test_one_mistake_is_one_finding(form: str, place: str, value: Any, what: str) -> None:
    """However deep it lies, and whatever else the thing might have been: one line, in the words of the author."""
    [found] = told(edited(BOTH[form], place, value))

    assert found.startswith(f"{place} {what}" if what else f"{place}/style `style` must be ")


X = {"name": "x", "in": "path", "required": True, "schema": {}}
MEANING: list[tuple[str, Any, str, str]] = [
    ("#/tags", [{"name": "a"}, {"name": "a", "description": "b"}], "#/tags/1/name", "`name` is there twice; keep one"),
    (f"{GET}/operationId", "putStation", f"{ITEM}/put/operationId", "`operationId` is the id of another operation"),
    (f"{GET}/parameters", [X, X | {"in": "query"}], f"{GET}/parameters/0", "`parameters[0]` is not in the path"),
    (f"{ITEM}/parameters", [], GET, "`get` does not say what {id} of its path is; add a parameter of that name"),
    (f"{ITEM}/parameters", [X], f"{ITEM}/parameters/0", "`parameters[0]` is not in the path; write {x} there"),
    (f"{GET}/security", [{"tokn": []}], f"{GET}/security/0/tokn", "`tokn` is no scheme of components.securitySchemes"),
    (f"{LIMIT}/schema/default", "x", f"{LIMIT}/schema/default", "`default` does not fit its own schema"),
    (f"{SCHEMAS}/Stations/default", [1], f"{SCHEMAS}/Stations/default", "`default` does not fit its own schema"),
    (
        f"{SCHEMAS}/Station/discriminator",
        {"propertyName": "kind", "mapping": {"fast": "other.yaml"}},
        f"{SCHEMAS}/Station/discriminator/mapping/fast",
        "`fast` leads nowhere in this document, and nothing is fetched",
    ),
]


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize(("place", "value", "where", "what"), MEANING)
def test_what_no_schema_can_say_is_found_too(form: str, place: str, value: Any, where: str, what: str) -> None:
    """Names are unique, parameters are those of the path, defaults fit."""
    assert told(edited(BOTH[form], place, value))[0].startswith(f"{where} {what}")


REGION = {"url": "https://{region}.a.example/{basePath}", "variables": {"region": {"default": "eu"}}}
BASE = {"basePath": {"default": "v1", "enum": ["v1", "v2"]}}
LINK = {"operationId": "putStation"}


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize("place", ["#", ITEM, GET, f"{GET}/responses/200/links/put"])
@pytest.mark.parametrize(
    ("server", "what"),
    [
        (REGION | {"variables": REGION["variables"] | BASE}, None),
        ({"url": "{scheme}://a.example", "variables": {"scheme": {"default": "https", "enum": ["https"]}}}, None),
        ({"url": "/v1", "variables": {"unused": {"default": ""}}}, None),
        (REGION, " `{}` does not say what {{basePath}} of its url is; add it to variables"),
        ({"url": "https://{a"}, "/url `url` must be a URL or a path once each {{name}} is replaced"),
        (
            {"url": "https://{a}", "variables": {"a": {"default": "b c"}}},
            "/url `url` must be a URL or a path once each {{name}} is replaced",
        ),
    ],
)
def test_the_url_of_a_server_is_a_template(form: str, place: str, server: Any, what: str | None) -> None:
    """Wherever servers may stand: what is in braces is a variable that is there, and with the defaults it is a URL."""
    name = "server" if "links" in place else "servers"
    value = server if "links" in place else [server]
    document = edited(BOTH[form], f"{GET}/responses/200/links", {"put": LINK})
    where = f"{place}/{name}" if "links" in place else f"{place}/{name}/0"

    found = told(edited(document, f"{place}/{name}", value))

    assert begins(found, *([where + what.format("server" if "links" in place else "servers[0]")] if what else []))


def test_a_default_is_one_of_the_values_of_its_variable() -> None:
    """As OpenAPI 3.1 demands; 3.0 only advises it."""
    server = REGION | {"variables": REGION["variables"] | {"basePath": {"default": "v3", "enum": ["v1", "v2"]}}}

    found = {form: told(edited(document, "#/servers", [server])) for form, document in BOTH.items()}

    where = "#/servers/0/variables/basePath/default"
    assert found == {"3.1": [f"{where} `default` must be one of those in enum beside it"], "3.0": []}


def test_a_parameter_is_named_once() -> None:
    """Of two with the same name at the same place, nobody knows which counts."""
    limit = OPENAPI["paths"]["/stations/{id}"]["get"]["parameters"][0]

    found = told(edited(OPENAPI, f"{GET}/parameters", [limit, limit | {"in": "header"}, limit | {"description": "b"}]))

    assert found == [f"{GET}/parameters/2 `parameters[2]` names limit in query a second time; keep one"]


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize(
    ("ref", "what"),
    [
        ("https://example.com/schemas.yaml#/Station", "leads out of this document, and nothing is fetched"),
        ("../../etc/passwd", "leads out of this document"),
        ("file:///etc/passwd", "leads out of this document"),
        ("schemas.yaml#/Station", "leads out of this document"),
        ("#/components/schemas/Statoin", "leads nowhere"),
        ("#/components/schemas/Stations/items/0", "leads through another $ref"),
        (f"#/tags/{'9' * 5000}", "leads nowhere"),
        ("#Station", "must be a JSON pointer"),
        ("#/components/responses/problem", "leads to a response; here a schema is wanted"),
        (f"{GET}", "leads to an operation; here a schema is wanted"),
        ("#/components%2Fschemas/Stations", "has %2F, which not everybody reads alike"),
        ("#/info", "leads to what nothing may refer to; here a schema is wanted"),
        ("#/x-schemas/Station", "leads to what nothing may refer to"),
    ],
)
def test_references_lead_to_such_a_thing_in_the_document(form: str, ref: str, what: str) -> None:
    """One that leads out, nowhere, or to something else is told at its place, and nothing is opened."""
    document = edited(BOTH[form], NAME, {"$ref": ref}) | {"x-schemas": {"Station": {"type": "object"}}}

    assert begins(told(document), f"{NAME}/$ref `$ref` {what}")


def test_references_that_only_lead_to_each_other_are_told() -> None:
    """Nothing can be made of them; a schema that has itself as a part is well."""
    circle = {"A": {"$ref": f"{SCHEMAS}/B"}, "B": {"$ref": f"{SCHEMAS}/A"}, "C": {"allOf": [{"$ref": f"{SCHEMAS}/C"}]}}
    message = "`$ref` leads back to itself; write out what is meant"

    found = told(edited(OPENAPI, SCHEMAS, OPENAPI["components"]["schemas"] | circle))

    assert found == [f"{SCHEMAS}/A/$ref {message}", f"{SCHEMAS}/B/$ref {message}"]


def test_what_no_rule_could_look_into_is_told() -> None:
    """A circle is never written out, so what is on it would be served and not checked. Only schemas may have themselves
    as parts, where they are defined.
    """
    item = OPENAPI["paths"]["/stations/{id}"]
    aside = {"get": {**item["get"], "x-aside": {"$ref": ITEM}}} | {key: item[key] for key in item if key != "get"}
    document = edited(OPENAPI, "#/components/pathItems", {"Aside": aside})

    found = told(edited(document, ITEM, {"$ref": "#/components/pathItems/Aside"}))

    assert begins(found, f"{ITEM}/$ref `$ref` leads back to itself by way of #/components/pathItems/Aside, so that no")


def test_a_chain_of_references_has_an_end() -> None:
    """Nobody writes one of dozens; whoever does, makes everybody follow it again and again."""
    chain = {f"A{number}": {"$ref": f"{SCHEMAS}/A{number + 1}"} for number in range(CHAIN_LIMIT + 1)}
    last = {f"A{CHAIN_LIMIT + 1}": {}}

    found = told(edited(OPENAPI, SCHEMAS, OPENAPI["components"]["schemas"] | chain | last))

    assert begins(
        found, f"{SCHEMAS}/A0/$ref `$ref` leads from one reference to the next, more than {CHAIN_LIMIT} times"
    )


@pytest.mark.parametrize("place", [NAME, f"{ITEM}/put/requestBody/content/application~1json/schema"])
@pytest.mark.parametrize(
    ("keyword", "value", "what"),
    [
        ("maxLenght", 5, f"{UNKNOWN}; did you mean maxLength? If it is your own, write x-maxLenght"),
        ("colour", "red", f"{UNKNOWN}; if it is your own, write x-colour"),
        ("nullable", True, "is of OpenAPI 3.0; in 3.1 null is a type"),
        ("$id", "https://example.com/name", "is not followed; remove it"),
        ("$anchor", "name", "is not followed; remove it"),
        ("$dynamicRef", "#name", "is not followed; remove it"),
        ("$schema", "http://json-schema.org/draft-04/schema#", "is another dialect of JSON Schema"),
        ("exclusiveMinimum", True, "must be a number"),
    ],
)
def test_schemas_of_3_1_have_known_keywords_only(place: str, keyword: str, value: Any, what: str) -> None:
    """Everywhere: what would silently mean nothing, or something else, is told."""
    assert begins(told(edited(OPENAPI, f"{place}/{keyword}", value)), f"{place}/{keyword} `{keyword}` {what}")


def test_only_schemas_are_looked_at_as_schemas() -> None:
    """What somebody gives as an example may hold anything."""
    anything = {"$ref": "#/nowhere", "$id": "x", "$schema": "x", "type": "nothing"}

    assert told(edited(OPENAPI, f"{NAME}/example", anything)) == []
    assert told(edited(OPENAPI, f"{NAME}/enum", [anything])) == []


BEGUN = "#/components/messages/begun"
AVRO = {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": {}}
ASYNC: list[tuple[str, Any, str]] = [
    ("#/info/version", ..., "`version` is required"),
    ("#/chanels", {}, "`chanels` is not known; known here: asyncapi, id, info, "),
    ("#/channels/session/adress", "x", "`adress` is not known; known here: address, "),
    ("#/operations/tell/action", "publish", "`action` must be one of send, receive"),
    ("#/operations/tell/channel/$ref", "#/servers/bus", "`$ref` leads to a server; here a channel is wanted"),
    ("#/operations/tell/messages/0/$ref", BEGUN, "`$ref` must lead to one of the channel's own messages, #/channels/"),
    ("#/servers/bus/url", "nats://x", "`url` is not known; known here: host, protocol, "),
    (f"{SCHEMAS}/Begun/tipe", "object", f"`tipe` {UNKNOWN}; did you mean type?"),
    (f"{SCHEMAS}/Begun/type", "objct", "`type` must be one of array, boolean, "),
    (f"{BEGUN}/correlationId/location", "id", "`location` must be such as $message.header#/correlationId"),
    (f"{BEGUN}/bindings", {"pigeon": {}}, ""),
    ("#/components/securitySchemes/user/type", "password", "`type` must be one of userPassword, apiKey, "),
]


@pytest.mark.parametrize(("place", "value", "what"), ASYNC)
def test_asyncapi_documents_are_held_to_their_specification(place: str, value: Any, what: str) -> None:
    """Every field is known, and what is in it."""
    message = what or "`pigeon` is not known; known here: http, ws, "

    assert begins(told(edited(ASYNCAPI, place, value)), f"{place}{'' if what else '/pigeon'} {message}")


@pytest.mark.parametrize(
    ("place", "value", "where", "what"),
    [
        ("#/channels/session/parameters", {}, "#/channels/session", "`session` does not say what {id} is"),
        (
            "#/channels/session/address",
            "charging",
            "#/channels/session/parameters/id",
            "`id` is nowhere used; write {id}",
        ),
        ("#/servers/bus/variables", {}, "#/servers/bus", "`bus` does not say what {region} is; add it to variables"),
        (f"{SCHEMAS}/Begun", AVRO, f"{SCHEMAS}/Begun/schemaFormat", "`schemaFormat` is a form of schema that nothing"),
    ],
)
def test_what_belongs_together_in_asyncapi_is_together(place: str, value: Any, where: str, what: str) -> None:
    """Channels say what is in their address, servers what is in their host."""
    assert begins(told(edited(ASYNCAPI, place, value)), f"{where} {what}")


@pytest.mark.parametrize(
    "document",
    [[], {}, {"openapi": 3.1}, {"openapi": "3.2.0"}, {"openapi": "4.0.0"}, {"swagger": "2.0"}, {"asyncapi": "2.6.0"}],
    ids=str,
)
def test_what_is_not_known_is_refused(document: Any) -> None:
    """Never is a document let through because no rule is for it."""
    with pytest.raises(Refused):
        structure_findings(source(document))


def test_a_finding_has_the_line_of_the_document_as_it_was_written() -> None:
    """So that an editor can go there."""
    document = parse(b"openapi: 3.1.0\ninfo:\n  title: x\n  version: 1.0.0\n  colour: red\npaths: {}\n", "api.yaml")

    [finding] = structure_findings(document)

    assert (finding.place.file, finding.place.position.line, finding.place.position.column) == ("api.yaml", 5, 3)
    assert (finding.rule, finding.place.pointer) == ("structure", "#/info/colour")


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize(
    ("value", "where", "what"),
    [
        (5, "", "`discriminator` must be an object"),
        ({"propertyName": 5}, "/propertyName", "`propertyName` must be text"),
        ({"propertyName": "a", "mapping": 5}, "/mapping", "`mapping` must be an object"),
        ({"propertyName": "a", "mapping": {"b": {}}}, "/mapping/b", "`b` must be text"),
    ],
)
def test_a_discriminator_has_the_form_of_one(form: str, value: Any, where: str, what: str) -> None:
    """Also in OpenAPI 3.1, whose own schema does not look into Schema Objects."""
    place = f"{SCHEMAS}/Station/discriminator"

    found = told(edited(BOTH[form], place, value))

    assert begins(found, f"{place}{where} {what}")


@pytest.mark.parametrize("beside", [5, {"url": 5}, {"get": 5}])
@pytest.mark.parametrize("form", BOTH)
def test_nobody_looks_at_what_stands_beside_a_reference(form: str, beside: Any) -> None:
    """In OpenAPI 3.0 anything may; 3.1 knows its names."""
    links = edited(BOTH[form], "#/components/links", {"put": LINK})
    link = {"$ref": "#/components/links/put", "server": beside}

    found = told(edited(links, f"{GET}/responses/200/links", {"put": link}))

    assert begins(found, *([f"{GET}/responses/200/links/put/server `server` is not known"] if form == "3.1" else []))


REFERENCE: dict[str, Callable[..., Any]] = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}


@pytest.mark.parametrize("version", REFERENCE)
def test_what_openapi_spec_validator_calls_wrong_is_found_here(version: str) -> None:
    """Its verdict on the same mistakes; and it finds nothing in what is right. We are stricter, never laxer."""
    mistakes = [edited(BOTH[version], place, value) for place, value, *_ in (*FORM, *MEANING) if "pattern" not in place]
    theirs = [document for document in mistakes if not REFERENCE[version](document).is_valid()]

    assert REFERENCE[version](BOTH[version]).is_valid()
    assert len(theirs) > len(mistakes) / 2
    assert all(told(document) for document in theirs)
