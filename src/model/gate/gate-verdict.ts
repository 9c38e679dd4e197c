import { z } from "zod";

/**
 * What a fake of the gate has in the place of what its link has: another target host, source host or user, drawn as often as it is
 * linked; another relation between the same ends; an entity of about the same degree; one that shares a peer with it.
 */
export const GATE_FAKES = ["target", "source", "user", "relation", "degreeMatched", "sameRole"] as const;
export type GateFake = (typeof GATE_FAKES)[number];

const pair = z.strictObject({ running: z.number(), candidate: z.number() });

/** What the gate found when it compared an epoch with the running one; part of the manifest of the epoch that was judged. */
export const gateVerdictSchema = z.strictObject({
  isAccepted: z.boolean(),
  /** In words: for a person, and for the log. */
  reason: z.string(),
  /** Number of the epoch it was compared with; null if there was none. */
  running: z.number().int().nullable(),
  /** Links that neither has trained on. */
  links: z.number().int().min(0),
  /** How often such a link scores above a fake of it; empty where there were too few links. */
  aucByFake: z.partialRecord(z.enum(GATE_FAKES), pair),
  /** Mean over the kinds of what it has more than the running one, and the standard error of that; null where there were too few. */
  difference: z.number().nullable(),
  standardError: z.number().nullable(),
  /** How many of the links are less likely than `probability` under each. */
  drift: z.array(pair.extend({ probability: z.number(), links: z.number().int() })),
});
export type GateVerdict = z.infer<typeof gateVerdictSchema>;

/** An epoch that is adopted without having been compared. */
export function uncompared(reason: string, running: number | null, links: number): GateVerdict {
  return {
    isAccepted: true,
    reason,
    running,
    links,
    aucByFake: {},
    difference: null,
    standardError: null,
    drift: [],
  };
}
