import { z } from "zod";

/** Where health and metrics of a process are, apart from the page and the API. */
export const managementSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .default("127.0.0.1")
      .describe(
        "address for health and metrics alone; they hold no name and no alert, so that beyond loopback nothing is asked of who reads them",
      ),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(
        "port for /healthz, /readyz and /metrics alone, of workers, trainers, canaries and normalizers; 0 for a free one; unset: none",
      ),
  })
  .prefault({});
