import type { Buffer } from "node:buffer";
import { type Decoded, rejected } from "../decoded.ts";
import { auth0 } from "./auth0.ts";
import { avro } from "./avro.ts";
import { cloudtrail } from "./cloudtrail.ts";
import { duo } from "./duo.ts";
import { ecs } from "./ecs.ts";
import { entra } from "./entra.ts";
import type { Decoder, Format, FormatOptions } from "./format.ts";
import { google } from "./google.ts";
import { lanl } from "./lanl.ts";
import { m365 } from "./m365.ts";
import { mappedFormat } from "./mapped.ts";
import { ocsf } from "./ocsf.ts";
import { oddlink } from "./oddlink.ts";
import { okta } from "./okta.ts";
import { onelogin } from "./onelogin.ts";
import { sshd } from "./sshd.ts";
import { windows } from "./windows.ts";
import { zeek } from "./zeek.ts";

export type { Format } from "./format.ts";

/** Every format that can be asked for by name; `auto` tries them in this order. */
export const FORMATS: readonly Format[] = [
  lanl,
  oddlink,
  windows,
  ocsf,
  ecs,
  zeek,
  sshd,
  duo,
  auth0,
  onelogin,
  google,
  entra,
  m365,
  okta,
  cloudtrail,
  avro,
];

/** `mapped`: those that `input.mappings` describes. */
export const FORMAT_NAMES: readonly string[] = ["auto", ...FORMATS.map(({ name }) => name), "mapped"];
export type FormatName = string;

const OPEN_BRACE = 0x7b;
/** The decoder of a named format, or one that recognises each record by itself. */
export function createDecoder(name: FormatName, options: FormatOptions): Decoder {
  const format = FORMATS.find((candidate) => candidate.name === name);
  return format?.createDecoder(options) ?? new AutoDecoder(candidatesOf(name, options), options);
}

/** Says which format reads a record: the one that is named, or the first that recognises it. */
export function recogniser(
  name: FormatName,
  options: FormatOptions,
): (bytes: Buffer, start: number, end: number) => Format | undefined {
  const named = FORMATS.find((format) => format.name === name);
  const candidates = candidatesOf(name, options);
  return (bytes, start, end) => named ?? candidates.find((format) => format.recognises(bytes, start, end));
}

function candidatesOf(name: FormatName, { mappings = [] }: FormatOptions): readonly Format[] {
  const mapped = mappings.map(mappedFormat);
  return name === "mapped" ? mapped : [...mapped, ...FORMATS];
}

/** The format that reads times of label files: the one named, or for `auto` the one that recognises `sample`. */
export function formatOf(name: FormatName, sample: Buffer): Format | undefined {
  return (
    FORMATS.find((format) => format.name === name) ??
    FORMATS.find((format) => format.recognises(sample, 0, sample.length))
  );
}

type Candidate = { readonly format: Format; readonly decoder: Decoder };

class AutoDecoder implements Decoder {
  readonly #candidates: readonly Candidate[];
  /** The formats whose records are not text, known by their first byte. */
  readonly #binary: readonly Candidate[];
  readonly #unknownFormat: Decoded;
  /** Says what is wrong with JSON that nothing is known of. */
  readonly #json: Decoder | undefined;
  /** Records of one input are mostly of one format: the last one recognised is asked first. */
  #last = 0;
  #hasRecognised = false;

  constructor(all: readonly Format[], options: FormatOptions) {
    const formats = all.filter((format) => format !== avro || options.schemas !== undefined);
    this.#candidates = formats.map((format) => ({ format, decoder: format.createDecoder(options) }));
    this.#binary = this.#candidates.filter(({ decoder }) => decoder.isBinary !== undefined);
    this.#json = formats.includes(oddlink) ? oddlink.createDecoder(options) : undefined;
    const names = formats.map((format) => format.name).join(", ");
    this.#unknownFormat = rejected("unknown-format", `no known format (${names})`);
  }

  prepare(bytes: Buffer, start: number, end: number): Promise<void> | undefined {
    for (const { format, decoder } of this.#binary) {
      if (format.recognises(bytes, start, end)) return decoder.prepare?.(bytes, start, end);
    }
    return undefined;
  }

  isBinary(bytes: Buffer, start: number, end: number): boolean {
    return this.#binary.some(({ format }) => format.recognises(bytes, start, end));
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    for (let i = 0; i < this.#candidates.length; i++) {
      const index = (this.#last + i) % this.#candidates.length;
      const candidate = this.#candidates[index]!;
      if (candidate.format.recognises(bytes, start, end)) {
        this.#last = index;
        this.#hasRecognised = true;
        return candidate.decoder.decode(bytes, start, end);
      }
    }
    if (bytes[start] === OPEN_BRACE) return this.#unknownJson(bytes, start, end);
    // A broken line among readable ones: the format of its neighbours says best what is wrong with it.
    return this.#hasRecognised
      ? this.#candidates[this.#last]!.decoder.decode(bytes, start, end)
      : this.#unknownFormat;
  }

  /** JSON that no format recognises, whatever stood before it: what its neighbours ignore would be lost without a word. */
  #unknownJson(bytes: Buffer, start: number, end: number): Decoded {
    const asOurs = this.#json?.decode(bytes, start, end);
    if (asOurs?.kind !== "rejected" || asOurs.reason === "invalid-json") return asOurs ?? this.#unknownFormat;
    return rejected(
      "unknown-format",
      `JSON of no known format: name one with --format, or describe it in input.mappings (as oddlink's own: ${asOurs.detail})`,
    );
  }
}
