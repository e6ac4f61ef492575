"""The documents say what the code is: every list in them is compared, every path must exist."""

import re
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import GenericAlias

import pytest
from graphql import parse, validate
from graphql.language import ast
from prometheus_client.metrics import MetricWrapperBase

from saleor_nudges import conf, doctor, exceptions, nudges, schedule, telemetry
from saleor_nudges import urls as doors
from saleor_nudges.events import KINDS, View
from saleor_nudges.events.base import Fact
from saleor_nudges.graphql.errors import NudgeErrorCode
from saleor_nudges.management.verbs import VERBS
from saleor_nudges.messaging import templates
from saleor_nudges.nudges.rules import PACKS, RULES
from saleor_nudges.recovery.insight.explain import Gate
from saleor_nudges.recovery.reasons import Fate, Reason

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "saleor_nudges"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("storefront-widget/*.md"),
    ]
)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What looks like a path of ours inside a code span: it begins with a folder or file of the root.
PATH = re.compile(
    r"(?:saleor_nudges|storefront-widget/src|tests|demo|devtools|docs|requirements|\.ci|\.github)/[\w./-]*"
    r"|setup\.cfg|pyproject\.toml|Makefile|[A-Z_]+\.md"
)
# Built by a command or not ours to keep, so not in a fresh checkout.
MADE = {"saleor_nudges/static/saleor_nudges/widget.js"}
KINDS_OF_SETTING = {bool: "yes or no", int: "whole number", float: "number", str: "text"}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(path: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    level = heading.partition(" ")[0]
    _, found, rest = read(path).partition(f"\n{heading}\n")
    assert found, f"{path} has no heading {heading!r}"
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table whose first cell is code."""
    lines = (line for line in text.splitlines() if line.startswith("| `"))
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines
    ]


def code(cell: str) -> str:
    found = CODE.fullmatch(cell)
    assert found, f"{cell!r} is not one piece of code"
    return found[1]


def names(text: str) -> list[str]:
    return [code(row[0]) for row in rows(text)]


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(path), re.DOTALL | re.MULTILINE)


def subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


# Settings.


def test_every_setting_is_listed_with_its_type_and_default():
    # given
    expected = {
        field.name: (
            "list" if isinstance(field.type, GenericAlias) else KINDS_OF_SETTING[field.type],
            _written(field.default),
        )
        for field in fields(conf.Settings)
    }

    # when
    ours, _, _ = read("docs/settings.md").partition("## Of the App alone")
    found = {code(row[0]): (row[1], code(row[2])) for row in rows(ours)}

    # then
    assert found == expected


def test_what_the_app_reads_from_its_environment_is_listed():
    # given
    source = read("saleor_nudges/service/settings.py")
    asked = re.findall(r"(?:environ(?:\.get\(|\[)|_is_on\(|_number\()\"(\w+)\"", source)
    needed = re.search(r"REQUIRED: Final = \((.*?)\)", source)

    # when
    found = {
        code(row[0]): row[1] for row in rows(section("docs/settings.md", "## Of the App alone"))
    }

    # then
    assert set(found) == {name for name in asked if not name.startswith("NUDGES_")}
    assert needed is not None
    assert {name for name, word in found.items() if word == "yes"} == set(
        re.findall(r"\"(\w+)\"", needed[1])
    )


def _written(default: object) -> str:
    if isinstance(default, tuple):
        return "[" + ", ".join(f'"{item}"' for item in default) + "]"
    if isinstance(default, bool):
        return str(default).lower()
    return f'"{default}"' if isinstance(default, str) else str(default)


# Checks, errors, metrics, log lines.


def test_every_check_is_listed():
    # given
    in_code = {
        found
        for file in PACKAGE.rglob("*.py")
        for found in re.findall(r"\"(saleor_nudges\.[EW]\d{3})\"", file.read_text())
    }

    # when
    found = names(read("docs/checks.md"))

    # then
    assert sorted(found) == sorted(in_code)


def test_every_error_code_is_listed():
    # given
    tree = [exceptions.NudgesError, *subclasses(exceptions.NudgesError)]
    in_tree = {kind.code for kind in tree if kind.__module__ == exceptions.__name__}

    # when
    listed = names(section("docs/errors.md", "## Codes"))
    in_graphql = names(section("docs/errors.md", "## Codes in GraphQL"))

    # then
    assert sorted(listed) == sorted(in_tree)
    assert sorted(in_graphql) == sorted(NudgeErrorCode._meta.enum.__members__)


FATES = {Fate.WAITS: "waits", Fate.OVER: "over", Fate.IN_DOUBT: "in doubt"}


def test_every_reason_a_message_did_not_go_is_listed():
    table = rows(section("docs/errors.md", "## Why a message did not go"))
    listed = {code(row[0]): row[1] for row in table}
    assert listed == {one.name: FATES[one.fate] for one in Reason}


def test_every_gate_is_listed():
    table = rows(read("docs/troubleshooting.md"))
    assert [code(row[0]) for row in table] == list(Gate)


def test_every_metric_is_listed():
    # given
    ours = [value for value in vars(telemetry).values() if isinstance(value, MetricWrapperBase)]
    expected = {
        metric._name + ("_total" if metric._type == "counter" else ""): (
            metric._type,
            list(metric._labelnames),
        )
        for metric in ours
    }

    # when
    table = section("docs/metrics.md", "## Metrics")
    found = {code(row[0]): (row[1], CODE.findall(row[2])) for row in rows(table)}

    # then
    assert found == expected


def test_every_log_line_is_listed():
    # given
    expected = [(line.value, line.name) for line in telemetry.Log]

    # when
    found = [(code(row[0]), row[1]) for row in rows(section("docs/metrics.md", "## Log lines"))]

    # then
    assert sorted(found) == sorted(expected)


# Events.


def test_every_event_is_listed_with_its_flow_and_fields():
    # given
    expected = {}
    for kind, event in KINDS.items():
        everybody = {field.name for field in fields(View if issubclass(event, View) else Fact)}
        own = [field.name for field in fields(event) if field.name not in everybody]
        expected[kind] = (str(event.flow), own)

    # when
    found = {code(row[0]): (row[1], CODE.findall(row[2])) for row in rows(read("docs/events.md"))}

    # then
    assert found == expected


# Templates, tasks, doctor.


def test_every_variable_of_a_message_is_listed():
    assert names(section("docs/templates.md", "## In a message")) == list(templates.VARIABLES)


def test_every_variable_of_a_nudge_is_listed():
    # given
    known = [name for kind in nudges.KINDS.values() for name in kind.variables]

    # when
    found = names(section("docs/templates.md", "## In a nudge"))

    # then
    assert len(found) == len(set(found))
    assert set(found) == set(known)


def test_every_rule_of_words_is_listed_with_its_packs():
    # given
    expected = {rule.name: [pack for pack in PACKS if pack in rule.sources] for rule in RULES}

    # when
    found = {
        code(row[0]): CODE.findall(row[3]) for row in rows(section("docs/words.md", "## The rules"))
    }

    # then
    assert found == expected


def test_what_each_kind_can_carry_is_listed():
    # given
    expected = {str(name): {str(one) for one in kind.claims} for name, kind in nudges.KINDS.items()}

    # when
    table = rows(section("docs/words.md", "## What each kind can carry"))
    found = {code(row[0]): set(CODE.findall(re.split("[:;]", row[1])[0])) for row in table}

    # then
    assert found == expected


def test_everything_a_seller_decides_is_listed():
    # given
    printed = parse(read("saleor_nudges/graphql/schema.graphql"))
    inputs = {
        definition.name.value: [field.name.value for field in definition.fields]
        for definition in printed.definitions
        if isinstance(definition, ast.InputObjectTypeDefinition)
    }

    # then
    for heading, name in (
        ("## Per kind", "NudgeConfigInput"),
        ("## Per channel", "NudgeSettingsInput"),
    ):
        found = names(section("docs/nudge-settings.md", heading))
        assert sorted(found) == sorted(inputs[name])


def test_every_periodic_task_and_every_look_of_the_doctor_is_listed():
    # given
    tasks = [entry["task"] for entry in schedule.entries().values()]

    # when
    running = names(section("docs/operations.md", "## Processes"))
    looks = names(section("docs/operations.md", "## Commands"))

    # then
    assert sorted(running) == sorted(tasks)
    assert looks == list(doctor.LOOKS)


# The public surface.


def test_every_command_is_listed():
    # given
    targets = re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE)

    # when
    found = names(section("docs/public-api.md", "## Commands"))

    # then
    made = {name.removeprefix("make ") for name in found if name.startswith("make ")}
    assert made == set(targets)
    assert {name for name in found if not name.startswith("make ")} == set(VERBS)


@pytest.mark.parametrize("path", PAGES)
def test_every_make_target_that_is_named_exists(path):
    # given
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    planned = set(re.findall(r"`make ([a-z-]+)`", _planned()))

    # when
    found = set(re.findall(r"`make ([a-z-]+)[^`]*`|^make ([a-z-]+)", read(path), re.MULTILINE))

    # then
    assert {first or second for first, second in found} - planned <= targets


def _planned() -> str:
    return "\n".join(
        line for line in read("docs/public-api.md").splitlines() if line.startswith("Planned")
    )


def test_every_door_is_listed():
    # given: the App's table is read as text, because importing it needs the App's environment.
    ours = {str(pattern.pattern) for pattern in doors.urlpatterns}
    apps_own = set(re.findall(r"path\(\"([^\"]+)\"", read("saleor_nudges/service/urls.py")))

    # when
    table = {
        code(row[0]): row[1]
        for row in rows(section("docs/public-api.md", "## HTTP"))
        if len(row) == 3
    }

    # then
    assert {path for path, where in table.items() if where == "both"} == ours
    assert {path for path, where in table.items() if where == "App"} == apps_own


def test_every_query_and_mutation_is_listed_with_its_permission():
    # given
    printed = parse(read("saleor_nudges/graphql/schema.graphql"))
    roots = [
        definition
        for definition in printed.definitions
        if isinstance(definition, ast.ObjectTypeDefinition)
        and definition.name.value in ("Query", "Mutation")
    ]
    expected = {
        field.name.value: _permission(field.name.value) for root in roots for field in root.fields
    }

    # when
    found = {
        code(row[0]): re.match(r"[A-Z_]*", row[1])[0] or "nothing"
        for row in rows(section("docs/public-api.md", "## GraphQL"))
    }

    # then
    assert found == expected


def _permission(field: str) -> str:
    """What a field's description says it requires; a test of GraphQL tries it."""
    from saleor_nudges.graphql.schema import schema

    graphs = schema()
    roots = (graphs.get_query_type(), graphs.get_mutation_type())
    (found,) = (root.fields[field] for root in roots if field in root.fields)
    said = re.search(r"Requires ([A-Z_]+)", found.description)
    return said[1] if said else "nothing"


def test_every_python_name_can_be_imported():
    # when
    found = names(section("docs/public-api.md", "## Python"))

    # then
    assert len(found) == len(set(found)) > 0
    for name in found:
        module, _, attribute = name.rpartition(".")
        assert find_spec(name) if _is_module(name) else hasattr(import_module(module), attribute)


def _is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


# How it is held together.


def test_layers_are_those_of_the_contract():
    # given
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    contract = parser["importlinter:contract:flow"]["layers"].split("\n")

    # when
    block = re.search(r"```\n(.*?)```", section("ARCHITECTURE.md", "## Layers"), re.DOTALL)

    # then
    assert block is not None
    assert block[1].strip().splitlines() == [line.strip() for line in contract if line.strip()]


# Paths, links, snippets.


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(path):
    # when
    broken = []
    for target in LINK.findall(_prose(path)):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        page = (ROOT / path).parent / file if file else ROOT / path
        if not page.exists() or (anchor and anchor not in _anchors(page)):
            broken.append(target)

    # then
    assert broken == []


@pytest.mark.parametrize("path", PAGES)
def test_every_path_that_is_named_exists(path):
    # when
    spans = [span for span in CODE.findall(_prose(path)) if PATH.fullmatch(span)]
    missing = [span for span in spans if span not in MADE and not (ROOT / span).exists()]

    # then
    assert missing == []


def _prose(path: str) -> str:
    return re.sub(r"^```.*?^```$", "", read(path), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
    return slugs | set(re.findall(r"<a id=\"([\w-]+)\">", text))


def _snippets() -> list[tuple[str, str]]:
    ours = ("README.md", "CONTRIBUTING.md", "docs/settings.md", "docs/public-api.md")
    return [(path, snippet) for path in ours for snippet in blocks(path, "python")]


@pytest.mark.parametrize(("path", "snippet"), _snippets())
def test_snippet_runs(path, snippet, settings):
    # when
    space: dict[str, object] = {}
    exec(compile(snippet, path, "exec"), space)

    # then: settings that are shown are settings there are.
    if "SALEOR_NUDGES" in space:
        settings.SALEOR_NUDGES = space["SALEOR_NUDGES"]
        shown = conf.get()
        for name in space["SALEOR_NUDGES"]:
            assert getattr(shown, name) != conf.Settings.__dataclass_fields__[name].default


@pytest.mark.parametrize("snippet", blocks("docs/storefront.md", "graphql"))
def test_graphql_of_a_storefront_can_be_asked(snippet):
    # given
    from saleor_nudges.graphql.schema import schema

    # when, then
    assert validate(schema(), parse(snippet)) == []


def test_promises_of_the_readme_are_the_guarantees():
    # when
    promised = re.findall(r"ARCHITECTURE\.md#(g\d)", section("README.md", "## What it never does"))
    given = re.findall(r"<a id=\"(g\d)\">", section("ARCHITECTURE.md", "## Guarantees"))

    # then
    assert promised == given
    assert given == [f"g{number}" for number in range(1, 10)]


def test_every_guarantee_names_the_tests_that_try_to_break_it():
    # when
    parts = section("ARCHITECTURE.md", "## Guarantees").split('<a id="g')[1:]

    # then
    assert len(parts) == 9
    for part in parts:
        assert re.search(r"^Tests: \[`tests/", part, re.MULTILINE), part[:60]
