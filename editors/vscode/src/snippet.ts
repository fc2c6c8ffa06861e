// The snippet of an egg with its name filled in. What never lives here: the editor.

/** What is wrong with the name of an egg, if anything. The server says the same of labels. */
export function wrongName(name: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)
    ? undefined
    : "A name has letters a to z, digits, - and _, begins with a letter or digit, and has 63 characters at most.";
}

/** The snippet called `egg` of a file of snippets, for an egg of this name. */
export function eggSnippet(file: string, name: string | undefined): string {
  const { egg } = JSON.parse(file) as { egg: { body: string[] } };
  const body = egg.body.join("\n");
  return name === undefined ? body : body.replace(/\$\{1:[^}]*\}/, () => name);
}
