// A new egg, in the Nest that is open or in a document that has no place yet.

import * as vscode from "vscode";

import { openNest } from "./flyc";
import { eggSnippet, wrongName } from "./snippet";

/** Asks for a name and opens the egg's file, with the snippet in it when there was none. */
export async function newEgg(extension: vscode.Uri): Promise<void> {
  const snippets = await read(vscode.Uri.joinPath(extension, "snippets", "fly.json"));
  const nest = await openNest();
  if (nest === undefined) {
    await fill(await vscode.workspace.openTextDocument({ language: "fly" }), eggSnippet(snippets, undefined));
    return;
  }
  const name = await vscode.window.showInputBox({
    title: "What is the egg called?",
    prompt: "It is written to Eggs/<name>/config.fly, and is called so everywhere.",
    placeHolder: "my-app",
    validateInput: wrongName,
  });
  if (name === undefined) {
    return;
  }
  const file = vscode.Uri.joinPath(nest, "Eggs", name, "config.fly");
  const there = await exists(file);
  if (there) {
    void vscode.window.showInformationMessage(`Eggs/${name}/config.fly was there already; nothing was written.`);
  } else {
    await vscode.workspace.fs.writeFile(file, new Uint8Array());
  }
  const document = await vscode.workspace.openTextDocument(file);
  if (there) {
    await vscode.window.showTextDocument(document);
  } else {
    await fill(document, eggSnippet(snippets, name));
  }
}

async function fill(document: vscode.TextDocument, snippet: string): Promise<void> {
  const editor = await vscode.window.showTextDocument(document);
  await editor.insertSnippet(new vscode.SnippetString(snippet), new vscode.Position(0, 0));
}

async function read(file: vscode.Uri): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
}

async function exists(file: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(file);
    return true;
  } catch {
    return false;
  }
}
