-- The store's questions and deeds in SQLite's SQL. A query begins with `-- name:`; a sentence says what it is for.

-- name: next_place
-- The next place in the vehicle's lane; and look soon, in case the announcement gets lost.
-- No row: the vehicle is unknown, or its lane is full.
update vehicles set last_seq = last_seq + 1, look_at = min(coalesce(look_at, :soon), :soon)
where vin = :vin and (select count(*) from commands where vin = :vin and settled_at is null) < :most
returning last_seq;

-- name: insert_command
insert into commands (id, vin, seq, service, model, params, terms, risk, asked_by, traceparent, idempotency_key,
                      fingerprint, accepted_at, expires_at, deadline)
values (:id, :vin, :seq, :service, :model, :params, :terms, :risk, :asked_by, :traceparent, :idempotency_key,
        :fingerprint, :accepted_at, :expires_at, :deadline);

-- name: command_by_key
-- The command that this person asked for with this idempotency key before.
select *, null as grant_until from commands where asked_by = :asked_by and idempotency_key = :idempotency_key;

-- name: command_by_id
select *, null as grant_until from commands where id = :id;

-- name: history
select * from history where command_id = :id order by version;

-- name: commands_of_vehicle
-- Newest first, of these risk classes; `before` is the place after which the page begins.
select *, null as grant_until from commands
where vin = :vin and seq < :before and risk in (select value from json_each(:risks))
  and (:service is null or service = :service)
  and (:states is null or state in (select value from json_each(:states)))
order by seq desc limit :limit;

-- name: wish_cancel
-- The wish to withdraw is kept with the command; the verdict is processing's.
update commands set cancel_asked_at = coalesce(cancel_asked_at, :at) where id = :id and settled_at is null returning vin;

-- name: lane_vehicles
select * from vehicles where vin in (select value from json_each(:vins));

-- name: lane_commands
-- The open commands of these lanes, and those that the facts at hand name, each with what its grant says now.
with wanted as (
    select id from commands where settled_at is null and vin in (select value from json_each(:vins))
    union
    select value from json_each(:ids)
)
select c.*, case when c.settled_at is null then (
    select max(g.until) from grants g
    where g.person = c.asked_by and g.vin = c.vin and g.ended_at is null
      and exists (select 1 from json_each(g.risks) r where r.value = c.risk)
) end as grant_until
from wanted join commands c using (id) order by c.vin, c.seq;

-- name: update_command
update commands set state = :state, reason = :reason, outcome = :outcome, result = :result, version = :version,
    attempt = :attempt, not_left = :not_left, session = :session, sent_at = :sent_at, attempt_at = :attempt_at,
    settled_at = :settled_at
where id = :id;

-- name: insert_hop
insert into history (command_id, version, what, state, at, reason, attempt, arrived_at, vehicle_at)
values (:command_id, :version, :what, :state, :at, :reason, :attempt, :arrived_at, :vehicle_at);

-- name: update_vehicle
update vehicles set presence = :presence, session = :session, clock_offset = :clock_offset, heard_at = :heard_at,
    look_at = :look_at
where vin = :vin;

-- name: merge_signals
insert into vehicle_signals (vin, signals, signals_at) values (:vin, :signals, :signals_at)
on conflict (vin) do update set signals = json_patch(signals, excluded.signals), signals_at = excluded.signals_at;

-- name: due
-- The lanes whose time to look has come, the most overdue first.
select vin from vehicles where look_at <= :now order by look_at limit :limit;

-- name: forget_presence
-- The broker that knew who was there is gone; unknown means try.
update vehicles set presence = 'unknown', session = null where presence <> 'unknown' or session is not null;

-- name: latest_changes
-- What changed within a margin before the latest change: its news may not have got out before a crash.
with recent as (
    select c.id, h.at from (select id, version from commands order by id desc limit 5000) c
    join history h on h.command_id = c.id and h.version = c.version)
select id from recent where at >= (select max(at) from recent) - :margin;

-- name: vehicle
select v.*, s.signals, s.signals_at from vehicles v left join vehicle_signals s using (vin) where v.vin = :vin;

-- name: vehicles_of_person
select v.*, s.signals, s.signals_at from vehicles v left join vehicle_signals s using (vin)
where v.vin in (
    select distinct vin from grants
    where person = :person and vin > :after and ended_at is null and until > :now order by vin limit :limit)
order by v.vin limit :limit;

-- name: all_vehicles
select v.*, s.signals, s.signals_at from vehicles v left join vehicle_signals s using (vin)
where v.vin > :after order by v.vin limit :limit;

-- name: add_vehicle
insert into vehicles (vin, model, added_at) values (:vin, :model, :added_at) on conflict do nothing;

-- name: grants_of_person
select * from grants where person = :person and vin = :vin and ended_at is null and until > :now;

-- name: grants_of_vehicle
-- Ids begin with their time.
select * from grants where vin = :vin and id > :after order by id limit :limit;

-- name: add_grant
insert into grants (id, person, vin, risks, until, created_at, created_by)
values (:id, :person, :vin, :risks, :until, :created_at, :created_by);

-- name: end_grant
-- A grant ends now; its commands that were not sent are looked at at once.
update grants set ended_at = coalesce(ended_at, :at) where id = :id returning *;

-- name: look_now
update vehicles set look_at = min(coalesce(look_at, :at), :at) where vin = :vin;

-- name: look_later
update vehicles set look_at = :at where vin = :vin;

-- name: credentials_of_vehicle
select * from credentials where vin = :vin and id > :after order by id limit :limit;

-- name: valid_hashes
select hash from credentials where vin = :vin and revoked_at is null;

-- name: add_credential
insert into credentials (id, vin, hash, created_at) values (:id, :vin, :hash, :created_at);

-- name: revoke_credential
update credentials set revoked_at = coalesce(revoked_at, :at) where id = :id and vin = :vin returning *;

-- name: purge
-- Settled commands accepted before a moment, a small batch at a time; ids are UUIDv7 and so in order of time.
delete from commands where id in (
    select id from commands where id < :before and settled_at is not null order by id limit :limit);

-- name: get_meta
select value from meta where key = :key;

-- name: put_meta
insert into meta (key, value) values (:key, :value) on conflict (key) do update set value = excluded.value;
