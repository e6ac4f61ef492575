"""What the sample shop sells: our own catalogue, with ids in Saleor's form."""

from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal

CATEGORIES = ("Juices", "Teas", "Ceramics")
CHANNEL, CURRENCY, SHOP_NAME = "default-channel", "EUR", "Linden & Clay"


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf, with one variant."""

    number: int
    name: str
    category: str
    price: Decimal
    note: str
    text: str
    # So many lie on the shelf when the shop opens.
    stock: int = 40

    @property
    def id(self) -> str:
        """Return its global id, as Saleor would name it."""
        return global_id("Product", self.number)

    @property
    def variant_id(self) -> str:
        """Return the global id of its one variant."""
        return global_id("ProductVariant", self.number)

    @property
    def slug(self) -> str:
        """Return its part of an address."""
        return self.name.lower().replace(" ", "-")

    @property
    def categories(self) -> tuple[str, ...]:
        """Return the global id of its one category."""
        return (global_id("Category", CATEGORIES.index(self.category) + 1),)

    @property
    def picture(self) -> str:
        """Return the address of its drawing on the shop's pages."""
        return f"/static/demo/pictures/{self.slug}.svg"


def global_id(kind: str, key: object) -> str:
    """Return a global id: base64 of "Kind:key"."""
    return b64encode(f"{kind}:{key}".encode()).decode()


PRODUCTS = (
    Product(
        1,
        "Apple Juice",
        "Juices",
        Decimal("4.90"),
        "1 l, cloudy",
        "Seven old varieties from one orchard, pressed the morning they are picked.",
    ),
    Product(
        2,
        "Pear Juice",
        "Juices",
        Decimal("5.40"),
        "1 l, mild",
        "Williams pears, nothing else. Cold, it is a dessert in a glass.",
    ),
    Product(
        3,
        "Carrot Juice",
        "Juices",
        Decimal("4.20"),
        "0.7 l, earthy",
        "Sweet winter carrots with a drop of lemon to keep them bright.",
    ),
    Product(
        4,
        "Cherry Juice",
        "Juices",
        Decimal("6.20"),
        "0.7 l, tart",
        "Sour cherries, pressed with the stone for a hint of almond.",
    ),
    Product(
        5,
        "Mint Tea",
        "Teas",
        Decimal("7.50"),
        "80 g, loose",
        "Whole dried leaves, cut once before flowering. Four minutes, then breathe in.",
    ),
    Product(
        6,
        "Jasmine Tea",
        "Teas",
        Decimal("12.80"),
        "100 g, green",
        "Green tea that lay under fresh jasmine for five nights.",
    ),
    Product(
        7,
        "Earl Grey",
        "Teas",
        Decimal("9.90"),
        "100 g, black",
        "Black tea with cold-pressed bergamot. No perfume, only peel.",
    ),
    Product(
        8,
        "Chamomile",
        "Teas",
        Decimal("6.80"),
        "60 g, whole flowers",
        "Whole flowers, dried in the shade. The last cup of the day.",
    ),
    Product(
        9,
        "Stoneware Mug",
        "Ceramics",
        Decimal("24.00"),
        "0.3 l, oat glaze",
        "Thrown by hand and glazed in oat. It keeps tea warm and fits two hands.",
    ),
    Product(
        10,
        "Small Teapot",
        "Ceramics",
        Decimal("48.00"),
        "0.6 l, celadon",
        "A pot for two cups, with a spout that does not drip. We tried, often.",
        stock=4,
    ),
    Product(
        11,
        "Noodle Bowl",
        "Ceramics",
        Decimal("29.00"),
        "18 cm, ink blue",
        "Deep enough for soup, wide enough for salad, blue as a late evening.",
    ),
    Product(
        12,
        "Bud Vase",
        "Ceramics",
        Decimal("21.00"),
        "14 cm, terracotta",
        "For one branch, or one good flower. Unglazed outside, sealed inside.",
        stock=3,
    ),
)
BY_SLUG = {product.slug: product for product in PRODUCTS}
BY_ID = {product.id: product for product in PRODUCTS}
