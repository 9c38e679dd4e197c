import { styleText } from "node:util";

/** Width of a terminal that does not say, and of a file. */
const COLUMNS_DEFAULT = 80;

/** What the reader at the other end of a stream can be shown. */
export type Screen = {
  /** A person's terminal: lines may be rewritten and are wrapped. */
  readonly isLive: boolean;
  readonly columns: number;
  /** False also on a terminal whose user said NO_COLOR. */
  readonly hasColor: boolean;
};

/** A screen without any abilities: a file, a pipe, a test. */
export const PLAIN: Screen = { isLive: false, columns: COLUMNS_DEFAULT, hasColor: false };

/** The part of `process.stdout` and `process.stderr` that tells. */
export type ScreenStream = { readonly isTTY?: boolean; readonly columns?: number };

/** @see https://no-color.org: any value but the empty one turns colours off */
export function screenOf(
  stream: ScreenStream,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Screen {
  if (stream.isTTY !== true || environment.TERM === "dumb") return PLAIN;
  const columns = stream.columns !== undefined && stream.columns > 0 ? stream.columns : COLUMNS_DEFAULT;
  return { isLive: true, columns, hasColor: !environment.NO_COLOR };
}

export type Paint = "red" | "yellow" | "cyan" | "dim" | "bold";

/** The text in a colour, or as it is where there are none. */
export function painted(screen: Screen, paint: Paint, text: string): string {
  return screen.hasColor ? styleText(paint, text, { validateStream: false }) : text;
}
