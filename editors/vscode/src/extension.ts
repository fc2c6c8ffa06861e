// The extension's beginning and end: what is put together here lives in the files beside.

import * as vscode from "vscode";

import { REFERENCES } from "./answers";
import { Explanations, commands, show } from "./commands";
import { Documents } from "./documents";
import { newEgg } from "./eggs";
import { flycCommands, taskProvider } from "./flyc";
import { Server } from "./server";
import { RESTARTING, SECTION } from "./settings";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const manifest = context.extension.packageJSON as { homepage: string };
  const documents = new Documents();
  const started = new Server(async (command, args, run) => {
    const answer = await run();
    await show(documents, command, args, answer);
    return answer;
  }, manifest.homepage);
  server = started;
  const all: Record<string, (...args: never[]) => unknown> = {
    "fly.restartServer": () => started.restart(),
    "fly.showOutput": () => started.output.show(),
    "fly.newEgg": () => newEgg(context.extensionUri),
    // What a code lens of the server runs, with places as the protocol tells them.
    [REFERENCES]: showReferences,
    ...commands(started, documents, manifest.homepage),
    ...flycCommands(started, documents),
  };
  context.subscriptions.push(
    documents,
    taskProvider(started),
    ...Object.entries(all).map(([name, run]) => vscode.commands.registerCommand(name, run)),
    vscode.languages.registerCodeActionsProvider({ language: "fly" }, new Explanations(), {
      providedCodeActionKinds: Explanations.kinds,
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (RESTARTING.some((name) => change.affectsConfiguration(name))) {
        void started.restart();
      } else if (change.affectsConfiguration(SECTION)) {
        started.configure();
      }
    }),
    // A trusted workspace may name a server of its own.
    vscode.workspace.onDidGrantWorkspaceTrust(() => void started.restart()),
  );
  // Not waited for: the extension is there while the server still starts, or never does.
  void started.start();
}

export async function deactivate(): Promise<void> {
  await server?.dispose();
  server = undefined;
}

interface Place {
  line: number;
  character: number;
}

interface Location {
  uri: string;
  range: { start: Place; end: Place };
}

function showReferences(uri: string, at: Place, locations: Location[]): Thenable<unknown> {
  const position = ({ line, character }: Place): vscode.Position => new vscode.Position(line, character);
  return vscode.commands.executeCommand(
    "editor.action.showReferences",
    vscode.Uri.parse(uri),
    position(at),
    locations.map(
      ({ uri, range }) =>
        new vscode.Location(vscode.Uri.parse(uri), new vscode.Range(position(range.start), position(range.end))),
    ),
  );
}
