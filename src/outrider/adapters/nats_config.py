"""What a nats-server must be told so that Outrider can live on it: accounts, admission of vehicles, MQTT.

Pure: values in, configuration text out. The secrets of one data folder are made and kept here too.
"""

import json
import os
import secrets
from pathlib import Path

import msgspec
import nkeys

from outrider.common.ports import Address

MAX_PAYLOAD = "320KB"
"""The largest message: what services tell each other may have 256 KiB, and headers beside it. For vehicles this is
only the outer wall (the server hangs up); the contract's 16 KiB is checked by incoming, which keeps the evidence."""

ADMISSION_WITHIN = 3
"""Seconds the server waits for admission's word before it refuses a vehicle. A storm of vehicles queues for so long; a
vehicle that is back from a restart of the server before admission is, waits so long in vain."""

REVOKED = "admission.revoked"
"""`admission.revoked.{vin}`: a request to admission to end this vehicle's connection, for its credential is void."""

FIND_CONNECTIONS, END_CONNECTION = "system.connections", "system.kick"
"""Under these names admission may ask the server itself: where is this client, and (`system.kick.{server}`) end it."""


_EXAMPLE_LISTEN = Address("0.0.0.0", 8883)  # noqa: S104 - text to be changed, nothing listens


class NatsKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets between Outrider and its NATS: the key that signs admissions, and one password per own user."""

    issuer_seed: str
    outrider: str
    admission: str
    system: str

    @property
    def issuer(self) -> str:
        """The public half of the issuer's key: all that the server needs to believe an admission."""
        return str(nkeys.from_seed(self.issuer_seed.encode()).public_key.decode())


class KeysUnusable(Exception):
    """The file does not hold the secrets of a data folder."""


def new_keys() -> NatsKeys:
    """Fresh secrets."""
    seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_ACCOUNT)
    outrider, admission, system = (secrets.token_urlsafe(32) for _ in range(3))
    return NatsKeys(issuer_seed=seed.decode(), outrider=outrider, admission=admission, system=system)


def keys_of(file: Path) -> NatsKeys:
    """The secrets in `file` (0600, in a 0700 folder); made the first time, never changed after.

    Raises KeysUnusable if something else is in the file.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(msgspec.json.encode(new_keys()))
        try:
            os.link(draft, file)  # unlike a rename, it fails if another process was first: then its keys count
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        keys = msgspec.json.decode(file.read_bytes(), type=NatsKeys)
        nkeys.from_seed(keys.issuer_seed.encode())
    except (msgspec.DecodeError, nkeys.NkeysError) as error:
        raise KeysUnusable(
            f"{file} does not hold Outrider's keys ({error or type(error).__name__}): restore it from a backup; or "
            "remove it, and new ones are made (an existing NATS then needs a new `outrider nats-config`)"
        ) from error
    return keys


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a server certificate (with its chain) and its key, PEM."""

    cert: Path
    key: Path


class NatsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one embedded nats-server is told."""

    server_name: str
    listen: Address
    mqtt_listen: Address
    store_dir: Path
    log_file: Path
    keys: NatsKeys
    mqtt_tls: Tls | None = None
    monitor: Address | None = None


def embedded(config: NatsConfig) -> str:
    """The configuration file of the nats-server that Outrider starts. No websocket listener: none is wanted."""
    monitor = f"http: {_quoted(config.monitor)}\n" if config.monitor else ""
    return f"""\
# Written by Outrider at each start: changes made here are lost.
server_name: {_quoted(config.server_name)}
listen: {_quoted(config.listen)}
{monitor}log_file: {_quoted(config.log_file)}
logfile_size_limit: 10MB
logfile_max_num: 3
max_payload: {MAX_PAYLOAD}

# The database is the truth: what a power cut takes from the streams is announced again from there. So they are not
# flushed on every message (sync_interval: always), with which they are eight times slower.
# max_file: what the streams may grow to; without it the server asks for more free disk than they ever use.
jetstream {{ store_dir: {_quoted(config.store_dir)}, max_file: 4GB }}

{_mqtt(config.mqtt_listen, config.mqtt_tls)}

{_accounts(config.keys)}

{_authorization(config.keys)}
"""


def external(keys: NatsKeys) -> str:
    """What an existing NATS (2.12.6 or later) needs before `outrider up --nats URL` can use it, with explanations."""
    return f"""\
# For an existing NATS, 2.12.6 or later. Put this into the configuration of every server of the cluster and reload.
# It holds secrets: keep the file readable for the server only (0600). Streams are made by Outrider itself.
#
# Change what is marked CHANGE. For servers that run in operator mode (accounts as JWTs) this text does not fit:
# make the same accounts, imports, exports and the external authorization there.

# CHANGE only if yours is smaller: messages between the services have up to 256 KiB.
max_payload: {MAX_PAYLOAD}

# CHANGE: a disk that lasts. In a cluster Outrider's streams can be replicated.
jetstream {{ store_dir: "/var/lib/nats" }}

# CHANGE: the address that vehicles reach, and its certificate. Without TLS their credentials travel readable.
# A cluster needs a `server_name` of its own on every server.
{_mqtt(_EXAMPLE_LISTEN, Tls(cert=Path("/etc/nats/server.pem"), key=Path("/etc/nats/server.key")))}

# CHANGE: put these beside the accounts you have. If you have a system account already, give it the two exports of SYS.
{_accounts(keys)}

# CHANGE: this takes over ALL authentication of the server. Every user that you have must be named in auth_users, or
# Outrider is asked about it and refuses.
{_authorization(keys)}
"""


def _mqtt(listen: Address, tls: Tls | None) -> str:
    if not tls:
        return f"mqtt {{ listen: {_quoted(listen)} }}"
    return f"""\
mqtt {{
  listen: {_quoted(listen)}
  tls {{ cert_file: {_quoted(tls.cert)}, key_file: {_quoted(tls.key)}, timeout: 5 }}
}}"""


def _accounts(keys: NatsKeys) -> str:
    return f"""\
accounts {{
  # What happens in the server itself. Admission may ask it where a vehicle is connected, and end that connection.
  SYS {{
    users: [ {{ user: system, password: {_quoted(keys.system)} }} ]
    exports: [
      {{ service: "$SYS.REQ.SERVER.PING.CONNZ", response: stream, accounts: [AUTH] }}
      {{ service: "$SYS.REQ.SERVER.*.KICK", accounts: [AUTH] }}
    ]
  }}
  # Where the server asks whether a vehicle may connect. Vehicles' passwords pass here, so nobody else is in it.
  AUTH {{
    users: [ {{ user: admission, password: {_quoted(keys.admission)} }} ]
    exports: [ {{ service: "{REVOKED}.*", accounts: [OUTRIDER] }} ]
    imports: [
      {{ service: {{ account: SYS, subject: "$SYS.REQ.SERVER.PING.CONNZ" }}, to: "{FIND_CONNECTIONS}" }}
      {{ service: {{ account: SYS, subject: "$SYS.REQ.SERVER.*.KICK" }}, to: "{END_CONNECTION}.*" }}
    ]
  }}
  # The services' streams, and the vehicles, which admission lets in here.
  OUTRIDER {{
    jetstream: enabled
    users: [ {{ user: outrider, password: {_quoted(keys.outrider)} }} ]
    imports: [ {{ service: {{ account: AUTH, subject: "{REVOKED}.*" }} }} ]
  }}
}}
system_account: SYS"""


def _authorization(keys: NatsKeys) -> str:
    return f"""\
# Whoever is not named here is a vehicle, or nobody: admission decides. Silence refuses.
authorization {{
  timeout: {ADMISSION_WITHIN}
  auth_callout {{ issuer: {keys.issuer}, account: AUTH, auth_users: [ admission, outrider, system ] }}
}}"""


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)  # the server's strings know the same escapes: \\" \\\\ \\n \\t
