// What the shopper answers is told to the widget: only then may it keep an address they typed.
const agree = document.querySelector("[data-agree]");

function tell() {
  const nudges = window.saleorNudges;
  if (!nudges) document.addEventListener("nudges:ready", tell, { once: true });
  else if (agree.checked) nudges.resume();
  else nudges.stop();
}

agree?.addEventListener("change", tell);
