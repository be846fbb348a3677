-- The truth (law 3). Times are seconds since 1970 UTC; JSON is text. The CHECKs repeat the invariants of the lifecycle.

create table meta (
    key text primary key,
    value text not null
) without rowid;

-- One row per vehicle: its lane's counter and alarm clock, and what we believe of its connection.
create table vehicles (
    vin text primary key check (length(vin) = 17),
    model text not null,
    added_at real not null,
    last_seq integer not null default 0,
    look_at real,
    presence text not null default 'unknown' check (presence in ('online', 'offline', 'unknown')),
    session text,
    clock_offset real not null default 0,
    heard_at real
) without rowid;
create index vehicles_to_look_at on vehicles (look_at) where look_at is not null;

create table vehicle_signals (
    vin text primary key references vehicles (vin),
    signals text not null,
    signals_at real not null
) without rowid;

-- A credential is a random secret of 256 bits; we keep its SHA-256.
create table credentials (
    id text primary key,
    vin text not null references vehicles (vin),
    hash text not null,
    created_at real not null,
    revoked_at real
) without rowid;
create index credentials_of_vehicle on credentials (vin) where revoked_at is null;

create table grants (
    id text primary key,
    person text not null,
    vin text not null references vehicles (vin),
    risks text not null,
    until real not null,
    created_at real not null,
    created_by text not null,
    ended_at real
) without rowid;
create index grants_of_person on grants (person, vin) where ended_at is null;

create table commands (
    id text primary key,
    vin text not null references vehicles (vin),
    seq integer not null,
    service text not null,
    model text not null,
    params text not null,
    terms text not null,
    risk text not null,
    asked_by text not null,
    traceparent text not null,
    idempotency_key text,
    fingerprint text,
    accepted_at real not null,
    expires_at real not null,
    deadline real not null,
    state text not null default 'accepted',
    reason text,
    outcome text,
    result text,
    version integer not null default 1,
    attempt integer not null default 0,
    not_left integer not null default 0,
    session text,
    sent_at real,
    attempt_at real,
    settled_at real,
    cancel_asked_at real,
    unique (vin, seq),
    check (not_left <= attempt),
    check ((settled_at is null) = (state in ('accepted', 'queued', 'sent', 'delivered', 'executing'))),
    check ((outcome is not null) = (state = 'executed')),
    -- "certainly not" and "it may have happened" must never be confused
    check (state not in ('accepted', 'queued', 'expired', 'cancelled', 'superseded') or attempt = not_left),
    check (state not in ('sent', 'delivered', 'executing', 'executed', 'failed', 'unconfirmed') or attempt > not_left)
) without rowid;
create index commands_open on commands (vin) where settled_at is null;
create unique index commands_by_idempotency_key on commands (asked_by, idempotency_key) where idempotency_key is not null;

create table history (
    command_id text not null references commands (id) on delete cascade,
    version integer not null,
    what text not null,
    state text not null,
    at real not null,
    reason text,
    attempt integer,
    arrived_at real,
    vehicle_at real,
    primary key (command_id, version)
) without rowid;
