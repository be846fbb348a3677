"""The bytes of MQTT, without a broker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.simulator.mqtt import (
    LARGEST,
    PUBLISH,
    MalformedError,
    Packet,
    Reader,
    connect_packet,
    packet,
    publish_packet,
    read_publish,
    subscribe_packet,
)

bodies = st.one_of(st.binary(max_size=200), st.sampled_from([b"x" * size for size in (127, 128, 16_383, 16_384)]))


@given(st.lists(st.tuples(st.integers(16, 255), bodies), max_size=6), st.lists(st.integers(1, 300), max_size=50))
def test_packets_survive_any_chopping(sent: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """However TCP chops the stream, the packets come out whole and in order."""
    stream, reader, got = b"".join(packet(*one) for one in sent), Reader(), list[Packet]()
    for cut in cuts:
        got += reader.feed(stream[:cut])
        stream = stream[cut:]
    got += reader.feed(stream)

    assert got == [Packet(*one) for one in sent]


@pytest.mark.parametrize(
    "stream",
    [b"\x30\x80\x80\x80\x80\x01", packet(PUBLISH, b"x" * (LARGEST + 1))],
    ids=["a fifth length byte", "a packet that is too large"],
)
def test_refuses_mad_lengths(stream: bytes) -> None:
    """A length that no honest broker sends ends the reading instead of filling the memory."""
    with pytest.raises(MalformedError):
        list(Reader().feed(stream))


def test_connect() -> None:
    """CONNECT says level 4, a clean session, a QoS 1 will, and the client id as the user name."""
    assert connect_packet("V1", "pw", b"t", b"gone", 60) == (
        b"\x10\x1f\x00\x04MQTT\x04\xce\x00\x3c\x00\x02V1\x00\x01t\x00\x04gone\x00\x02V1\x00\x02pw"
    )


def test_subscribe() -> None:
    """SUBSCRIBE asks for QoS 0: the platform owns delivery."""
    assert subscribe_packet(7, b"a/b") == b"\x82\x08\x00\x07\x00\x03a/b\x00"


def test_publish() -> None:
    """What a vehicle says goes at QoS 1 under a packet id; what it hears at QoS 0 has none."""
    assert publish_packet(258, b"a/b", b"hi") == b"\x32\x09\x00\x03a/b\x01\x02hi"
    assert read_publish(PUBLISH, b"\x00\x03a/bhi") == (b"a/b", b"hi")
    with pytest.raises(MalformedError):
        read_publish(PUBLISH | 2, b"\x00\x03a/b\x00\x01hi")
