"""products/remote-services/openapi.yaml: Outrider's own API as one more product, with the catalog that is shipped.

It is what a platform serves at /openapi.json, written down so that a gateway can be compiled from a file.
"""

from pathlib import Path

import outrider
from outrider.adapters.catalog_files import load
from outrider.adapters.openapi import openapi_document, openapi_template
from outrider.common.yaml_writing import write_yaml

PRODUCT = Path(outrider.__file__).parent / "products" / "remote-services" / "openapi.yaml"

_NOTE = "# Written by `python -m outrider.cli.reference docs`; change adapters/openapi.yaml or the catalog instead."


def product_openapi() -> str:
    """The document as YAML."""
    document = openapi_document(openapi_template(), load())
    return f"{_NOTE}\n{write_yaml(document)}"
