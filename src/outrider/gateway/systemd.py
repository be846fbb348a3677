"""Gateways for operators whose init runs them: units for systemd, which then starts, watches and ends each Envoy.

What `gateway up` would do besides is done by a unit of its own for all gateways of a state folder: it brings the
issuers' keys and keeps logs short. A gateway runs as the owner of its folder; where that is root, as a user of its own,
which `systemd-sysusers` makes.
"""

import pwd
import sys
from pathlib import Path

from outrider.gateway import envoy, users
from outrider.gateway.draining import GRACE
from outrider.gateway.release import Release
from outrider.gateway.store import ProductState, State

KEYS = "outrider-gateway-keys.service"
_GENERATION = 1
"""Under systemd there is but one: the next is started when the last has ended."""
_UNIT = """\
[Unit]
Description=Outrider gateway of {name} ({owner})
Wants=network-online.target {keys}
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
{who}
WorkingDirectory={folder}
ExecStartPre={prepare}
ExecStart={start}
# Lets requests that are under way finish; SIGTERM alone would cut them off.
ExecStop={stop}
TimeoutStopSec={patience:g}
Restart=always
RestartSec=200ms
LimitNOFILE=65536
ReadWritePaths={writes}
{capabilities}
{hardened}

[Install]
WantedBy=multi-user.target
"""
_KEYS_UNIT = """\
[Unit]
Description=The issuers' keys for the Outrider gateways in {state}
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User={user}
ExecStart={start}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
_HARDENED = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
UMask=0077"""


def units(product: ProductState) -> dict[str, str]:
    """The files for a product's gateway: file name to content; a `.conf` is for /etc/sysusers.d.

    Raises Refused if the product was never published, NoEnvoy.
    """
    release = product.release(product.published().release)
    unit, state = f"outrider-gateway-{product.name}", product.folder.parent
    number, who = _user(product, release)
    files = {
        f"{unit}.service": _unit(product, release, number, who),
        KEYS: _KEYS_UNIT.format(
            state=state, user=_name(state.stat().st_uid), start=_outrider("keys", "--watch", state)
        ),
    }
    if number in users.NUMBERS:
        files[f"{unit}.conf"] = f'u {who} {number} "Outrider gateway of {product.name}"\n'
    return files


def _unit(product: ProductState, release: Release, number: int, who: str) -> str:
    folder, socket = product.instance().folder, envoy.admin_socket(_GENERATION)
    prepare = [f"/bin/ln -sfn {socket} admin.sock"]
    if product.instance().folder.stat().st_uid != number:
        prepare.insert(0, f"+/bin/chown -hR {number}:{number} {_quoted(str(folder))}")
    low = "CAP_NET_BIND_SERVICE" if users.privileged(release.placement) else ""
    return _UNIT.format(
        name=product.name,
        owner=release.product.owner.replace("%", "%%"),
        keys=KEYS,
        who=f"User={who}\nGroup={who}" if number in users.NUMBERS else f"User={who}",
        folder=str(folder).replace("%", "%%"),
        writes=_quoted(str(folder)),
        prepare="\nExecStartPre=".join(prepare),
        start=" ".join(map(_quoted, envoy.argv(folder, _GENERATION))),
        stop=_outrider("stop", product.name, product.folder.parent, "--grace", f"{GRACE:g}"),
        patience=GRACE + 10.0,
        capabilities=f"CapabilityBoundingSet={low}" + (f"\nAmbientCapabilities={low}" if low else ""),
        hardened=_HARDENED,
    )


def _user(product: ProductState, release: Release) -> tuple[int, str]:
    """As whom it is to run, by number and name."""
    owner = product.instance().folder.stat().st_uid
    if owner == 0 and users.unreachable(product, release.placement) is None:
        owner = users.first_free(State(product.folder.parent))
    return owner, f"outrider-{owner}" if owner in users.NUMBERS else _name(owner)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _outrider(command: str, word: str, state: Path, *more: str) -> str:
    words = [sys.executable, "-m", "outrider", "gateway", command, word, "--state", str(state), *more]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """One word of a command line, as systemd reads it."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(letter in word for letter in " \t\"'\\;$%") else word
