import type { TraceContext } from "../port.ts";
import type { KafkaHeaders } from "./client.ts";

const TRACEPARENT = "traceparent";
const TRACESTATE = "tracestate";
/** Version 00, and later ones, which may have more behind it; ids of zeros are none. */
const TRACEPARENT_FORM =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{1,100})?$/;
/** Printable ASCII, as long as receivers have to pass on. */
const TRACESTATE_FORM = /^[\x20-\x7e]{1,512}$/;

/**
 * The trace that a record belongs to, if its headers say so; what has another form is none.
 *
 * @see W3C Trace Context
 */
export function traceOf(headers: KafkaHeaders): TraceContext | undefined {
  const given = headers[TRACEPARENT];
  if (given === undefined) return undefined;
  const traceparent = given.toString();
  if (!TRACEPARENT_FORM.test(traceparent)) return undefined;
  const tracestate = headers[TRACESTATE]?.toString();
  return tracestate !== undefined && TRACESTATE_FORM.test(tracestate)
    ? { traceparent, tracestate }
    : { traceparent };
}

/** The same as headers, for what comes of the record. */
export function traceHeaders(trace: TraceContext | undefined): KafkaHeaders {
  return trace === undefined ? {} : { ...trace };
}
