"""`nudges explain`: why somebody was written to, or not."""

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import OutputWrapper

from saleor_nudges.host import host_class
from saleor_nudges.management.verbs.base import Verb
from saleor_nudges.management.verbs.shops import one_shop, shop_argument
from saleor_nudges.recovery.insight import explain

SIGNS = {True: "+", False: "-", None: "?"}


class Explain(Verb):
    """Say every gate in order, the first that keeps a message back on top."""

    name: ClassVar[str] = "explain"
    help: ClassVar[str] = "Say why somebody was written to, or not."

    def arguments(self, parser: ArgumentParser) -> None:
        named = parser.add_mutually_exclusive_group(required=True)
        named.add_argument("--email", default="", help="Whose newest checkout.")
        named.add_argument("--checkout", default="", help="Which one: our name, or Saleor's id.")
        named.add_argument("--order", default="", help="The one that became this order.")
        parser.add_argument("--language", default="en", help="In which language; English if not.")
        shop_argument(parser)

    def run(self, out: OutputWrapper, options: dict[str, Any]) -> None:
        with host_class().writing():
            shop = one_shop(options)
            named = {name: options[name] for name in ("email", "checkout", "order")}
            found = explain.explain(shop, **named)
            if (first := found.first_failed) is not None:
                out.write(f"{first.gate}: {first.text}\n")
            for answer in found.answers:
                out.write(f"{SIGNS[answer.is_passed]} {answer.gate:<12} {answer.text}")
            for line in explain.tried(found, options["language"]):
                out.write(f"  {line}")
