"""References of a document written out: what stays, what is refused, and the way back to where a thing is written."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source, parse
from outrider.gateway.faults import Refused
from outrider.gateway.lint.resolved import DEPTH_LIMIT, Resolved, resolve


def source(data: Any) -> Source:
    return parse(msgspec.json.encode({"openapi": "3.1.0", **data}), "openapi.yaml")


def resolved(**schemas: Any) -> Resolved:
    return resolve(source({"s": schemas}))


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/s/{name}"}


def test_a_reference_is_what_it_names() -> None:
    """And so are references to references, and references inside of what is referred to."""
    found = resolved(A=ref("B"), B={"c": ref("C"), "list": [ref("C")]}, C={"type": "string"})
    whole = {"c": {"type": "string"}, "list": [{"type": "string"}]}
    assert found.data["s"] == {"A": whole, "B": whole, "C": {"type": "string"}}


def test_the_document_itself_is_left_as_it_was() -> None:
    """Whoever holds it sees no change; and where it has no references, it is not copied."""
    document = source({"s": {"A": {"b": ref("B")}, "B": {"type": "string"}}, "info": {"title": "A"}})
    found = resolve(document)
    assert document.data["s"]["A"] == {"b": ref("B")}
    assert found.data["info"] is document.data["info"]


def test_what_stands_beside_a_reference_is_not_seen() -> None:
    """As in OpenAPI 3.0, whatever 3.1 allows of it: rules see what is referred to."""
    assert resolved(A={**ref("B"), "description": "mine"}, B={"type": "a"}).data["s"]["A"] == {"type": "a"}


@pytest.mark.parametrize(
    ("schemas", "stays"),
    [
        ({"A": {"next": ref("A")}}, {"A"}),
        ({"A": {"b": ref("B")}, "B": {"a": ref("A")}}, {"A", "B"}),
        ({"A": {"b": ref("B")}, "B": {"c": ref("C")}, "C": {"a": ref("A")}}, {"A", "B", "C"}),
        ({"A": {"b": ref("B")}, "B": {"e": ref("E")}, "E": ref("A")}, {"E"}),
        ({"A": {"b": ref("B")}, "B": ref("C"), "C": ref("A")}, {"A", "B", "C"}),
        ({"A": {"all": {"$ref": "#"}}}, {"A"}),
    ],
)
def test_a_reference_that_leads_to_itself_stays(schemas: dict[str, Any], stays: set[str]) -> None:
    """So that the document has an end; who refers to such a circle from outside sees it once."""
    found = resolved(**schemas, Outside=ref("A"))
    assert {name for name in schemas if "$ref" in msgspec.json.encode(found.data["s"][name]).decode()} >= stays
    assert found.data["s"]["Outside"] == found.data["s"]["A"]


_PLACES = st.sampled_from(["A", "B", "C", "D", "A/x", "B/x", "C/y", "D/y/x"])
_VALUES = st.recursive(
    st.builds(ref, _PLACES) | st.just(1),
    lambda inner: st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.fixed_dictionaries(dict.fromkeys("ABCD", _VALUES)))
def test_every_document_has_an_end(schemas: dict[str, Any]) -> None:
    """Whatever refers to whatever: it is written out and no circle, or refused."""
    with suppress(Refused):
        found = resolve(source({"s": schemas}))
        assert msgspec.json.encode(found.data)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/s/Nothing", "leads nowhere"),
        ("#/s/List/01", "leads nowhere"),
        ("#/s/List/9", "leads nowhere"),
        ("#/s/Text/length", "leads nowhere"),
        ("#/s%2FText", "has %2F, which not everybody reads alike; between names write /, and inside of a name ~1"),
        ("#/s/a%7e1", "has %7e, which not everybody reads alike"),
        ("#/s/100%", "has '%', which means nothing; write %25"),
        ("#/s/a~2", "has '~2', which means nothing"),
        ("#/s/%FF", "has % before what is no UTF-8"),
        ("#/s/Other/type", "leads through another $ref"),
        ("#anchor", "must be a JSON pointer"),
        ("", "leads out of this document"),
        ("other.yaml#/s/A", "leads out of this document"),
        ("https://example.com/a.yaml", "leads out of this document"),
        ("../../etc/passwd", "leads out of this document"),
        ("file:///etc/passwd", "leads out of this document"),
    ],
)
def test_a_reference_to_nothing_is_refused(reference: str, message: str) -> None:
    """With its place, and what to write instead; nothing is opened and nothing is fetched."""
    with pytest.raises(Refused, match=r"s\.A\[\"\$ref\"\]|s\.A\.\$ref") as refused:
        resolved(A={"$ref": reference}, List=[1], Text="abc", Other=ref("List"))
    assert message in str(refused.value)


def test_references_that_mean_nothing_but_each_other_are_refused() -> None:
    """They stand for nothing at all."""
    with pytest.raises(Refused, match="leads back to itself"):
        resolved(A=ref("B"), B=ref("A"))


def test_a_short_document_that_means_billions_is_refused() -> None:
    """Before it is written out: each schema of forty has the next one twice."""
    schemas = {f"S{i}": {"a": ref(f"S{i + 1}"), "b": ref(f"S{i + 1}")} for i in range(40)}
    with pytest.raises(Refused, match=r"means more than 1,000,000,000 values"):
        resolved(**schemas, S40={})


def test_a_long_chain_is_refused_where_it_would_be_too_deep() -> None:
    """Short ones are fine; nothing ends in an overflow."""
    schemas = {f"S{i}": {"a": ref(f"S{i + 1}")} for i in range(1000)}
    with pytest.raises(Refused, match=f"nested deeper than {DEPTH_LIMIT} levels"):
        resolved(**schemas, S1000={})
    aliases = {f"S{i}": ref(f"S{i + 1}") for i in range(1000)}
    assert resolved(**aliases, S1000={"type": "a"}).data["s"]["S0"] == {"type": "a"}


_PLACED = {
    "a": {"b": ref("Ref"), "beside": {**ref("Ref"), "type": "mine"}, "list": [ref("Ref")]},
    "Ref": {"properties": {"c": ref("Deep")}},
    "Deep": {"type": "string"},
}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("s", "a"), ("s", "a")),
        (("s", "a", "b"), ("s", "Ref")),
        (("s", "a", "list", 0, "properties"), ("s", "Ref", "properties")),
        (("s", "a", "b", "properties", "c", "type"), ("s", "Deep", "type")),
        (("s", "a", "b", "properties", "c", "missing", "more"), ("s", "Deep")),
        (("s", "a", "beside"), ("s", "a", "beside")),
        (("s", "a", "beside", "type"), ("s", "a", "beside", "type")),
        (("s", "a", "beside", "properties"), ("s", "Ref", "properties")),
        (("s", "nothing"), ("s",)),
        ((), ()),
    ],
)
def test_a_place_is_told_where_it_is_written(path: JsonPath, place: JsonPath) -> None:
    """At the definition behind a reference, as far as the place exists; beside a reference, there."""
    assert resolved(**_PLACED).place(path, resolved=True).path == place


def test_the_place_as_written_knows_of_no_references() -> None:
    """For rules that see the document as it is."""
    assert resolved(**_PLACED).place(("s", "a", "b", "properties"), resolved=False).path == ("s", "a", "b")
