"""What the vehicles say they did, on disk."""

from collections import Counter
from pathlib import Path

from outrider.simulator.record import Entry, Record, performed, read_record


def test_is_there_at_once(tmp_path: Path) -> None:
    """What was written can be read while the record is open, in the order of writing."""
    record, path = Record(tmp_path / "record.jsonl"), tmp_path / "record.jsonl"
    entries = [Entry(vin="V1", at=1.0, what="connected"), Entry(vin="V1", at=2.0, what="received", id="a")]

    record.write(entries)

    assert list(read_record(path)) == entries
    record.close()


def test_half_a_line_is_not_read(tmp_path: Path) -> None:
    """A line that is still being written is left for the next reader."""
    path = tmp_path / "record.jsonl"
    path.write_bytes(b'{"vin":"V1","at":1.0,"what":"connected"}\n{"vin":"V1","at')

    assert [entry.what for entry in read_record(path)] == ["connected"]


def test_counts_deeds() -> None:
    """A deed counts once for each time that the vehicle began to move, done or failed; hearing and telling do not."""
    entries = [
        Entry(vin="V1", at=1.0, what=what, id=id_)
        for what, id_ in [("received", "a"), ("performed", "a"), ("answered", "a"), ("tried", "b"), ("performed", "b")]
    ]

    assert performed(entries) == Counter({("V1", "a"): 1, ("V1", "b"): 2})
