"""A line of the access log in words."""

import json
from typing import Any

import pytest

from outrider.gateway.answers import Entry, find, told
from outrider.gateway.compile.routes import MEDIA_TYPE, METHOD_NOT_ALLOWED, NO_SUCH_OPERATION, OTHER_HOST


def entry(**said: Any) -> Entry:
    return Entry(**{"time": "2026-11-22T02:14:05.000Z", "code": 503, "route": "showSession", **said})


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"details": "jwt_authn_access_denied{Jwt_is_missing}"}, "It had no token"),
        ({"details": "jwt_authn_access_denied{Jwt_header_[alg]_is_not_supported}"}, "Its token was not valid"),
        (
            {"details": "jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}"},
            "it was withdrawn",
        ),
        ({"details": "rbac_access_denied_matched_policy[authorization]"}, "a blank and one token"),
        ({"details": "rbac_access_denied_matched_policy[audience]"}, "Its token was for something else"),
        ({"details": "rbac_access_denied_matched_policy[none]"}, "lacks the scopes"),
        ({"details": "local_rate_limited", "limit": '"person";q=50;w=1'}, "one too many for the person"),
        ({"details": "local_rate_limited", "limit": '"client";q=20;w=1'}, "the client's address"),
        ({"details": "local_rate_limited"}, "one too many at that moment"),
        ({"details": "direct_response", "route": NO_SUCH_OPERATION}, "No published operation"),
        ({"details": "direct_response", "route": METHOD_NOT_ALLOWED}, "not with its method"),
        ({"details": "direct_response", "route": MEDIA_TYPE}, "Its Content-Type"),
        ({"details": "direct_response", "route": OTHER_HOST}, "Its Host"),
        ({"details": "upgrade_failed", "route": "<tunnel>"}, "a tunnel (CONNECT)"),
        ({"details": "http1.invalid_transfer_encoding", "route": None}, "not `chunked`"),
        ({"details": "path_normalization_failed", "route": None}, "escaped slash"),
        ({"details": "http1.something_new"}, "the rules of HTTP/1"),
        ({"details": "no_healthy_upstream", "flags": "UH"}, "No address of the version was healthy"),
        (
            {"details": "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_111}"},
            "It did not get the request",
        ),
        ({"details": "upstream_reset_before_response_started{connection_termination}"}, "may have been done"),
        ({"details": "upstream_reset_before_response_started{overflow}"}, "as its breakers allow"),
        ({"details": "response_timeout", "flags": "UT"}, "may have been done"),
        ({"details": "via_upstream"}, "The upstream itself"),
        ({"details": "never_heard_of"}, "Envoy's reason: never_heard_of."),
        ({}, "Envoy's reason: none."),
    ],
)
def test_the_reason_comes_first(said: dict[str, Any], reason: str) -> None:
    """The longest beginning that is known counts; what is not known is shown as it is."""
    assert reason in told(entry(**said))[0]


def test_then_come_flags_and_the_way_that_it_took() -> None:
    """What happened on the way, where it went and how long it took."""
    said = entry(
        details="upstream_reset_before_response_started{connection_termination}",
        flags="UC,URX,XX",
        upstream="127.0.0.1:7001",
        version="v1",
        attempts=2,
        upstream_ms=3,
        ms=17,
    )

    assert told(said)[1:] == [
        "Envoy's flags: UC (the upstream closed the connection); URX (it was tried as often as is allowed); XX.",
        "It went to 127.0.0.1:7001 (v1), at attempt 2, first byte after 3 ms.",
        "It took 17 ms in all.",
    ]


def test_no_flags_are_no_sentence() -> None:
    """Envoy writes a dash where there are none."""
    assert len(told(entry(details="via_upstream", flags="-"))) == 1


def test_a_request_is_found_by_either_of_its_ids() -> None:
    """By X-Request-Id or W3C trace id; what only mentions it, or was cut short, is passed over."""
    lines = [
        json.dumps({"time": "t", "code": 200, "request_id": "a", "trace_id": "0af7", "route": "b", "new": 1}),
        '{"time": "t", "code": 200, "request_id": "b", "trac',
        json.dumps({"time": "t", "code": 404, "request_id": "b", "trace_id": None}),
    ]

    assert find(lines, "b") == Entry(time="t", code=404, request_id="b")
    assert find(lines, "0af7") == Entry(time="t", code=200, request_id="a", trace_id="0af7", route="b")
    assert find(lines, "c") is None
