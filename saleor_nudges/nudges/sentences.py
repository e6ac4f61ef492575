"""Every sentence a seller's template can say: one for each way through its conditions."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any, Final

from liquid import BoundTemplate, RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidError
from liquid.expression import Expression

from saleor_nudges import wording
from saleor_nudges.exceptions import InvalidInput

# What stands in a sentence for a fact that is not known yet: the number, the stars, all else.
# Nobody types these: they belong to no alphabet.
NUMBER: Final = "\ue000"
FACT: Final = "\ue001"
RATING: Final = "\ue002"
COUNT: Final = "count"
STANDS_FOR: Final = {COUNT: NUMBER, "rating": RATING}
# Half of “24 hours” is “2”: these are printed whole.
EXACT: Final = frozenset({COUNT, "window", "rating"})
CUTTING: Final = frozenset({"truncate", "truncatewords"})
COUNTING: Final = frozenset({"modulo"})
# A sentence with more conditions than this is no sentence.
MOST_WAYS: Final = 256
# Controls, halves of characters, characters of no alphabet: a database or a page trips over them.
UNWRITABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
# These turn around what is read, numbers too.
TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Sentences:
    """A template that was read. Raises InvalidInput, naming `field`, if it is not a sentence's."""

    def __init__(self, template: str, *, field: str, longest: int) -> None:
        self.field = field
        if len(template) > longest:
            raise self.wrong(f"A text has at most {longest} characters, tags included.")
        if any(_is_unwritable(character) for character in template):
            raise self.wrong("A text holds no control characters.")
        wording.check(template, field=field)
        try:
            self.parsed: BoundTemplate = wording.SENTENCE.from_string(template)
        except LiquidError as error:
            raise self.wrong(f"The text is not valid: {_first_line(error)}") from error
        self._check_filters()
        self._check_printed()

    def wrong(self, message: str) -> InvalidInput:
        """Return the refusal of this template."""
        return InvalidInput(message, field=self.field)

    def check_variables(self, facts: Mapping[str, Any]) -> None:
        """Raise InvalidInput unless every variable is one of these facts."""
        assigned = self._assigned()
        for name in self.variables():
            if name not in assigned and not _is_known(name, facts):
                known = ", ".join(_names(facts))
                raise self.wrong(f"There is no variable “{name}” here. There are: {known}.")
        for name in sorted(assigned & set(facts)):
            raise self.wrong(f"“{name}” is what it is; give yours another name.")

    def variables(self) -> list[str]:
        """Return every variable the template looks at, as it is written: `window.en`."""
        paths = (path for part in _expressions(self.parsed.nodes) for path in _paths(part))
        return sorted({str(path) for path in paths})

    def ways(self, known: Mapping[str, Any]) -> list[str]:
        """Return what can be said while these facts are as they are, FACT and NUMBER in it."""
        context = RenderContext(self.parsed, globals=dict(known))
        try:
            found = list(islice(_said(self.parsed.nodes, context, known), MOST_WAYS + 1))
        except LiquidError as error:
            raise self.wrong(f"The text cannot be said: {_first_line(error)}") from error
        if len(found) > MOST_WAYS:
            raise self.wrong(f"A text says at most {MOST_WAYS} different sentences.")
        return sorted(set(found))

    def _check_filters(self) -> None:
        """Liquid itself asks for a filter only when it is needed."""
        for part in _expressions(self.parsed.nodes):
            for used in getattr(part, "filters", None) or ():
                if used.name not in wording.SENTENCE.filters:
                    known = ", ".join(sorted(wording.SENTENCE.filters))
                    raise self.wrong(f"There is no filter “{used.name}” here. There are: {known}.")

    def _assigned(self) -> set[str]:
        return {str(name) for node in _all(self.parsed.nodes) for name in node.template_scope()}

    def _check_printed(self) -> None:
        """A number is printed as it was measured; what was made of it only chooses words."""
        assigned = self._assigned()
        for node in _all(self.parsed.nodes):
            if not isinstance(node, OutputNode):
                continue
            names = {str(path) for path in _paths(node.expression)}
            if COUNT in names and str(node.expression) != COUNT:
                raise self.wrong("{{ count }} is printed as it is, without a filter.")
            if names & assigned:
                raise self.wrong("What was assigned can be asked for in {% if %}, not printed.")
            _check_filters(self, node.expression, {name.partition(".")[0] for name in names})


def _check_filters(template: Sentences, expression: Any, roots: set[str]) -> None:
    used = {item.name for item in expression.filters or ()}
    if used & COUNTING:
        raise template.wrong("A number is made in {% assign %}, to be asked for, not printed.")
    if used & CUTTING and roots & EXACT:
        raise template.wrong("A number or a time is printed whole.")


def _said(nodes: Iterable[Node], context: RenderContext, known: Mapping[str, Any]) -> Iterator[str]:
    parts = [list(islice(_ways_of(node, context, known), MOST_WAYS + 1)) for node in nodes]
    return ("".join(chosen) for chosen in product(*parts))


def _ways_of(node: Node, context: RenderContext, known: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(node, ContentNode):
        yield node.text
    elif isinstance(node, OutputNode):
        yield from _printed(node.expression, context)
    elif hasattr(node, "alternatives"):
        for block in _open_branches(node, context, known):
            yield from _said(block.nodes if block else (), context, known)
    else:
        yield ""


def _open_branches(
    node: Any, context: RenderContext, known: Mapping[str, Any]
) -> Iterator[BlockNode | None]:
    """Yield the blocks a condition may lead to; None where it may lead to nothing."""
    first = (node.condition, node.consequence, isinstance(node, UnlessNode))
    others = [(branch.expression, branch.block, False) for branch in node.alternatives]
    for condition, block, is_turned in (first, *others):
        if any(str(path) not in known for path in _paths(condition)):
            yield block
        elif bool(condition.evaluate(context)) != is_turned:
            yield block
            return
    yield node.default


def _printed(expression: Expression, context: RenderContext) -> Iterator[str]:
    names = [str(path) for path in _paths(expression)]
    if names:
        yield STANDS_FOR.get(names[0], FACT) + _typed_endings(expression)
    # What it says where its fact is missing: a default, or words that stand in it as they are.
    without = str(expression.evaluate(context) or "")
    if without or not names:
        yield without


def _typed_endings(expression: Any) -> str:
    """Return the words that `truncate` puts behind a fact."""
    filters = [item for item in expression.filters or () if item.name in CUTTING]
    values = [argument.value for item in filters for argument in item.args[1:]]
    return "".join(str(getattr(value, "value", FACT)) for value in values)


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _all(node.children(None))  # type: ignore[arg-type]


def _expressions(nodes: Iterable[Node]) -> Iterator[Expression]:
    for node in _all(nodes):
        yield from node.expressions()


def _paths(expression: Expression) -> Iterator[Path]:
    if isinstance(expression, Path):
        yield expression
    for child in expression.children():
        yield from _paths(child)


def _is_known(name: str, facts: Mapping[str, Any]) -> bool:
    value: Any = facts
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return not isinstance(value, Mapping)


def _names(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in value)
        else:
            yield name


def _is_unwritable(character: str) -> bool:
    if character in "\n\t":
        return False
    return character in TURNING or unicodedata.category(character) in UNWRITABLE


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
