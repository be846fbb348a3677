"""The catalog's files: what ships is sound, every mistake has its line, and a running platform follows the files."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from outrider.adapters.catalog_files import SHIPPED, CatalogError, LiveCatalog, load
from outrider.domain.catalog import Repeat, Risk

SERVICES = [
    "door-lock",
    "door-unlock",
    "horn-blow",
    "light-flash",
    "climate-start",
    "climate-stop",
    "charge-start",
    "charge-stop",
    "charge-limit",
    "vehicle-find",
    "window-close",
    "trunk-open",
    "destination-send",
]

SEAT_WARM = """\
name: seat-warm
title: Warm a seat
description: Warms the driver's seat.
risk: comfort
params:
  type: object
  additionalProperties: false
  properties: {}
ttl: 60
ack_within: 5
finish_within: 10
repeat: if_deduplicating
"""

WREN = """\
name: wren
title: Wren
powertrain: electric
services: [horn-blow, seat-warm]
state_every: 60
signals: {}
"""

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An operator's own folder with one service."""
    (tmp_path / "services").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "services" / "seat-warm.yaml").write_text(SEAT_WARM)
    return tmp_path


@pytest.fixture
def write(own: Path) -> Write:
    """Write a file of the operator's folder as an editor does: whole, under another name, then renamed."""

    def write(name: str, content: str | bytes) -> Path:
        path, fresh = own / name, own / name.replace("/", "/.new-")
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        return fresh.rename(path)

    return write


def mistakes(*folders: Path) -> list[str]:
    """What is wrong, each as FILE:LINE: FIELD: message, with the file's path inside its folder."""
    with pytest.raises(CatalogError) as refused:
        load(folders)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(refused.value.mistakes)
    for folder in folders:
        lines = [line.replace(f"{folder}{os.sep}", "") for line in lines]
    return lines


def test_what_ships_has_every_promised_service_and_models_that_differ() -> None:
    """Thirteen services; no two of the five models support the same with the same quirks."""
    catalog = load()

    assert sorted(catalog.services) == sorted(SERVICES)
    assert len({(model.services, model.quirks, model.powertrain) for model in catalog.models.values()}) >= 5
    assert set(catalog.models["falcon-electric"].services) == set(SERVICES)
    assert catalog.models["merlin-classic"].quirks.forgets_on_reboot
    assert not catalog.models["sparrow-van"].quirks.deduplicates


def test_what_must_not_happen_twice_is_never_repeated() -> None:
    """A horn and a trunk are at most once."""
    never = {name for name, service in load().services.items() if service.repeat is Repeat.NEVER}

    assert never == {"horn-blow", "trunk-open"}


def test_a_simulated_vehicle_shows_what_verifies_each_service() -> None:
    """Every signal that verifies is set by the effects, to the same value."""
    for service in load().services.values():
        assert (service.verify or {}).items() <= service.effects.items(), service.name


def test_what_passes_without_trace_has_no_verify() -> None:
    """Law 12: a horn that was blown is silent again, and proves nothing."""
    services = load().services

    assert [name for name in SERVICES if services[name].verify is None] == ["horn-blow", "light-flash", "vehicle-find"]


def test_dangerous_services_are_soon_given_up() -> None:
    """Unlocking and opening live seconds, warming minutes, a charge limit hours; simulated cars are quick."""
    services = load().services

    assert max(services[name].ttl for name in ("door-unlock", "trunk-open", "horn-blow")) <= 30
    assert 60 < services["climate-start"].ttl <= 600
    assert services["charge-limit"].ttl >= 3600
    assert max(service.takes for service in services.values()) <= 1.5


def test_only_marked_signals_are_our_own() -> None:
    """What VSS lacks stands in the overlay and nowhere else."""
    ours = {name for name, signal in load().signals.items() if signal.overlay}

    assert ours == set(yaml.safe_load((SHIPPED / "vss-overlay.yaml").read_text()))
    assert ours == {
        "Vehicle.Cabin.HVAC.RemoteRunTime",
        "Vehicle.Cabin.Infotainment.Navigation.DestinationSet.Name",
    }


def test_climate_start_is_complete_without_a_word() -> None:
    """Nobody needs to say how warm and how long."""
    catalog = load()

    params = catalog.complete_params("climate-start", {})

    assert params == {"temperature": 21, "duration": 600}
    assert catalog.check_params("climate-start", params) == []


@pytest.mark.parametrize("name", ["service", "model", "signals"])
def test_the_published_schemas_are_json_schema(name: str) -> None:
    """Anyone's editor can check a catalog file against them."""
    schema = msgspec.json.decode((SHIPPED / f"{name}.schema.json").read_bytes())

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_an_own_folder_adds_and_overrides(own: Path, write: Write) -> None:
    """One file is one more service or model; a file by a shipped name takes its place."""
    horn = (SHIPPED / "services" / "horn-blow.yaml").read_text()
    write("services/horn-blow.yaml", horn.replace("ttl: 20", "ttl: 7"))
    write("models/wren.yaml", WREN)

    catalog = load([own])

    assert catalog.services["horn-blow"].ttl == 7
    assert catalog.services["seat-warm"].risk is Risk.COMFORT
    assert catalog.supports("wren", "seat-warm")
    assert set(catalog.services) == {*SERVICES, "seat-warm"}


@settings(max_examples=25)
@given(ttls=st.lists(st.none() | st.integers(1, 600), max_size=4))
def test_the_last_folder_that_has_a_file_decides(
    tmp_path_factory: pytest.TempPathFactory, ttls: list[int | None]
) -> None:
    """Of several folders, in their order, the last with an entry of this name is in force."""
    folders = []
    for ttl in ttls:
        folder = tmp_path_factory.mktemp("own")
        (folder / "services").mkdir()
        (folder / "services" / "other.yaml").write_text(SEAT_WARM.replace("seat-warm", "other"))
        if ttl is not None:
            (folder / "services" / "seat-warm.yaml").write_text(SEAT_WARM.replace("ttl: 60", f"ttl: {ttl}"))
        folders.append(folder)
    said = [ttl for ttl in ttls if ttl is not None]

    service = load(folders).services.get("seat-warm")

    assert (service and service.ttl) == (said[-1] if said else None)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ttl: 60", "ttl: 0", "9: ttl: must be greater than 0 (seconds)"),
        ("ttl: 60", "ttl: soon", "9: ttl: must be a number (seconds)"),
        ("ttl: 60\n", "", "1: ttl: is required"),
        ("ttl: 60", "ttl: 60\nttl: 61", "10: ttl: is there twice, first on line 9; keep one"),
        ("risk: comfort", "risk: comfrt", "4: risk: must be one of access, comfort, charging, location, attention"),
        ("name: seat-warm", "name: seat-cool", "1: name: differs from the file's name; write seat-warm, or rename"),
        ("repeat: ", "repeats: 2\nrepeat: ", "12: repeats: is not known; known here: name, title"),
        ("additionalProperties: false", "additionalProperties: true", "7: params.additionalProperties: must be false"),
        ("{}", "{level: {title: Level}}", "8: params.properties.level.description: is required"),
        (
            "{}",
            "\n    level:\n      title: Level\n      description: How warm.\n      type: integr",
            "12: params.properties.level.type: is not JSON Schema",
        ),
        (
            "{}",
            "\n    level:\n      title: Level\n      description: How warm.\n      maximum: 3\n      default: 5",
            "13: params.properties.level.default: must be at most 3",
        ),
        (
            "repeat: ",
            "conflicts:\n  - horn-blow\n  - horn-blwo\nrepeat: ",
            "14: conflicts[1]: there is no service horn-bl",
        ),
        ("repeat: ", "verify: &v {Vehicle.IsMoving: true}\nrepeat: ", "12: verify: &v is an anchor; remove it"),
        (
            "repeat: ",
            "verify: {Vehicle.IsMovin: true}\nrepeat: ",
            '12: verify["Vehicle.IsMovin"]: Vehicle.IsMovin is in no',
        ),
        ("repeat: ", "repeat: [", "13: is not YAML: "),
        ("Warms", b"W\xe4rms", "3: is not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_mistake_has_its_file_line_and_field(own: Path, write: Write, old: str, new: str | bytes, told: str) -> None:
    """What is wrong is told once, where it is, with what to write."""
    wrong = new if isinstance(new, bytes) else new.encode()
    write("services/seat-warm.yaml", SEAT_WARM.encode().replace(old.encode(), wrong, 1))

    [line] = mistakes(own)

    assert line.startswith(f"services/seat-warm.yaml:{told}")


def test_all_mistakes_of_all_files_are_told_at_once(own: Path, write: Write) -> None:
    """Mending a catalog takes one look; what a broken file would have given is not missed a second time."""
    write("services/seat-warm.yaml", SEAT_WARM.replace("ttl: 60", "ttl: 0").replace("comfort", "comfrt"))
    write("services/seat-cool.yaml", "name: [\n")
    write("models/wren.yaml", WREN.replace("horn-blow", "horn-blwo").replace("signals: {}", "signals: {Vehicle.X: 1}"))
    write("models/crow.yml", WREN)

    assert [line.split(" ")[0] for line in mistakes(own)] == [
        "models/crow.yml:1:",
        "models/wren.yaml:4:",
        "models/wren.yaml:6:",
        "services/seat-cool.yaml:2:",
        "services/seat-warm.yaml:4:",
        "services/seat-warm.yaml:9:",
    ]


def test_what_cannot_be_read_is_a_mistake_like_any_other(own: Path, write: Write) -> None:
    """A folder, a pipe, a file too large, a name that leads nowhere: reported, never waited for."""
    (own / "services" / "folder.yaml").mkdir()
    os.mkfifo(own / "services" / "pipe.yaml")
    (own / "services" / "gone.yaml").symlink_to(own / "nowhere")
    write("services/large.yaml", b"#" * (1024 * 1024 + 1))

    assert mistakes(own) == [
        "services/folder.yaml:1: cannot be read: it is no plain file",
        "services/gone.yaml:1: cannot be read: it is no plain file",
        "services/large.yaml:1: is larger than 1048576 bytes; split it",
        "services/pipe.yaml:1: cannot be read: it is no plain file",
    ]


def test_a_folder_that_is_no_catalog_is_refused(tmp_path: Path) -> None:
    """A mistyped folder would else be a catalog without the operator's services, silently."""
    missing = tmp_path / "missing"

    assert mistakes(missing) == [f"{missing}:1: there is no such folder"]
    assert "is this a catalog?" in mistakes(tmp_path)[0]


def test_signals_of_ones_own_come_from_an_overlay(own: Path, write: Write) -> None:
    """An operator describes a signal that VSS lacks, and services may use it from then on."""
    write("services/seat-warm.yaml", SEAT_WARM + "verify: {Vehicle.Cabin.Glow: 3}\n")
    assert 'verify["Vehicle.Cabin.Glow"]' in mistakes(own)[0]

    write("vss-overlay.yaml", "Vehicle.Cabin.Glow: {type: actuator, datatype: uint8, description: How bright.}\n")

    assert load([own]).signals["Vehicle.Cabin.Glow"].overlay


def test_a_change_takes_effect_and_a_broken_one_does_not(own: Path, write: Write) -> None:
    """The last good catalog stays in force until a good one replaces it; what is wrong is reported once."""
    live = LiveCatalog([own])
    before = live.current

    with capture_logs() as logs:
        write("services/seat-warm.yaml", SEAT_WARM.replace("ttl: 60", "ttl: 0"))
        live.look()
        live.look()
    assert live.current is before
    assert [mistake.line for mistake in live.refused] == [9]
    assert [log["event"] for log in logs] == ["catalog_refused"]
    assert "seat-warm.yaml:9: ttl:" in logs[0]["mistakes"][0]

    write("services/seat-warm.yaml", SEAT_WARM.replace("ttl: 60", "ttl: 30"))
    live.look()
    assert live.current.services["seat-warm"].ttl == 30
    assert live.refused == ()
    assert before.services["seat-warm"].ttl == 60


def test_files_that_come_and_go_are_followed(own: Path, write: Write) -> None:
    """A new file is a new service; a service that a model still names cannot go."""
    live = LiveCatalog([own])

    path = write("models/wren.yaml", WREN)
    live.look()
    assert live.current.supports("wren", "seat-warm")

    (own / "services" / "seat-warm.yaml").unlink()
    live.look()
    assert "seat-warm" in live.current.services
    assert [mistake.file for mistake in live.refused] == [path]

    path.unlink()
    live.look()
    assert sorted(live.current.services) == sorted(SERVICES)


def test_nothing_is_read_again_while_nothing_changes(own: Path) -> None:
    """A look costs a glance at the files' dates."""
    live = LiveCatalog([own])
    before = live.current

    live.look()

    assert live.current is before


def test_a_catalog_that_is_wrong_from_the_start_is_refused(own: Path, write: Write) -> None:
    """There is no last good one to fall back to."""
    write("services/seat-warm.yaml", "name: seat-warm\n")

    with pytest.raises(CatalogError):
        LiveCatalog([own])


async def test_a_running_platform_follows_the_files(own: Path, write: Write) -> None:
    """No restart: shortly after the file was saved the new catalog is in force."""
    live = LiveCatalog([own], look_every=0.01)
    following = asyncio.create_task(live.follow())

    write("services/seat-warm.yaml", SEAT_WARM.replace("ttl: 60", "ttl: 30"))
    async with asyncio.timeout(5):
        while live.current.services["seat-warm"].ttl != 30:
            await asyncio.sleep(0.01)

    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
