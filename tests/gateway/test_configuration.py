import json
from collections.abc import Mapping

import msgspec
import pytest

from outrider.common.ports import LOOPBACK, Address
from outrider.gateway import envoy
from outrider.gateway.configuration import (
    Step,
    configuration,
    keys_in,
    static_form,
    steps,
    token_content,
    token_file,
)
from outrider.gateway.environment import Backend, ListenTls, UpstreamTls
from outrider.gateway.faults import Refused
from outrider.gateway.product import Cors, Limits
from outrider.gateway.release import Release, Split
from tests.gateway.compile.built import CHANGE, PUBLIC, SHOW, at, placement, product, release
from tests.gateway.compile.certificates import Authority
from tests.gateway.compile.running import KEYS

ONE: Split = {"v1": 100}
TWO = product(versions=("v1", "v2"))
ELSEWHERE = placement(listen=Address(LOOPBACK, 9002))


def files(of: Release, split: Split = ONE, jwks: str = "{}") -> dict[str, bytes]:
    """All files, the one with the keys among them."""
    name = token_file(of)
    return {**configuration(of, split), **({name: token_content(of, jwks)} if name else {})}


def told(found: list[Step]) -> list[str]:
    """The steps in short: the kind of file, `-` before it where it is removed."""
    return [("" if step.content else "-") + step.file.partition("-")[0].removesuffix(".json") for step in found]


def after(old: Mapping[str, bytes], found: list[Step]) -> dict[str, bytes]:
    """The files once all steps are taken."""
    left = dict(old)
    for step in found:
        if step.content is None:
            del left[step.file]
        else:
            left[step.file] = step.content
    return left


def names(content: bytes | None) -> list[str]:
    """Of the resources in a file."""
    return [resource["name"] for resource in json.loads(content or b"{}")["resources"]]


def version(content: bytes) -> str:
    return str(json.loads(content)["version_info"])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, files(release()), ["bootstrap", "routes", "token", "cds", "lds"]),
        (files(release()), files(release()), []),
        (files(release()), files(release(SHOW, PUBLIC, CHANGE)), ["routes"]),
        (files(release(of=TWO)), files(release(of=TWO), {"v1": 50, "v2": 50}), ["routes"]),
        (files(release()), files(release(), jwks='{"keys": []}'), ["token"]),
        (files(release()), files(release(of=product(cors=Cors()))), ["routes", "lds", "-routes"]),
        (files(release()), files(release(on=ELSEWHERE)), ["routes", "lds", "lds", "-routes"]),
        (files(release()), files(release(of=TWO), {"v2": 100}), ["cds", "routes"]),
        (files(release(of=TWO)), files(release()), ["cds"]),
        (files(release(of=TWO), {"v2": 100}), files(release()), ["routes", "cds"]),
        (
            files(release()),
            files(release(of=product(audiences=("x",)))),
            ["routes", "token", "lds", "-routes", "-token"],
        ),
        (
            files(release()),
            files(release(on=placement(tls=ListenTls(certificate="/c/a.pem", key="/c/a.key")))),
            ["routes", "secret", "lds", "-routes"],
        ),
        (files(release()), files(release(of=product(name="others"))), ["bootstrap", "routes", "lds", "-routes"]),
    ],
    ids=[
        "first", "nothing", "routes", "split", "keys", "listener", "move", "cluster added", "cluster removed",
        "cluster replaced", "token settings", "certificate", "bootstrap",
    ],
)  # fmt: skip
def test_the_steps_of_a_switch(old: dict[str, bytes], new: dict[str, bytes], expected: list[str]) -> None:
    """What is needed comes before what needs it and goes after it; in the end there are the new files and no others."""
    found = steps(old, new)
    assert told(found) == expected
    assert after(old, found) == new


def test_clusters_stay_until_no_route_leads_to_them() -> None:
    """In between there are the old and the new ones; of the same name, the new."""
    old, new = files(release(of=product(versions=("v2",))), {"v2": 100}), files(release())
    first, *_, last = steps(old, new)
    assert names(first.content) == ["admin", "traces", "v1", "v2"]
    assert names(last.content) == ["admin", "traces", "v1"]

    moved = placement(versions={"v1": Backend(upstreams=(at(7009),))})
    (step,) = steps(files(release()), files(release(on=moved)))
    assert b"7009" in (step.content or b"")
    assert b"7001" not in (step.content or b"")


def test_a_gateway_that_moves_serves_at_both_addresses_for_a_moment() -> None:
    """First both listeners, confirmed and with time to settle; then the new one alone."""
    old, new = files(release()), files(release(on=ELSEWHERE))
    both, alone = (step for step in steps(old, new) if step.file == "lds.json")
    assert names(both.content) == ["main@127.0.0.1:9001", "main@127.0.0.1:9002"]
    assert both.settle > 0
    assert names(alone.content) == ["main@127.0.0.1:9002"]
    assert alone.settle == 0


def test_each_step_can_be_confirmed() -> None:
    """Envoy's statistics tell the version that it applied; a listener is confirmed with its routes."""
    old, new = files(release(of=TWO)), files(release(of=TWO), {"v1": 50, "v2": 50})
    (step,) = steps(old, new)
    statistic = f"http.ingress.rds.{step.file.removesuffix('.json')}.version_text"
    assert step.confirm == {statistic: version(new[step.file])}

    new = files(release(of=product(versions=("v1", "v2"), cors=Cors(), audiences=("x",))))
    listener = next(step for step in steps(old, new) if step.file == "lds.json")
    routes = next(file for file in new if file.startswith("routes-"))
    assert listener.confirm == {
        "listener_manager.lds.version_text": version(new["lds.json"]),
        "listener_manager.total_listeners_warming": "0",
        f"http.ingress.rds.{routes.removesuffix('.json')}.version_text": version(new[routes]),
    }


def test_token_files_that_are_not_named_stay() -> None:
    """Who leaves them out of the new files has not asked for their removal as long as a listener needs them."""
    of = release()
    assert steps(files(of), configuration(of, ONE)) == []


def test_a_listener_that_changes_has_routes_of_its_own() -> None:
    """So that no connection ever sees the old filters with the new routes; what routes say does not rename them."""

    def routes(of: Release) -> str:
        return next(file for file in configuration(of, ONE) if file.startswith("routes-"))

    assert routes(release()) == routes(release(SHOW, CHANGE))
    assert routes(release()) != routes(release(of=product(limits=Limits(headers=False))))


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"v1": 100}, {"cluster": "v1"}),
        ({"v1": 0, "v2": 100}, {"cluster": "v2"}),
        (
            {"v2": 5, "v1": 95},
            {"weighted_clusters": {"clusters": [{"name": "v1", "weight": 95}, {"name": "v2", "weight": 5}]}},
        ),
    ],
)
def test_the_split_stands_in_the_routes(split: Split, expected: dict[str, object]) -> None:
    """A version without traffic is in none; nothing but the routes depends on it."""
    written = configuration(release(of=TWO), split)
    content = next(content for file, content in written.items() if file.startswith("routes-"))
    leading = [
        one["route"] for one in json.loads(content)["resources"][0]["virtual_hosts"][0]["routes"] if "route" in one
    ]
    assert leading
    assert all(route.items() >= expected.items() for route in leading)
    assert not any(b"{split}" in content for content in written.values())


def test_the_keys_stand_in_the_token_file_alone() -> None:
    """They are put in when they are read, and can be read out again; a release holds none."""
    of = release()
    assert json.loads(keys_in(token_content(of, KEYS.jwks("known")))) == json.loads(KEYS.jwks("known"))
    assert b"keys" not in msgspec.json.encode(of.compiled)
    assert token_file(release(PUBLIC)) is None


async def test_the_static_form_is_what_envoy_checks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With and without keys, with TLS, with a split; and what is wrong anywhere in it is refused with its reason."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, "authority")
    authority.issue("api")
    tls = ListenTls(certificate=f"{folder}/api.pem", key=f"{folder}/api.key", client_ca=f"{folder}/authority.pem")
    proof = UpstreamTls(ca=f"{folder}/authority.pem", name="up")
    named = Backend(upstreams=(at(8443, "up.example"), at(8443, "::1")), tls=proof)
    versions = {"v1": named, "v2": Backend(upstreams=(at(7002, "127.0.0.1"), at(7002, "::1")))}
    place = placement(listen=Address("::", 9443), tls=tls, stats=Address("127.0.0.1", 9101), versions=versions)
    rich = release(SHOW, CHANGE, PUBLIC, of=TWO, on=place)
    await envoy.validate(static_form(rich, {"v1": 95, "v2": 5}, KEYS.jwks("known")))
    await envoy.validate(static_form(rich, ONE, None))

    wrong = release(of=product(cors=Cors(origin_patterns=("(",))))
    with pytest.raises(Refused, match="missing"):
        await envoy.validate(static_form(wrong, ONE, None))
    with pytest.raises(Refused, match="v3"):
        await envoy.validate(static_form(rich, {"v1": 50, "v3": 50}, None))
    with pytest.raises(Refused, match=r"(?i)jwks"):
        await envoy.validate(static_form(rich, ONE, '{"keys": []}'))
    (folder / "api.pem").unlink()
    with pytest.raises(Refused, match=r"api\.pem"):
        await envoy.validate(static_form(rich, ONE, None))


@pytest.mark.parametrize("length", [10, 60])
async def test_long_paths_are_no_trouble(length: int) -> None:
    """Envoy's own limit for regular expressions is less than a long path needs; ours is not."""
    long = "".join(f"/a-rather-long-segment-{number}/{{parameter{number}}}" for number in range(length))
    types = tuple(f"application/vnd.example.things.v{number}+json" for number in range(length))
    of = release(msgspec.structs.replace(CHANGE, path=long, media_types=types))
    await envoy.validate(static_form(of, ONE, None))
