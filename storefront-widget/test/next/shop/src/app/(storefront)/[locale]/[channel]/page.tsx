import Link from "next/link";
import { PRODUCTS } from "@/shop/products";

type Props = { params: Promise<{ locale: string; channel: string }> };

export default async function Home({ params }: Props) {
  const { locale, channel } = await params;
  return (
    <main>
      <h1>All we make</h1>
      {PRODUCTS.map(({ id, slug, name }) => (
        <article key={id}>
          <Link href={`/${locale}/${channel}/products/${slug}`}>{name}</Link>
          <p data-saleor-nudges-product={id} />
        </article>
      ))}
    </main>
  );
}
