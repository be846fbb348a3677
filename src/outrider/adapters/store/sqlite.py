"""The store on SQLite: one file, one writer, many readers, every commit on disk before it is told.

Another dialect is another file like this one beside its own `.sql`; the suite in tests/adapters/test_store.py holds
them equal.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from outrider.adapters.store import queries, rows
from outrider.adapters.store.writer import Work, Writer
from outrider.common.ids import uuid7_at
from outrider.domain.deciding import Decision
from outrider.domain.errors import KeyReused, LaneFull, VehicleUnknown
from outrider.domain.lane import LOOK_AFTER, MOST_OPEN, Command, Lane
from outrider.domain.messages import AnyFact, Change, Hop
from outrider.domain.registry import Credential, Grant, VehicleRecord
from outrider.services.needs import Judge, StoreUnavailable

SQL = queries.load("sqlite.sql")
SCHEMA_VERSION = 1


class DatabaseUnusable(Exception):
    """The file is no database, a broken one, or a newer Outrider's; it is left as it was."""


class SqliteStore:
    """Fulfils every need in `services/needs.py`. `read_only`: for a process beside the one that writes.

    Raises DatabaseUnusable.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._writer: Writer | None = None
        try:
            if not read_only:
                _migrate(path)
                self._writer = Writer(path)
            self._open_reader()
        except sqlite3.Error as error:
            advice = "restore a backup of it, or use another folder with --data"
            raise DatabaseUnusable(f"{path} can't be used as the database ({error}): {advice}") from error

    def _open_reader(self) -> None:
        url = f"file:{self.path}?mode=ro"
        self._reader = sqlite3.connect(url, uri=True, isolation_level=None, cached_statements=256)
        self._reader.row_factory = sqlite3.Row
        self._reader.execute("pragma busy_timeout = 5000")
        _refuse_a_newer_one(self.path, self._reader)

    def close(self) -> None:
        self._reader.close()
        if self._writer is not None:
            self._writer.close()

    # ---- reading: small and indexed, so it happens where it is asked for

    def _rows(self, name: str, **values: Any) -> list[sqlite3.Row]:
        return self._reader.execute(SQL[name], values).fetchall()

    def _row(self, name: str, **values: Any) -> sqlite3.Row | None:
        return next(iter(self._rows(name, **values)), None)

    def usable(self) -> bool:
        """Does the database answer?"""
        try:
            self._reader.execute("select 1 from meta limit 1")
        except sqlite3.Error:
            return False
        return True

    async def vehicle(self, vin: str) -> VehicleRecord | None:
        row = self._row("vehicle", vin=vin)
        return None if row is None else rows.vehicle_record(dict(row))

    async def vehicles(self, person: str | None, now: float, after: str, limit: int) -> list[VehicleRecord]:
        name = "all_vehicles" if person is None else "vehicles_of_person"
        found = self._rows(name, person=person, now=now, after=after, limit=limit)
        return [rows.vehicle_record(dict(row)) for row in found]

    async def grants(self, person: str, vin: str, now: float) -> list[Grant]:
        return [rows.grant(dict(row)) for row in self._rows("grants_of_person", person=person, vin=vin, now=now)]

    async def grants_of_vehicle(self, vin: str, after: str, limit: int) -> list[Grant]:
        found = self._rows("grants_of_vehicle", vin=vin, after=after, limit=limit)
        return [rows.grant(dict(row)) for row in found]

    async def credentials(self, vin: str, after: str, limit: int) -> list[Credential]:
        found = self._rows("credentials_of_vehicle", vin=vin, after=after, limit=limit)
        return [rows.credential(dict(row)) for row in found]

    async def valid_hashes(self, vin: str) -> list[str]:
        """The SHA-256 of every secret that this vehicle may connect with."""
        return [row["hash"] for row in self._rows("valid_hashes", vin=vin)]

    async def command(self, command_id: str) -> Command | None:
        row = self._row("command_by_id", id=command_id)
        return None if row is None else rows.command(dict(row))

    async def history(self, command_id: str) -> list[Hop]:
        return [rows.hop(dict(row)) for row in self._rows("history", id=command_id)]

    async def asked_before(self, person: str, key: str, fingerprint: str) -> Command | None:
        row = self._row("command_by_key", asked_by=person, idempotency_key=key)
        return None if row is None else _same_request(row, fingerprint)

    async def commands(
        self,
        vin: str,
        risks: Collection[str],
        before: int,
        limit: int,
        states: Sequence[str] | None,
        service: str | None,
    ) -> list[Command]:
        values = {"risks": rows.to_json(list(risks)), "states": None if states is None else rows.to_json(list(states))}
        found = self._rows("commands_of_vehicle", vin=vin, before=before, limit=limit, service=service, **values)
        return [rows.command(dict(row)) for row in found]

    async def due(self, now: float, limit: int) -> list[str]:
        return [row["vin"] for row in self._rows("due", now=now, limit=limit)]

    async def latest_changes(self, margin: float) -> list[Change]:
        changes = []
        for row in self._rows("latest_changes", margin=margin):
            command, hops = await self.command(row["id"]), await self.history(row["id"])
            if command is not None:
                changes.append(Change(command=command, hop=hops[-1]))
        return changes

    async def get_meta(self, key: str) -> str | None:
        row = self._row("get_meta", key=key)
        return None if row is None else str(row["value"])

    # ---- writing: each of these is one piece of a group commit

    async def _execute(self, name: str, **values: Any) -> list[sqlite3.Row]:
        rows: list[sqlite3.Row] = await self._write(lambda db: db.execute(SQL[name], values).fetchall())
        return rows

    async def _write(self, work: Work) -> Any:
        if self._writer is None:
            raise RuntimeError(f"{self.path} was opened for reading only")
        try:
            return await self._writer.do(work)
        except sqlite3.OperationalError as error:  # locked, disk full, read-only: not the work's fault
            raise StoreUnavailable(str(error)) from error

    async def accept(self, command: Command, key: str | None, fingerprint: str | None) -> Command:
        accepted: Command = await self._write(lambda db: _accept(db, command, key, fingerprint))
        return accepted

    async def wish_cancel(self, command_id: str, at: float) -> None:
        """Keep the wish; its lane is looked at soon even if nobody announces it (law 3)."""
        await self._write(lambda db: _wish_cancel(db, command_id, at))

    async def decide(self, facts: Mapping[str, Sequence[AnyFact]], judge: Judge, now: float) -> dict[str, Decision]:
        decided: dict[str, Decision] = await self._write(lambda db: _decide(db, facts, judge, now))
        return decided

    async def look_later(self, vin: str, at: float) -> None:
        """Leave a lane alone until then."""
        await self._execute("look_later", vin=vin, at=at)

    async def forget_presence(self) -> None:
        await self._execute("forget_presence")

    async def purge(self, before: float, limit: int) -> int:
        """Forget settled commands accepted before a moment, at most `limit` of them; say how many went."""
        return int(await self._write(lambda db: db.execute(SQL["purge"], _purge(before, limit)).rowcount))

    async def put_meta(self, key: str, value: str) -> None:
        await self._execute("put_meta", key=key, value=value)

    async def add_vehicle(self, vin: str, model: str, at: float) -> bool:
        """Register a vehicle; False if it is registered already."""
        values = {"vin": vin, "model": model, "added_at": at}
        return bool(await self._write(lambda db: db.execute(SQL["add_vehicle"], values).rowcount))

    async def add_credential(self, credential: Credential, secret_hash: str) -> None:
        values = {"id": credential.id, "vin": credential.vin, "created_at": credential.created_at}
        await self._execute("add_credential", hash=secret_hash, **values)

    async def revoke_credential(self, vin: str, credential_id: str, at: float) -> Credential | None:
        found = await self._execute("revoke_credential", vin=vin, id=credential_id, at=at)
        return rows.credential(dict(found[0])) if found else None

    async def add_grant(self, grant: Grant) -> None:
        await self._execute("add_grant", **rows.grant_columns(grant))

    async def end_grant(self, grant_id: str, at: float) -> Grant | None:
        """End a grant; its vehicle's lane is looked at at once, for what waits there may not leave any more."""
        ended: Grant | None = await self._write(lambda db: _end_grant(db, grant_id, at))
        return ended

    def backup(self, target: Path) -> None:
        """Copy the database as it is at one moment, while others write. Fails if `target` exists."""
        if target.exists():
            raise FileExistsError(f"{target} exists already")
        self._reader.execute("vacuum into ?", (str(target),))


def _same_request(row: sqlite3.Row, fingerprint: str | None) -> Command:
    """The command that an idempotency key belongs to, if it was given for the same request."""
    if row["fingerprint"] != fingerprint:
        raise KeyReused("Use a new Idempotency-Key for a new request; this one belongs to another.")
    return rows.command(dict(row))


def _accept(db: sqlite3.Connection, command: Command, key: str | None, fingerprint: str | None) -> Command:
    values = {"asked_by": command.asked_by, "idempotency_key": key}
    if key is not None and (row := db.execute(SQL["command_by_key"], values).fetchone()) is not None:
        return _same_request(row, fingerprint)
    place = {"vin": command.vin, "soon": command.accepted_at + LOOK_AFTER, "most": MOST_OPEN}
    row = db.execute(SQL["next_place"], place).fetchone()
    if row is None:
        if db.execute(SQL["vehicle"], place).fetchone() is None:
            raise VehicleUnknown(f"{command.vin} is not registered.")
        raise LaneFull(f"{MOST_OPEN} commands of {command.vin} wait or run already. Try again later.", retry_after=5)
    columns = rows.new_command(command, key, fingerprint)
    db.execute(SQL["insert_command"], columns | {"seq": row["last_seq"]})
    db.execute(SQL["insert_hop"], rows.hop_columns(rows.first_hop(command)))
    return rows.with_place(command, row["last_seq"])


def _decide(
    db: sqlite3.Connection, facts: Mapping[str, Sequence[AnyFact]], judge: Judge, now: float
) -> dict[str, Decision]:
    lanes = _lanes(db, facts)
    decided = {vin: judge(lane, facts[vin]) for vin, lane in lanes.items()}
    latest = {c.command.id: c.command for d in decided.values() for c in d.changes}
    db.executemany(SQL["update_command"], [rows.command_update(c) for c in latest.values()])
    hops = (c.hop for d in decided.values() for c in d.changes)
    db.executemany(SQL["insert_hop"], [rows.hop_columns(hop) for hop in hops])
    db.executemany(SQL["update_vehicle"], [rows.vehicle_update(d.lane, now) for d in decided.values()])
    reports = (d.lane.vehicle for d in decided.values() if d.lane.vehicle.signals)
    db.executemany(SQL["merge_signals"], [rows.signals_columns(vehicle) for vehicle in reports])
    return decided


def _lanes(db: sqlite3.Connection, facts: Mapping[str, Sequence[AnyFact]]) -> dict[str, Lane]:
    """The lanes of these VINs: open commands, and those that the facts name."""
    vins = rows.to_json(list(facts))
    named = {fact.command_id for heard in facts.values() for fact in heard if hasattr(fact, "command_id")}
    vehicles = [rows.lane_vehicle(dict(row)) for row in db.execute(SQL["lane_vehicles"], {"vins": vins})]
    commands: dict[str, list[Command]] = {}
    for row in db.execute(SQL["lane_commands"], {"vins": vins, "ids": rows.to_json(list(named))}):
        commands.setdefault(row["vin"], []).append(rows.command(dict(row)))
    return {v.vin: Lane(vehicle=v, commands=tuple(commands.get(v.vin, ()))) for v in vehicles}


def _wish_cancel(db: sqlite3.Connection, command_id: str, at: float) -> None:
    row = db.execute(SQL["wish_cancel"], {"id": command_id, "at": at}).fetchone()
    if row is not None:
        db.execute(SQL["look_now"], {"vin": row["vin"], "at": at + LOOK_AFTER})


def _end_grant(db: sqlite3.Connection, grant_id: str, at: float) -> Grant | None:
    row = db.execute(SQL["end_grant"], {"id": grant_id, "at": at}).fetchone()
    if row is None:
        return None
    db.execute(SQL["look_now"], {"vin": row["vin"], "at": at})
    return rows.grant(dict(row))


def _purge(before: float, limit: int) -> dict[str, Any]:
    return {"before": uuid7_at(before), "limit": limit}


def _migrate(path: Path) -> None:
    """Make the tables in a new file; refuse one that a newer Outrider wrote."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        if _refuse_a_newer_one(path, db) == 0:
            db.executescript(
                f"begin; {queries.text('sqlite_schema.sql')} pragma user_version = {SCHEMA_VERSION}; commit;"
            )


def _refuse_a_newer_one(path: Path, db: sqlite3.Connection) -> int:
    """The schema's version, 0 in a new file. This reads the file, so one that is no database shows here."""
    found = int(db.execute("pragma user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise DatabaseUnusable(
            f"{path} has schema {found}, this Outrider knows {SCHEMA_VERSION}: use a matching version"
        )
    return found
