"""What the schema says of itself: every type, field and argument is described, in a sentence."""

import re

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType

from saleor_nudges.graphql.schema import schema

# Relay's and graphene's own, which we do not describe.
STANDARD = {"PageInfo", "Node", "ID", "Query", "Mutation"}
PREFIXES = ("Nudge", "Recovery", "Messag", "Shopper", "ProductReview", "Experiment")
# Open to anyone: what storefronts ask and report.
OPEN = {"nudges", "nudgeSessionCreate", "nudgeEventsTrack"}
OPEN |= {"productReviews", "productReviewCreate"}


def types():
    return {
        name: kind
        for name, kind in schema().get_type_map().items()
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType | GraphQLEnumType)
        and not name.startswith("__")
    }


def parts():
    """Yield (where, description) of every type, field, argument and input field."""
    for name, kind in types().items():
        if name not in STANDARD:
            yield name, kind.description
        if name == "PageInfo" or isinstance(kind, GraphQLEnumType):
            continue
        for field_name, field in kind.fields.items():
            yield f"{name}.{field_name}", field.description
            for argument, described in (getattr(field, "args", None) or {}).items():
                yield f"{name}.{field_name}({argument})", described.description


# graphene writes these itself.
RELAYS = ("RecoveryCheckoutConnection", "RecoveryCheckoutEdge", "NudgeEventArchiveConnection")
RELAYS += ("NudgeEventArchiveEdge", "ProductReviewConnection", "ProductReviewEdge")
RELAYS += ("NudgeAuditEntryConnection", "NudgeAuditEntryEdge")
RELAYS += ("NudgeEvidenceConnection", "NudgeEvidenceEdge")


def test_everything_is_described_in_a_sentence():
    wrong = [
        (where, description)
        for where, description in parts()
        if not (description and re.match(r"[A-Z“]", description) and description.endswith("."))
        and not where.startswith(RELAYS)
        and not (where.endswith("Enum") and "." not in where)
    ]
    assert wrong == []


def test_our_names_collide_with_none_of_saleors():
    ours = {name for name in types() if name not in STANDARD}
    assert [name for name in sorted(ours) if not name.startswith(PREFIXES)] == []


def test_every_seller_field_says_which_permission_it_requires():
    built = schema()
    fields = {**built.get_query_type().fields, **built.get_mutation_type().fields}
    silent = {name for name, field in fields.items() if "Requires MANAGE_" not in field.description}
    assert silent == OPEN


def test_every_mutation_answers_with_errors():
    for field in schema().get_mutation_type().fields.values():
        assert str(field.type.fields["errors"].type) == "[NudgeError!]!"
