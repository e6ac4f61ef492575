import { NudgesConsent } from "@/ui/nudges-consent";

export default function Checkout() {
  return (
    <form>
      <NudgesConsent>Write to me if I leave this behind.</NudgesConsent>
      <label>
        Email <input type="email" name="email" />
      </label>
    </form>
  );
}
