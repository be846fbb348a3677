"""What a new product's files say before its team has said anything: as little as compiles and passes every check.

Its OpenAPI document is `beginning.yaml`, with NAME, TITLE and OWNER where those go.
"""

import re
from importlib.resources import files

import msgspec

_PRODUCT = """\
# WHAT the product is, owned by its team and the same everywhere. WHERE it runs stands in environments/.
name: {name}
owner: {owner}
versions: [v1]                  # names of deployed upstreams, the current one first
audiences: [{name}]{blanks}# for whom tokens must be: their `aud`

# What follows is the same as if it were not here.
limits:
  person: {{requests: 50}}        # per second, each verified `sub`
  client: {{requests: 20}}        # per second, each address, where no token is needed
  product: {{requests: 5000}}     # per second, all together
body_limit: 1048576             # bytes
timeout: 5                      # seconds; text/event-stream has none
timeouts: {{}}                    # by operationId, where one takes longer: {{downloadThing: 600}}
retries: 1                      # only where nothing can have happened twice
"""

_ENVIRONMENT = """\
# WHERE products run. File names are relative to this folder. Secrets are named by their files and never written here.

issuer:
  issuer: outrider
  jwks:
    # Development keys, for trying out: `outrider token ada --audience {name}` signs with them. With an identity
    # provider of your own, write its address instead: url: https://idp.example/jwks.json
    file: {jwks}

products:
"""

_PLACE = """\
  {name}:
    listen: 127.0.0.1:{listen}  # callers come here; beyond loopback, tls is needed
    stats: 127.0.0.1:{stats}  # Prometheus reads here
    versions:
      v1: {{upstreams: ['http://127.0.0.1:{upstream}']}}
"""
_PLAIN = re.compile(r"(?:[A-Za-z]|\.\./)[A-Za-z0-9_./-]*")


def openapi(name: str, owner: str) -> str:
    """An OpenAPI document that shows the few things a gateway looks at, and what callers want to know."""
    told = {"NAME": name, "TITLE": _text(name.replace("-", " ").capitalize()), "OWNER": _text(owner)}
    text = (files("outrider.gateway") / "beginning.yaml").read_text(encoding="utf-8")
    return re.sub("|".join(told), lambda match: told[match[0]], text)


def product(name: str, owner: str) -> str:
    """Its product.yaml."""
    blanks = " " * max(2, 19 - len(name))
    return _PRODUCT.format(name=name, owner=_text(owner), blanks=blanks)


def environment(name: str, jwks: str) -> str:
    """An environment's file with this product alone. jwks: where the keys are, seen from the file's folder."""
    return _ENVIRONMENT.format(name=name, jwks=_text(jwks)) + place(name, "")


def place(name: str, taken: str) -> str:
    """What goes below `products:` of an environment's file; its ports do not stand in `taken`, the file as it is."""
    numbers = (start + n for start in range(0, 20_000, 200) for n in range(1, 100))
    listen, stats, upstream = next(
        ports
        for ports in ((9000 + n, 9100 + n, 7000 + n) for n in numbers)
        if not any(f":{port}" in taken for port in ports)
    )
    return _PLACE.format(name=name, listen=listen, stats=stats, upstream=upstream)


def _text(value: str) -> str:
    """Text as YAML reads it back: quoted where it might be read as something else."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null")
    return value if plain else msgspec.json.encode(value).decode()
