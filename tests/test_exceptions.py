"""The tree in the docstring is the tree there is."""

import inspect
import re

from saleor_nudges import exceptions


def drawn():
    """Return (name, parent) of every line of the drawing."""
    found, path = [], []
    for depth, mark, name in re.findall(r"(?m)^( *)([*x+-]) (\w+)", exceptions.__doc__):
        level = {"*": 0, "x": 1, "+": 2, "-": 3}[mark]
        assert len(depth) == 2 * level
        path = [*path[:level], name]
        found.append((name, path[level - 1] if level else None))
    return found


def classes():
    return {
        name: member
        for name, member in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(member, exceptions.NudgesError)
    }


def test_the_drawing_is_the_tree():
    real = {name: cls.__bases__[0].__name__ for name, cls in classes().items()}
    real["NudgesError"] = None
    assert dict(drawn()) == real
    assert len(drawn()) == len(real)


def test_every_error_has_a_code_of_its_own_and_a_message():
    codes = [cls.code for cls in classes().values()]
    assert len(codes) == len(set(codes))
    for cls in classes().values():
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", cls.code)
        assert str(cls()) == cls.__doc__
        assert str(cls("other")) == "other"
        assert cls.__doc__.endswith(".")


def test_what_is_our_own_mistake_stays_outside():
    assert not issubclass(exceptions.UnscopedQuery, exceptions.NudgesError)
