import { VERSION } from "../version.ts";

/** Who wrote a finding. */
export const PRODUCT = { name: "oddlink", vendor_name: "oddlink", version: VERSION } as const;
