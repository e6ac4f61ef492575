"""Global ids as Saleor makes them."""

from base64 import b64encode


def global_id(kind, key):
    return b64encode(f"{kind}:{key}".encode()).decode()


def ids_of(kind, count=6):
    return tuple(global_id(kind, key) for key in range(1, count + 1))
