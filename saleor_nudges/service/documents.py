"""What we ask of Saleor's API. Valid on 3.21 to 3.24; the fields are those of the webhooks."""

from typing import Final

ADDRESS: Final = "{ firstName phone city countryArea country { code } }"
PRODUCT: Final = "{ id name slug thumbnail(size: 256) { url } }"

CHECKOUT: Final = f"""
fragment CheckoutFields on Checkout {{
  id
  createdAt: created
  updatedAt
  email
  channel {{ slug }}
  user {{ id }}
  languageCode
  authorizeStatus
  chargeStatus
  transactions {{ authorizePendingAmount {{ amount }} chargePendingAmount {{ amount }} }}
  billingAddress {ADDRESS}
  shippingAddress {ADDRESS}
  totalPrice {{ gross {{ amount currency }} }}
  lines {{ quantity unitPrice {{ gross {{ amount }} }} variant {{ id product {PRODUCT} }} }}
  marketingOptIn: metafield(key: "paper.marketing_opt_in")
  stayAnonymous: metafield(key: "saleor-nudges.stay_anonymous")
}}
"""

ORDER: Final = f"""
fragment OrderFields on Order {{
  id
  created
  updatedAt
  status
  checkoutId
  userEmail
  user {{ id }}
  channel {{ slug }}
  languageCodeEnum
  billingAddress {ADDRESS}
  shippingAddress {ADDRESS}
  total {{ gross {{ amount currency }} }}
  totalRefunded {{ amount }}
  voucherCode
  lines {{
    quantity
    productVariantId
    variant {{ id product {PRODUCT} }}
    productName
    unitPrice {{ gross {{ amount }} }}
  }}
}}
"""

ORDERS: Final = f"""
query NudgesOrders($ids: [ID!], $first: Int!) {{
  orders(first: $first, filter: {{ ids: $ids }}) {{ edges {{ node {{ ...OrderFields }} }} }}
}}
{ORDER}
"""

ORDERS_CHANGED: Final = f"""
query NudgesOrdersChanged($since: DateTime!, $first: Int!, $after: String) {{
  orders(
    first: $first
    after: $after
    filter: {{ updatedAt: {{ gte: $since }} }}
    sortBy: {{ field: LAST_MODIFIED_AT, direction: ASC }}
  ) {{
    edges {{ node {{ ...OrderFields }} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
{ORDER}
"""

# Unsorted, Saleor lists checkouts newest change first; a sort by that time it does not offer. Its
# filter knows whole days only, so the first question looks for the place where the time begins,
CHECKOUTS_NEWEST: Final = """
query NudgesCheckoutsNewest($day: Date!, $first: Int!, $after: String) {
  checkouts(first: $first, after: $after, filter: { updatedAt: { gte: $day } }) {
    edges { cursor node { updatedAt } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

# and this one reads from there upwards, to the newest.
CHECKOUTS_CHANGED: Final = f"""
query NudgesCheckoutsChanged($day: Date!, $last: Int!, $before: String) {{
  checkouts(last: $last, before: $before, filter: {{ updatedAt: {{ gte: $day }} }}) {{
    edges {{ node {{ ...CheckoutFields }} }}
    pageInfo {{ hasPreviousPage startCursor }}
  }}
}}
{CHECKOUT}
"""

PRODUCTS: Final = f"""
query NudgesProducts($ids: [ID!], $channel: String!, $first: Int!) {{
  products(first: $first, channel: $channel, filter: {{ ids: $ids }}) {{
    edges {{ node {{
      ...ProductFields
      isAvailableForPurchase
      category {{ id ancestors(first: 50) {{ edges {{ node {{ id }} }} }} }}
      collections {{ id }}
      variants {{ id trackInventory preorder {{ endDate }} quantityAvailable }}
    }} }}
  }}
}}
fragment ProductFields on Product {PRODUCT}
"""

# Without a country: every warehouse from which the channel can send, or that hands out.
STOCKS: Final = """
query NudgesStocks($ids: [ID!], $channel: String!, $first: Int!) {
  productVariants(first: $first, channel: $channel, ids: $ids) {
    edges { node { id stocks { quantity quantityAllocated quantityReserved } } }
  }
}
"""

VARIANTS: Final = """
query NudgesVariants($ids: [ID!], $first: Int!) {
  productVariants(first: $first, ids: $ids) { edges { node { id product { id } } } }
}
"""

BUYABLE: Final = """
query NudgesBuyable($ids: [ID!], $channel: String!, $first: Int!) {
  productVariants(first: $first, channel: $channel, ids: $ids) {
    edges { node { id quantityAvailable } }
  }
}
"""

METADATA: Final = """
query NudgesCheckoutMetadata($id: ID!, $keys: [String!]!) {
  checkout(id: $id) { metafields(keys: $keys) }
}
"""

NEW_CHECKOUT: Final = """
mutation NudgesNewCheckout($input: CheckoutCreateInput!) {
  checkoutCreate(input: $input) {
    checkout { id }
    errors { code variants }
  }
}
"""

MAY: Final = """
query NudgesMay { app { permissions { code } } }
"""

CHANNEL: Final = """
query NudgesChannel($slug: String!) { channel(slug: $slug) { id currencyCode } }
"""

VOUCHERS: Final = """
query NudgesVouchers($code: String!) {
  vouchers(first: 5, filter: { search: $code }) {
    edges { node {
      id
      mark: privateMetafield(key: "saleor-nudges.recovery")
      codes(first: 2) { edges { node { code used isActive } } }
    } }
  }
}
"""

MAKE_VOUCHER: Final = """
mutation NudgesMakeVoucher($input: VoucherInput!) {
  voucherCreate(input: $input) { voucher { id } errors { field code } }
}
"""

LIST_VOUCHER: Final = """
mutation NudgesListVoucher($id: ID!, $input: VoucherChannelListingInput!) {
  voucherChannelListingUpdate(id: $id, input: $input) { voucher { id } errors { field code } }
}
"""

MARK_VOUCHER: Final = """
mutation NudgesMarkVoucher($id: ID!, $input: [MetadataInput!]!) {
  updatePrivateMetadata(id: $id, input: $input) { errors { field code } }
}
"""

DELETE_VOUCHER: Final = """
mutation NudgesDeleteVoucher($id: ID!) {
  voucherDelete(id: $id) { errors { field code } }
}
"""

PUT_CODE: Final = """
mutation NudgesPutCode($id: ID!, $code: String!) {
  checkoutAddPromoCode(id: $id, promoCode: $code) { checkout { id } errors { field code } }
}
"""

TAKE_CODE: Final = """
mutation NudgesTakeCode($id: ID!, $code: String!) {
  checkoutRemovePromoCode(id: $id, promoCode: $code) { checkout { id } errors { field code } }
}
"""

PRICED: Final = """
query NudgesPriced($id: ID!) {
  checkout(id: $id) { voucherCode totalPrice { gross { amount } } }
}
"""

CODE_OF: Final = """
query NudgesCodeOf($id: ID!) { checkout(id: $id) { voucherCode } }
"""


def checkouts(count: int) -> str:
    """Return the question for so many checkouts: their list knows no filter by id."""
    names = range(count)
    variables = ", ".join(f"$c{n}: ID!" for n in names)
    fields = "\n".join(f"  c{n}: checkout(id: $c{n}) {{ ...CheckoutFields }}" for n in names)
    return f"query NudgesCheckouts({variables}) {{\n{fields}\n}}\n{CHECKOUT}"
