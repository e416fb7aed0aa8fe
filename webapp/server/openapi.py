"""The document of the HTTP interface; ``python -m webapp.server.openapi`` writes docs/openapi.json anew."""

import json
import tempfile
from pathlib import Path

from people.workspace.workspace import create_workspace
from webapp.server.app import create_app

DOCUMENT = Path("docs") / "openapi.json"


def describe_interface() -> str:
    """Return the OpenAPI document as it is committed."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        app = create_app(create_workspace(Path(folder) / "workspace", [photos]))
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(describe_interface(), "utf-8")
