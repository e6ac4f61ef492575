import Link from "next/link";
import { notFound } from "next/navigation";
import { addToCheckout } from "@/shop/add-to-checkout";
import { PRODUCTS } from "@/shop/products";
import { AddToCart } from "@/ui/add-to-cart";
import { NudgesOfProduct } from "@/ui/nudges-of-product";

type Props = { params: Promise<{ locale: string; channel: string; slug: string }> };

export default async function ProductPage({ params }: Props) {
  const { locale, channel, slug } = await params;
  const product = PRODUCTS.find((product) => product.slug === slug);
  if (!product) notFound();
  return (
    <main>
      <h1>{product.name}</h1>
      <NudgesOfProduct id={product.id} />
      <AddToCart
        product={product.id}
        variant={product.variant}
        add={addToCheckout.bind(null, channel)}
      >
        <button type="submit">Add to cart</button>
      </AddToCart>
      <Link href={`/${locale}/${channel}`}>All we make</Link>
    </main>
  );
}
