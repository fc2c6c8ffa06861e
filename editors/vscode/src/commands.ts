// The commands of the palette, and how the answers of the server's commands are shown.

import path from "node:path";
import * as vscode from "vscode";

import { EXPLAIN, GENERATED, SIMULATE, eventOf, filesOf, idOf, markdownOf, pageOf } from "./answers";
import type { Documents } from "./documents";
import type { Server } from "./server";

/** The name of the egg, job or other part of the Nest that a file is. */
function nameOf(uri: unknown): string {
  const parts = typeof uri === "string" ? vscode.Uri.parse(uri).path.split("/") : [];
  const file = path.posix.basename(parts.at(-1) ?? "fly", ".fly");
  return file === "config" ? (parts.at(-2) ?? file) : file;
}

/** Shows what a command of the server answered; gives the answer on. */
export async function show(documents: Documents, command: string, args: unknown[], answer: unknown): Promise<void> {
  if (answer === undefined || answer === null) {
    return;
  }
  switch (command) {
    case EXPLAIN:
    case SIMULATE: {
      const markdown = markdownOf(answer);
      const [first] = args;
      if (markdown === undefined) {
        void vscode.window.showInformationMessage("The server has nothing to say about it.");
      } else if (command === EXPLAIN) {
        await documents.showMarkdown(`explain/${String(first)}.md`, markdown);
      } else {
        await documents.showMarkdown(`simulated/${nameOf(first)}.md`, markdown);
      }
      return;
    }
    case GENERATED: {
      const files = filesOf(answer);
      const name = nameOf(args[0]);
      // The files of the egg itself come first, then those of the modules it is made of, each folder under its name.
      const items = files.map((file) => ({ label: path.posix.basename(file.path), file }));
      const folders = new Map<string, typeof items>();
      for (const item of items) {
        const folder = path.posix.dirname(item.file.path);
        folders.set(folder, [...(folders.get(folder) ?? []), item]);
      }
      const listed = [...folders].flatMap(([label, inside]) => [
        { label, kind: vscode.QuickPickItemKind.Separator, file: undefined },
        ...inside,
      ]);
      const chosen =
        items.length > 1
          ? await vscode.window.showQuickPick(listed, { title: `What flyc builds of ${name}` })
          : items[0];
      if (items.length === 0) {
        void vscode.window.showInformationMessage(
          `flyc builds nothing of ${name}. While the Nest has errors nothing is built: see Problems.`,
        );
      }
      if (chosen?.file !== undefined) {
        await documents.showFile(name, chosen.file);
      }
      return;
    }
  }
}

/** The document a command of the palette is about. */
function current(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "fly" && document.uri.scheme === "file") {
    return document;
  }
  void vscode.window.showInformationMessage("Open a .fly file of the Nest first: the command is about that file.");
  return undefined;
}

/** The diagnostics of the server in a range. */
function explainable(uri: vscode.Uri, range: vscode.Range | undefined): vscode.Diagnostic[] {
  return vscode.languages
    .getDiagnostics(uri)
    .filter((found) => found.source === "fly" && idOf(found.code) !== undefined)
    .filter((found) => range === undefined || found.range.intersection(range) !== undefined);
}

async function chooseDiagnostic(): Promise<string | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || current() === undefined) {
    return undefined;
  }
  const uri = editor.document.uri;
  const here = explainable(uri, editor.selection);
  const found = here.length > 0 ? here : explainable(uri, undefined);
  const items = found.map((diagnostic) => ({
    label: idOf(diagnostic.code) ?? "",
    description: `line ${diagnostic.range.start.line + 1}`,
    detail: diagnostic.message.split("\n")[0] ?? "",
  }));
  const ids = new Set(items.map(({ label }) => label));
  if (ids.size === 0) {
    void vscode.window.showInformationMessage("Nothing in this file is complained of.");
  }
  if (ids.size <= 1) {
    return items[0]?.label;
  }
  return (await vscode.window.showQuickPick(items, { title: "Explain which diagnostic?" }))?.label;
}

/** The event to simulate: none for a job of the egg's own, or one from a file. Nothing when the user leaves. */
async function chooseEvent(): Promise<{ event?: object } | undefined> {
  const own = { label: "A job of the egg's own project", description: "with the egg's own tags" };
  const file = { label: "An event from a file…", description: "JSON as GitLab sends it, or as flyc simulate reads it" };
  const chosen = await vscode.window.showQuickPick([own, file], { title: "Simulate which event?" });
  if (chosen !== file) {
    return chosen && {};
  }
  const [uri] = (await vscode.window.showOpenDialog({ filters: { JSON: ["json"] }, openLabel: "Simulate" })) ?? [];
  if (uri === undefined) {
    return undefined;
  }
  const text = (await vscode.workspace.openTextDocument(uri)).getText();
  const read = eventOf(text);
  if ("problem" in read) {
    void vscode.window.showErrorMessage(`${path.posix.basename(uri.path)} is no event: ${read.problem}`);
    return undefined;
  }
  return read;
}

/** The commands that ask the server, by name. */
export function commands(server: Server, documents: Documents, homepage: string): Record<string, (...args: never[]) => unknown> {
  const ask = async (command: string, ...args: unknown[]): Promise<void> => {
    const answer = await server.command(command, args);
    await show(documents, command, args, answer);
  };
  return {
    "fly.explainDiagnostic": async (id?: string): Promise<void> => {
      const chosen = typeof id === "string" ? id : await chooseDiagnostic();
      if (chosen === undefined) {
        return;
      }
      if (server.knows(EXPLAIN)) {
        await ask(EXPLAIN, chosen);
      } else {
        await vscode.env.openExternal(vscode.Uri.parse(pageOf(homepage, chosen)));
      }
    },
    "fly.showGenerated": async (): Promise<void> => {
      const document = current();
      if (document !== undefined) {
        await ask(GENERATED, document.uri.toString());
      }
    },
    "fly.simulateEvent": async (): Promise<void> => {
      const document = current();
      const chosen = document && (await chooseEvent());
      if (document !== undefined && chosen !== undefined) {
        const event = chosen.event === undefined ? [] : [chosen.event];
        await ask(SIMULATE, document.uri.toString(), ...event);
      }
    },
  };
}

/** `Explain type-mismatch`, wherever there is something to explain. */
export class Explanations implements vscode.CodeActionProvider {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];

  provideCodeActions(
    _document: vscode.TextDocument,
    _range: vscode.Range,
    context: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    const ids = context.diagnostics
      .filter((diagnostic) => diagnostic.source === "fly")
      .flatMap((diagnostic) => idOf(diagnostic.code) ?? []);
    return [...new Set(ids)].map((id) => {
      const action = new vscode.CodeAction(`Explain ${id}`, vscode.CodeActionKind.QuickFix);
      action.command = { command: "fly.explainDiagnostic", title: action.title, arguments: [id] };
      return action;
    });
  }
}
