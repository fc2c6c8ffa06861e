// Semantic tokens of names only. The grammar tells the rest as the server does, and more of strings: the shell in scripts,
// the words of conditions, interpolations. A token of the server would hide that.

/** What only the server knows: what a name is. */
export const KEPT: readonly string[] = ["variable", "class", "function"];

/** The tokens of these types; each is five numbers, its place told from the token before. */
export function only(types: ReadonlySet<number>, data: Uint32Array): Uint32Array {
  const kept: number[] = [];
  let [line, start, keptLine, keptStart] = [0, 0, 0, 0];
  for (let at = 0; at + 4 < data.length; at += 5) {
    const [lines = 0, starts = 0, length = 0, kind = 0, modifiers = 0] = data.subarray(at, at + 5);
    start = lines === 0 ? start + starts : starts;
    line += lines;
    if (types.has(kind)) {
      const same = line === keptLine;
      kept.push(line - keptLine, same ? start - keptStart : start, length, kind, modifiers);
      [keptLine, keptStart] = [line, start];
    }
  }
  return Uint32Array.from(kept);
}
