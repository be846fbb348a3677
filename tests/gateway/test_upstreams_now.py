"""How upstreams are, from what Envoy shows."""

from outrider.gateway.upstreams_now import Upstream, upstreams


def test_an_address_is_well_unless_something_speaks_against_it() -> None:
    """Health checks and errors each have their reason; Unix sockets and IPv6 are addresses too."""

    def host(address: dict[str, object], **health: object) -> dict[str, object]:
        return {"address": address, "health_status": {"eds_health_status": "HEALTHY", **health}}

    v4, v6 = ({"socket_address": {"address": name, "port_value": 7001}} for name in ("127.0.0.1", "::1"))
    hosts = [
        host(v4),
        host(v6, failed_active_health_check=True, active_hc_timeout=True),
        host({"pipe": {"path": "/run/it.sock"}}, failed_outlier_check=True),
    ]

    assert upstreams({"cluster_statuses": [{"name": "v1", "host_statuses": hosts}, {"name": "v2"}]}) == {
        "v1": [
            Upstream(address="127.0.0.1:7001"),
            Upstream(
                address="[::1]:7001",
                why=("its health path does not answer as it should", "its health path does not answer in time"),
            ),
            Upstream(address="/run/it.sock", why=("it is left out after errors",)),
        ],
        "v2": [],
    }
