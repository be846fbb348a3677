"""`outrider gateway explain`: what becomes of a request, and why one got the answer that it got."""

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.cli.asking import Exit, Json
from outrider.cli.gateway.asking import STATE, ProductName, StateFolder, refusals
from outrider.cli.shown import complain, print_json, say

if TYPE_CHECKING:
    from outrider.gateway.explain import Explained, Held
    from outrider.gateway.release import Release
    from outrider.gateway.store import Instance, ProductState
    from outrider.gateway.upstreams_now import Upstream

Now = Mapping[str, "list[Upstream]"]
"""The addresses of each version as they are now."""


def explain(
    product: ProductName,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="Such as GET.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="As a caller sends it: /v1/sessions/17.")],
    presented: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="OUTRIDER_TOKEN",
            metavar="JWT",
            help="Say what is wrong with this token there; - reads it from standard input. It is never shown.",
        ),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option(
            "--request-id",
            metavar="ID",
            help="Say why this request was answered as it was: X-Request-Id, or the trace_id of a problem document.",
        ),
    ] = None,
    as_json: Json = False,
    state: StateFolder = STATE,
) -> None:
    """Say what the live release does with a request: which operation, who may, limits, time, and why it is refused.

    It reads the state folder only, and asks the gateway how its upstreams are if it runs.
    """
    from outrider.gateway.explain import explain as explained
    from outrider.gateway.store import State

    with refusals():
        kept = State(state).product(product)
        live = kept.published()
        release, now = kept.release(live.release), asyncio.run(_upstreams(kept))
        facts: dict[str, Any] = {"request": explained(release, live.split, method, path), "upstreams": now}
        if presented is not None:
            given = sys.stdin.read() if presented == "-" else presented
            facts["token"] = _token(kept, release, method, path, given)
        if request_id is not None:
            facts["answer"] = _answer(kept, request_id)
    if as_json:
        print_json(facts)
    else:
        typer.echo("\n".join(_told(facts)))
    if request_id is not None and facts["answer"] is None:
        complain(f"No line of the access log is about {request_id}: it is older than the log, or was not sent here.")
        raise typer.Exit(Exit.NO)


async def _upstreams(kept: "ProductState") -> Now | None:
    """None where no gateway answers."""
    from outrider.gateway.envoy import NotAnswering, NotRunning
    from outrider.gateway.upstreams_now import upstreams_now

    for instance in kept.instances():
        try:
            return await upstreams_now(instance.admin)
        except (NotRunning, NotAnswering):
            continue
    return None


def _token(kept: "ProductState", release: "Release", method: str, path: str, token: str) -> list[str] | None:
    """What is wrong with it; None where nobody asks for one."""
    from outrider.gateway.explain import operation_of
    from outrider.gateway.token_faults import Asked, token_faults

    operation, issuer = operation_of(release, method, path), release.placement.issuer
    if operation is None or operation.public or issuer is None:
        return None
    keys = next((found for instance in kept.instances() if (found := _keys(release, instance))), None)
    asked = Asked(issuer=issuer.issuer, audiences=release.product.audiences, operation=operation, keys=keys)
    return token_faults(token, asked, time.time())


def _keys(release: "Release", instance: "Instance") -> str | None:
    """The keys that a gateway has now."""
    from outrider.gateway.configuration import keys_in, token_file

    content = instance.tokens().get(token_file(release) or "")
    return keys_in(content) if content else None


def _answer(kept: "ProductState", request_id: str) -> dict[str, Any] | None:
    from outrider.gateway.answers import find, told
    from outrider.gateway.logs import ACCESS, every_line

    for instance in kept.instances():
        if entry := find(every_line(instance.folder / ACCESS), request_id):
            return {"entry": entry, "why": told(entry)}
    return None


def _told(facts: Mapping[str, Any]) -> Iterator[str]:
    request: Explained = facts["request"]
    yield from _verdict(request)
    if request.held:
        yield from ("", *_held(request.held), *_versions(request, facts["upstreams"]))
    if request.answers and "answer" not in facts:
        yield from ("", "The gateway itself answers with")
        for code, reasons in request.answers.items():
            yield from (f"  {'   ' if number else code}  if {reason}" for number, reason in enumerate(reasons))
    if "token" in facts:
        yield from ("", *_of_token(facts["token"]))
    if facts.get("answer"):
        entry = facts["answer"]["entry"]
        yield from ("", f"{entry.time}  {entry.method or '?'}  {entry.route or 'no route'}  {entry.code}")
        yield from (f"  {sentence}" for sentence in facts["answer"]["why"])


def _verdict(request: "Explained") -> Iterator[str]:
    asked = f"{request.method} {request.path}"
    where = f"release {request.release} of {request.product}, {request.environment}"
    match request.code:
        case None:
            yield f"{asked} is for {request.operation}, in {where}."
        case 400:
            yield f"{asked} gets 400: a path begins with a slash, and has no blank, no # and no escaped slash."
        case 404:
            yield f"{asked} gets 404: {where}, has no such path. The nearest that it has:"
            yield from (f"  {path}" for path in request.nearest)
        case _:
            yield f"{asked} gets {request.code}: in {where}, that path has {', '.join(request.allowed)}."


def _held(held: "Held") -> Iterator[str]:
    from outrider.gateway.explain import limit_said, scopes_said

    who = "anybody, no token is asked for"
    if not held.public:
        scopes = f", with {scopes_said(held.scopes)}" if all(held.scopes) else ""
        who = f"a token of {held.issuer}, for {' or '.join(held.audiences)}{scopes}"
    limits = "; ".join(f"{limit_said(limit)} by {by}" for by, limit in held.limits.items())
    types = f", {' or '.join(held.media_types)}" if held.media_types else ""
    rows = {
        "path": held.path,
        "who": who,
        "limits": limits,
        "body": f"up to {held.body_limit} bytes{types}",
        "answer": f"complete within {held.timeout:g} s" if held.timeout else "without a limit of time",
        "retries": f"up to {held.retries}, where nothing can have happened twice" if held.retries else "none",
        "headers": "; ".join(f"{name}: {value}" for name, value in held.headers.items()),
    }
    yield from (f"  {name:<9} {text}" for name, text in rows.items() if text)


def _versions(request: "Explained", now: Now | None) -> Iterator[str]:
    well = "healthy" if request.health else "in use, nobody asks how it is"
    for share in request.versions:
        found = (now or {}).get(share.version, [])
        each = [f"{one.address} {'; '.join(one.why) or well}" for one in found]
        yield f"  {share.version:<9} {share.percent} %{'  ' if each else ''}{', '.join(each)}"
    if now is None:
        say("The gateway does not run, so nobody knows how its upstreams are.")


def _of_token(faults: list[str] | None) -> Iterator[str]:
    if faults is None:
        yield "No token is looked at there."
    elif not faults:
        yield "The token is in order: it opens this operation now."
    else:
        yield from ("The token does not open this operation:", *(f"  {fault}" for fault in faults))
