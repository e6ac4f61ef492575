"""Our GraphQL schema as text, kept beside the code; a difference fails `make lint`."""

import os
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "saleor_nudges" / "graphql" / "schema.graphql"


def printed() -> str:
    """Return the schema as the App serves it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from saleor_nudges.graphql.schema import schema

    return str(schema())


def is_current() -> bool:
    """Tell, and say, whether the file is what the code prints."""
    if FILE.read_text(encoding="utf-8") == printed():
        return True
    print(f"{FILE.name} is not what the code prints: make schema", file=sys.stderr)
    return False


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(not is_current())
    FILE.write_text(printed(), encoding="utf-8")
