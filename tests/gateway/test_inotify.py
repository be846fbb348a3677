"""How many files may be followed."""

import ctypes
import os

import msgspec
import pytest

from outrider.gateway import inotify
from outrider.gateway.faults import Refused

ME = os.geteuid()


def source(file: str) -> dict[str, object]:
    return {"path_config_source": {"path": f"./{file}"}, "resource_api_version": "V3"}


def test_each_subscription_is_counted_once() -> None:
    """Two listeners that follow one routes file share it; two secrets in one file are two subscriptions."""
    routes = {"rds": {"route_config_name": "routes", "config_source": source("routes.json")}}
    files = {
        "bootstrap.json": {"cds_config": source("cds.json"), "lds_config": source("lds.json")},
        "lds.json": {"resources": [{"filter": [routes]}, {"filter": [routes]}]},
        "cds.json": {"resources": [{"sds": [{"name": name, "sds_config": source("s.json")}]} for name in ("a", "b")]},
    }

    assert inotify.needed({name: msgspec.json.encode(content) for name, content in files.items()}) == 5


@pytest.mark.skipif(inotify.limit() is None, reason="there is no such limit here")
def test_what_a_user_has_is_counted() -> None:
    """As far as it may be seen; others of this user may come and go meanwhile."""
    made = ctypes.CDLL(None).inotify_init()
    try:
        assert made >= 0
        assert inotify.in_use({ME})[ME] >= 1
    finally:
        os.close(made)


def test_who_needs_more_than_there_are_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many, whose, and the command that allows more; each user has its own."""
    monkeypatch.setattr(inotify, "limit", lambda: 128)
    monkeypatch.setattr(inotify, "in_use", lambda users: dict.fromkeys(users, 20))
    inotify.check({1: 128 - 20 - inotify.SPARE, 2: 5})

    with pytest.raises(Refused) as refused:
        inotify.check({1: 128 - 20 - inotify.SPARE + 1})
    assert "103 inotify instances are needed" in str(refused.value)
    assert "user 1 has 20 in use, and the kernel allows each user 128" in str(refused.value)
    assert "sysctl -w fs.inotify.max_user_instances=1024" in str(refused.value)

    monkeypatch.setattr(inotify, "limit", lambda: None)
    inotify.check({1: 10_000})
