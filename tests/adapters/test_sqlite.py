"""What is particular to SQLite: one file, one writer, group commits, and what happens when the disk says no."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from outrider.adapters.store.sqlite import SCHEMA_VERSION, DatabaseUnusable, SqliteStore
from outrider.adapters.store.writer import Writer
from outrider.domain.catalog import Risk
from outrider.domain.lane import MOST_OPEN
from outrider.services.needs import StoreUnavailable
from tests.adapters.test_store import MODEL, asked, sent
from tests.adapters.test_store import grant as to_alice
from tests.domain.lanes import NOW, VIN

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "outrider.db")
    await store.add_vehicle(VIN, MODEL, NOW)
    await store.add_grant(to_alice())
    yield store
    store.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file with a table to write to."""
    path = tmp_path / "writer.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table t (x integer primary key)")
    return path


def put(x: int) -> Callable[[sqlite3.Connection], int]:
    def work(db: sqlite3.Connection) -> int:
        db.execute("insert into t values (?)", (x,))
        return x

    return work


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [x for (x,) in db.execute("select x from t order by x")]


# ---- the writer


async def test_what_is_there_together_shares_a_commit(table: Path) -> None:
    """A hundred pieces of work that wait cost one commit."""
    writer = Writer(table)
    commits: list[str] = []
    writer._db.set_trace_callback(lambda sql: commits.append(sql) if sql == "commit" else None)

    assert await asyncio.gather(*(writer.do(put(x)) for x in range(100))) == list(range(100))

    assert commits == ["commit"]
    assert rows(table) == list(range(100))
    writer.close()


async def test_a_piece_that_fails_is_rolled_back_alone(table: Path) -> None:
    """What it had written is gone, what it raised is raised to its asker, and its neighbours are kept."""
    writer = Writer(table)

    def half(db: sqlite3.Connection) -> None:
        db.execute("insert into t values (50)")
        raise ZeroDivisionError

    work = (put(1), half, put(1), put(2))
    first, failed, doubled, second = await asyncio.gather(*map(writer.do, work), return_exceptions=True)

    assert (first, second) == (1, 2)
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(doubled, sqlite3.IntegrityError)
    assert rows(table) == [1, 2]
    writer.close()


async def test_closing_leaves_nobody_waiting(table: Path) -> None:
    """Whoever still asks is told: what was answered is in the file, all else failed."""
    writer = Writer(table)
    waiting = [asyncio.ensure_future(writer.do(put(x))) for x in range(1000)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    writer.close()
    waiting.append(asyncio.ensure_future(writer.do(put(1000))))
    async with asyncio.timeout(2):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [x for x in outcomes if isinstance(x, int)] == rows(table)
    assert len(rows(table)) < 1000
    assert all(isinstance(x, int | sqlite3.Error) for x in outcomes)


async def test_an_asker_that_gave_up_harms_nobody(table: Path) -> None:
    """A task that was cancelled while its work waited leaves its neighbours their answers."""
    writer = Writer(table)
    gone, stays = (asyncio.ensure_future(writer.do(put(x))) for x in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == 2
    writer.close()


# ---- when the disk says no


async def test_a_full_disk_is_temporary(store: SqliteStore) -> None:
    """Nothing is stored, the asker is told to try again, and it goes on when there is room."""
    assert store._writer is not None

    def pages(most: int) -> None:
        store._writer._db.execute(f"pragma max_page_count = {most}")

    pages(1)  # as many as it has now
    big = asked(params={"note": "x" * 200_000})
    with pytest.raises(StoreUnavailable):
        await store.accept(big, None, None)
    assert await store.command(big.id) is None

    pages(1_000_000)
    assert (await store.accept(big, None, None)).seq == 1


async def test_a_full_disk_fails_the_whole_commit_and_says_so_to_all(store: SqliteStore) -> None:
    """SQLite may undo more than the piece that met it: then nobody is told that his work was stored (law 3)."""
    assert store._writer is not None
    store._writer._db.execute("pragma max_page_count = 1")
    small, big, last = asked(), asked(params={"note": "x" * 200_000}), asked()

    outcomes = await asyncio.gather(*(store.accept(c, None, None) for c in (small, big, last)), return_exceptions=True)

    for made, outcome in zip((small, big, last), outcomes, strict=True):
        assert isinstance(outcome, StoreUnavailable) == (await store.command(made.id) is None)
    assert isinstance(outcomes[1], StoreUnavailable)


async def test_a_locked_file_is_temporary(store: SqliteStore) -> None:
    """Another program that holds the file makes the asker try again, not the platform fail."""
    assert store._writer is not None
    store._writer.patience = 0.05
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("begin immediate")

    with pytest.raises(StoreUnavailable):
        await store.accept(asked(), None, None)

    other.execute("rollback")
    other.close()
    assert (await store.accept(asked(), None, None)).seq == 1


async def test_what_was_accepted_survives_a_kill(tmp_path: Path, store: SqliteStore) -> None:
    """Every command that a process said it had accepted is there after `kill -9` (law 3)."""
    store.close()
    platform = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.adapters.accepting",
        str(store.path),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert platform.stdout
    said = [await platform.stdout.readline() for _ in range(300)]
    platform.kill()
    said += (await platform.stdout.read()).splitlines(keepends=True)
    await platform.wait()

    store = SqliteStore(store.path)
    try:
        ids = [line.decode().strip() for line in said if line.endswith(b"\n")]
        assert len(ids) >= 300
        found = {c.id for c in await store.commands(VIN, list(Risk), 2**62, 100_000, None, None)}
        assert set(ids) <= found
        assert (await store.accept(asked(), None, None)).seq == len(found) + 1
    finally:
        store.close()


# ---- the file


async def test_a_backup_while_writing_is_one_moment(store: SqliteStore, tmp_path: Path) -> None:
    """The copy opens by itself, and has each command with its timeline or not at all."""
    target = tmp_path / "backup.db"
    writing = [asyncio.ensure_future(store.accept(asked(), None, None)) for _ in range(MOST_OPEN - 1)]
    await writing[0]

    store.backup(target)

    await asyncio.gather(*writing)
    copy = SqliteStore(target)
    try:
        found = await copy.commands(VIN, list(Risk), 2**62, 999, None, None)
        assert [c.seq for c in found] == list(range(len(found), 0, -1))
        assert found
        for command in found:
            assert len(await copy.history(command.id)) == 1
        assert (await copy.accept(asked(), None, None)).seq == len(found) + 1
    finally:
        copy.close()


async def test_a_backup_overwrites_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """An older copy is not lost by mistake."""
    target = tmp_path / "backup.db"
    target.write_text("precious")

    with pytest.raises(FileExistsError):
        store.backup(target)

    assert target.read_text() == "precious"


def test_a_file_of_a_newer_outrider_is_refused(tmp_path: Path) -> None:
    """An older program would not keep what the newer one promised; the file is left as it was."""
    path = tmp_path / "outrider.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")

    for read_only in (False, True):
        with pytest.raises(DatabaseUnusable, match=f"schema {SCHEMA_VERSION + 1}"):
            SqliteStore(path, read_only=read_only)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("pragma user_version").fetchone() == (SCHEMA_VERSION + 1,)


async def test_reading_beside_the_one_that_writes(store: SqliteStore) -> None:
    """A process that only reads sees each commit, and can't write."""
    reader = SqliteStore(store.path, read_only=True)
    try:
        command = await sent(store)

        assert await reader.command(command.id) == command
        with pytest.raises(RuntimeError):
            await reader.put_meta("x", "y")
    finally:
        reader.close()
