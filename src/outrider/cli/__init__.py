"""The command line. One module per group of commands; this one only joins them.

Importing any of them does nothing and loads nothing heavy: what a command needs, it imports when it runs.
"""

import sys
from importlib import import_module

import typer

from outrider.cli.asking import example

GROUPS = ("vehicle", "credential", "grant", "command", "catalog", "deadletter", "sim", "gateway", "bench")
"""Modules with an `app`: a group of commands by the module's name."""

COMMANDS = {
    "up": (
        "up",
        example(
            "up",
            "up --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem",
            "up --mqtt-listen 0.0.0.0:8883 --mqtt-tls-cert cert.pem --mqtt-tls-key key.pem",
        ),
    ),
    "run": ("up", example("run outgoing", "run processing --nats nats://127.0.0.1:4222")),
    "demo": ("demo", example("demo", "demo --json")),
    "token": ("token", example("token ada", "token operator --scope commands --scope admin --ttl 86400")),
    "doctor": ("doctor", example("doctor", "doctor --json")),
    "backup": ("backup", example('backup "/var/backups/outrider-$(date +%F)"')),
    "nats-config": ("nats_config", example("nats-config > outrider-nats.conf")),
}
"""Commands of their own: name, the module that has the function of that name, and the examples in its help."""


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="outrider",
        help="Outrider: commands to vehicles, and the truth about what became of them.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for name, (module, epilog) in COMMANDS.items():
        function = getattr(import_module(f"outrider.cli.{module}"), name.replace("-", "_"))
        app.command(name, epilog=epilog)(function)
    for name in GROUPS:
        app.add_typer(import_module(f"outrider.cli.{name}").app, name=name)
    return app


def main() -> None:
    """`outrider`."""
    application()(prog_name="outrider", args=sys.argv[1:])
