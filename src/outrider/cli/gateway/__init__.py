"""`outrider gateway`: every product its own gateway. One module per few commands; this one only joins them.

Nothing here loads NATS, the store or the platform: a team with any HTTP API can use this half alone.
"""

from importlib import import_module

import typer

from outrider.cli.asking import example

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", example("gateway demo", "gateway demo --json")),
    "init": (
        "init",
        example("gateway init map-updates", "gateway init parking --from openapi.yaml --owner team-parking"),
    ),
    "compile": (
        "compile",
        example("gateway compile products/charging", "gateway compile products/charging -e prod.yaml"),
    ),
    "approve": (
        "approve",
        example(
            "gateway approve products/charging array-bounded '#/paths/~1v1~1stations/get' --as jane.doe "
            '--until 2027-02-01 -m "bounded with the new pages in January"',
            "gateway approve products/charging api-removed-without-deprecation '#/paths/~1v1~1prices/get' "
            '--as jane.doe --key jane.pem --until 2027-02-01 -m "nobody has called it since May"',
        ),
    ),
    "lint": (
        "lint",
        example(
            "gateway lint",
            "gateway lint products/charging --format github",
            "gateway lint openapi.yaml --ruleset guideline.yaml --fail-on warn",
        ),
    ),
    "diff": (
        "diff",
        example("gateway diff live.yaml openapi.yaml", "gateway diff main/products/charging products/charging"),
    ),
    "publish": (
        "publish",
        example('gateway publish products/charging -m "longer sessions"', "gateway publish products/charging -e prod"),
    ),
    "check": (
        "check",
        example("gateway check products/", "gateway check products/ --against origin/main --format github"),
    ),
    "report": ("report", example("gateway report products/", "gateway report products/ -o /tmp/governance.html")),
    "rollback": (
        "publish",
        example("gateway rollback charging", 'gateway rollback charging 7 -m "8 answers 500 to all of Norway"'),
    ),
    "releases": (
        "publish",
        example(
            "gateway releases charging", "gateway releases charging --report 7", "gateway releases charging --json"
        ),
    ),
    "split": ("publish", example("gateway split charging", "gateway split charging v1=95 v2=5")),
    "explain": (
        "explain",
        example(
            "gateway explain charging GET /v1/sessions/17",
            "gateway explain charging GET /v1/sessions/17 --request-id 5f0c1d6e-7c4d-4b8e-9a55-0d6a1a3d7a10",
        ),
    ),
    "export": (
        "export",
        example(
            "gateway export charging --to kong > kong.yaml",
            "gateway export charging --to systemd --into /etc/systemd/system",
        ),
    ),
    "up": ("up", example("gateway up products/", "gateway up products/ --environment prod --grace 30")),
    "status": ("status", example("gateway status", "gateway status charging", "gateway status --json")),
    "logs": ("logs", example("gateway logs charging", "gateway logs charging -n 1000 --follow")),
    "restart": ("stop", example("gateway restart charging")),
    "stop": ("stop", example("gateway stop charging", "gateway stop charging --grace 60")),
    "drift": ("publish", example("gateway drift", "gateway drift charging --json")),
    "retire": ("publish", example("gateway retire charging", "gateway retire charging --now")),
    "keys": ("compile", example("gateway keys", "gateway keys charging --watch")),
}
"""Commands in the order of the help: name, the module of this package that has the function of that name, examples."""


def _application() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help="Every product its own API gateway.")
    for name, (module, epilog) in COMMANDS.items():
        app.command(name, epilog=epilog)(getattr(import_module(f"{__name__}.{module}"), name.replace("-", "_")))
    return app


app = _application()
