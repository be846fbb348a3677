"""docs/lifecycle.md, drawn from the table in domain/lifecycle.py: the picture, and what each state means."""

from collections.abc import Iterator

from outrider.domain.lifecycle import LATE_FACTS_FOR, MEANING, SETTLED, TERMINAL, TRANSITIONS, State

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change domain/lifecycle.py, not this page. -->"


def lifecycle_markdown() -> str:
    """The lifecycle of a command as a page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from ("# The life of a command", "", _NOTE, "")
    yield "Drawn from the one table of transitions; what is not drawn is impossible and changes nothing."
    yield from ("", "```mermaid", "stateDiagram-v2", "    direction LR", f"    [*] --> {State.ACCEPTED}")
    for (state, then), events in _arrows().items():
        yield f"    {state} --> {then}: {', '.join(events)}"
    yield from (f"    {state} --> [*]" for state in State if state in TERMINAL)
    yield from ("```", "", "| state | meaning | may it have happened? | |", "| --- | --- | --- | --- |")
    for state, (meaning, happened) in MEANING.items():
        yield f"| `{state}` | {meaning} | {happened} | {_finality(state)} |"
    yield ""
    yield "Every accepted command is settled by its deadline: it is in a terminal state, or `unconfirmed`. A late"
    yield f"answer still counts for {LATE_FACTS_FOR / 3600:g} hours; then `unconfirmed` is final too."
    yield ""
    yield "Nothing leads to `superseded` yet: services declare their conflicts, and lanes that act on them come later."
    yield "So does verification by signals, and with it the outcome `verified`."


def _arrows() -> dict[tuple[State, State], list[str]]:
    """One arrow between two states, whatever number of events lead along it."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for state, events in TRANSITIONS.items():
        for event, then in events.items():
            arrows.setdefault((state, then), []).append(event)
    return arrows


def _finality(state: State) -> str:
    return "terminal" if state in TERMINAL else "settled" if state in SETTLED else "open"
