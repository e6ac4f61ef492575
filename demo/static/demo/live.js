// Renews the part of a page that changes. Nothing moves unless something is new.
const part = document.querySelector("[data-live]");

async function renew() {
  if (!part || document.hidden) return;
  const address = new URL(location.href);
  address.searchParams.set("live", "1");
  try {
    const answer = await fetch(address);
    const html = answer.ok ? await answer.text() : part.dataset.was;
    if (html !== part.dataset.was) part.innerHTML = part.dataset.was = html;
  } catch {
    // The demo was stopped; the page stays as it is.
  }
}

if (part) {
  renew();
  setInterval(renew, 1500);
}
