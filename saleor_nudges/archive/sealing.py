"""Personal fields leave the database sealed with their person's key.

Throwing the key away (`people.erase`) makes them unreadable in every object, whose bytes and
checksum stay as they are. A row has somebody behind it by its own column, by its user's hash, or
by its checkout. Sealing the same value again gives the same bytes: an interrupted object comes
out the same.
"""

import csv
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
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
from saleor_nudges.models import Person, TrackedCheckout

# The keys of `data` that say who it was; the subject does where it repeats one of them.
PERSONAL: Final = ("user", "checkout", "visitor")
ANONYMOUS, MARK, UNMARKED = ord(","), b",1\n", b",\n"
# Who might be behind a row, as its text shows it. What it finds too much is only looked up.
HINTS: Final = re.compile(
    rb',([0-9a-f]{8}-[0-9a-f-]{27}),"\{|""(user|checkout)"": ""([0-9a-f]{64})""'
)
DATA: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
CIPHERS_KEPT: Final = 2000
CHECKOUTS: Final = f"""
    SELECT checkout, person_id FROM "{TrackedCheckout._meta.db_table}"
    WHERE shop_id = %s AND checkout = ANY(%s) AND person_id IS NOT NULL
"""
# The older row wins where two have the same account, as it does when a person is looked up.
PEOPLE: Final = f"""
    SELECT id, user_hash, sealed_key FROM "{Person._meta.db_table}"
    WHERE shop_id = %s AND (id = ANY(%s) OR user_hash = ANY(%s)) ORDER BY id DESC
"""

type Row = bytes | memoryview


class Sealer:
    """Seals the rows of one shop."""

    def __init__(self, shop: UUID) -> None:
        self._owners = _Owners(shop)
        self._locator = crypto.repeatable()[0]

    def seal(self, rows: Sequence[Row]) -> bytes:
        """Return rows as one text, their marks taken off and their people sealed."""
        text = b"".join(rows)
        if MARK not in text:
            return text
        # The last byte but the line's end is the mark, or the comma before none.
        marked = {n: bytes(row) for n, row in enumerate(rows) if row[-2] != ANONYMOUS}
        found: list[Row] = list(rows)
        owned = self._owners.look_up(marked)
        for number in marked.keys() - owned:
            found[number] = _unmarked(marked[number])
        sealed = self._sealed([marked[number] for number in owned])
        for number, line in zip(owned, sealed, strict=True):
            found[number] = line
        return b"".join(found)

    def _sealed(self, rows: list[bytes]) -> list[bytes]:
        lines = _Lines()
        # Nothing and the empty text are two things, in Postgres' CSV as here.
        writer = csv.writer(lines, quoting=csv.QUOTE_NOTNULL, lineterminator="\n")
        for cells in csv.reader(StringIO(b"".join(rows).decode(), newline="")):
            writer.writerow(self._sealed_cells(cells))
        return [line.encode() for line in lines.written]

    def _sealed_cells(self, cells: list[str]) -> list[str | None]:
        row, channel, kind, moment, subject, person, text, _ = cells
        data = DATA.decode(text)
        owner = self._owners.of(person, data)
        if owner is None:
            return [row, channel, kind, moment, subject, person or None, text, None]
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

    def look_up(self, rows: Mapping[int, bytes]) -> list[int]:
        """Ask who is behind these rows; return the numbers of those that somebody may be."""
        hints = {number: HINTS.findall(row) for number, row in rows.items()}
        seen = {hint for found in hints.values() for hint in found}
        users = [text.decode() for _, key, text in seen if key == b"user"]
        checkouts = [text.decode() for _, key, text in seen if key == b"checkout"]
        self._checkouts = dict(_ask(CHECKOUTS, self._shop, checkouts)) if checkouts else {}
        people = {UUID(person.decode()) for person, _, _ in seen if person}
        self._ask_people([*people.union(self._checkouts.values())], users)
        return [
            number for number, found in hints.items() if any(self._may_own(*hint) for hint in found)
        ]

    def of(self, person: str, data: Mapping[str, msgspec.Raw]) -> _Owner | None:
        """Return whose row it is: by its own column, its user, or its checkout."""
        if person:
            # Whoever has no row any more is nobody whose key could open it.
            return self._people.get(UUID(person)) or _Owner(UUID(person), None)
        found = self._users.get(_text(data, "user")) or self._checkouts.get(_text(data, "checkout"))
        return self._people.get(found) if found else None

    def _may_own(self, person: bytes, key: bytes, text: bytes) -> bool:
        known = self._users if key == b"user" else self._checkouts
        return bool(person) or text.decode() in known

    def _ask_people(self, people: list[UUID], users: list[str]) -> None:
        found = _ask(PEOPLE, self._shop, people, users) if people or users else []
        self._people = {
            pk: _Owner(pk, self._cipher(bytes(key)) if key else None) for pk, _, key in found
        }
        self._users = {user: pk for pk, user, _ in found if user}


class _Lines:
    """What a writer of CSV writes into: line by line."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.write = self.written.append


def _ask(question: str, *values: Any) -> list[Any]:
    # As one array: the thousands of hashes of a block would make a statement of that many words.
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def _taken(data: dict[str, msgspec.Raw]) -> dict[str, Any]:
    return {key: msgspec.json.decode(data.pop(key)) for key in PERSONAL if key in data}


def _text(data: Mapping[str, msgspec.Raw], key: str) -> str:
    value = msgspec.json.decode(data[key]) if key in data else ""
    return value if isinstance(value, str) else ""


def _unmarked(row: bytes) -> bytes:
    return row[: -len(MARK)] + UNMARKED


def _second(text: str) -> bytes:
    return urlsafe_b64decode(text.partition(".")[2])
