/** Saleor's `PT_BR` as the `pt-BR` that Intl knows; undefined (the browser's own) where it does not. */
export function locale(languageCode: string | undefined): string | undefined {
  try {
    return Intl.getCanonicalLocales((languageCode ?? "").replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}
