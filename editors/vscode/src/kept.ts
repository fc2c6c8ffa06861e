// Texts by name, the last that were looked at. What never lives here: the editor.

/** Keeps the texts that were set or read last; the others are let go. */
export class Kept {
  /** A map tells its keys in the order they came: the first was not looked at for longest. */
  private readonly texts = new Map<string, string>();

  constructor(private readonly most: number) {}

  set(name: string, text: string): void {
    this.texts.delete(name);
    this.texts.set(name, text);
    for (const oldest of this.texts.keys()) {
      if (this.texts.size <= this.most) {
        break;
      }
      this.texts.delete(oldest);
    }
  }

  get(name: string): string | undefined {
    const text = this.texts.get(name);
    if (text !== undefined) {
      this.set(name, text);
    }
    return text;
  }

  clear(): void {
    this.texts.clear();
  }
}
