"""What holds of whole documents: what is more and optional breaks nobody, and the same in other words is no change."""

import copy
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.gateway.findings import Severity
from tests.gateway.diff.documents import changes, document
from tests.gateway.diff.drawn import Schemas

Drawn = dict[str, Any]
CHANCE = st.integers(0, 2**32 - 1).map(Random)
STATUSES = ("200", "201", "404", "4XX", "default")
NEW_STATUSES = ("202", "409", "503")
MEDIA_TYPES = ("application/json", "text/csv", "application/problem+json")


class Documents:
    """Draws documents whose schemas may all grow: objects of plain members, lists of them, and references to them."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._plain = Schemas(chance)

    def document(self) -> Drawn:
        """One of a few operations, some of which share what is below components."""
        schemas = {name: self.an_object(1) for name in ("A", "B")}
        paths = {f"/{name}/{{id}}": self.item() for name in self.chance.sample(["a", "b", "c"], 2)}
        parameters = {"P": self.parameter("p"), "H": self.parameter("h", "header")}
        return {"paths": paths, "components": {"schemas": schemas, "parameters": parameters}}

    def item(self) -> Drawn:
        """What is at a path."""
        path_id = {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}
        methods = self.chance.sample(["get", "put", "post"], self.chance.randint(1, 2))
        return {"parameters": [path_id], **{method: self.operation() for method in methods}}

    def operation(self) -> Drawn:
        """One with parameters, perhaps a body, and answers."""
        chance = self.chance
        named = [self.parameter(name) for name in chance.sample(["q", "r", "s"], chance.randint(0, 2))]
        shared = [{"$ref": f"#/components/parameters/{name}"} for name in chance.sample("PH", chance.randint(0, 2))]
        body = {"requestBody": {"content": self.content(), "required": chance.random() < 0.5}}
        answers = {status: self.answer() for status in chance.sample(STATUSES, chance.randint(1, 3))}
        answers.setdefault("200", self.answer())
        return {"parameters": named + shared, "responses": answers} | (body if chance.random() < 0.5 else {})

    def parameter(self, name: str, place: str = "query") -> Drawn:
        """An optional one, or not."""
        return {"in": place, "name": name, "required": self.chance.random() < 0.3, "schema": self._plain.plain()}

    def answer(self) -> Drawn:
        """One with a body and perhaps a header."""
        headers = {"headers": {"X-A": {"schema": {"type": "string"}}}} if self.chance.random() < 0.4 else {}
        return {"description": "d", "content": self.content(), **headers}

    def content(self) -> Drawn:
        """Bodies by their media types."""
        types = self.chance.sample(MEDIA_TYPES, self.chance.randint(1, 2))
        return {name: {"schema": self.schema(2)} for name in types}

    def schema(self, depth: int) -> Drawn:
        """Any of them."""
        pick = self.chance.random()
        if pick < 0.3:
            return {"$ref": f"#/components/schemas/{self.chance.choice('AB')}"}
        if pick < 0.4:
            return {"type": "array", "items": self.schema(depth - 1)}
        return self.an_object(depth - 1) if depth > 0 and pick < 0.8 else self._plain.plain()

    def an_object(self, depth: int) -> Drawn:
        """Objects that may have more members than are listed."""
        members = {self._plain.name(): self.schema(depth) for _ in range(self.chance.randint(1, 3))}
        required = self.chance.sample(list(members), self.chance.randint(0, len(members)))
        return {"type": "object", "properties": members, "required": required}


def within(value: Any, key: str) -> list[Drawn]:
    """All objects of a document that have a member of this name, at any depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [each for member in inner for each in within(member, key)]
    return [value, *found] if isinstance(value, dict) and key in value else found


def a_path(new: Drawn, drawn: Documents) -> None:
    """Another path with all that it has."""
    new["paths"]["/new/{id}"] = drawn.item()


def an_operation(new: Drawn, drawn: Documents) -> None:
    """Another method at a path that is there."""
    drawn.chance.choice(list(new["paths"].values()))["patch"] = drawn.operation()


def a_status(new: Drawn, drawn: Documents) -> None:
    """Another success, or a failure: as any was until now, where that was said."""
    answers, status = (
        drawn.chance.choice(within(new["paths"], "responses"))["responses"],
        drawn.chance.choice(NEW_STATUSES),
    )
    until_now = answers.get(f"{status[0]}XX") or (answers.get("default") if status[0] in "45" else None)
    answers.setdefault(status, copy.deepcopy(until_now) or drawn.answer())


def a_media_type(new: Drawn, drawn: Documents) -> None:
    """Of a body that callers send."""
    bodies = within(new["paths"], "requestBody")
    for operation in bodies[:1]:
        operation["requestBody"]["content"]["application/x-new"] = {"schema": drawn.schema(2)}


def a_body(new: Drawn, drawn: Documents) -> None:
    """Of an operation that had none; it may be left out."""
    operation = drawn.chance.choice(within(new["paths"], "responses"))
    operation.setdefault("requestBody", {"content": drawn.content()})


def a_parameter(new: Drawn, drawn: Documents) -> None:
    """One that may be left out, of an operation or of a whole path."""
    place = drawn.chance.choice(["query", "header", "cookie"])
    parameter = {**drawn.parameter("new", place), "required": False}
    drawn.chance.choice(within(new["paths"], "parameters"))["parameters"].append(parameter)


def a_member(new: Drawn, drawn: Documents) -> None:
    """One that may be left out, of any object, sent or received."""
    if objects := within(new, "properties"):
        drawn.chance.choice(objects)["properties"]["new"] = drawn.schema(1)


def a_header(new: Drawn, drawn: Documents) -> None:
    """Of any answer."""
    answers = [answer for each in within(new["paths"], "responses") for answer in each["responses"].values()]
    answer = drawn.chance.choice(answers)
    answer.setdefault("headers", {})["X-New"] = {"required": drawn.chance.random() < 0.5, "schema": {"type": "string"}}


def words(new: Drawn, drawn: Documents) -> None:
    """Descriptions, tags and examples, wherever they may stand."""
    new["tags"] = [{"name": "t"}]
    for operation in within(new["paths"], "responses"):
        operation |= {"tags": ["t"], "summary": "s", "description": "d", "operationId": "o", "x-team": "t"}
    for parameter in within(new, "in"):
        parameter |= {"description": "d", "example": 1}
    for schema in within(new, "type"):
        schema |= {"title": "t", "description": "d", "examples": [1], "x-since": 2}


MORE = (a_path, an_operation, a_status, a_media_type, a_body, a_parameter, a_member, a_header, words)


@settings(max_examples=60)
@given(CHANCE, st.lists(st.sampled_from(MORE), min_size=1, max_size=4))
def test_what_is_more_and_may_be_left_out_breaks_nobody(chance: Random, more: list[Any]) -> None:
    """Operations, answers, media types of requests, parameters, members, headers, and words: no error, no warning."""
    drawn = Documents(chance)
    old = drawn.document()
    new = copy.deepcopy(old)
    for add in more:
        add(new, drawn)

    told = [change for change in changes(document(**old), document(**new)) if change.severity <= Severity.WARN]

    assert not told, (old, new)


@settings(max_examples=30)
@given(CHANCE)
def test_a_document_in_another_order_is_no_change(chance: Random) -> None:
    """Whatever has no order is turned round: members of all objects, what is required, parameters."""
    old = Documents(chance).document()

    assert not changes(document(**old), document(**reordered(old)))


def reordered(value: Any, key: str = "") -> Any:
    """The same, turned round."""
    if isinstance(value, dict):
        return {name: reordered(value[name], name) for name in reversed(value)}
    if isinstance(value, list):
        return [reordered(each) for each in (reversed(value) if key in ("required", "parameters", "enum") else value)]
    return value


@settings(max_examples=30)
@given(CHANCE)
def test_what_is_written_out_or_referred_to_is_no_change(chance: Random) -> None:
    """Schemas, parameters, answers, bodies and headers: referred to in one document, written out in the other."""
    old = Documents(chance).document()
    new = extracted(copy.deepcopy(old), chance)
    pair = document(**old), document(**written_out(old, old))

    assert not changes(*pair)
    assert not changes(*reversed(pair))
    assert not changes(document(**old), document(**new)), new
    assert not changes(document(**new), document(**old)), new


def written_out(value: Any, old: Drawn) -> Any:
    """With what is referred to in its place; what refers to itself stays."""
    return _written_out(value, old, 2)


def _written_out(value: Any, old: Drawn, depth: int) -> Any:
    if isinstance(value, dict) and "$ref" in value and depth:
        there: Any = old
        for step in value["$ref"].split("/")[1:]:
            there = there[step]
        return _written_out(there, old, depth - 1)
    if isinstance(value, dict):
        return {name: _written_out(each, old, depth) for name, each in value.items()}
    return [_written_out(each, old, depth) for each in value] if isinstance(value, list) else value


def extracted(new: Drawn, chance: Random) -> Drawn:
    """With some of what is written out put below components."""
    kinds = (("schema", "schemas"), ("requestBody", "requestBodies"))
    for key, kind in kinds:
        for holder in within(new["paths"], key):
            _put_below(new, holder, key, kind, chance)
    for key, kind in (("responses", "responses"), ("headers", "headers")):
        for holder in within(new["paths"], key):
            for name in holder[key]:
                _put_below(new, holder[key], name, kind, chance)
    return new


def _put_below(new: Drawn, holder: Drawn, key: str, kind: str, chance: Random) -> None:
    if chance.random() < 0.5 and "$ref" not in holder[key]:
        known = new["components"].setdefault(kind, {})
        known[name := f"New{len(known)}"] = holder[key]
        holder[key] = {"$ref": f"#/components/{kind}/{name}"}
