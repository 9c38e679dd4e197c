import { z } from "zod";

/** How detection is tested from outside: see `oddlink canary`. */
export const canarySchema = z
  .strictObject({
    everySeconds: z
      .number()
      .min(1)
      .max(3600)
      .default(60)
      .describe("seconds between two synthetic odd logins of oddlink canary"),
    deadlineSeconds: z
      .number()
      .min(0.1)
      .max(60)
      .default(5)
      .describe("seconds within which the alert of such a login must be there to be read"),
  })
  .prefault({});
