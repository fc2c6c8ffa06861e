// What the server's commands answer, checked before it is used, and how it is shown. What never lives here: the editor.

/** The server's commands; code lenses use the same names. */
export const EXPLAIN = "fly.explain";
export const GENERATED = "fly.generated";
export const SIMULATE = "fly.simulate";
export const SERVER_COMMANDS = [EXPLAIN, GENERATED, SIMULATE] as const;
/** A lens's places, which the editor itself lists. */
export const REFERENCES = "fly.references";
/** What the server may put into lenses. */
export const SHOWN_COMMANDS: readonly string[] = [...SERVER_COMMANDS, REFERENCES];

export interface GeneratedFile {
  path: string;
  text: string;
}

function field(answer: unknown, name: string): unknown {
  return typeof answer === "object" && answer !== null ? (answer as Record<string, unknown>)[name] : undefined;
}

/** The markdown of `fly.explain` and `fly.simulate`. */
export function markdownOf(answer: unknown): string | undefined {
  const markdown = field(answer, "markdown");
  return typeof markdown === "string" && markdown !== "" ? markdown : undefined;
}

/** The files of `fly.generated`. */
export function filesOf(answer: unknown): GeneratedFile[] {
  const files = field(answer, "files");
  if (!Array.isArray(files)) {
    return [];
  }
  return files.flatMap((file: unknown) => {
    const [path, text] = [field(file, "path"), field(file, "text")];
    return typeof path === "string" && typeof text === "string" ? [{ path, text }] : [];
  });
}

/** The language of a generated file, the first of these that the editor knows. */
export function languagesOf(file: GeneratedFile): string[] {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  const extension = name.slice(name.lastIndexOf(".") + 1);
  if (extension === "json") {
    return ["json"];
  }
  if (["tf", "tofu", "hcl", "tfvars"].includes(extension)) {
    // Fly looks enough like HCL to be of use where nobody has installed HCL.
    return ["opentofu", "terraform", "hcl", "fly"];
  }
  if (["yaml", "yml"].includes(extension) || file.text.startsWith("#cloud-config")) {
    return ["yaml"];
  }
  if (extension === "sh" || file.text.startsWith("#!")) {
    return ["shellscript"];
  }
  return extension === "md" ? ["markdown"] : ["plaintext"];
}

/** The id of a diagnostic, from what the editor keeps as its code. */
export function idOf(code: unknown): string | undefined {
  const value = field(code, "value") ?? code;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A GitLab event from a file's text, or what is wrong with it. */
export function eventOf(text: string): { event: object } | { problem: string } {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  return typeof event === "object" && event !== null && !Array.isArray(event)
    ? { event }
    : { problem: "an event is a JSON object" };
}

/** The page of a diagnostic in the book. */
export function pageOf(homepage: string, id: string): string {
  return `${homepage}/reference/diagnostics/${encodeURIComponent(id)}.html`;
}
