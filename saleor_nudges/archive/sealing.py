"""Personal fields leave the database sealed with their person's key.

Throwing the key away (`people.erase`) makes them unreadable in every object, whose bytes and
checksum stay as they are. A row has somebody behind it by its own column, by its user's hash, or
by its checkout. Sealing the same value again gives the same bytes: an interrupted object comes
out the same.
"""

import csv
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.db import connection

from saleor_nudges import crypto
from saleor_nudges.archive.parts import COLUMNS
from saleor_nudges.models import Person

# The keys of `data` that say who it was; the subject does where it repeats one of them.
PERSONAL: Final = ("user", "checkout", "visitor")
UNMARKED: Final = ord(",")
QUOTE: Final = ord('"')
PERSON: Final = COLUMNS.index("person")
DATA: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
CIPHERS_KEPT: Final = 2000
CHECKOUTS: Final = """
    SELECT checkout, person_id FROM "saleor_nudges_trackedcheckout"
    WHERE shop_id = %s AND checkout = ANY(string_to_array(%s, ',')) AND person_id IS NOT NULL
"""
# The older row wins where two have the same account, as it does when a person is looked up.
PEOPLE: Final = """
    SELECT id, user_hash, sealed_key FROM "saleor_nudges_person"
    WHERE shop_id = %s AND (
        id = ANY(string_to_array(%s, ',')::uuid[]) OR user_hash = ANY(string_to_array(%s, ','))
    ) ORDER BY id DESC
"""


class Marked(bytes):
    """A row that may have somebody behind it. Its last cell says who: person|user|checkout."""

    __slots__ = ()

    def hint(self) -> tuple[str, str, str]:
        """Return the person's id and the hashes of user and checkout, as far as there are any."""
        person, user, checkout = self._last().split("|", 2)
        return person, user, checkout

    def unmarked(self) -> bytes:
        """Return the row with nothing in its last cell."""
        if self[-2] != QUOTE:
            return self[: self.rindex(b",") + 1] + b"\n"
        (cells,) = csv.reader(StringIO(self.decode(), newline=""))
        return b"".join(_lines([[*_open(cells), None]]))

    def _last(self) -> str:
        if self[-2] != QUOTE:
            return self[self.rindex(b",") + 1 : -1].decode()
        (cells,) = csv.reader(StringIO(self.decode(), newline=""))
        return cells[-1]


class Sealer:
    """Seals the rows of one shop."""

    def __init__(self, shop: UUID) -> None:
        self._owners = _Owners(shop)
        self._locator = crypto.repeatable()[0]

    def seal(self, pieces: list[bytes | Marked]) -> bytes:
        """Return rows as one text, their marks taken off and their people sealed."""
        marked = [(n, piece) for n, piece in enumerate(pieces) if isinstance(piece, Marked)]
        found: list[bytes] = list(pieces)
        owners = self._owners.of([row.hint() for _, row in marked]) if marked else []
        owned = []
        for (number, row), owner in zip(marked, owners, strict=True):
            if owner is None:
                found[number] = row.unmarked()
            else:
                owned.append((number, row, owner))
        sealed = self._sealed([(row, owner) for _, row, owner in owned])
        for (number, _, _), line in zip(owned, sealed, strict=True):
            found[number] = line
        return b"".join(found)

    def _sealed(self, rows: "list[tuple[Marked, _Owner]]") -> list[bytes]:
        text = b"".join(row for row, _ in rows).decode()
        cells = csv.reader(StringIO(text, newline=""))
        return _lines(
            self._sealed_cells(one, owner) for one, (_, owner) in zip(cells, rows, strict=True)
        )

    def _sealed_cells(self, cells: list[str], owner: "_Owner") -> list[str | None]:
        row, channel, kind, moment, subject, person, text, _ = cells
        data = DATA.decode(text)
        taken = _taken(data)
        repeated = subject if subject in taken.values() else ""
        secret = {"person": person, "subject": repeated, "data": taken}
        rest = msgspec.json.encode(data).decode()
        sealed = self._envelope(row.encode(), owner, secret)
        return [row, channel, kind, moment, "" if repeated else subject, None, rest, sealed]

    def _envelope(self, row: bytes, owner: "_Owner", secret: Mapping[str, Any]) -> str | None:
        if owner.cipher is None:
            return None
        # Who it was is sealed too, by us and for each row alone: without our keys nobody can tell
        # that two rows are of one person.
        where = self._locator.encrypt(owner.person.bytes, [row])
        what = owner.cipher.encrypt(msgspec.json.encode(secret), [row])
        return f"{urlsafe_b64encode(where).decode()}.{urlsafe_b64encode(what).decode()}"


class Opener:
    """Opens the sealed rows of one shop, for as long as their people are not erased."""

    def __init__(self, shop: UUID) -> None:
        self._shop = shop
        self._locators = crypto.repeatable()

    def open(self, sealed: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return by row's id what was sealed, leaving out rows whose person was erased.

        Each is {"person": "", "subject": "", "data": {}}; `sealed` is by row's id too.
        """
        people = {row: self._person(row, text) for row, text in sealed.items()}
        wanted = {person for person in people.values() if person}
        known = Person.objects.of(self._shop).filter(pk__in=wanted, sealed_key__isnull=False)
        ciphers = {
            pk: crypto.repeatable_for(bytes(key))
            for pk, key in known.values_list("pk", "sealed_key")
            if key
        }
        return {
            row: json.loads(ciphers[person].decrypt(_second(sealed[row]), [row.encode()]))
            for row, person in people.items()
            if person in ciphers
        }

    def _person(self, row: str, text: str) -> UUID | None:
        where = urlsafe_b64decode(text.partition(".")[0])
        for cipher in self._locators:
            try:
                return UUID(bytes=cipher.decrypt(where, [row.encode()]))
            except InvalidTag:
                continue
        return None


@dataclass(frozen=True, slots=True)
class _Owner:
    """One person, and their cipher unless they are erased."""

    person: UUID
    cipher: AESSIV | None


class _Owners:
    """Who is behind rows: looked up for many at once, because asking row by row costs more."""

    def __init__(self, shop: UUID) -> None:
        self._shop = shop
        self._people: dict[UUID, _Owner] = {}
        self._users: dict[str, UUID] = {}
        self._checkouts: dict[str, UUID] = {}
        self._cipher = lru_cache(CIPHERS_KEPT)(crypto.repeatable_for)

    def of(self, hints: list[tuple[str, str, str]]) -> "list[_Owner | None]":
        """Return whose rows these are: by their own person, their user, or their checkout."""
        checkouts = {checkout for _, _, checkout in hints if checkout}
        self._checkouts = dict(_ask(CHECKOUTS, self._shop, checkouts)) if checkouts else {}
        people = {person for person, _, _ in hints if person}
        users = {user for _, user, _ in hints if user}
        self._ask_people(people | {str(one) for one in self._checkouts.values()}, users)
        return [self._owner(*hint) for hint in hints]

    def _owner(self, person: str, user: str, checkout: str) -> _Owner | None:
        if person:
            # Whoever has no row any more is nobody whose key could open it.
            return self._people.get(UUID(person)) or _Owner(UUID(person), None)
        found = self._users.get(user) or self._checkouts.get(checkout)
        return self._people.get(found) if found else None

    def _ask_people(self, people: set[str], users: set[str]) -> None:
        found = _ask(PEOPLE, self._shop, people, users) if people or users else []
        self._people = {
            pk: _Owner(pk, self._cipher(bytes(key)) if key else None) for pk, _, key in found
        }
        self._users = {user: pk for pk, user, _ in found if user}


class _Written:
    """What a writer of CSV writes into: line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.write = self.lines.append


def _lines(rows: Iterable[list[str | None]]) -> list[bytes]:
    written = _Written()
    # Nothing and the empty text are two things, in Postgres' CSV as here.
    csv.writer(written, quoting=csv.QUOTE_NOTNULL, lineterminator="\n").writerows(rows)
    return [line.encode() for line in written.lines]


def _open(cells: list[str]) -> list[str | None]:
    """Return a row's cells but the last: only a person may be nothing."""
    return [cell or None if number == PERSON else cell for number, cell in enumerate(cells[:-1])]


def _ask(question: str, shop: UUID, *values: set[str]) -> list[Any]:
    # As one text: a list of the hundreds of hashes of a block costs more to write than to find.
    # A hash has no comma; what has one is no hash, and finds nobody either way.
    with connection.cursor() as cursor:
        cursor.execute(question, [shop, *(",".join(some) for some in values)])
        return list(cursor.fetchall())


def _taken(data: dict[str, msgspec.Raw]) -> dict[str, Any]:
    return {key: msgspec.json.decode(data.pop(key)) for key in PERSONAL if key in data}


def _second(text: str) -> bytes:
    return urlsafe_b64decode(text.partition(".")[2])
