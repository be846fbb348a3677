"""TLS: the certificate that callers see, the one that they must show, and the check of upstreams' certificates.

Certificates are files, each named in a small file of the gateway's own; Envoy reads them again whenever something in
their folder is renamed, which is how they are renewed without a restart.
"""

from pathlib import Path
from typing import Any

from outrider.common.ports import is_ip
from outrider.gateway.compile.parts import Json, Source, digest, extension, from_file, typed
from outrider.gateway.environment import ListenTls, UpstreamTls

_OLDEST = {"tls_minimum_protocol_version": "TLSv1_2"}


def secrets(source: Source) -> tuple[dict[str, Any], ...]:
    """All that names a certificate, by name."""
    upstreams = [source.placement.versions[name].tls for name in source.product.versions]
    found = [_ca(tls) for tls in upstreams if tls]
    if tls := source.placement.tls:
        found.append(_certificate(tls))
        if tls.client_ca:
            found.append(_trusted("client-ca", tls.client_ca))
    return tuple({str(secret["name"]): secret for secret in sorted(found, key=lambda one: str(one["name"]))}.values())


def secret_file(secret: Json) -> str:
    """The file in which Envoy finds it."""
    return f"secret-{digest(secret)}.json"


def to_callers(source: Source) -> dict[str, Any]:
    """A filter chain's TLS; empty where it is plain HTTP."""
    tls = source.placement.tls
    if tls is None:
        return {}
    common: dict[str, Any] = {
        "tls_params": _OLDEST,
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [_reference(_certificate(tls))],
    }
    if tls.client_ca:
        common["validation_context_sds_secret_config"] = _reference(_trusted("client-ca", tls.client_ca))
    kind = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return _socket(kind, common_tls_context=common, require_client_certificate=bool(tls.client_ca))


def to_upstreams(tls: UpstreamTls | None) -> dict[str, Any]:
    """A cluster's TLS; empty where it is plain."""
    if tls is None:
        return {}
    is_name = not is_ip(tls.name)
    san = {"san_type": "DNS" if is_name else "IP_ADDRESS", "matcher": {"exact": tls.name}}
    validation = {
        "default_validation_context": {"match_typed_subject_alt_names": [san]},
        "validation_context_sds_secret_config": _reference(_ca(tls)),
    }
    common = {"tls_params": _OLDEST, "combined_validation_context": validation}
    kind = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    return _socket(kind, common_tls_context=common, **({"sni": tls.name} if is_name else {}))


def _certificate(tls: ListenTls) -> dict[str, Any]:
    files = {"certificate_chain": {"filename": tls.certificate}, "private_key": {"filename": tls.key}}
    return _secret("certificate", tls_certificate={**files, **_folder(tls.certificate)})


def _ca(tls: UpstreamTls) -> dict[str, Any]:
    return _trusted(f"ca-{digest(tls.ca)[:8]}", tls.ca)


def _reference(secret: Json) -> dict[str, Any]:
    return {"name": secret["name"], "sds_config": from_file(secret_file(secret))}


def _socket(kind: str, **context: Any) -> dict[str, Any]:
    return {"transport_socket": extension("envoy.transport_sockets.tls", kind, **context)}


def _trusted(name: str, file: str) -> dict[str, Any]:
    return _secret(name, validation_context={"trusted_ca": {"filename": file}, **_folder(file)})


def _secret(name: str, **content: Any) -> dict[str, Any]:
    return typed("envoy.extensions.transport_sockets.tls.v3.Secret", name=name, **content)


def _folder(file: str) -> dict[str, Any]:
    return {"watched_directory": {"path": str(Path(file).parent)}}
