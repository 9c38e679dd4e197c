/** Between the class of a relation and its type: `sourceHost-targetHost/NTLM::Network`. */
const SLASH = "/";

/** Name of the relation of a link: its kind, and its type if the kind is typed. */
export function relationNameOf(linkKind: string, type: string | undefined): string {
  return type === undefined ? linkKind : `${linkKind}${SLASH}${type}`;
}

/** The class a relation is calibrated with: its link kind, without the type. */
export function linkClassOf(relationName: string): string {
  return relationName.split(SLASH, 1)[0]!;
}

/** The type of a relation; undefined if it has none. */
export function relationTypeOf(relationName: string): string | undefined {
  const at = relationName.indexOf(SLASH);
  return at < 0 ? undefined : relationName.slice(at + 1);
}
