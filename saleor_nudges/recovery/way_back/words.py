"""What the pages behind a message's links say, in the shopper's language."""

from typing import Final

Words = dict[str, str]

ENGLISH: Final[Words] = {
    "shop": "To the shop",
    "back": "Back to my cart",
    "again": "Try again",
    "sold": "Sold out",
    "left": "Only {left} left",
    "pieces": "Quantity",
    "ask": "Your cart is still here",
    "ask_text": "One tap opens a cart with these things, at today's prices.",
    "some": "Some of it has been sold meanwhile; the rest is waiting for you.",
    "changed": "Something has been sold meanwhile",
    "changed_text": "Your cart is ready with what is left.",
    "bought": "You already bought this",
    "bought_text": "There is nothing left to do. Thank you!",
    "sold_out": "Sold out",
    "sold_out_text": "None of these things can be bought at the moment. We are sorry.",
    "expired": "This link is too old",
    "expired_text": "It was made for a cart you left a while ago. The shop is open as ever.",
    "used_up": "This link has been used very often",
    "used_up_text": "It opens no more carts. What you opened with it before is not touched.",
    "away": "The shop does not answer",
    "away_text": "Nothing is lost. Please try again in a moment.",
    "invalid": "This link is not valid",
    "invalid_text": "A part of it may have got lost. Please copy it whole from the message.",
    "out": "No more of these messages?",
    "out_text": "One click, and you are not reminded of a cart again. News about orders you place"
    " still reaches you.",
    "stop": "Stop these messages",
    "done": "Done",
    "done_text": "You will not be reminded of a cart again.",
}

GERMAN: Final[Words] = {
    "shop": "Zum Shop",
    "back": "Zurück zum Warenkorb",
    "again": "Noch einmal versuchen",
    "sold": "Ausverkauft",
    "left": "Nur noch {left} verfügbar",
    "pieces": "Menge",
    "ask": "Ihr Warenkorb ist noch da",
    "ask_text": "Ein Fingertipp öffnet einen Warenkorb mit diesen Sachen, zu den heutigen Preisen.",
    "some": "Einiges wurde inzwischen verkauft; das Übrige wartet auf Sie.",
    "changed": "Etwas wurde inzwischen verkauft",
    "changed_text": "Ihr Warenkorb ist bereit, mit allem, was noch da ist.",
    "bought": "Das haben Sie schon gekauft",
    "bought_text": "Es ist nichts mehr zu tun. Vielen Dank!",
    "sold_out": "Ausverkauft",
    "sold_out_text": "Nichts davon ist zurzeit zu kaufen. Das tut uns leid.",
    "expired": "Dieser Link ist zu alt",
    "expired_text": "Er gehört zu einem Warenkorb von damals. Der Shop ist wie immer für Sie da.",
    "used_up": "Dieser Link wurde sehr oft benutzt",
    "used_up_text": "Er öffnet keine Warenkörbe mehr. Was Sie damit geöffnet haben, bleibt, wie es"
    " ist.",
    "away": "Der Shop antwortet nicht",
    "away_text": "Nichts ist verloren. Bitte versuchen Sie es gleich noch einmal.",
    "invalid": "Dieser Link ist nicht gültig",
    "invalid_text": "Vielleicht fehlt ein Teil. Bitte kopieren Sie ihn ganz aus der Nachricht.",
    "out": "Keine solchen Nachrichten mehr?",
    "out_text": "Ein Klick, und Sie werden nicht mehr an einen Warenkorb erinnert. Nachrichten zu"
    " Ihren Bestellungen bekommen Sie weiterhin.",
    "stop": "Keine Nachrichten mehr",
    "done": "Erledigt",
    "done_text": "Sie werden nicht mehr an einen Warenkorb erinnert.",
}

POLISH: Final[Words] = {
    "shop": "Do sklepu",
    "back": "Wróć do koszyka",
    "again": "Spróbuj ponownie",
    "sold": "Wyprzedane",
    "left": "Dostępne: {left}",
    "pieces": "Ilość",
    "ask": "Twój koszyk nadal tu jest",
    "ask_text": "Jedno dotknięcie otwiera koszyk z tymi rzeczami, po dzisiejszych cenach.",
    "some": "Część rzeczy w międzyczasie sprzedano; reszta czeka na Ciebie.",
    "changed": "Coś w międzyczasie sprzedano",
    "changed_text": "Koszyk jest gotowy, z tym, co zostało.",
    "bought": "To już zostało kupione",
    "bought_text": "Nie trzeba robić nic więcej. Dziękujemy!",
    "sold_out": "Wyprzedane",
    "sold_out_text": "Żadnej z tych rzeczy nie można teraz kupić. Przykro nam.",
    "expired": "Ten link jest za stary",
    "expired_text": "Dotyczy koszyka sprzed dłuższego czasu. Sklep działa jak zawsze.",
    "used_up": "Tego linku użyto bardzo wiele razy",
    "used_up_text": "Nie otwiera już koszyków. Te otwarte wcześniej pozostają bez zmian.",
    "away": "Sklep nie odpowiada",
    "away_text": "Nic nie zginęło. Spróbuj ponownie za chwilę.",
    "invalid": "Ten link jest nieprawidłowy",
    "invalid_text": "Być może brakuje jego części. Skopiuj go w całości z wiadomości.",
    "out": "Nie wysyłać więcej takich wiadomości?",
    "out_text": "Jedno kliknięcie i nie będziemy przypominać o koszyku. Wiadomości o zamówieniach"
    " nadal będą przychodzić.",
    "stop": "Nie wysyłaj więcej",
    "done": "Gotowe",
    "done_text": "Nie będziemy więcej przypominać o koszyku.",
}

WORDS: Final[dict[str, Words]] = {"en": ENGLISH, "de": GERMAN, "pl": POLISH}


def language_of(code: str) -> str:
    """Return the language a page is in: this one's family, else English."""
    # Saleor writes PT_BR where a browser writes pt-BR.
    family = code.lower().replace("_", "-").partition("-")[0]
    return family if family in WORDS else "en"
