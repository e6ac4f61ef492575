import "@/styles/brand.css";
import "@/styles/nudges.css";
import { type ReactNode, Suspense } from "react";

export default function Root({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Suspense>{children}</Suspense>
      </body>
    </html>
  );
}
