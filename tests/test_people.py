"""Who is who, and what is left of somebody who was forgotten: nothing."""

import pytest

from saleor_nudges import people
from saleor_nudges.events import Contact
from saleor_nudges.models import Person
from saleor_nudges.testing import make_shop

pytestmark = pytest.mark.django_db

ANNA = Contact(email="anna@example.com", first_name="Anna", city="Wroclaw")


@pytest.fixture
def shop():
    return make_shop()


@pytest.mark.parametrize(
    ("_case", "contact"),
    [("nothing", Contact()), ("only_a_name", Contact(first_name="Anna", city="Wroclaw"))],
)
def test_nobody_is_made_of_too_little(_case, contact, shop):
    assert people.resolve(shop, contact) is None
    assert Person.objects.of(shop).count() == 0


def test_a_person_is_kept_sealed(shop):
    person = people.resolve(shop, ANNA)
    assert people.contact_of(person) == ANNA
    stored = str(Person.objects.of(shop).values().get())
    for secret in ("anna", "Anna", "Wroclaw"):
        assert secret not in stored


@pytest.mark.parametrize(
    ("_case", "first", "second", "count"),
    [
        ("case_and_space", {"email": "anna@example.com"}, {"email": " ANNA@Example.com "}, 1),
        ("phone_written_otherwise", {"phone": "+48 600-100-200"}, {"phone": "0048600100200"}, 2),
        ("phone_with_spaces", {"phone": "+48 600 100 200"}, {"phone": "+48600100200"}, 1),
        ("same_account", {"user_id": "u1"}, {"user_id": "u1", "email": "a@example.com"}, 1),
        ("same_phone", {"phone": "1"}, {"phone": "1", "email": "a@example.com"}, 1),
        ("other_address", {"email": "a@example.com"}, {"email": "b@example.com"}, 2),
        (
            "two_addresses_of_one_account",
            {"email": "a@example.com", "user_id": "u1"},
            {"email": "b@example.com", "user_id": "u1"},
            2,
        ),
        (
            "two_addresses_of_one_phone",
            {"email": "a@example.com", "phone": "1"},
            {"email": "b@example.com", "phone": "1"},
            2,
        ),
    ],
)
def test_two_contacts_are_one_person_or_two(_case, first, second, count, shop):
    a = people.resolve(shop, Contact(**first))
    b = people.resolve(shop, Contact(**second))
    assert Person.objects.of(shop).count() == count
    assert (a.pk == b.pk) is (count == 1)
    assert people.resolve(shop, Contact(**first)).pk == a.pk
    assert people.resolve(shop, Contact(**second)).pk == b.pk


def test_what_is_learned_is_added_and_nothing_is_forgotten(shop):
    people.resolve(shop, ANNA)
    people.resolve(shop, Contact(email="anna@example.com", phone="123", first_name="Ann"))
    person = Person.objects.of(shop).get()
    assert people.contact_of(person) == Contact(
        email="anna@example.com", phone="123", first_name="Ann", city="Wroclaw"
    )
    assert person.phone_hash == people.phone_hash("123")
    assert people.resolve(shop, Contact(phone="123")).pk == person.pk


def test_the_address_decides_before_the_account(shop):
    by_address = people.resolve(shop, Contact(email="a@example.com"))
    by_account = people.resolve(shop, Contact(user_id="u1"))
    found = people.resolve(shop, Contact(email="a@example.com", user_id="u1"))
    assert (found.pk, by_account.pk != by_address.pk) == (by_address.pk, True)


def test_what_is_sealed_about_a_person_goes_with_them(shop):
    # given
    person = people.resolve(shop, ANNA)
    sealed = people.seal_about(person, {"name": "Anna"})
    assert people.unseal_about(person, sealed) == {"name": "Anna"}

    # when
    people.erase(person)

    # then
    gone = Person.objects.of(shop).get()
    assert people.unseal_about(gone, sealed) is None
    assert people.contact_of(gone) == Contact()
    assert people.seal_about(gone, "x") is None
    left = Person.objects.of(shop).values().get()
    kept = {key for key, value in left.items() if value is not None}
    assert kept == {"id", "created_at", "shop_id", "erased_at"}


def test_who_comes_back_after_being_forgotten_is_somebody_new(shop):
    first = people.resolve(shop, ANNA)
    people.erase(first)
    second = people.resolve(shop, ANNA)
    assert second.pk != first.pk
    assert people.contact_of(Person.objects.of(shop).get(pk=first.pk)) == Contact()


def test_nobody_is_nobody():
    assert people.contact_of(None) == Contact()
    assert people.unseal_about(None, b"x") is None
    assert (people.email_hash(" "), people.phone_hash("+"), people.user_hash("")) == (None,) * 3
