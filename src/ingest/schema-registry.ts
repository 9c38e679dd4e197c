import { Buffer } from "node:buffer";
import { LRUCache } from "lru-cache";
import { OddlinkError } from "../errors.ts";
import { reasonOfFetch } from "../fetch-errors.ts";

/** Schemas kept, and how many characters they may have together; an id never changes its meaning. */
const SCHEMAS_MAX = 1_000;
const SCHEMA_CHARACTERS_MAX = 16 << 20;
/** Largest answer read; Confluent's own limit for a schema is 1 MB. */
const ANSWER_BYTES_MAX = 2 << 20;
/** Ids remembered as unknown. They are kept apart: a flood of them must not push schemas out. */
const UNKNOWN_IDS_MAX = 10_000;
/** An unknown id may be registered later: asked again after a second, then after twice as long each time. */
const ASK_AGAIN_MS_MIN = 1_000;
const ASK_AGAIN_MS_MAX = 300_000;
/** What a Confluent-compatible registry says of an id it does not have; any other 404 comes from something else. */
const SCHEMA_NOT_FOUND = 40403;

/** What a registry says of one id. */
export type RegisteredSchema =
  | { readonly kind: "avro"; readonly text: string }
  | { readonly kind: "unusable"; readonly detail: string }
  | { readonly kind: "unknown" };

/** How the id of a schema that is to be written with is had. */
export type Registration = {
  /** Under which the schema has its versions: by custom `<topic>-value`. */
  readonly subject: string;
  /** The Avro schema as JSON. */
  readonly schema: string;
  /** False where schemas are registered by others: one that is not there is an error then. */
  readonly registers: boolean;
};

/** Where decoders get writer schemas from. */
export type SchemaSource = {
  /** What is known of an id without asking; undefined if it has to be asked for. */
  peek(id: number): RegisteredSchema | undefined;
  /** @throws {OddlinkError} SCHEMA_REGISTRY_UNREACHABLE if nothing can be said now; to be tried again */
  find(id: number): Promise<RegisteredSchema>;
};

export type SchemaRegistryOptions = {
  /** Base of a Confluent-compatible API; a user name and password in it are used as if given as such. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Bearer token; takes the place of user name and password. */
  readonly token?: string | undefined;
  /** For one look-up as a whole, answer included. */
  readonly timeoutMs: number;
};

const UNKNOWN: RegisteredSchema = { kind: "unknown" };

/**
 * Writer schemas by id from a Confluent-compatible schema registry, and ids of those that are written with.
 *
 * An id is asked for once at a time however many wait for it. Failures are not remembered: who pauses decides when to try
 * again. No error and no log line holds a credential or anything the server said beyond its status.
 */
export class SchemaRegistry implements SchemaSource {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #clock: () => number;
  readonly #schemas = new LRUCache<number, RegisteredSchema>({
    max: SCHEMAS_MAX,
    maxSize: SCHEMA_CHARACTERS_MAX,
    sizeCalculation: (schema) => (schema.kind === "avro" ? Math.max(1, schema.text.length) : 1),
  });
  readonly #unknown = new LRUCache<number, { readonly waitMs: number; readonly askAgainMs: number }>({
    max: UNKNOWN_IDS_MAX,
  });
  readonly #requests = new Map<number, Promise<RegisteredSchema>>();

  /**
   * @param clock milliseconds, never backwards
   * @throws {OddlinkError} CONFIG_INVALID if url or credentials can't be used
   */
  constructor(options: SchemaRegistryOptions, clock: () => number = () => performance.now()) {
    const { base, authorization } = endpointOf(options);
    this.#base = base;
    this.#headers = {
      accept: "application/vnd.schemaregistry.v1+json, application/json",
      ...(authorization === undefined ? {} : { authorization }),
    };
    this.#timeoutMs = options.timeoutMs;
    this.#clock = clock;
  }

  peek(id: number): RegisteredSchema | undefined {
    const schema = this.#schemas.get(id);
    if (schema !== undefined) return schema;
    const unknown = this.#unknown.get(id);
    return unknown !== undefined && this.#clock() < unknown.askAgainMs ? UNKNOWN : undefined;
  }

  find(id: number): Promise<RegisteredSchema> {
    const known = this.peek(id);
    if (known !== undefined) return Promise.resolve(known);
    let request = this.#requests.get(id);
    if (request === undefined) {
      request = this.#ask(id).finally(() => this.#requests.delete(id));
      this.#requests.set(id, request);
    }
    return request;
  }

  /**
   * The id to write with; where it may, it registers a schema that is not there yet.
   *
   * @throws {OddlinkError} SCHEMA_REGISTRY_UNREACHABLE, to be tried again; CONFIG_INVALID if the registry will not have the schema, or has not got it
   */
  async idOf({ subject, schema, registers }: Registration): Promise<number> {
    const path = `subjects/${encodeURIComponent(subject)}${registers ? "/versions" : ""}`;
    const { status, text } = await this.#send(path, JSON.stringify({ schema }));
    const answer = text === undefined ? undefined : parseObject(text);
    const id = answer?.["id"];
    if (status === 200 && typeof id === "number" && Number.isInteger(id)) return id;
    const { origin, pathname } = this.#base;
    const refused = (what: string): OddlinkError =>
      new OddlinkError("CONFIG_INVALID", `schema registry ${origin}${pathname} ${what}`);
    if (status === 409 || status === 422)
      throw refused(
        `finds the schema of ${subject} incompatible with what is registered there; give the topic another name, or set the subject's compatibility`,
      );
    if (status === 404 && !registers && answer?.["error_code"] !== undefined)
      throw refused(
        `does not have the schema of ${subject}: register it (schemas/), or set input.registry.registers to true`,
      );
    this.#expectKnown(status);
    throw this.#unreachable(`answers with status ${status} to the schema of ${subject}`);
  }

  async #ask(id: number): Promise<RegisteredSchema> {
    const { status, text } = await this.#send(`schemas/ids/${id}`);
    if (text === undefined) {
      return this.#learn(id, { kind: "unusable", detail: `it is larger than ${ANSWER_BYTES_MAX} bytes` });
    }
    const answer = parseObject(text);
    if (status === 404 && answer?.["error_code"] === SCHEMA_NOT_FOUND) return this.#learnUnknown(id);
    this.#expectKnown(status);
    if (status !== 200) throw this.#unreachable(`answers with status ${status}`);
    const schema = schemaOf(answer);
    if (schema === undefined)
      throw this.#unreachable("gives an answer that is no schema; is input.registry.url right?");
    return this.#learn(id, schema);
  }

  /** @throws {OddlinkError} SCHEMA_REGISTRY_UNREACHABLE for a status that says that something else is asked, or by somebody else */
  #expectKnown(status: number): void {
    if (status === 404)
      throw this.#unreachable("answers 404 as no schema registry does; is input.registry.url right?");
    if (status === 401 || status === 403)
      throw this.#unreachable(`refuses with status ${status}; are the credentials in input.registry right?`);
  }

  /** Status and body; the body is undefined if it is too large. Posts what is given, and asks if nothing is. */
  async #send(
    path: string,
    body?: string,
  ): Promise<{ readonly status: number; readonly text: string | undefined }> {
    try {
      const response = await fetch(new URL(path, this.#base), {
        headers: {
          ...this.#headers,
          ...(body !== undefined && { "content-type": "application/vnd.schemaregistry.v1+json" }),
        },
        ...(body !== undefined && { method: "POST", body }),
        // Credentials are for this address only.
        redirect: "manual",
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return { status: response.status, text: await readText(response) };
    } catch (error) {
      throw this.#unreachable(`does not answer (${reasonOfFetch(error)})`, error);
    }
  }

  #learn(id: number, schema: RegisteredSchema): RegisteredSchema {
    this.#unknown.delete(id);
    this.#schemas.set(id, schema);
    return schema;
  }

  #learnUnknown(id: number): RegisteredSchema {
    const before = this.#unknown.get(id);
    const waitMs = before === undefined ? ASK_AGAIN_MS_MIN : Math.min(before.waitMs * 2, ASK_AGAIN_MS_MAX);
    this.#unknown.set(id, { waitMs, askAgainMs: this.#clock() + waitMs });
    return UNKNOWN;
  }

  #unreachable(what: string, cause?: unknown): OddlinkError {
    const { origin, pathname } = this.#base;
    return new OddlinkError("SCHEMA_REGISTRY_UNREACHABLE", `schema registry ${origin}${pathname} ${what}`, {
      cause,
    });
  }
}

/** Takes the credentials out of the url, so that it can be printed. Nothing here may quote what it was given. */
function endpointOf(options: SchemaRegistryOptions): {
  readonly base: URL;
  readonly authorization: string | undefined;
} {
  let base: URL;
  let username: string;
  let password: string;
  try {
    base = new URL(options.url);
    username = options.username ?? decodeURIComponent(base.username);
    password = options.password ?? decodeURIComponent(base.password);
  } catch {
    // No cause: it would hold the url.
    throw new OddlinkError("CONFIG_INVALID", "input.registry.url is no valid URL");
  }
  base.username = base.password = base.search = base.hash = "";
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const { token } = options;
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new OddlinkError("CONFIG_INVALID", "input.registry.token holds characters no token has");
    return { base, authorization: `Bearer ${token}` };
  }
  if (username === "" && password === "") return { base, authorization: undefined };
  return { base, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The answer to a look-up by id; a schema that is not Avro, or not whole, is one that can't be used. */
function schemaOf(answer: Readonly<Record<string, unknown>> | undefined): RegisteredSchema | undefined {
  const text = answer?.["schema"];
  if (typeof text !== "string") return undefined;
  const schemaType = answer?.["schemaType"] ?? "AVRO";
  if (schemaType !== "AVRO")
    return { kind: "unusable", detail: `it is ${String(schemaType).slice(0, 20)}, not Avro` };
  const references = answer?.["references"];
  if (Array.isArray(references) && references.length > 0) {
    return { kind: "unusable", detail: "it refers to other schemas; register it with their text in it" };
  }
  return { kind: "avro", text };
}
