import { dirname } from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  // As Paper. A page with a nonce is made for each request, so there nothing is cached.
  cacheComponents: !process.env.SHOP_HAS_NONCE,
  partialPrefetching: !process.env.SHOP_HAS_NONCE,
  // Where the modules are: for the test the shop is copied into a folder of its own.
  turbopack: { root: dirname(dirname(import.meta.dirname)) },
};

export default config;
