"""`outrider gateway publish`, `rollback`, `releases`, `split`, `drift`, `retire`: what is live, and what was."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit, Json
from outrider.cli.gateway.asking import (
    STATE,
    Environment,
    ProductFolder,
    ProductName,
    Reason,
    Shares,
    StateFolder,
    refusals,
    split_of,
)
from outrider.cli.shown import assignments, complain, print_json, say, short_time, show_table

if TYPE_CHECKING:
    from outrider.gateway.release import Release
    from outrider.gateway.store import ProductState

_COMMIT_SHOWN = 10


def publish(
    folder: ProductFolder,
    environment: Environment = "local",
    reason: Reason = "",
    split: Shares = None,
    state: StateFolder = STATE,
) -> None:
    """Make a product's folder the live release: all of it or, where anything is refused, nothing."""
    from outrider.gateway import provenance, publishing
    from outrider.gateway.reading import find_environment, read_product
    from outrider.gateway.store import State

    shares, states = split_of(split), State(state)
    with refusals():
        read = read_product(folder, find_environment(folder, environment))
        by, commit = provenance.author(folder), provenance.commit(folder)
        made = publishing.publish(
            states, read, by=by, commit=commit, reason=reason, split=shares, now=datetime.now(UTC)
        )
        release = asyncio.run(made)
        _tell(states.product(release.product.name), release)


def rollback(
    product: ProductName,
    number: Annotated[
        int | None,
        typer.Argument(metavar="N", min=1, help="The release to take up again; else the one before what is live."),
    ] = None,
    reason: Reason = "",
    split: Shares = None,
    state: StateFolder = STATE,
) -> None:
    """Take up an earlier release again, under a new number. Needs nothing but what is stored here."""
    from outrider.gateway import provenance, publishing
    from outrider.gateway.store import State

    shares = split_of(split)
    with refusals():
        kept, by = State(state).product(product), provenance.author(Path.cwd())
        made = publishing.rollback(kept, number, by=by, reason=reason, split=shares, now=datetime.now(UTC))
        _tell(kept, asyncio.run(made))


def releases(
    product: ProductName,
    report: Annotated[
        int | None, typer.Option("--report", metavar="N", min=1, help="What the checks found of release N.")
    ] = None,
    as_json: Json = False,
    state: StateFolder = STATE,
) -> None:
    """List all that was ever live, the newest first: when, who, which commit, and why; or what was found of one."""
    from outrider.cli.gateway.reported import show_report
    from outrider.gateway.store import State

    with refusals():
        kept = State(state).product(product)
        if report is not None:
            show_report(kept, report, as_json)
            return
        live, found = kept.published(), kept.releases()[::-1]
    if as_json:
        print_json([_facts(release) for release in found])
        return
    rows = [
        (
            f"{release.number}{' live' if release.number == live.release else ''}",
            short_time(release.at),
            release.by,
            _short(release.commit),
            release.reason or (f"again release {release.source}" if release.source else ""),
        )
        for release in found
    ]
    show_table(("RELEASE", "AT", "BY", "COMMIT", "REASON"), rows, none="")


def split(
    product: ProductName,
    shares: Annotated[
        list[str] | None,
        typer.Argument(metavar="V=SHARE", help="Percent for each version, together 100; else it is only shown."),
    ] = None,
    state: StateFolder = STATE,
) -> None:
    """Show or change how much of the traffic each version gets; it stays so when the product is published."""
    from outrider.gateway import publishing
    from outrider.gateway.store import State

    wanted = split_of(shares)
    with refusals():
        kept = State(state).product(product)
        live = kept.published() if wanted is None else asyncio.run(publishing.set_split(kept, wanted))
        typer.echo(f"{product}: {assignments(live.split)}")


def drift(
    product: Annotated[str | None, typer.Argument(metavar="PRODUCT", help="Only this product.")] = None,
    as_json: Json = False,
    state: StateFolder = STATE,
) -> None:
    """Compare what is published with what is on disk, and that with what runs. Exit code 1 if anything differs."""
    from outrider.gateway.drift import drift as compare
    from outrider.gateway.faults import Refused
    from outrider.gateway.files import problem
    from outrider.gateway.store import State

    with refusals():
        states = State(state)
        names = [product] if product else states.products()
        faults: list[str] = []
        found = []
        for name in names:
            try:
                found += [(name, one) for one in asyncio.run(compare(states.product(name)))]
            except Refused as error:
                faults.append(str(error))
            except PermissionError:  # then none of them can be read
                raise
            except OSError as error:
                faults.append(problem(error))
    if as_json:
        print_json([{"product": n, "instance": d.instance, "what": d.what, "problem": d.problem} for n, d in found])
    elif found or not faults:
        rows = [(name, one.instance, one.what, one.problem) for name, one in found]
        show_table(("PRODUCT", "GATEWAY", "WHAT", "PROBLEM"), rows, none="Everything is as published.")
    if faults:
        complain(*faults)
    if found or faults:
        raise typer.Exit(Exit.NO)


def retire(
    product: ProductName,
    now: Annotated[bool, typer.Option("--now", help="Drain and stop its gateway first, if it runs.")] = False,
    state: StateFolder = STATE,
) -> None:
    """Take a product out of service. Its releases are put aside, and a later publish begins with number 1."""
    from outrider.gateway import retiring
    from outrider.gateway.store import State

    with refusals():
        aside = asyncio.run(retiring.retire(State(state).product(product), stop=now, now=datetime.now(UTC)))
        typer.echo(f"{product}: retired; what was kept of it is in {aside}")


def _tell(kept: "ProductState", release: "Release") -> None:
    live = kept.live()
    again = f", again release {release.source}" if release.source else ""
    typer.echo(f"{kept.name}: release {release.number} is live{again} ({assignments(live.split if live else None)})")
    if not release.source:
        _remark(kept, release)
    if not any(asyncio.run(instance.admin.live()) for instance in kept.instances()):
        say("Its gateway does not run yet: outrider gateway up")


def _remark(kept: "ProductState", release: "Release") -> None:
    """What should be known of a release that passed."""
    if (beside := kept.kept(release.number)) is None:
        return
    report = beside.report
    if release.number > 1 and not report.against:
        say("It was compared with nothing: no release before it has kept its document.")
    for remark in report.remarks:
        say(str(remark))
    if passed := len(report.exempt):
        told = f"outrider gateway releases {kept.name} --report {release.number}"
        say(f"{passed} that would have been refused passed: {told}")


def _short(commit: str) -> str:
    head, dirty, _ = commit.partition("-dirty")
    return head[:_COMMIT_SHOWN] + dirty


def _facts(release: "Release") -> dict[str, object]:
    names = ("number", "at", "by", "commit", "reason", "source", "envoy")
    return {name: getattr(release, name) for name in names}
