"""Other proxies to compare with: where they are, and how each is set up as a plain proxy in front of one upstream.

Like our gateways they use one worker, keep the connections on both sides, and write an access log. They check nothing.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from outrider.common.ports import Address


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy. install: how it gets onto Debian and its kin. argv: how `program` is started with a configuration,
    which `configured` writes for (listen, upstream, folder).
    """

    name: str
    program: str
    install: str
    argv: tuple[str, ...]
    configured: Callable[[Address, Address, Path], str]

    def binary(self) -> str | None:
        """Where its program is; None if it is not installed. Servers often lie where only root looks."""
        return shutil.which(self.program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")

    def command(self, listen: Address, upstream: Address, folder: Path) -> list[str]:
        """Write its configuration into the folder, and say how to start it."""
        file = folder / f"{self.name}.conf"
        file.write_text(self.configured(listen, upstream, folder), encoding="utf-8")
        return [self.binary() or self.program, *(word.format(file=file, folder=folder) for word in self.argv)]


def _nginx(listen: Address, upstream: Address, folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {kind}_temp_path {folder}/nginx-{kind};\n" for kind in kinds)
    return f"""daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
{temporary}    log_format measured escape=json '{{"time":"$time_iso8601","request":"$request","status":$status,'
        '"seconds":$request_time,"upstream_seconds":"$upstream_response_time","bytes":$body_bytes_sent}}';
    access_log {folder}/nginx-access.log measured;
    keepalive_requests 1000000;
    upstream measured {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://measured;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


def _haproxy(listen: Address, upstream: Address, folder: Path) -> str:
    return f"""global
    nbthread 1
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    http-reuse always
    timeout connect 1s
    timeout client 60s
    timeout server 60s
frontend measured
    bind {listen}
    default_backend upstream
backend upstream
    server one {upstream}
"""


RIVALS = (
    Rival(
        name="nginx",
        program="nginx",
        install="apt-get install nginx-light",
        argv=("-p", "{folder}", "-e", "{folder}/nginx.log", "-c", "{file}"),
        configured=_nginx,
    ),
    Rival(
        name="haproxy",
        program="haproxy",
        install="apt-get install haproxy",
        argv=("-db", "-f", "{file}"),
        configured=_haproxy,
    ),
)
