// Semantic tokens without those of strings: the grammar sees more in a string than the server tells — the shell in
// scripts, the words of conditions, interpolations — and a token of the server would hide it.

/** The tokens without those of one type; each is five numbers, its place told from the token before. */
export function without(data: Uint32Array, type: number): Uint32Array {
  const kept: number[] = [];
  let [line, start, keptLine, keptStart] = [0, 0, 0, 0];
  for (let at = 0; at + 4 < data.length; at += 5) {
    const [lines = 0, starts = 0, length = 0, kind = 0, modifiers = 0] = data.subarray(at, at + 5);
    start = lines === 0 ? start + starts : starts;
    line += lines;
    if (kind !== type) {
      const same = line === keptLine;
      kept.push(line - keptLine, same ? start - keptStart : start, length, kind, modifiers);
      [keptLine, keptStart] = [line, start];
    }
  }
  return Uint32Array.from(kept);
}
