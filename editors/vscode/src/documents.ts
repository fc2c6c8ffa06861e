// Read-only documents of what the server answers: explanations, generated files, simulations, plans.

import * as vscode from "vscode";

import { type GeneratedFile, languagesOf } from "./answers";
import { Kept } from "./kept";

export const SCHEME = "fly-generated";

/** How many texts are kept. */
const MOST = 50;

/** Holds the texts. The editor closes documents that no tab shows as it pleases, and asks again when one comes back. */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Kept(MOST);
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  readonly onDidChange = this.changed.event;

  constructor() {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return (
      this.texts.get(uri.toString()) ??
      "This was made long ago or in an earlier session and is gone. Run the command that made it again.\n"
    );
  }

  private keep(path: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${path}` });
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    return uri;
  }

  /** Shows markdown as a page beside the editor, or as text where the preview is switched off. */
  async showMarkdown(path: string, markdown: string): Promise<void> {
    const uri = this.keep(path, markdown);
    try {
      await vscode.commands.executeCommand("markdown.showPreviewToSide", uri);
    } catch {
      await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside, preview: true });
    }
  }

  /** Shows a generated file beside the editor, in its language. */
  async showFile(folder: string, file: GeneratedFile): Promise<void> {
    const uri = this.keep(`${folder}/${file.path}`, file.text);
    let document = await vscode.workspace.openTextDocument(uri);
    const known = await vscode.languages.getLanguages();
    const language = languagesOf(file).find((language) => known.includes(language));
    if (language !== undefined && document.languageId !== language) {
      document = await vscode.languages.setTextDocumentLanguage(document, language);
    }
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preview: true,
      preserveFocus: false,
    });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
    this.texts.clear();
  }
}
