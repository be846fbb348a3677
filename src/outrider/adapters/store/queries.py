"""Named SQL from `.sql` files: `-- name: this_is_the_name`, then the statement."""

import re
from importlib.resources import files


def load(file: str) -> dict[str, str]:
    """The statements of one file in this folder, by name."""
    parts = re.split(r"^-- name: (\w+)\n", text(file), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (part.strip().rstrip(";") for part in parts[1::2]), strict=True))


def text(file: str) -> str:
    """A whole file of this folder."""
    return (files(__package__) / file).read_text("utf-8")
