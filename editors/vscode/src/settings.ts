// The settings, read anew whenever they are asked for.

import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import * as vscode from "vscode";

import type { Surroundings } from "./discover";

export const SECTION = "fly";

function get<T>(name: string, otherwise: T): T {
  return vscode.workspace.getConfiguration(SECTION).get<T>(name) ?? otherwise;
}

export const serverArguments = (): string[] => get("server.arguments", []);
export const serverEnvironment = (): Record<string, string> => get("server.environment", {});
export const codeLenses = (): boolean => get("codeLens", true);

/** The settings that only a server started anew takes up. */
export const RESTARTING = ["server.path", "server.arguments", "server.environment"].map(
  (name) => `${SECTION}.${name}`,
);

/** Whether there is anything that a server could read: a folder on the disk, or no folder at all. */
export function onDisk(): boolean {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.length === 0 || folders.some(({ uri }) => uri.scheme === "file");
}

/** The first folder on the disk. */
export const folder = (): string | undefined =>
  vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file")?.uri.fsPath;

/** What the search for programs needs to know. */
export function surroundings(): Surroundings {
  const windows = process.platform === "win32";
  return {
    setting: get("server.path", ""),
    env: process.env,
    home: homedir(),
    windows,
    folder: folder(),
    isProgram: (file) => {
      try {
        accessSync(file, windows ? constants.F_OK : constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    },
    resolve: (file) => {
      try {
        return realpathSync(file);
      } catch {
        return file;
      }
    },
  };
}
