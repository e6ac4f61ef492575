export interface Product {
  id: string;
  variant: string;
  slug: string;
  name: string;
}

export const PRODUCTS: Product[] = [
  { id: "UHJvZHVjdDox", variant: "VmFyaWFudDox", slug: "oak-chair", name: "Oak chair" },
  { id: "UHJvZHVjdDoy", variant: "VmFyaWFudDoy", slug: "ash-table", name: "Ash table" },
];
