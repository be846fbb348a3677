"""The smallest documents that have a bit of everything, and what else they might be."""

from copy import deepcopy
from typing import Any

import msgspec
import yaml

from outrider.gateway.documents import Source, parse

OPENAPI: dict[str, Any] = yaml.safe_load("""
openapi: 3.1.0
info: {title: Stations, version: 1.0.0}
tags: [{name: stations}]
security: [{token: []}]
paths:
  /stations/{id}:
    parameters: [{$ref: '#/components/parameters/id'}]
    get:
      operationId: getStation
      parameters: [{name: limit, in: query, schema: {type: integer, default: 20}}]
      responses:
        '200': {description: One., content: {application/json: {schema: {$ref: '#/components/schemas/Station'}}}}
    put:
      operationId: putStation
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {'204': {description: Done.}, default: {$ref: '#/components/responses/problem'}}
components:
  parameters:
    id: {name: id, in: path, required: true, schema: {type: string}}
  responses:
    problem: {description: 'No.', headers: {Retry-After: {schema: {type: integer}}}}
  schemas:
    Station:
      type: object
      properties: {name: {type: string, maxLength: 80}, near: {$ref: '#/components/schemas/Stations'}}
    Stations: {type: array, items: {$ref: '#/components/schemas/Station'}, default: []}
  securitySchemes:
    token: {type: http, scheme: bearer}
""")

ASYNCAPI: dict[str, Any] = yaml.safe_load("""
asyncapi: 3.0.0
info: {title: Charging events, version: 1.0.0}
servers:
  bus: {host: '{region}.bus.invalid', protocol: nats, variables: {region: {default: eu}}}
channels:
  session:
    address: charging/{id}
    messages: {begun: {$ref: '#/components/messages/begun'}}
    parameters: {id: {description: Of the session.}}
    servers: [{$ref: '#/servers/bus'}]
operations:
  tell:
    action: send
    channel: {$ref: '#/channels/session'}
    messages: [{$ref: '#/channels/session/messages/begun'}]
    bindings: {nats: {}}
components:
  messages:
    begun: {payload: {$ref: '#/components/schemas/Begun'}, correlationId: {location: '$message.payload#/id'}}
  schemas:
    Begun: {type: object, required: [id], properties: {id: {type: string}}}
  securitySchemes:
    user: {type: userPassword}
""")


def as_3_0(document: Any) -> Any:
    """The same document as OpenAPI 3.0."""
    return document | {"openapi": "3.0.3"}


def source(document: Any) -> Source:
    """As a file of JSON."""
    return parse(msgspec.json.encode(document), "openapi.json")


def edited(document: Any, pointer: str, value: Any) -> Any:
    """The document with another value at the place; `...`: without it."""
    copy = there = deepcopy(document)
    *steps, last = (step.replace("~1", "/") for step in pointer.removeprefix("#/").split("/"))
    for step in steps:
        there = there[int(step) if isinstance(there, list) else step]
    name = int(last) if isinstance(there, list) else last
    if value is ...:
        del there[name]
    else:
        there[name] = value
    return copy
