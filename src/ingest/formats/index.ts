import type { Buffer } from "node:buffer";
import { rejected } from "../decoded.ts";
import type { Decoder, Format, FormatOptions } from "./format.ts";
import { lanl } from "./lanl.ts";
import { oddlink } from "./oddlink.ts";

export type { Format } from "./format.ts";

/** Every format that can be asked for by name; `auto` tries them in this order. */
export const FORMATS: readonly Format[] = [lanl, oddlink];

export const FORMAT_NAMES = ["auto", "lanl", "oddlink"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

const UNKNOWN_FORMAT = rejected(
  "unknown-format",
  `no known format (${FORMATS.map((f) => f.name).join(", ")})`,
);

/** The decoder of a named format, or one that recognises each record by itself. */
export function createDecoder(name: FormatName, options: FormatOptions): Decoder {
  const format = FORMATS.find((candidate) => candidate.name === name);
  return format === undefined ? new AutoDecoder(options) : format.createDecoder(options);
}

/** The format that reads times of label files: the one named, or for `auto` the one that recognises `sample`. */
export function formatOf(name: FormatName, sample: Buffer): Format | undefined {
  return (
    FORMATS.find((format) => format.name === name) ??
    FORMATS.find((format) => format.recognises(sample, 0, sample.length))
  );
}

class AutoDecoder implements Decoder {
  readonly #decoders: readonly { readonly format: Format; readonly decoder: Decoder }[];
  /** Records of one input are mostly of one format: the last one recognised is asked first. */
  #last = 0;
  #hasRecognised = false;

  constructor(options: FormatOptions) {
    this.#decoders = FORMATS.map((format) => ({ format, decoder: format.createDecoder(options) }));
  }

  decode(bytes: Buffer, start: number, end: number) {
    for (let i = 0; i < this.#decoders.length; i++) {
      const index = (this.#last + i) % this.#decoders.length;
      const candidate = this.#decoders[index]!;
      if (candidate.format.recognises(bytes, start, end)) {
        this.#last = index;
        this.#hasRecognised = true;
        return candidate.decoder.decode(bytes, start, end);
      }
    }
    // A broken record among readable ones: the format of its neighbours says best what is wrong with it.
    return this.#hasRecognised
      ? this.#decoders[this.#last]!.decoder.decode(bytes, start, end)
      : UNKNOWN_FORMAT;
  }
}
