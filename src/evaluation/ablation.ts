import { SIGNALS } from "../alerts/odd-login.ts";
import { type Config, DETECTORS } from "../config/schema.ts";

export type Variant = { readonly name: string; readonly config: Config };

/**
 * What an ablation compares: the default detector, each signal alone, and the default without each. A signal that becomes
 * a detector of its own is in both lists by that.
 */
export function ablationVariants(config: Config): Variant[] {
  const signals = SIGNALS.filter((signal) => (DETECTORS as readonly string[]).includes(signal));
  const alone = DETECTORS.filter((detector) => detector !== "default");
  return [
    { name: "default", config: { ...config, detector: "default", withoutSignal: undefined } },
    ...alone.map((detector) => ({
      name: `${detector} alone`,
      config: { ...config, detector, withoutSignal: undefined },
    })),
    ...signals.map((signal) => ({
      name: `default without ${signal}`,
      config: { ...config, detector: "default" as const, withoutSignal: signal },
    })),
  ];
}
