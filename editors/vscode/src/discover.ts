// Where the language server is. What never lives here: the editor, processes; what is asked of the machine comes in as
// functions, so that every place can be tried in a test.

import path from "node:path";

/** What the machine and the settings say. */
export interface Surroundings {
  /** The setting `fly.server.path`, empty when it isn't set. */
  setting: string;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  windows: boolean;
  /** The first folder of the workspace, that `${workspaceFolder}` stands for. */
  folder: string | undefined;
  isProgram: (file: string) => boolean;
  /** The file that a link leads to, or the file itself. */
  resolve: (file: string) => string;
}

export type Discovery =
  | { found: true; program: string; how: string }
  /** `wrongSetting`: the setting names a program that isn't there, so nothing else is tried. */
  | { found: false; wrongSetting: string | undefined; looked: string[] };

/** The setting with `~`, `${workspaceFolder}`, `${userHome}` and `${env:NAME}` filled in. */
export function expand(setting: string, around: Pick<Surroundings, "env" | "home" | "folder">): string {
  return setting
    .trim()
    .replace(/^~(?=$|[/\\])/, () => around.home)
    .replaceAll("${userHome}", () => around.home)
    .replaceAll("${workspaceFolder}", () => around.folder ?? "")
    .replaceAll(/\$\{env:([^}]+)\}/g, (_, name: string) => around.env[name] ?? "");
}

/** The program of this name on the PATH. */
export function onPath(name: string, around: Surroundings): string | undefined {
  const paths = around.windows ? path.win32 : path.posix;
  const variable = around.env["PATH"] ?? around.env["Path"] ?? "";
  return variable
    .split(paths.delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => paths.join(folder, program(name, around)))
    .find((file) => around.isProgram(file));
}

function program(name: string, around: Surroundings): string {
  return around.windows ? `${name}.exe` : name;
}

/** The server: as the settings say, else on the PATH, beside `flyc`, or where cargo installs programs. */
export function discover(around: Surroundings): Discovery {
  const paths = around.windows ? path.win32 : path.posix;
  const setting = expand(around.setting, around);
  if (setting !== "") {
    // A bare name is looked for on the PATH, as a shell would.
    const named = /[/\\]/.test(setting) ? undefined : onPath(setting.replace(/\.exe$/, ""), around);
    const file = paths.isAbsolute(setting) ? setting : paths.join(around.folder ?? "", setting);
    const found = named ?? [file, program(file, around)].find((file) => around.isProgram(file));
    return found === undefined
      ? { found: false, wrongSetting: setting, looked: [setting] }
      : { found: true, program: found, how: "the setting fly.server.path" };
  }
  const direct = onPath("fly-lsp", around);
  if (direct !== undefined) {
    return { found: true, program: direct, how: "the PATH" };
  }
  const looked = ["fly-lsp on the PATH"];
  const name = program("fly-lsp", around);
  const flyc = onPath("flyc", around);
  const places: [string, string][] = [];
  if (flyc === undefined) {
    looked.push("beside flyc, which isn't on the PATH either");
  } else {
    places.push([paths.join(paths.dirname(flyc), name), "beside flyc"]);
    places.push([paths.join(paths.dirname(around.resolve(flyc)), name), "beside flyc"]);
  }
  const cargo = around.env["CARGO_HOME"] ?? paths.join(around.home, ".cargo");
  places.push([paths.join(cargo, "bin", name), "cargo's folder"]);
  for (const [file, how] of places) {
    if (around.isProgram(file)) {
      return { found: true, program: file, how };
    }
    looked.push(file);
  }
  return { found: false, wrongSetting: undefined, looked: [...new Set(looked)] };
}

/** `flyc`: beside the server, on the PATH, or where cargo installs programs. */
export function discoverFlyc(around: Surroundings, server: string | undefined): string | undefined {
  const paths = around.windows ? path.win32 : path.posix;
  const name = program("flyc", around);
  const cargo = around.env["CARGO_HOME"] ?? paths.join(around.home, ".cargo");
  const beside = server === undefined ? [] : [paths.join(paths.dirname(server), name)];
  return (
    beside.find((file) => around.isProgram(file)) ??
    onPath("flyc", around) ??
    [paths.join(cargo, "bin", name)].find((file) => around.isProgram(file))
  );
}
