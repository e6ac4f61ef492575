"""The ways a message can leave, as campaigns name them."""

from enum import StrEnum


class MessageChannel(StrEnum):
    """One way. The names are those of the ledger's column."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    WHATSAPP = "WHATSAPP"
    PUSH = "PUSH"
