// What the program flyc does for the whole Nest: a check as a task, a plan as a page.

import { execFile } from "node:child_process";
import path from "node:path";
import * as vscode from "vscode";

import { discoverFlyc } from "./discover";
import type { Documents } from "./documents";
import type { Server } from "./server";
import * as settings from "./settings";

const PARTS = ["nest.fly", "Eggs", "Jobs", "UF", "MG"];

/** What is in a folder; nothing in one that isn't there or can't be read. */
async function namesIn(folder: vscode.Uri): Promise<string[]> {
  try {
    return (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
  } catch {
    return [];
  }
}

/** The Nest around a file: the nearest folder above it with a part of a Nest. */
async function nestAround(file: vscode.Uri): Promise<vscode.Uri | undefined> {
  for (let folder = file; ; ) {
    const above = vscode.Uri.joinPath(folder, "..");
    if (above.path === folder.path) {
      return undefined;
    }
    folder = above;
    const names = new Set(await namesIn(folder));
    if (PARTS.some((part) => names.has(part))) {
      return folder;
    }
  }
}

/** The Nest that a folder of the workspace is, or is in. */
async function nestOf(folder: vscode.WorkspaceFolder): Promise<vscode.Uri | undefined> {
  return folder.uri.scheme === "file" ? nestAround(vscode.Uri.joinPath(folder.uri, "nest.fly")) : undefined;
}

/** The Nest of the open file, else of the workspace. */
export async function openNest(): Promise<vscode.Uri | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  const around = document?.uri.scheme === "file" ? await nestAround(document.uri) : undefined;
  if (around !== undefined) {
    return around;
  }
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const found = await nestOf(folder);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

/** The Nest that a command is about; says so when there is none. */
async function nest(): Promise<string | undefined> {
  const found = await openNest();
  if (found === undefined) {
    void vscode.window.showInformationMessage(
      "There is no Nest here: a folder with nest.fly, Eggs, Jobs, UF or MG in it. Open a file of it first.",
    );
  }
  return found?.fsPath;
}

function program(server: Server): string | undefined {
  const found = discoverFlyc(settings.surroundings(), server.path);
  if (found === undefined) {
    void vscode.window.showErrorMessage("flyc isn't there: neither beside fly-lsp nor on the PATH.");
  }
  return found;
}

const TASK = "fly";

function checkTask(
  flyc: string,
  cwd: string,
  definition: vscode.TaskDefinition,
  scope: vscode.WorkspaceFolder | vscode.TaskScope.Workspace,
): vscode.Task {
  const task = new vscode.Task(
    definition,
    scope,
    "check",
    TASK,
    new vscode.ProcessExecution(flyc, ["check", "--output-format", "concise"], { cwd }),
    // The server tells the same in Problems, and of files that are not saved too.
    [],
  );
  task.group = vscode.TaskGroup.Test;
  return task;
}

/** `fly: check` among the tasks, for the Nest of every folder of the workspace. */
export function taskProvider(server: Server): vscode.Disposable {
  const checks = async (folders: readonly vscode.WorkspaceFolder[], definition: vscode.TaskDefinition): Promise<vscode.Task[]> => {
    const flyc = discoverFlyc(settings.surroundings(), server.path);
    if (flyc === undefined) {
      return [];
    }
    const nests = await Promise.all(folders.map(async (folder) => ({ folder, nest: await nestOf(folder) })));
    return nests.flatMap(({ folder, nest }) => (nest ? [checkTask(flyc, nest.fsPath, definition, folder)] : []));
  };
  return vscode.tasks.registerTaskProvider(TASK, {
    provideTasks: () => checks(vscode.workspace.workspaceFolders ?? [], { type: TASK, command: "check" }),
    resolveTask: async (task) => {
      // A task of a folder checks that folder's Nest, one of the workspace the first there is.
      const folders =
        typeof task.scope === "object" ? [task.scope] : (vscode.workspace.workspaceFolders ?? []);
      return (await checks(folders, task.definition))[0];
    },
  });
}

export function flycCommands(server: Server, documents: Documents): Record<string, () => unknown> {
  return {
    "fly.checkNest": async (): Promise<void> => {
      const flyc = program(server);
      const cwd = flyc && (await nest());
      if (flyc === undefined || cwd === undefined) {
        return;
      }
      await vscode.tasks.executeTask(checkTask(flyc, cwd, { type: TASK, command: "check" }, vscode.TaskScope.Workspace));
    },
    "fly.planAgainst": async (): Promise<void> => {
      const flyc = program(server);
      const cwd = flyc && (await nest());
      if (flyc === undefined || cwd === undefined) {
        return;
      }
      const revision = await vscode.window.showInputBox({
        title: "Plan against which revision?",
        prompt: "A branch, tag or commit of the Nest's repository. Files are read as they were saved.",
        value: "HEAD",
        validateInput: (text) =>
          text.trim() === "" || text.startsWith("-") ? "Give a branch, a tag or a commit." : undefined,
      });
      if (revision === undefined) {
        return;
      }
      const result = await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: `Plan against ${revision}`, cancellable: true },
        (_, token) => run(flyc, ["plan", "--against", revision.trim(), "--format", "markdown"], cwd, token),
      );
      if (result.failure === undefined) {
        await documents.showMarkdown(`plan/${path.basename(cwd)} against ${revision.replaceAll("/", " ")}.md`, result.output);
      } else if (result.failure !== "") {
        server.output.error(result.failure);
        void vscode.window.showErrorMessage(`flyc plan: ${result.failure.split("\n")[0] ?? ""}`, "Show Output").then(
          (chosen) => chosen && server.output.show(),
        );
      }
    },
  };
}

interface Run {
  output: string;
  /** What went wrong; empty when the user has cancelled. */
  failure: string | undefined;
}

function run(flyc: string, args: string[], cwd: string, token: vscode.CancellationToken): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(flyc, args, { cwd, maxBuffer: 1 << 26 }, (error, output, messages) => {
      if (error === null) {
        resolve({ output, failure: undefined });
      } else {
        const said = messages.trim() || output.trim() || error.message;
        resolve({ output, failure: token.isCancellationRequested ? "" : said });
      }
    });
    token.onCancellationRequested(() => child.kill());
  });
}
