"""docs/cli.md, drawn from the command line itself: what `--help` says, on one page, and the exit codes."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from outrider.cli import application
from outrider.cli.asking import COMMON_OPTIONS, EXIT_MEANING

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change the commands, not this page. -->"


def cli_markdown() -> str:
    """The command line as a page."""
    return "\n".join(_lines()) + "\n"


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that can be run, with its words, in the order of `--help`."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, below in inner.items():
        yield from leaves(below, (*path, name))


def _lines() -> Iterator[str]:
    commands = list(leaves(get_command(application())))
    yield from ("# Command line", "", _NOTE, "")
    yield "`outrider COMMAND --help` says the same. Data goes to standard output, everything else to standard error;"
    yield "with `--json` the data is JSON. Nothing is coloured where there is no terminal, or with `NO_COLOR` set."
    yield ""
    yield from ("## Exit codes", "", "| code | meaning |", "| --- | --- |")
    yield from (f"| {code.value} | {meaning} |" for code, meaning in EXIT_MEANING.items())
    yield from ("", "## Which platform, and who asks", "", "Every command that talks to a platform takes these:", "")
    common = {p.name: p for _, command in commands for p in command.params if p.name in COMMON_OPTIONS}
    yield from _options(common.values())
    yield from ("", "The token is better given in the environment than on the command line, where others may see it.")
    for path, command in commands:
        yield from ("", f"## outrider {' '.join(path)}", "")
        yield from _command(path, command)


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    shown = [p for p in command.params if not getattr(p, "hidden", False) and p.name not in (*COMMON_OPTIONS, "help")]
    options = [p for p in shown if p.param_type_name == "option"]
    yield from (command.help.strip(), "", "```")
    yield from (f"outrider {words}" for words in examples(command))
    yield "```"
    if arguments:
        yield from ("", "| argument | |", "| --- | --- |")
        yield from (f"| `{_name(p)}` | {p.help} |" for p in arguments)
    if options:
        yield ""
        yield from _options(options)


def _options(options: Any) -> Iterator[str]:
    yield from ("| option | | default |", "| --- | --- | --- |")
    for option in options:
        names = ", ".join(f"`{name}`" for name in option.opts)
        metavar = f" `{option.metavar}`" if option.metavar else ""
        yield f"| {names}{metavar} | {option.help or ''} | {_default(option)} |"


def examples(command: Any) -> list[str]:
    """The examples in a command's help, without `outrider` before them."""
    lines = (command.epilog or "").splitlines()
    return [line.strip().removeprefix("outrider ") for line in lines if line.strip().startswith("outrider ")]


def _name(param: Any) -> str:
    return str(param.metavar or param.name.upper()).strip("[]")


def _default(option: Any) -> str:
    facts = [f"`{option.envvar}`"] if option.envvar else []
    if option.required:
        facts.append("required")
    elif not (option.default is None or option.default is False):
        facts.append(f"`{option.default}`")
    return ", else ".join(facts)
